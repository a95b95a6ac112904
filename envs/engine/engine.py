"""What plays N games in lockstep, whatever device it runs on: ``CpuEngine`` (cpu.py) or ``GpuEngine`` (gpu.py)."""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np

from priorlab.envs.engine.draw import Scenes
from priorlab.envs.engine.lockstep import OWN, Lanes, Pace
from priorlab.envs.engine.scenes import build_scratch


class Saved(NamedTuple):
    """The complete state of n lanes: restored, they continue as they would have."""

    scene: np.ndarray  # int64 (n,)
    state: np.ndarray  # int32 (n, FIELDS)
    visited: np.ndarray  # uint8 (n, P)
    ever: np.ndarray  # uint8 (n, P)
    ending: np.ndarray  # bool (n, 2): terminated, truncated
    observations: np.ndarray  # uint8 (n, S, S, stack * C)
    draws: np.ndarray  # int64 (n,): of the generators that draw places
    generators: np.ndarray  # int64 (n, GENERATOR): of the random starts


class Engine(ABC):
    """Holds the lanes of N games and steps, restarts, saves and draws them.

    Arrays are numpy arrays on the CPU and torch tensors on a GPU. An engine checks nothing but actions and what is
    restored: whether the games are open and were reset is up to ``Games``.
    """

    lanes: Any  # Lanes
    ended: Any  # int64 (n,): the lanes that ended in the last step and started over
    final_observations: Any  # uint8 (n, S, S, stack * C): their last
    final_states: Any  # int32 (n, FIELDS): their last
    last_observations: Any  # on a GPU only, uint8 (N, S, S, stack * C): by lane, what it had when it last ended
    last_states: Any  # on a GPU only, int32 (N, FIELDS): the same

    def __init__(self, scenes: Scenes, lanes: Lanes, pace: Pace, num_threads: int):
        """Takes over these lanes, which are in the CPU's memory, as is everything in ``scenes``."""
        self.scenes, self.pace, self.num_games = scenes, pace, len(lanes.scene)
        self.scratch = build_scratch(scenes)

    @staticmethod  # noqa: B027
    def check(num_threads: int) -> None:
        """ValueError, one line, where the engine can't run here, or not with so many threads."""

    @abstractmethod
    def step(self, actions: Any, over: np.ndarray | None) -> None:
        """Every lane takes its action; those in ``over``, bool (N,), start over instead. ValueError for bad actions."""

    @abstractmethod
    def restart(self, lanes: Any, new_play: bool) -> None:
        """Puts these lanes at the start; unless ``new_play``, a play continues after a death."""

    @abstractmethod
    def put(self, array: Any, rows: Any, values: np.ndarray) -> None:
        """Overwrites rows of an array of the lanes."""

    @abstractmethod
    def put_chances(self, cumulative: np.ndarray) -> None:
        """Overwrites the scenes' chances, float64 (K,)."""

    @abstractmethod
    def save(self, lanes: Any) -> Saved:
        """A copy of these lanes (None: all)."""

    @abstractmethod
    def restore(self, saved: Saved, lanes: Any) -> None:
        """Puts what was saved into these lanes (None: all)."""

    @abstractmethod
    def redraw(self, lane: int) -> np.ndarray:
        """A lane's picture drawn from its state alone; uint8 (S, S, C)."""

    @abstractmethod
    def ever_visited(self) -> np.ndarray:
        """uint8 (P,): a bit for each position that any lane visited since it was reset."""

    @abstractmethod
    def last(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The endings of the last step as numpy arrays, for ``put_last`` of a copy."""

    @abstractmethod
    def put_last(self, ended: np.ndarray, observations: np.ndarray, states: np.ndarray) -> None:
        """Takes over what ``last`` gave."""

    def close(self) -> None:  # noqa: B027
        """Ends the engine's threads."""

    def now(self, lane: int) -> tuple[int, np.ndarray]:
        """(scene, state) of a lane."""
        return int(self.lanes.scene[lane]), on_cpu(self.lanes.state[lane])


def on_cpu(array: Any) -> np.ndarray:
    """An array of an engine as a numpy array: the same memory, or a copy of a GPU's."""
    return array if isinstance(array, np.ndarray) else array.cpu().numpy()


def check_fits(saved_scene: Any, saved_draws: Any, scene: Any, draws: Any) -> None:
    """ValueError where saved lanes belong to other games than the lanes they are to replace."""
    same = len(saved_scene) == len(scene) and ((saved_draws == OWN) == (draws == OWN)).all()
    if not same or ((draws == OWN) & (saved_scene != scene)).any():
        raise ValueError("restore: the saved state is from other games: expected the same levels, looks and lanes")
