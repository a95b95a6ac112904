"""Work done side by side, in a process each, with a bar that shows how much is left, and what is said when it stops."""

import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def stopped_in_a_line() -> Iterator[None]:
    """Ends a command that Ctrl-C stops, whose work goes on when it is started again, with a line and exit code 1."""
    try:
        yield
    except KeyboardInterrupt:
        sys.exit("Stopped. The same command goes on from here; with --report-only it shows what there is.")


def side_by_side(
    work: Callable[..., Any], jobs: Sequence[tuple], workers: int, title: str, console: Console | None = None
) -> Iterator[tuple[tuple, Any]]:
    """Each job and what ``work(*job)`` gave, as they are finished; when it is stopped, what is unfinished is ended.

    The bar is shown on ``console``, if there is one. Raises ValueError when all others are finished, if jobs failed.
    """
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    shown = Progress(*columns, console=console, transient=True, disable=console is None)
    with shown, ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        bar = shown.add_task(title, total=len(jobs))
        begun = {pool.submit(work, *job): job for job in jobs}
        failed = []
        try:
            for each in as_completed(begun):
                error = each.exception()
                if error is None:
                    yield begun[each], each.result()
                else:
                    failed.append(f"{', '.join(map(str, begun[each][:2]))}: {error}")
                shown.advance(bar)
        except BaseException:
            for worker in multiprocessing.active_children():  # which may be in the middle of minutes of work
                worker.terminate()
            pool.shutdown(cancel_futures=True)
            raise
    if failed:
        raise ValueError(f"{len(failed)} of {len(jobs)} failed, the others are kept: {'; '.join(failed)}")
