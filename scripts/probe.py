"""Holds every version to what its look claims, measured on the pictures: see ``scripts/experiments/probe_looks.py``."""

import sys

import tyro
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from envs.versions import looks
from scripts.experiments.probe_looks import LEVELS, QUESTIONS, claims, probe

WIDTH = 100  # columns that the table needs


def main(seeds: int = 12, only: tuple[str, ...] = ()) -> None:
    """Measures every version and prints a table; ends with 1 if a look does not hold what it claims.

    Args:
        seeds: exemplars of each level to learn from, and as many others to try on.
        only: versions to measure; all where none is named.
    """
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
        words = [f"[green]{claim}: holds[/]" if holds else f"[red]{claim}: FAILS[/]" for claim, holds in held]
        table.add_row(version, *cells, "\n".join(words))
    console = Console()
    Console(width=max(console.width, WIDTH)).print(table)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    tyro.cli(main)
