"""`priorlab bank`: makes a bank of random levels, each solved."""

import os
from pathlib import Path

import numpy as np
from rich.progress import track

from priorlab.envs.random_games.bank import Bank, generated
from priorlab.scripts.checks import check_counts
from priorlab.scripts.run import run


def main(
    out: Path, *, levels: int = 10_000, seed: int = 0, split: str = "training", threads: int = os.cpu_count() or 1
) -> None:
    """Make a bank of random levels; with the same settings always the same.

    Args:
        out: The file to write, .npz.
        levels: How many.
        seed: Which levels.
        split: training or held_out; levels of one are never in the other.
        threads: How many are made side by side.
    """
    check_counts(levels=levels, threads=threads)
    if out.exists():
        raise FileExistsError(f"{out} exists already: expected a new file")
    made = list(track(generated(levels, seed, split, threads), "solving", total=levels))
    bank = Bank.of(made, f"{split}_{seed}")
    bank.write(out)
    quartiles = np.percentile(bank.parts["lengths"], [0, 25, 50, 75, 100]).astype(int).tolist()
    print(f"{out}: {levels:,} levels, {out.stat().st_size:,} bytes")
    print("shortest solutions, least, quartiles, most: " + ", ".join(map(str, quartiles)) + " inputs")


if __name__ == "__main__":
    run("bank")
