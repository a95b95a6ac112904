"""`priorlab bank`: generates a bank of random levels and solves each of them."""

import os
from pathlib import Path

import numpy as np
from rich.progress import track

from priorlab.envs.random_games.bank import Bank, generated
from priorlab.scripts.checks import check_counts


def main(
    out: Path, *, levels: int = 10_000, seed: int = 0, split: str = "training", threads: int = os.cpu_count() or 1
) -> None:
    """Generate a bank of random levels and solve each of them. The same settings always give the same bank.

    Args:
        out: the .npz file to write
        levels: number of levels
        seed: picks the levels
        split: training or held_out; the two never share a level
        threads: levels generated in parallel
    """
    check_counts(levels=levels, threads=threads)
    if out.exists():
        raise FileExistsError(f"{out} already exists: expected a new file")
    made = list(track(generated(levels, seed, split, threads), "solving", total=levels))
    bank = Bank.of(made, f"{split}_{seed}")
    bank.write(out)
    quartiles = np.percentile(bank.parts["lengths"], [0, 25, 50, 75, 100]).astype(int).tolist()
    print(f"{out}: {levels:,} levels, {out.stat().st_size:,} bytes")
    print("shortest solutions (minimum, quartiles, maximum): " + ", ".join(map(str, quartiles)) + " inputs")
