"""How many inputs agents and people take: the lab's own runs, simulated players, and what was published."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from priorlab.envs.players.simulated import simulate, simulated_setting
from priorlab.scripts.experiments.sweep import mastered
from priorlab.scripts.lecture.claim import Row
from priorlab.scripts.lecture.reproduced import check as check
from priorlab.scripts.lecture.reproduced import first_win, rows_of

AGENTS = {"PPO, counts": "ppo", "PPO, ICM": "ppo-icm", "DQN, counts": "dqn"}
VERSIONS = ("original", "masked_semantics", "masked_similarity", "all_masked")
PERSON = "simulated players"


@dataclass(frozen=True)
class Settings:
    budget: Annotated[int, "raw inputs at which a run that did not get there counts", 100_000] = 100_000
    players: Annotated[int, "simulated players behind each value", 1000] = 8


SMALL = {"players": 2}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    for x, version in enumerate(VERSIONS):
        for line, method in AGENTS.items():
            own = rows_of("episodes.csv.xz", version, method, seed)
            won, inputs = (own["outcome"] == "win").to_numpy(), own["inputs"].to_numpy()
            yield Row("first", line, x, min(first_win(own), settings.budget))
            yield Row("learned", line, x, float(np.fmin(mastered(won, inputs), settings.budget)))
        plays = [simulate(simulated_setting("princess", version), seed, number) for number in range(settings.players)]
        taken = [len(inputs) if ended == "win" else settings.budget for inputs, ended in plays]
        yield Row("first", PERSON, x, float(np.exp(np.mean(np.log(np.minimum(taken, settings.budget))))))
