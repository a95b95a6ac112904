"""`priorlab study`: agents trained on every version, people's plays added, all compared in one report."""

import sys
from pathlib import Path

from priorlab.envs.game.versions import looks
from priorlab.envs.results.load import load
from priorlab.scripts.checks import check_counts
from priorlab.scripts.console import plain_console, print_left_out
from priorlab.scripts.report.page import write_report
from priorlab.scripts.run import run
from priorlab.scripts.running.runner import train
from priorlab.scripts.study.runs import SEEDS, plan


def main(
    quick: bool = False, seeds: int | None = None, out: Path = Path("runs"), workers: int = 2, agents: bool = True
) -> None:
    """Trains PPO and a random agent on all versions of Princess, adds the people's plays found in `out`, and writes the
    report. Stopped at any time, it goes on where it was when started again.

    Args:
        quick: a small study, in a folder of its own: fewer inputs, one seed
        seeds: runs of each agent on each version (default: 3, quick 1)
        out: folder of all results; the study's own is `study` or `study-quick` in it
        workers: runs trained side by side, a processor core each
        agents: whether to train agents; without, the report shows what there is
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
            raise KeyboardInterrupt("stopped; the same command goes on from here") from None
    out.mkdir(parents=True, exist_ok=True)
    results = load(out, size)
    print_left_out(console, results.problems)
    path = write_report(results, out / size / "report.html", names, quick=quick)
    console.print(f"The report: {path.resolve()}", soft_wrap=True)
    if failed:
        console.print(f"Runs that failed: {len(failed)}. The same command tries them again.")
        sys.exit(1)


if __name__ == "__main__":
    run("study")
