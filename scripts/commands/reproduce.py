"""`priorlab reproduce`: do agents without priors notice the masks? The study's agent and ours on every version."""

import sys
from typing import Annotated

import tyro

from priorlab.scripts.console import plain_console, print_left_out
from priorlab.scripts.reproduce.runs import Request, keep, missing, report
from priorlab.scripts.run import run
from priorlab.scripts.running.runner import train
from priorlab.scripts.running.side_by_side import stopped_in_a_line


def main(request: Annotated[Request, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")]) -> None:
    """Trains what is missing in `--out`, keeps the rows there, and writes report.html and README.md.

    Runs go seed by seed over all versions and agents, so that the comparison is balanced whenever it ends. Stopped at
    any time, the same command goes on where it was.
    """
    console = plain_console()
    kept, problems = keep(request.folder, request.game, request.merge)
    failed = []
    if not request.report_only:
        runs = request.plan()
        waiting = missing(runs, kept, request.folder / request.game)
        console.print(f"{len(runs)} runs wanted, {len(runs) - len(waiting)} of them kept already.")
        try:
            with stopped_in_a_line():
                failed = train(waiting, request.workers, console, hours=request.hours)
        finally:
            problems = [*dict.fromkeys([*problems, *keep(request.folder, request.game)[1]])]
    print_left_out(console, problems)
    path = report(request.folder, problems, request.quick)
    console.print(f"The report: {path.resolve()}", soft_wrap=True)
    if failed:
        sys.exit(f"Runs that failed: {len(failed)}. The same command tries them again.")


if __name__ == "__main__":
    run("reproduce")
