"""`priorlab transfer`: learns tasks one after another, with every method that keeps or reuses what was learned."""

from typing import Annotated

import tyro

from priorlab.scripts.console import plain_console
from priorlab.scripts.running.side_by_side import resumable
from priorlab.scripts.sequences.page import write_transfer
from priorlab.scripts.sequences.runs import Request, gather, learn_missing, settings_of


def main(request: Annotated[Request, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")]) -> None:
    """Learn what `--out` does not hold yet, keep the rows there, and write report.html and README.md.

    You can stop the command at any time; started again, it continues with the unfinished runs.
    """
    console = plain_console()
    try:
        if not request.report_only:
            with resumable():
                learn_missing(request, console)
    finally:
        settings = settings_of(request.folder, request.settings)
        rows = gather(request.folder, settings)
    if not len(rows.runs):
        raise ValueError(f"{request.folder}: no runs yet: run without --report-only first")
    path = write_transfer(request.folder, rows, settings, request.quick)
    console.print(f"The report: {path.resolve()}", soft_wrap=True)
