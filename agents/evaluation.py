"""How well a player plays: the first episode of each of many games, played in parallel."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from priorlab.envs.engine.games import Games
from priorlab.envs.game.rules import INPUT_COUNT


class Player(Protocol):
    """Anything that chooses actions for pictures, such as every model of stable-baselines3.

    ``predict`` takes observations, uint8 (n, S, S, C); the state that it returned at the last step, None at first; and
    episode_start, bool (n,), where an episode has just begun. It returns actions, int64 (n,), and its next state.
    """

    def predict(
        self, observation: np.ndarray, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[np.ndarray, Any]: ...


class RandomPlayer:
    """A ``Player`` that takes uniformly random actions."""

    def __init__(self, seed: int = 0):
        self.generator = np.random.default_rng(seed)

    def predict(
        self, observation: np.ndarray, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[np.ndarray, None]:
        return self.generator.integers(INPUT_COUNT, size=len(observation)), None


@dataclass(frozen=True)
class Evaluation:
    """Outcomes of n episodes: ``won``, bool (n,); ``lengths``, int64 (n,), in raw inputs, random starts included."""

    won: np.ndarray
    lengths: np.ndarray

    @property
    def win_rate(self) -> float:
        """Share of the episodes that were won, 0 to 1."""
        return float(self.won.mean())

    @property
    def median_length(self) -> float:
        """Median length of the won episodes in raw inputs; NaN if none was won."""
        return float(np.median(self.lengths[self.won])) if self.won.any() else float("nan")

    def row(self) -> dict[str, float | int | None]:
        """The entry of evaluation.json."""
        median = self.median_length if self.won.any() else None
        return {"episodes": len(self.won), "win_rate": self.win_rate, "median_length": median}

    def __str__(self) -> str:
        median = f", median length {self.median_length:.0f} inputs" if self.won.any() else ""
        return f"{self.won.sum()} of {len(self.won)} episodes won{median}"


def evaluate(player: Player, games: dict[str, Any], deterministic: bool = False, seed: int = 0) -> Evaluation:
    """Plays one episode in each of ``games["num_games"]`` games; ``games`` holds the arguments of ``Games``.

    Only the first episode of each game counts, so that short episodes are not counted more often than long ones.
    deterministic: whether the player takes its most probable action instead of a sampled one; seed: of the games.
    """
    batch = Games(**games)
    observations = batch.reset(seed)
    is_open, won = np.ones(batch.num_games, bool), np.zeros(batch.num_games, bool)
    lengths = np.zeros(batch.num_games, np.int64)
    state, starts = None, np.ones(batch.num_games, bool)
    while is_open.any():
        actions, state = player.predict(observations, state, starts, deterministic)
        observations = batch.step(actions)[0]
        starts[:] = False
        if not len(batch.ended):
            continue
        starts[batch.ended] = True
        first = is_open[batch.ended]
        lanes = batch.ended[first]
        won[lanes], lengths[lanes] = batch.final_info["solved"][first], batch.final_info["inputs"][first]
        is_open[lanes] = False
    batch.close()
    return Evaluation(won, lengths)
