"""Work in parallel, one process per job, with a progress bar."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, as_completed
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from priorlab.envs.base.workers import stop_at_once, worker_pool

ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
KILLED = "a process was killed, perhaps for lack of memory; the same command goes on, if need be with fewer workers"
ALL = 1e6  # seconds: the time left is estimated from all jobs done, as their lengths differ


@contextmanager
def on_one_thread_each() -> Iterator[None]:
    """Processes started within the block compute on one thread each: with more, they would wait for one another.

    Libraries read the setting when they are loaded, so this process is not affected.
    """
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
def resumable(reports: bool = True) -> Iterator[None]:
    """After Ctrl-C, the command's last line says how to resume it and, if it ``reports``, how to see what is done."""
    try:
        yield
    except KeyboardInterrupt:
        seen = ", and --report-only reports what is done" if reports else ""
        raise KeyboardInterrupt(f"stopped; the same command resumes from here{seen}") from None


@contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Processes started within the block ignore Ctrl-C, which the terminal sends to all of them; this one ends them.

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
    """Yields each job with the result of ``work(*job)`` as soon as it is finished; stopping ends unfinished jobs.

    ``console``, if given, shows a progress bar, and each failure at once. If jobs failed, ValueError is raised after
    all others are finished; ChildProcessError at once if a process was killed.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=console, transient=True, disable=console is None, speed_estimate_period=ALL)
    count = max(1, min(workers, len(jobs)))  # all are started with the first job
    with progress, worker_pool(count) as pool:
        bar = progress.add_task(title, total=len(jobs))
        with on_one_thread_each(), deaf_to_interrupts():
            submitted = {pool.submit(work, *job): job for job in jobs}
        failed = []
        try:
            for each in as_completed(submitted):
                error = each.exception()
                if isinstance(error, BrokenExecutor):
                    raise ChildProcessError(KILLED)
                if error is None:
                    yield submitted[each], each.result()
                else:
                    failed.append(f"{', '.join(map(str, submitted[each][:2]))}: {error}")
                    if console is not None:
                        console.print(f"Failed: {failed[-1]}", markup=False, highlight=False, soft_wrap=True)
                progress.advance(bar)
        except BaseException:
            stop_at_once(pool)
            raise
    if failed:
        raise ValueError(f"{len(failed)} of {len(jobs)} failed; the others were recorded: {'; '.join(failed)}")
