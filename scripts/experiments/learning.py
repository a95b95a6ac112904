"""How soon agents learn Princess: trains some settings, five seeds each, and prints the table of docs/training.md."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tyro

from agents.settings import Settings
from agents.train import train
from envs.results import is_finished

RUNS = {  # name: what differs from the defaults
    "ppo": {},
    "ppo-random-start": {"random_start": 30},
    "ppo-long": {"inputs": 500_000},
    "random": {"agent": "random", "inputs": 500_000},
}
COLUMNS = ("run", "seed", "inputs", "episodes", "first win", "90 of 100 won", "last 100 won", "seconds", "evaluated")


def learned_at(episodes: Any) -> int | None:
    """Inputs when for the first time 90 of the last 100 episodes were won."""
    won = (episodes["outcome"] == "win").rolling(100).sum()
    reached = episodes["inputs"][won >= 90]
    return int(reached.iloc[0]) if len(reached) else None


def row(name: str, settings: Settings) -> tuple[Any, ...]:
    folder = settings.folder
    episodes: Any = pd.read_csv(folder / "episodes.csv")
    won = episodes["outcome"] == "win"
    wins = episodes["inputs"][won].tolist()
    evaluated = [
        f"{each['win_rate']:.0%} in {each['median_length']:.0f}" if each["median_length"] else f"{each['win_rate']:.0%}"
        for each in json.loads((folder / "evaluation.json").read_text())
        if each["random_start"] == settings.random_start
    ]
    seconds = json.loads((folder / "seconds.json").read_text())
    return (
        name, settings.seed, settings.inputs, len(episodes), wins[0] if wins else None, learned_at(episodes),
        int(won[-100:].sum()), round(seconds), ", ".join(evaluated),
    )  # fmt: skip


def main(
    runs: tuple[str, ...] = tuple(RUNS), seeds: int = 5, version: str = "original", out: Path = Path("runs/learning")
) -> None:
    """Finished runs are not made again. Evaluations are of 100 episodes: sampled actions, then most probable ones."""
    rows = []
    for name in runs:
        for seed in range(seeds):
            folder = out / version / name / f"seed_{seed}"
            settings = Settings(version=version, seed=seed, out=folder, **RUNS[name])
            if not is_finished(folder):
                began = time.perf_counter()
                train(settings)
                (folder / "seconds.json").write_text(json.dumps(time.perf_counter() - began))
            rows.append(row(name, settings))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    print(table.to_string(index=False))
    for name, group in table.groupby("run", sort=False):
        # a run that never got there counts as later than all others
        median = np.median(group["90 of 100 won"].astype(float).fillna(np.inf))
        seconds = np.median(group["seconds"])
        print(f"{name}: median inputs until 90 of 100 won {median:,.0f}, median seconds {seconds:.0f}")


if __name__ == "__main__":
    tyro.cli(main)
