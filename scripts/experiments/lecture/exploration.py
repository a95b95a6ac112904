"""How players with priors and without them explore: different places seen, against inputs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from envs.rules import UNIQUE_STATES
from human_study.simulated import play_of, setting_of
from scripts.experiments.lecture.claim import Row
from scripts.experiments.lecture.inputs import kept

AGENTS = {"agents": "ppo", "chance": "random"}
PERSON = "simulated players"
FIGURES = {"original": "original", "masked": "all_masked"}


@dataclass(frozen=True)
class Settings:
    last: Annotated[int, "raw inputs at which the curves end"] = 30_000
    players: Annotated[int, "simulated players behind each value"] = 8


SMALL = {"players": 2}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    grid = np.unique(np.rint(np.geomspace(32, settings.last, 16))).astype(int)
    rows = kept("exploration.csv.xz")
    for figure, version in FIGURES.items():
        for line, method in AGENTS.items():
            own: Any = rows[(rows["version"] == version) & (rows["method"] == method) & (rows["seed"] == seed)]
            if len(own):
                places = np.searchsorted(own["inputs"], grid, side="right") - 1
                found = own["unique_states"].to_numpy()[np.maximum(places, 0)]
                yield from (Row(figure, line, x, value) for x, value in zip(grid.tolist(), found.tolist()))
        curves = []
        for number in range(settings.players):
            play = play_of(setting_of("princess", version, "masks"), seed, number)
            unique = play.states[:, UNIQUE_STATES]
            curves.append(unique[np.minimum(grid, len(unique) - 1)])  # who has won explores no more
        yield from (Row(figure, PERSON, x, value) for x, value in zip(grid.tolist(), np.mean(curves, axis=0).tolist()))
