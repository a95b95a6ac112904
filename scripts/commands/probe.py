"""`priorlab probe`: measures on the pictures whether each version's look masks what it claims."""

import sys

from rich import box
from rich.progress import track
from rich.table import Table
from rich.text import Text

from priorlab.envs.game.versions import looks
from priorlab.envs.looks.dials import EDITIONS
from priorlab.scripts.checks import check_counts
from priorlab.scripts.console import plain_console
from priorlab.scripts.probe.probe_dials import show_dials
from priorlab.scripts.probe.probe_looks import LEVELS, QUESTIONS, claims, probe

WIDTH = 100  # columns that the table needs


def main(
    seeds: int | None = None,
    only: tuple[str, ...] = (),
    dials: bool = False,
    edition: int = 2,
    pictures: int | None = None,
) -> None:
    """Measure every version, or the dials, and print a table. The exit code is 1 if a claim fails.

    Args:
        seeds: drawings of each level to learn from, and as many others to test on (default: 12; dials: 24)
        only: versions to measure (default: all)
        dials: measure the dials of random looks instead
        edition: of random looks, 1 or 2
        pictures: what the network that sees whole pictures of random looks learns from (default: 6000)
    """
    check_counts(seeds=seeds, pictures=pictures)
    if edition not in EDITIONS:
        raise ValueError(f"edition is {edition}: expected 1 or 2")
    failed = show_random(seeds or 24, edition, pictures) if dials else show_versions(seeds or 12, only)
    sys.exit(1 if failed else 0)


def show_random(seeds: int, edition: int, pictures: int | None) -> int:
    """Prints the tables of both probes of random looks and returns the number of claims that fail."""
    from priorlab.scripts.probe.probe_wide import PICTURES, show_wide  # here: torch takes seconds

    return show_dials(seeds, edition) + show_wide(edition, pictures or PICTURES)


def show_versions(seeds: int, only: tuple[str, ...]) -> int:
    """Prints the table and returns the number of claims that fail."""
    table = Table(
        title=f"AUC on tiles (in context), {len(LEVELS)} levels, {seeds} + {seeds} look seeds",
        caption="structure: platform or ladder against free space; objects: against the tiles next to them; "
        "strictly: against all tiles around them",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("version", no_wrap=True)
    for question in QUESTIONS:
        table.add_column(question, justify="right", no_wrap=True)
    table.add_column("claims", no_wrap=True)
    failed = 0
    for version in track(only or tuple(looks()), "measuring", transient=True):
        figures = probe(version, seeds)
        verdicts = claims(version, figures, seeds)
        failed += sum(not holds for _, holds in verdicts)
        cells = [f"{figures[q].tile:.2f} ({figures[q].context:.2f})" for q in QUESTIONS]
        lines = [
            Text(f"{claim}: {'holds' if holds else 'FAILS'}", "green" if holds else "red") for claim, holds in verdicts
        ]
        table.add_row(version, *cells, Text("\n").join(lines))
    console = plain_console()
    console.print(table, width=max(console.width, WIDTH), crop=False)
    return failed
