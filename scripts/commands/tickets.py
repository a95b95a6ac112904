"""`priorlab tickets`: how far a trained agent's network can shrink until it no longer wins its game."""

from typing import Annotated

import tyro

from priorlab.scripts.console import plain_console
from priorlab.scripts.run import run
from priorlab.scripts.running.side_by_side import stopped_in_a_line
from priorlab.scripts.tickets.page import write_tickets
from priorlab.scripts.tickets.runs import Request, read, shrink_missing


def main(request: Annotated[Request, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")]) -> None:
    """Trains, removes half of the weights, trains again, and so on; keeps the rows in `--out`, and writes report.html
    and README.md.

    If you stop it, the same command continues with the networks that are not finished.
    """
    console = plain_console()
    if not request.report_only:
        with stopped_in_a_line():
            shrink_missing(request, console)
    path = write_tickets(request.folder, *read(request.folder), quick=request.quick)
    console.print(f"The report: {path.resolve()}", soft_wrap=True)


if __name__ == "__main__":
    run("tickets")
