"""How well a player plays: episodes of the game, one in each of many games side by side."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from priorlab.envs.engine.games import Games
from priorlab.envs.game.rules import INPUT_COUNT


class Player(Protocol):
    """Whatever chooses actions for pictures: every stable-baselines3 model, for one.

    state: what it returned the last time, None at first; episode_start: bool (n,), where an episode has just begun.
    """

    def predict(
        self, observation: np.ndarray, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[np.ndarray, Any]: ...


class Chance:
    """Takes uniformly random actions."""

    def __init__(self, seed: int = 0):
        self.generator = np.random.default_rng(seed)

    def predict(
        self, observation: np.ndarray, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[np.ndarray, None]:
        return self.generator.integers(INPUT_COUNT, size=len(observation)), None


@dataclass(frozen=True)
class Evaluation:
    """Outcomes of n episodes. ``won`` bool (n,); ``lengths`` int64 (n,): raw inputs, random starts included."""

    won: np.ndarray
    lengths: np.ndarray

    @property
    def win_rate(self) -> float:
        return float(self.won.mean())

    @property
    def median_length(self) -> float:
        """Of the won episodes, in raw inputs; not a number where none was won."""
        return float(np.median(self.lengths[self.won])) if self.won.any() else float("nan")

    def row(self) -> dict[str, float | int | None]:
        median = self.median_length if self.won.any() else None
        return {"episodes": len(self.won), "win_rate": self.win_rate, "median_length": median}

    def __str__(self) -> str:
        median = f", median length {self.median_length:.0f} inputs" if self.won.any() else ""
        return f"{self.won.sum()} of {len(self.won)} episodes won{median}"


def evaluate(player: Player, games: dict[str, Any], deterministic: bool = False, seed: int = 0) -> Evaluation:
    """One episode in each of ``games["num_games"]`` games; ``games`` are the arguments of ``Games``.

    Each game's first episode and no other counts, so that short episodes are not counted more often than long ones.
    """
    batch = Games(**games)
    observations = batch.reset(seed)
    open_, won = np.ones(batch.num_games, bool), np.zeros(batch.num_games, bool)
    lengths = np.zeros(batch.num_games, np.int64)
    state, began = None, np.ones(batch.num_games, bool)
    while open_.any():
        actions, state = player.predict(observations, state, began, deterministic)
        observations = batch.step(actions)[0]
        began[:] = False
        if not len(batch.ended):
            continue
        began[batch.ended] = True
        first = open_[batch.ended]
        lanes = batch.ended[first]
        won[lanes], lengths[lanes] = batch.final_info["solved"][first], batch.final_info["inputs"][first]
        open_[lanes] = False
    batch.close()
    return Evaluation(won, lengths)
