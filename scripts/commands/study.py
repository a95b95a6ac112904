"""`priorlab study`: trains agents on every version and compares them with people in one report."""

import sys
from pathlib import Path

from priorlab.envs.game.versions import looks
from priorlab.envs.results.load import load
from priorlab.scripts.checks import check_counts
from priorlab.scripts.console import plain_console, print_left_out
from priorlab.scripts.report.page import write_report
from priorlab.scripts.running.runner import train
from priorlab.scripts.study.committed import committed_lives, committed_section
from priorlab.scripts.study.first_sight import live_through, plan_lives
from priorlab.scripts.study.runs import SEEDS, plan


def main(
    quick: bool = False, seeds: int | None = None, out: Path = Path("runs"), workers: int = 2, agents: bool = True,
    figures: bool = False, weights: Path | None = None,
) -> None:  # fmt: skip
    """Train PPO and a random agent on all versions of Princess, let a player with priors live one life on each, add the
    people's plays in `out`, and write the report beside committed rows.

    You can stop the command at any time; started again, it resumes.

    Args:
        quick: run a small study in a separate folder: fewer inputs, one seed
        seeds: runs of each agent on each version (default: 3; quick: 1)
        out: folder of all results; the study goes to `study` or `study-quick` in it
        workers: runs trained in parallel, one CPU core each
        agents: train agents and live the lives; with --no-agents, only report existing rows
        figures: write every figure as SVG and PDF to `figures` next to the report; `paper` is 178 mm wide, for print
        weights: of the player with priors, from `priorlab raise` (default: those that come with the package)
    """
    size = "study-quick" if quick else "study"
    seeds = SEEDS[size] if seeds is None else seeds
    check_counts(seeds=seeds, workers=workers)
    console = plain_console()
    names = looks("princess")
    failed = []
    if agents:
        runs, lives = plan(out / size, size, names, seeds), plan_lives(out / size, names, weights)
        try:
            failed = train(runs, workers, console)
            live_through(lives, weights, console)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("stopped; the same command resumes from here") from None
    out.mkdir(parents=True, exist_ok=True)
    results = load(out, size)
    print_left_out(console, results.problems)
    beside = [section for section in [committed_section()] if section]
    path = write_report(
        results, out / size / "report.html", names, quick=quick, figures=figures,
        lives=committed_lives("princess", names), beside=beside,
    )  # fmt: skip
    console.print(f"The report: {path.resolve()}", soft_wrap=True)
    if failed:
        console.print(f"{len(failed)} runs failed. Run the same command to try them again.")
        sys.exit(1)
