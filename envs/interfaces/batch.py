"""What a batch of games is to gymnasium, whoever steps them: its spaces, how its games start over, what it is told."""

import threading

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from priorlab.envs.base.alone import Alone
from priorlab.envs.engine.resets import checked_mask, checked_seeds

VectorEnv = gymnasium.vector.VectorEnv[np.ndarray, np.ndarray, np.ndarray]


class Batch(Alone, VectorEnv):
    """N games in lockstep. A subclass makes them, then has ``_describe`` told what they are; it names ``VectorEnv``
    among its bases again, as some clients know an environment by its class's direct bases."""

    autoreset_mode: AutoresetMode
    copy: bool

    def _describe(
        self,
        num_envs: int,
        shape: tuple[int, ...],
        inputs: int,
        autoreset_mode: AutoresetMode,
        copy: bool,
        render_mode: str | None,
    ) -> None:
        """Observations of a game are uint8 of that shape, actions numbers below ``inputs``."""
        self.num_envs, self.autoreset_mode, self.copy, self.render_mode = num_envs, autoreset_mode, copy, render_mode
        self.metadata = {**self.metadata, "autoreset_mode": autoreset_mode}
        self.single_observation_space = gymnasium.spaces.Box(0, 255, shape, np.uint8)
        self.single_action_space = gymnasium.spaces.Discrete(inputs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._every, self.turn = np.ones(num_envs, np.bool_), threading.Lock()

    def _told(self, seed: object, options: object, started: bool) -> tuple[list[int | None], np.ndarray]:
        """(a seed a game, bool (N,): which games to reset) of what a reset is told."""
        self._check_open()
        mask, seeds = checked_mask(options, self.num_envs), checked_seeds(seed, self.num_envs)
        if not started and not mask.all():
            raise RuntimeError("reset of some games before all: call reset without reset_mask first")
        if isinstance(seed, (int, np.integer)):
            super().reset(seed=int(seed))
        return seeds, mask

    def _check_open(self) -> None:
        if self.closed:
            raise RuntimeError("this environment is closed: make a new one")

    def _over(self, ended: np.ndarray) -> np.ndarray | None:
        """Of games that ended before, bool (N,), those that start over in this step instead of taking their action."""
        if self.autoreset_mode == AutoresetMode.SAME_STEP or not ended.any():
            return None
        if self.autoreset_mode == AutoresetMode.DISABLED:
            lanes = np.flatnonzero(ended).tolist()
            named = ", ".join(map(str, lanes[:10])) + (", ..." if len(lanes) > 10 else "")
            raise RuntimeError(f"step after games ended ({named}): reset them first, by options={{'reset_mask': ...}}")
        return ended


def checked_mode(mode: AutoresetMode | str) -> AutoresetMode:
    """ValueError where gymnasium has no such mode."""
    try:
        return AutoresetMode(mode)
    except ValueError:
        names = ", ".join(each.value for each in AutoresetMode)
        raise ValueError(f"autoreset_mode is {mode!r}: expected one of {names}") from None


def checked_copy(copy: object) -> bool:
    if not isinstance(copy, (bool, np.bool_)):
        raise ValueError(f"copy is {copy!r}: expected True or False")
    return bool(copy)


def shown(array: np.ndarray) -> np.ndarray:
    """The same memory, which nobody can write to through it."""
    view = array.view()
    view.flags.writeable = False
    return view
