"""How players with priors and without them explore: different places seen, against inputs, and until the goal."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from priorlab.envs.game.rules import UNIQUE_STATES
from priorlab.envs.players.simulated import simulated_play, simulated_setting
from priorlab.scripts.lecture.claim import CHANCE, Row
from priorlab.scripts.lecture.reproduced import check as check
from priorlab.scripts.lecture.reproduced import first_win, rows_of

VERSIONS = ("original", "all_masked")
AGENTS = {"agents": ("ppo", "original"), "agents, all masked": ("ppo", "all_masked"), CHANCE: ("random", "original")}
PLAYERS = {"simulated players": "original", "simulated players, all masked": "all_masked"}


@dataclass(frozen=True)
class Settings:
    last: Annotated[int, "raw inputs at which the curves end", 100_000] = 30_000
    players: Annotated[int, "simulated players behind each value", 1000] = 8


SMALL = {"players": 2}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    grid = np.unique(np.rint(np.geomspace(32, settings.last, 16))).astype(int)
    for line, (method, version) in AGENTS.items():
        at, seen = explored(method, version, seed)
        curve = seen[np.maximum(np.searchsorted(at, grid, side="right") - 1, 0)]
        yield from (Row("places", line, x, value) for x, value in zip(grid.tolist(), curve.tolist()))
    players = {version: players_on(version, settings.players, seed) for version in VERSIONS}
    for line, version in PLAYERS.items():
        seen = players[version]
        curve = np.mean([own[np.minimum(grid, len(own)) - 1] for own in seen], axis=0)  # who is done sees no more
        yield from (Row("places", line, x, value) for x, value in zip(grid.tolist(), curve.tolist()))
    for x, version in enumerate(VERSIONS):
        at, seen = explored("ppo", version, seed)
        episodes = rows_of("episodes.csv.xz", version, "ppo", seed)
        until = int(np.searchsorted(at, first_win(episodes), side="right")) - 1
        yield Row("found", "agents", x, float(seen[max(until, 0)]))
        yield Row("found", "simulated players", x, float(np.mean([own[-1] for own in players[version]])))


def explored(method: str, version: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Raw inputs of a run, all of its games together, and how many places it had seen by then."""
    own = rows_of("exploration.csv.xz", version, method, seed)
    return own["inputs"].to_numpy(), own["unique_states"].to_numpy()


def players_on(version: str, number: int, seed: int) -> list[np.ndarray]:
    """Of so many simulated players, how many places each had seen after each of its inputs."""
    setting = simulated_setting("princess", version)
    return [simulated_play(setting, seed, player).states[:, UNIQUE_STATES] for player in range(number)]
