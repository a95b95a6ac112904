"""How many inputs agents and people take: the lab's own runs, which `priorlab reproduce` keeps, and published ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import pandas as pd

from human_study.simulated import setting_of, simulate
from scripts.experiments.lecture.claim import Row
from scripts.experiments.sweep import mastered

KEPT = Path(__file__).parents[3] / "results" / "reproduce" / "princess"
AGENTS = {"PPO, counts": "ppo", "PPO, ICM": "ppo-icm", "DQN, counts": "dqn"}
VERSIONS = ("original", "masked_semantics", "masked_similarity", "all_masked")
FIRST, LEARNED, PERSON = "first win", "90 of 100 won", "simulated players"


@dataclass(frozen=True)
class Settings:
    budget: Annotated[int, "raw inputs at which a run that did not get there counts"] = 100_000


SMALL = {}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    rows = kept("episodes.csv.xz")
    for x, version in enumerate(VERSIONS):
        for line, method in AGENTS.items():
            own: Any = rows[(rows["version"] == version) & (rows["method"] == method) & (rows["seed"] == seed)]
            if not len(own):
                continue
            won, inputs = (own["outcome"] == "win").to_numpy(), own["inputs"].to_numpy()
            first = float(inputs[won][0]) if won.any() else settings.budget
            learned = mastered(won, inputs)
            yield Row("first", line, x, min(first, settings.budget))
            yield Row("learned", line, x, min(learned, settings.budget) if learned == learned else settings.budget)
        inputs, _ = simulate(setting_of("princess", version, "published"), 0, seed)
        yield Row("first", PERSON, x, min(len(inputs), settings.budget))


@cache
def kept(name: str) -> pd.DataFrame:
    """Rows of the runs that are kept. ValueError where there are none."""
    if not (KEPT / name).exists():
        raise ValueError(f"{KEPT / name}: not there: expected the rows that `priorlab reproduce` keeps in this folder")
    return pd.read_csv(KEPT / name)
