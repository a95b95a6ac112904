"""Holds every version, or the dials, to what is claimed of them, measured on the pictures (``scripts/experiments``)."""

import sys

from rich import box
from rich.progress import track
from rich.table import Table
from rich.text import Text

from priorlab.envs.game.versions import looks
from priorlab.scripts.checks import check_counts
from priorlab.scripts.console import plain_console
from priorlab.scripts.probe.probe_dials import show_dials
from priorlab.scripts.probe.probe_looks import LEVELS, QUESTIONS, claims, probe
from priorlab.scripts.run import run

WIDTH = 100  # columns that the table needs


def main(seeds: int | None = None, only: tuple[str, ...] = (), dials: bool = False) -> None:
    """Measures every version, or the dials, and prints a table; ends with 1 if a claim does not hold.

    Args:
        seeds: exemplars of each level to learn from, and as many others to try on: 12, for the dials 24, unless told.
        only: versions to measure; all where none is named.
        dials: measure the dials of random looks instead.
    """
    check_counts(seeds=1 if seeds is None else seeds)
    failed = show_dials(seeds or 24) if dials else show_versions(seeds or 12, only)
    sys.exit(1 if failed else 0)


def show_versions(seeds: int, only: tuple[str, ...]) -> int:
    """Prints the table; how many claims fail."""
    table = Table(
        title=f"AUC on tiles (in context), {len(LEVELS)} levels, {seeds} + {seeds} look seeds",
        caption="structure: platform or ladder against free space; objects: against what is beside them; "
        "strictly: against all around them",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("version", no_wrap=True)
    for question in QUESTIONS:
        table.add_column(question, justify="right", no_wrap=True)
    table.add_column("claims", no_wrap=True)
    failed = 0
    for version in track(only or tuple(looks()), "measuring", transient=True):
        figures = probe(version, seeds)
        held = claims(version, figures, seeds)
        failed += sum(not holds for _, holds in held)
        cells = [f"{figures[q].tile:.2f} ({figures[q].context:.2f})" for q in QUESTIONS]
        words = [Text(f"{claim}: holds", "green") if holds else Text(f"{claim}: FAILS", "red") for claim, holds in held]
        table.add_row(version, *cells, Text("\n").join(words))
    console = plain_console()
    console.print(table, width=max(console.width, WIDTH), crop=False)
    return failed


if __name__ == "__main__":
    run("probe")
