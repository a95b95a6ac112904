"""Processes that work for this one, and end when it does."""

import multiprocessing
import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import Any

FOLLOWS = "PRIORLAB_FOLLOWS"  # environment variable of a process that ends with the one that started it


def worker_pool(count: int, begin: Callable[[], object] | None = None) -> ProcessPoolExecutor:
    """So many processes, each of which calls ``begin`` before its first job.

    When this process ends in any way, they end at once: otherwise they would finish a job that may take minutes, and
    then wait for more for ever.
    """
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, context, initializer=begin_work, initargs=(begin,))


def begin_work(begin: Callable[[], object] | None) -> None:
    leave_with_parent()
    if begin:
        begin()


def leave_with_parent() -> None:
    """Ends this process, which ``multiprocessing`` started, when the one that started it ends."""
    parent = multiprocessing.parent_process()
    assert parent
    leave_after(parent.join)


def leave_after(wait: Callable[[], object]) -> None:
    """Ends this process at once when that returns, whatever it does then."""

    def leave() -> None:
        wait()
        os._exit(1)

    threading.Thread(target=leave, daemon=True).start()


def start_follower(command: list[str], environment: Mapping[str, str], **options: Any) -> subprocess.Popen:
    """Starts a command of this package, which ends at once when this process does, in any way.

    It waits at its standard input, a pipe that nobody writes to: the system closes it. Call ``communicate`` at the end.
    """
    follows = {**environment, FOLLOWS: "1"}
    return subprocess.Popen(command, stdin=subprocess.PIPE, env=follows, **options)


def follow_if_asked() -> None:
    """Makes this process a follower if it was started as one; the processes that it starts are none."""
    if os.environ.pop(FOLLOWS, ""):
        leave_after(lambda: os.read(0, 1))  # unbuffered, as Python could not end while a thread holds its buffer


def stop_at_once(pool: Executor) -> None:
    """Ends the processes in the middle of their jobs, and drops what waits."""
    for worker in multiprocessing.active_children():
        worker.terminate()
    pool.shutdown(cancel_futures=True)
