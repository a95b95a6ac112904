"""Work done side by side, in a process each, with a bar that shows how much is left, and what is said when it stops."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
ALL = 1e6  # seconds: what is left is told from all that was done, as jobs are of many lengths


@contextmanager
def on_one_thread_each() -> Iterator[None]:
    """Processes that are started meanwhile compute on one thread each: with more, they wait for one another. Libraries
    read it when they are loaded, so this process stays as it is."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def stopped_in_a_line() -> Iterator[None]:
    """Ends a command that Ctrl-C stops with a line that tells that its work goes on when it is started again."""
    try:
        yield
    except KeyboardInterrupt:
        told = "stopped; the same command goes on from here, with --report-only it shows what there is"
        raise KeyboardInterrupt(told) from None


@contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Processes that are started meanwhile don't get Ctrl-C, which the terminal sends to all: this one ends them.

    Windows can't do that.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def side_by_side(
    work: Callable[..., Any], jobs: Sequence[tuple], workers: int, title: str, console: Console | None = None
) -> Iterator[tuple[tuple, Any]]:
    """Each job and what ``work(*job)`` gave, as they are finished; when it is stopped, what is unfinished is ended.

    The bar is shown on ``console``, if there is one, and which job failed, at once. Raises ValueError when all others
    are finished, if jobs failed.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    shown = Progress(*columns, console=console, transient=True, disable=console is None, speed_estimate_period=ALL)
    with shown, ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        bar = shown.add_task(title, total=len(jobs))
        with on_one_thread_each(), deaf_to_interrupts():
            begun = {pool.submit(work, *job): job for job in jobs}
        failed = []
        try:
            for each in as_completed(begun):
                error = each.exception()
                if error is None:
                    yield begun[each], each.result()
                else:
                    failed.append(f"{', '.join(map(str, begun[each][:2]))}: {error}")
                    if console is not None:
                        console.print(f"Failed: {failed[-1]}", markup=False, highlight=False, soft_wrap=True)
                shown.advance(bar)
        except BaseException:
            for worker in multiprocessing.active_children():  # which may be in the middle of minutes of work
                worker.terminate()
            pool.shutdown(cancel_futures=True)
            raise
    if failed:
        raise ValueError(f"{len(failed)} of {len(jobs)} failed, the others are kept: {'; '.join(failed)}")
