"""Do the defaults of `priorlab train`, chosen on Princess, learn other levels too? On every second one of the twenty.

No setting is changed, and none was chosen on these levels.
"""

from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Table

from priorlab.scripts.experiments.sweep import inputs_text, train_variants

LEVELS = tuple(f"tower_{number:02}" for number in range(2, 21, 2))


def main(
    levels: tuple[str, ...] = LEVELS,
    seeds: int = 2,
    inputs: int = 60_000,
    workers: int = 1,
    out: Path = Path("runs/levels"),
) -> None:
    """Train the runs that are missing and print one row per level.

    Args:
        levels: names of levels
        seeds: runs on each level
        inputs: raw inputs per run
        workers: runs in parallel
        out: folder of all runs
    """
    console = Console(width=120)
    table = Table("level", "first win", "90 of the last 100 won")
    variants = {level: {"level": level} for level in levels}
    for level, columns in train_variants(variants, range(seeds), inputs, workers, out, console).items():
        table.add_row(level, *map(inputs_text, columns))
    console.print(table)


if __name__ == "__main__":
    tyro.cli(main)
