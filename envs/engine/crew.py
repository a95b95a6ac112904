"""Threads that step a batch's lanes besides the caller's, and receive a step in less than a microsecond.

To wake a sleeping thread takes some hundred microseconds, as long as a step of a thousand games. So a worker stays in
compiled code, without the interpreter's lock, and polls for the next step for a while before it sleeps.
"""

import os
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial

import numpy as np

from priorlab.envs.base.compile import Bound, function, kernel, load, store
from priorlab.envs.engine.lockstep import step_range

PATIENCE = 200_000  # polls before a worker sleeps: a tenth of a millisecond or two
REQUESTED, DONE, ENDED = range(3)  # what is posted: steps requested, steps done, how many lanes ended in the last one


@function
def awaits(posts, post, value):
    """Polls a post until it is ``value``; whether it became so soon."""
    left = PATIENCE
    while left and load(posts, post) != value:
        left -= 1
    return left > 0


@kernel
def await_post(posts, post, value):
    return awaits(posts, post, value)


@kernel
def request(posts):
    """Posts another step. A thread that sees the post also sees what was written before."""
    store(posts, REQUESTED, posts[REQUESTED] + 1)


@kernel
def serve(job, posts):
    """Runs ``step_range(*job)`` for each step that is requested, until none comes for a while."""
    while awaits(posts, REQUESTED, posts[DONE] + 1):
        posts[ENDED] = step_range(*job)
        store(posts, DONE, posts[DONE] + 1)


class Crew:
    """Steps a batch's lanes by calls of ``step_range``: the first in the caller's thread, each other in a worker's."""

    def __init__(self, jobs: list[tuple]):
        self._jobs = jobs
        self._hire()

    def _hire(self) -> None:
        self._process = os.getpid()
        first, *others = self._jobs
        self._step_first = Bound(step_range, *first)
        if others:  # compiled here: a fork meanwhile would leave the compiler locked in the child
            serve(others[0], np.zeros(3, np.int64))
        self._workers = [Worker(partial(serve, job)) for job in others]

    def step(self) -> list[int]:
        """Does all jobs; how many lanes started over in each."""
        if self._workers and self._process != os.getpid():
            self._hire()  # a fork has none of its parent's threads
        for worker in self._workers:
            worker.begin()
        return [self._step_first(), *(worker.wait() for worker in self._workers)]

    def close(self) -> None:
        for worker in self._workers:
            worker.close()


class Worker:
    """A thread that runs ``work(posts)``, a call of ``serve``, whenever a step is requested, until it is closed or
    garbage-collected."""

    def __init__(self, work: Callable[[np.ndarray], object]):
        self.posts = np.zeros(3, np.int64)
        self._sleep = Sleep()
        self.close = weakref.finalize(self, self._sleep.end)
        threading.Thread(target=run, args=(work, self.posts, self._sleep), daemon=True).start()

    def begin(self) -> None:
        """Requests the next step."""
        request(self.posts)
        self._sleep.disturb()

    def wait(self) -> int:
        """Waits until the step is done; how many lanes ended in it."""
        while not await_post(self.posts, DONE, self.posts[REQUESTED]):
            time.sleep(0)  # more threads than cores: let the worker run
        return int(self.posts[ENDED])


class Sleep:
    """Where a worker waits when no step is requested."""

    def __init__(self) -> None:
        self.asleep = self.over = False
        self.bell = threading.Semaphore(0)
        self._process = os.getpid()

    def disturb(self) -> None:
        if self.asleep:
            self.asleep = False
            self.bell.release()

    def end(self) -> None:
        if self._process == os.getpid():  # in a forked child nothing sleeps, and the bell may be locked for ever
            self.over = True
            self.bell.release()


def run(work: Callable[[np.ndarray], object], posts: np.ndarray, sleep: Sleep) -> None:
    while not sleep.over:
        work(posts)
        sleep.asleep = True  # set first, then check once more, so that no request goes unseen
        if posts[REQUESTED] == posts[DONE]:
            sleep.bell.acquire()
        sleep.asleep = False
