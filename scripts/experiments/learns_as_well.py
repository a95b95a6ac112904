"""Do agents learn as well with the compiled convolutions as with torch's? One level, ten seeds each.

The area under the success curve is the mean, over a run's inputs, of the share of the last 100 episodes that were won.
The ratio of mean areas has a percentile bootstrap interval over seeds. Apart from the convolutions, our learner equals
that of stable-baselines3 up to rounding, as tests/agents/test_ppo.py checks.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tyro
from rich.console import Console
from rich.table import Table

from priorlab.agents.learners.make_ppo import train_ppo
from priorlab.agents.networks.convolution import Convolution
from priorlab.agents.settings import Settings
from priorlab.envs.base.workers import worker_pool
from priorlab.scripts.analysis.statistics import area as area_under
from priorlab.scripts.analysis.statistics import success

LEARNERS = {"compiled": Convolution.fits, "torch's": lambda _self, _pictures: False}
RESAMPLES = 10_000


def area(run: tuple[str, int, str, int]) -> float:
    learner, seed, level, inputs = run
    Convolution.fits = LEARNERS[learner]
    with tempfile.TemporaryDirectory() as folder:
        chosen = {"seed": seed, "level": level, "inputs": inputs, "out": Path(folder)}
        train_ppo(Settings(**chosen, evaluation_episodes=0, progress=False))
        episodes: Any = pd.read_csv(Path(folder) / "episodes.csv")
    won, at = (episodes["outcome"] == "win").to_numpy(), episodes["inputs"].to_numpy()
    return area_under(success(won, at), inputs)


def main(seeds: int = 10, level: str = "princess", inputs: int = 60_000, workers: int = 2) -> None:
    """Print both areas and their ratio.

    Args:
        seeds: runs with each
        level: a level's name; on levels that need little exploration, seeds differ less
        inputs: raw inputs per run
        workers: runs in parallel
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    runs = [(learner, seed, level, inputs) for seed in range(seeds) for learner in LEARNERS]
    with worker_pool(workers) as pool:
        ours, torchs = np.reshape(list(pool.map(area, runs)), (seeds, 2)).T  # (runs,) -> (seeds, learners)
    drawn = np.random.default_rng(0).integers(seeds, size=(2, RESAMPLES, seeds))
    low, high = np.quantile(ours[drawn[0]].mean(1) / torchs[drawn[1]].mean(1), [0.025, 0.975])
    table = Table("convolutions", "area under the success curve, one per seed", "mean")
    for name, areas in zip(LEARNERS, (ours, torchs)):
        table.add_row(name, " ".join(f"{each:.2f}" for each in areas), f"{areas.mean():.3f}")
    console = Console(width=120)
    console.print(table)
    console.print(f"ratio {ours.mean() / torchs.mean():.3f}, 95 % interval {low:.3f} to {high:.3f}", highlight=False)


if __name__ == "__main__":
    tyro.cli(main)
