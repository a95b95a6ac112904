"""`priorlab compare`: compares people, simulated players and agents on all versions on one page."""

import time
from pathlib import Path
from typing import Annotated

import tyro

from priorlab.envs.results.archive import load_with_archives
from priorlab.scripts.analysis.flow import read_sessions
from priorlab.scripts.checks import check_not_empty, check_positive
from priorlab.scripts.console import plain_console, print_left_out
from priorlab.scripts.report.missed import MISSED
from priorlab.scripts.report.page import write_comparison


def main(
    folders: Annotated[tuple[Path, ...], tyro.conf.Positional] = (Path("runs"),),
    *,
    out: Path = Path("runs/compare"),
    limit: float = 30.0,
    paired: bool = False,
    exclude: tuple[str, ...] = (),
    missed: float = MISSED,
    figures: bool = False,
    print_versions: tuple[str, ...] = (),
) -> None:
    """Compare every recorded version with the original, in one section per game, level, study and time limit.

    The command writes `index.html`, which opens offline, and its numbers as CSV files in `data`.

    Args:
        folders: folders with sessions, plays and agents' runs, archived ones (such as results/reproduce) included
        out: folder for the page
        limit: mean times are restricted to this many minutes, which is also how long a participant who quits takes in
            the worst case; never more than a play could last
        paired: compare plays of the same people on different versions, not each person's first play
        exclude: exclude people by their answers, such as `--exclude knew=yes 'aim!=win' 'age<18'`
        missed: a second analysis, next to the main one, excludes people's plays with a larger share of missed steps
        figures: write every figure as SVG and PDF to `figures` next to the page; `paper` is 178 mm wide, for print
        print_versions: the versions in that figure (default: all)
    """
    if missing := next((folder for folder in folders if not folder.is_dir()), None):
        raise ValueError(f"{missing}: no such folder: expected a folder with sessions, plays or runs")
    check_not_empty(folders=folders)
    check_positive(limit=limit)
    if not 0 <= missed < 1:
        raise ValueError(f"missed must be at least 0 and less than 1, got {missed:g}")
    console, began = plain_console(), time.monotonic()
    with console.status("reading runs and replaying plays"):
        results = load_with_archives(folders)
    print_left_out(console, results.problems)
    if not len(results.configs):
        raise ValueError(f"nothing to compare in {', '.join(map(str, folders))}: expected sessions, plays or runs")
    with console.status(f"comparing {len(results.configs)} plays and runs"):
        options = {"sessions": read_sessions(folders), "figures": figures, "chosen": print_versions}
        path = write_comparison(results, out / "index.html", limit, paired, exclude, missed, **options)
    seconds = f"({len(results.configs)} plays and runs, {time.monotonic() - began:.0f} s)"
    console.print(f"The page: {path.resolve()} {seconds}", soft_wrap=True)
