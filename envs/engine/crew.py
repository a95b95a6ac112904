"""Threads that step a batch's lanes beside the caller's own, told what to do in less than a microsecond.

Handing a step to a sleeping thread costs some hundred microseconds, as long as a thousand games take. So a worker
stays in compiled code, without the interpreter's lock, and looks for the next step for a while before it sleeps.
"""

import os
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial

import numpy as np

from priorlab.envs.base.compile import function, kernel, load, store
from priorlab.envs.engine.lockstep import step_range

PATIENCE = 200_000  # looks at what is posted before a worker sleeps: a tenth of a millisecond or two
TOLD, DONE, ENDED = range(3)  # what is posted: steps told, steps done, how many lanes ended in the last one


@function
def awaits(posts, post, value):
    """Looks at a post until it is ``value``, if that comes soon; whether it did."""
    left = PATIENCE
    while left and load(posts, post) != value:
        left -= 1
    return left > 0


@kernel
def await_post(posts, post, value):
    return awaits(posts, post, value)


@kernel
def tell(posts):
    """Posts another step; what was written before is seen by whoever sees the post."""
    store(posts, TOLD, posts[TOLD] + 1)


@kernel
def serve(job, posts):
    """Runs ``step_range(*job)`` for each step that is told, until none comes for a while."""
    while awaits(posts, TOLD, posts[DONE] + 1):
        posts[ENDED] = step_range(*job)
        store(posts, DONE, posts[DONE] + 1)


class Crew:
    """Steps a batch's lanes: calls of ``step_range``, the first in the caller's thread, each other in a worker's."""

    def __init__(self, jobs: list[tuple]):
        self._jobs = jobs
        self._hire()

    def _hire(self) -> None:
        self._process = os.getpid()
        own, *others = self._jobs
        self._step_own = partial(step_range, *own)
        if others:  # compiled here: whoever forks meanwhile would leave the compiler locked in the child
            serve(others[0], np.zeros(3, np.int64))
        self._workers = [Worker(partial(serve, job)) for job in others]

    def step(self) -> list[int]:
        """Has all jobs done; how many lanes started over in each."""
        if self._workers and self._process != os.getpid():
            self._hire()  # a fork takes none of its parent's threads along
        for worker in self._workers:
            worker.tell()
        return [self._step_own(), *(worker.wait() for worker in self._workers)]

    def close(self) -> None:
        for worker in self._workers:
            worker.close()


class Worker:
    """A thread that runs ``work(posts)``, a call of ``serve``, whenever a step is told. Close it, or let it go."""

    def __init__(self, work: Callable[[np.ndarray], object]):
        self.posts = np.zeros(3, np.int64)
        self._sleep = Sleep()
        self.close = weakref.finalize(self, self._sleep.end)
        threading.Thread(target=run, args=(work, self.posts, self._sleep), daemon=True).start()

    def tell(self) -> None:
        """Has the next step begun."""
        tell(self.posts)
        self._sleep.disturb()

    def wait(self) -> int:
        """Until the step is done; how many lanes ended in it."""
        while not await_post(self.posts, DONE, self.posts[TOLD]):
            time.sleep(0)  # more threads than cores: let it run
        return int(self.posts[ENDED])


class Sleep:
    """Where a worker waits when nothing is told."""

    def __init__(self) -> None:
        self.asleep = self.over = False
        self.bell = threading.Semaphore(0)
        self._process = os.getpid()

    def disturb(self) -> None:
        if self.asleep:
            self.asleep = False
            self.bell.release()

    def end(self) -> None:
        if self._process == os.getpid():  # in a child of a fork nobody sleeps, and the bell may be locked for ever
            self.over = True
            self.bell.release()


def run(work: Callable[[np.ndarray], object], posts: np.ndarray, sleep: Sleep) -> None:
    while not sleep.over:
        work(posts)
        sleep.asleep = True  # first say so, then look once more: no step can be told between the two
        if posts[TOLD] == posts[DONE]:
            sleep.bell.acquire()
        sleep.asleep = False
