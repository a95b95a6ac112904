"""`priorlab reproduce`: trains agents without priors on every version. Do they notice the masks?"""

import sys
from typing import Annotated

import tyro

from priorlab.scripts.console import plain_console, print_left_out
from priorlab.scripts.reproduce.runs import Request, keep, missing, report
from priorlab.scripts.running.runner import train
from priorlab.scripts.running.side_by_side import resumable


def main(request: Annotated[Request, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")]) -> None:
    """Train what `--out` does not hold yet, keep the rows there, and write report.html and README.md.

    Each seed is trained on all versions with all agents before the next, so the comparison stays balanced. You can
    stop the command at any time; started again, it resumes.
    """
    console = plain_console()
    recorded, problems = keep(request.folder, request.game, request.merge)
    failed = []
    if not request.report_only:
        runs = request.plan()
        waiting = missing(runs, recorded, request.folder / request.game)
        console.print(f"{len(runs)} runs planned, {len(runs) - len(waiting)} of them already recorded.")
        try:
            with resumable():
                failed = train(waiting, request.workers, console, hours=request.hours)
        finally:
            problems = [*dict.fromkeys([*problems, *keep(request.folder, request.game)[1]])]
    print_left_out(console, problems)
    path = report(request.folder, problems, request.quick)
    console.print(f"The report: {path.resolve()}", soft_wrap=True)
    if failed:
        sys.exit(f"{len(failed)} runs failed. Run the same command to try them again.")
