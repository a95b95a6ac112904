"""`priorlab tickets`: shrinks a trained network until it no longer wins its game."""

from typing import Annotated

import tyro

from priorlab.scripts.console import plain_console
from priorlab.scripts.running.side_by_side import resumable
from priorlab.scripts.tickets.page import write_tickets
from priorlab.scripts.tickets.runs import Request, read, shrink_missing


def main(request: Annotated[Request, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")]) -> None:
    """Train a network, remove half of its weights, train it again, and so on; write rows and pages to `--out`.

    The pages are report.html and README.md. You can stop the command at any time; started again, it continues with the
    unfinished networks.
    """
    console = plain_console()
    if not request.report_only:
        with resumable():
            shrink_missing(request, console)
    path = write_tickets(request.folder, *read(request.folder), quick=request.quick)
    console.print(f"The report: {path.resolve()}", soft_wrap=True)
