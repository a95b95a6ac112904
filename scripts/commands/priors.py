"""`priorlab priors`: do masks take away what players learned? The experiment on players that bring knowledge."""

import sys
from typing import Annotated

import tyro

from priorlab.scripts.priors.request import READ_ONCE, Request
from priorlab.scripts.running.side_by_side import resumable


def main(request: Annotated[Request, tyro.conf.OmitArgPrefixes, tyro.conf.arg(name="")]) -> None:
    """Play the experiment on players that bring knowledge: what is missing of it, in the order of its plan.

    First, --fix writes fixed.json, which is committed before the first life. Then the command raises players and plays
    lives: the first of everything before the second of anything, and the full player and the matrix first. Rows go to
    lives.csv as lives end, each with a hash over all before it; perception.csv holds what players perceive at first
    sight, raised.csv how they were raised. You can stop the command at any time; started again, it resumes.

    It refuses to play without fixed.json, with changed files in agents/, envs/ or scripts/priors/, with other weights
    than the fixed ones, and with a raised player that is not the recorded one. On another machine, it continues with
    players that were not raised before, with those whose files are copied there, and, with --raise-again, with those
    that come out as recorded.
    """
    from priorlab.scripts.priors.experiment import run  # imports for seconds, which --help does not need

    with resumable(reports=request.experiment not in READ_ONCE):
        failed = run(request)
    if failed:
        sys.exit(f"{len(failed)} jobs failed. Run the same command to try them again.")
