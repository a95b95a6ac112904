"""`priorlab transfer`: tasks learned one after another, by every method that keeps or reuses what was learned."""

from typing import Annotated

import tyro

from priorlab.scripts.console import plain_console
from priorlab.scripts.run import run
from priorlab.scripts.running.side_by_side import stopped_in_a_line
from priorlab.scripts.sequences.page import write_transfer
from priorlab.scripts.sequences.runs import Request, gather, learn_missing, settings_of


def main(request: Annotated[Request, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")]) -> None:
    """Learns what is missing in `--out`, keeps the rows there, and writes report.html and README.md.

    Stopped at any time, the same command goes on with the runs that are not finished.
    """
    console = plain_console()
    try:
        if not request.report_only:
            with stopped_in_a_line():
                learn_missing(request, console)
    finally:
        rows = gather(request.folder)
    if not len(rows.runs):
        raise ValueError(f"{request.folder}: no runs: expected one or more; without --report-only it makes them")
    path = write_transfer(request.folder, rows, settings_of(request.folder), request.quick)
    console.print(f"The report: {path.resolve()}", soft_wrap=True)


if __name__ == "__main__":
    run("transfer")
