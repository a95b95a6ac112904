"""`priorlab compare`: people, simulated players and agents on all versions, compared on one page."""

import time
from pathlib import Path
from typing import Annotated

import tyro

from priorlab.envs.results.load import load
from priorlab.scripts.checks import check_positive, check_some
from priorlab.scripts.console import plain_console, print_left_out
from priorlab.scripts.report.missed import MISSED
from priorlab.scripts.report.page import write_comparison
from priorlab.scripts.run import run


def main(
    folders: Annotated[tuple[Path, ...], tyro.conf.Positional] = (Path("runs"),),
    *,
    out: Path = Path("runs/compare"),
    limit: float = 30.0,
    paired: bool = False,
    exclude: tuple[str, ...] = (),
    missed: float = MISSED,
) -> None:
    """Compares everything recorded in FOLDERS with the original, in a section for each game, level, study and limit.

    Writes `index.html`, which opens offline, and its numbers as CSV files in `data`.

    Args:
        folders: folders with sessions, plays and agents' runs
        out: folder of the page
        limit: minutes to which mean times are restricted, and which a quitter takes in the worst case; never more than
            the plays could last
        paired: compare plays of the same people on different versions, not each person's first play
        exclude: leave out people by an answer, as `--exclude knew=yes 'aim!=win' 'age<18'`
        missed: share of missed steps above which a second analysis, beside the main one, leaves out a person's play
    """
    for folder in folders:
        if not folder.is_dir():
            raise ValueError(f"{folder}: no such folder: expected one with sessions, plays or runs")
    check_some(folders=folders)
    check_positive(limit=limit)
    if not 0 <= missed < 1:
        raise ValueError(f"missed is {missed:g}: expected a share, from 0 to less than 1")
    console, began = plain_console(), time.monotonic()
    with console.status("replaying plays"):
        results = load(folders)
    print_left_out(console, results.problems)
    if not len(results.configs):
        raise ValueError(f"nothing to compare in {', '.join(map(str, folders))}: expected sessions, plays or runs")
    with console.status(f"comparing {len(results.configs)} plays and runs"):
        path = write_comparison(results, out / "index.html", limit, paired, exclude, missed)
    seconds = f"({len(results.configs)} plays and runs, {time.monotonic() - began:.0f} s)"
    console.print(f"The page: {path.resolve()} {seconds}", soft_wrap=True)


if __name__ == "__main__":
    run("compare")
