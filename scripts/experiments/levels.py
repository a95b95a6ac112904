"""Whether the defaults of `priorlab train`, found on Princess, learn other levels too: every second one of the twenty.

No setting is changed, and none was chosen on these levels.
"""

from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Table

from priorlab.scripts.experiments.sweep import told, trained

LEVELS = tuple(f"tower_{number:02}" for number in range(2, 21, 2))


def main(
    levels: tuple[str, ...] = LEVELS,
    seeds: int = 2,
    inputs: int = 60_000,
    workers: int = 1,
    out: Path = Path("runs/levels"),
) -> None:
    """Trains what is missing and prints a row a level.

    Args:
        levels: names of levels
        seeds: runs of each
        inputs: raw inputs of a run
        workers: runs side by side
        out: folder of all runs
    """
    console = Console(width=120)
    table = Table("level", "first win", "90 of the last 100 won")
    asked = {level: {"level": level} for level in levels}
    for level, columns in trained(asked, range(seeds), inputs, workers, out, console).items():
        table.add_row(level, *map(told, columns))
    console.print(table)


if __name__ == "__main__":
    tyro.cli(main)
