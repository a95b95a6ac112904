"""`priorlab study`: trains agents on every version and compares them with people in one report."""

import sys
from pathlib import Path

from priorlab.envs.game.versions import looks
from priorlab.envs.results.load import load
from priorlab.scripts.checks import check_counts
from priorlab.scripts.console import plain_console, print_left_out
from priorlab.scripts.report.page import write_report
from priorlab.scripts.running.runner import train
from priorlab.scripts.study.runs import SEEDS, plan


def main(
    quick: bool = False, seeds: int | None = None, out: Path = Path("runs"), workers: int = 2, agents: bool = True,
    figures: bool = False,
) -> None:  # fmt: skip
    """Train PPO and a random agent on all versions of Princess, add the people's plays in `out`, and write the report.

    You can stop the command at any time; started again, it resumes.

    Args:
        quick: run a small study in a separate folder: fewer inputs, one seed
        seeds: runs of each agent on each version (default: 3; quick: 1)
        out: folder of all results; the study goes to `study` or `study-quick` in it
        workers: runs trained in parallel, one CPU core each
        agents: train agents; with --no-agents, only report existing rows
        figures: write every figure as SVG and PDF to `figures` next to the report; `paper` is 178 mm wide, for print
    """
    size = "study-quick" if quick else "study"
    seeds = SEEDS[size] if seeds is None else seeds
    check_counts(seeds=seeds, workers=workers)
    console = plain_console()
    names = looks("princess")
    failed = []
    if agents:
        try:
            failed = train(plan(out / size, size, names, seeds), workers, console)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("stopped; the same command resumes from here") from None
    out.mkdir(parents=True, exist_ok=True)
    results = load(out, size)
    print_left_out(console, results.problems)
    path = write_report(results, out / size / "report.html", names, quick=quick, figures=figures)
    console.print(f"The report: {path.resolve()}", soft_wrap=True)
    if failed:
        console.print(f"{len(failed)} runs failed. Run the same command to try them again.")
        sys.exit(1)
