"""Which settings learn Princess from the fewest inputs? Each variant changes one setting; what helped was kept.

No result is reported on these seeds. A variant's score is the mean over its seeds of the inputs at which 90 of the last
100 episodes were won; a run that never reached that counts with its budget.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from priorlab.agents.settings import Settings
from priorlab.scripts.analysis.statistics import milestones
from priorlab.scripts.running.runner import Run, check_folders, train

FIRST_SEED = 100
START: dict[str, Any] = {  # the former defaults
    "frame_skip": 2, "n_steps": 32, "learning_rate": 1e-3,
    "imitation_batches": 32, "imitation_episodes": 12, "imitation_enough": 0.2,
    "entropy": 0.005, "bonus_scale": 1.0,
}  # fmt: skip
OFTEN = START | {"frame_skip": 4, "n_steps": 16}  # decisions half as often, updates as often as before
SHARP = OFTEN | {
    "imitation_batches": 64,
    "imitation_episodes": 2,
    "imitation_enough": 0.02,
}  # imitates its few best ways almost completely
FAST = SHARP | {"learning_rate": 2e-3}
VARIANTS: dict[str, dict[str, Any]] = {  # in the order in which they were tried, one round each
    "start": START,
    "start, imitation_batches 8": START | {"imitation_batches": 8},
    "start, imitation_batches 16": START | {"imitation_batches": 16},
    "start, frame_skip 3": START | {"frame_skip": 3},
    "start, frame_skip 4": START | {"frame_skip": 4},
    "start, frame_skip 4, imitation_batches 8": START | {"frame_skip": 4, "imitation_batches": 8},
    "start, frame_skip 4, gamma .98": START | {"frame_skip": 4, "gamma": 0.98},
    "start, frame_skip 4, n_epochs 6": START | {"frame_skip": 4, "n_epochs": 6},
    "start, frame_skip 4, imitation_enough .1": START | {"frame_skip": 4, "imitation_enough": 0.1},
    "often, batch_size 64": OFTEN | {"batch_size": 64},
    "often": OFTEN,
    "often, n_steps 8, batch_size 64": OFTEN | {"n_steps": 8, "batch_size": 64},
    "often, imitation_batches 64": OFTEN | {"imitation_batches": 64},
    "often, frame_skip 3": OFTEN | {"frame_skip": 3},
    "often, frame_skip 5": OFTEN | {"frame_skip": 5},
    "often, n_epochs 6": OFTEN | {"n_epochs": 6},
    "often, learning_rate .0005": OFTEN | {"learning_rate": 5e-4},
    "often, learning_rate .002": OFTEN | {"learning_rate": 2e-3},
    "often, entropy .01": OFTEN | {"entropy": 0.01},
    "often, discovery_enough .9": OFTEN | {"discovery_enough": 0.9},
    "sharp, imitation_batches 32": SHARP | {"imitation_batches": 32},
    "sharp, imitation_batches 32, imitation_episodes 1": SHARP | {"imitation_batches": 32, "imitation_episodes": 1},
    "sharp, imitation_batches 32, imitation_episodes 4": SHARP | {"imitation_batches": 32, "imitation_episodes": 4},
    "sharp, imitation_batches 32, entropy .002": SHARP | {"imitation_batches": 32, "entropy": 0.002},
    "sharp": SHARP,
    "sharp, entropy .002": SHARP | {"entropy": 0.002},
    "sharp, entropy .002, bonus_scale 2": SHARP | {"entropy": 0.002, "bonus_scale": 2.0},
    "sharp, entropy .01": SHARP | {"entropy": 0.01},
    "sharp, code_size 9": SHARP | {"code_size": 9},
    "fast": FAST,
    "fast, learning_rate .003": FAST | {"learning_rate": 3e-3},
    "fast, entropy .002, bonus_scale 2": FAST | {"entropy": 0.002, "bonus_scale": 2.0},
    "fast, entropy .002, reward_scale 5": FAST | {"entropy": 0.002, "reward_scale": 5.0},
    "fast, entropy .002, bonus_scale 2, imitation_episodes 4": FAST
    | {"entropy": 0.002, "bonus_scale": 2.0, "imitation_episodes": 4},
    "fast, imitation_episodes 4": FAST | {"imitation_episodes": 4},
    "fast, counts episodic": FAST | {"counts": "episodic"},
}


def train_variants(
    variants: Mapping[str, dict[str, Any]], seeds: Iterable[int], inputs: int, workers: int, out: Path, console: Console
) -> dict[str, np.ndarray]:
    """Trains the runs that are missing; returns the ``milestones`` of all, float64 (2, seeds) per variant.

    Exits if a run failed.
    """

    def run_of(name: str, seed: int) -> Run:
        folder = out / name.replace(" ", "_").replace(",", "") / f"seed_{seed}"
        settings = {"seed": seed, "inputs": inputs, "out": folder, **variants[name]}
        return Run(Settings(**settings, evaluation_episodes=0, progress=False))

    runs = {name: [run_of(name, seed) for seed in seeds] for name in variants}
    every = [run for of_seed in zip(*runs.values()) for run in of_seed]  # the first seed of all, then the next
    check_folders(every)
    if train(every, workers, console):
        sys.exit(1)
    return {name: np.array([milestones(run.folder) for run in each]).T for name, each in runs.items()}


def inputs_text(inputs: np.ndarray) -> str:
    return " ".join("never" if np.isnan(at) else f"{at:,.0f}" for at in inputs)


def main(
    variants: tuple[str, ...] = tuple(VARIANTS),
    seeds: int = 2,
    inputs: int = 70_000,
    workers: int = 1,
    out: Path = Path("runs/sweep"),
) -> None:
    """Train the runs that are missing and print the table, best variant first.

    Args:
        variants: names in VARIANTS
        seeds: runs of each variant
        inputs: raw inputs per run
        workers: runs in parallel
        out: folder of all runs
    """
    console = Console(width=120)
    chosen, numbers = {name: VARIANTS[name] for name in variants}, range(FIRST_SEED, FIRST_SEED + seeds)
    rows = [*train_variants(chosen, numbers, inputs, workers, out, console).items()]
    rows.sort(key=lambda row: np.nan_to_num(row[1][1], nan=inputs).mean())
    table = Table("variant", "first win", "90 of the last 100 won", "mean, at most")
    for name, (first, learned) in rows:
        table.add_row(
            name, inputs_text(first), inputs_text(learned), f"{np.nan_to_num(learned, nan=inputs).mean():,.0f}"
        )
    console.print(table)


if __name__ == "__main__":
    tyro.cli(main)
