"""Whether the defaults of `priorlab train`, found on Princess, learn other levels too: every second one of the twenty.

No setting is changed, and none was chosen on these levels.
"""

import sys
from pathlib import Path

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from agents.settings import Settings
from scripts.experiments.runner import Run, check_folders, train
from scripts.experiments.sweep import found, told

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

    def run(level: str, seed: int) -> Run:
        folder = out / level / f"seed_{seed}"
        own = {"level": level, "seed": seed, "inputs": inputs, "out": folder}
        return Run(Settings(**own, evaluation_episodes=0, progress=False))

    runs = {level: [run(level, seed) for seed in range(seeds)] for level in levels}
    every = [each for of_one in zip(*runs.values()) for each in of_one]  # each level's first seed first
    check_folders(every)
    if train(every, workers, console):
        sys.exit(1)
    table = Table("level", "first win", "90 of the last 100 won")
    for level, of_one in runs.items():
        table.add_row(level, *(told(column) for column in np.array([found(each) for each in of_one]).T))
    console.print(table)


if __name__ == "__main__":
    tyro.cli(main)
