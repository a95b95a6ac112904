"""How players with priors and without them explore: different places seen, against inputs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from envs.rules import UNIQUE_STATES
from human_study.simulated import play_of, setting_of
from scripts.experiments.lecture.claim import Row
from scripts.experiments.lecture.inputs import kept

AGENTS = {"agents": ("ppo", "original"), "agents, all masked": ("ppo", "all_masked"), "chance": ("random", "original")}
PLAYERS = {"simulated players": "original", "simulated players, all masked": "all_masked"}


@dataclass(frozen=True)
class Settings:
    last: Annotated[int, "raw inputs at which the curves end"] = 30_000
    players: Annotated[int, "simulated players behind each value"] = 8


SMALL = {"players": 2}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    grid = np.unique(np.rint(np.geomspace(32, settings.last, 16))).astype(int)
    rows = kept("exploration.csv.xz")
    curves = {}
    for line, (method, version) in AGENTS.items():
        own: Any = rows[(rows["version"] == version) & (rows["method"] == method) & (rows["seed"] == seed)]
        if len(own):
            places = np.searchsorted(own["inputs"], grid, side="right") - 1
            curves[line] = own["unique_states"].to_numpy()[np.maximum(places, 0)]
    for line, version in PLAYERS.items():
        setting = setting_of("princess", version)
        seen = [play_of(setting, seed, number).states[:, UNIQUE_STATES] for number in range(settings.players)]
        curves[line] = np.mean([own[np.minimum(grid, len(own)) - 1] for own in seen], axis=0)  # who won sees no more
    for line, curve in curves.items():
        yield from (Row("places", line, x, value) for x, value in zip(grid.tolist(), curve.tolist()))
