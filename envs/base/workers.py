"""Processes that work for this one, and end when it does."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor


def worker_pool(count: int, begin: Callable[[], object] | None = None) -> ProcessPoolExecutor:
    """So many processes, each of which calls ``begin`` before its first job.

    When this process ends in any way, they end at once: otherwise they would finish a job that may take minutes, and
    then wait for more for ever.
    """
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, context, initializer=begin_work, initargs=(begin,))


def begin_work(begin: Callable[[], object] | None) -> None:
    parent = multiprocessing.parent_process()
    assert parent

    def leave() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=leave, daemon=True).start()
    if begin:
        begin()


def stop_at_once(pool: Executor) -> None:
    """Ends the processes in the middle of their jobs, and drops what waits."""
    for worker in multiprocessing.active_children():
        worker.terminate()
    pool.shutdown(cancel_futures=True)
