"""`priorlab bank`: generates a bank of random levels and solves each of them."""

import os
from pathlib import Path

import numpy as np
from rich.progress import track

from priorlab.envs.random_games.bank import Bank, generated
from priorlab.scripts.checks import check_counts


def main(
    out: Path,
    *,
    levels: int = 10_000,
    seed: int = 0,
    split: str = "training",
    size: str = "small",
    threads: int = os.cpu_count() or 1,
) -> None:
    """Generate a bank of random levels and solve each of them. The same settings always give the same bank.

    Args:
        out: the .npz file to write
        levels: number of levels
        seed: picks the levels
        split: training or held_out; the two never share a level
        size: small, with shortest solutions; or large, as those of the study's second game, with plans that win
        threads: levels generated in parallel
    """
    check_counts(levels=levels, threads=threads)
    if out.exists():
        raise FileExistsError(f"{out} already exists: expected a new file")
    made = list(track(generated(levels, seed, split, threads, size), "solving", total=levels))
    bank = Bank.of(made, f"{'large_' * (size == 'large')}{split}_{seed}")
    bank.write(out)
    quartiles = np.percentile(bank.upper_bounds, [0, 25, 50, 75, 100]).astype(int).tolist()
    print(f"{out}: {levels:,} levels, {out.stat().st_size:,} bytes")
    lengths = "upper bounds on the shortest solutions" if size == "large" else "shortest solutions"
    print(f"{lengths} (minimum, quartiles, maximum): {', '.join(map(str, quartiles))} inputs")
