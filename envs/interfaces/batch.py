"""What all batches of games have in common for gymnasium: spaces, autoreset modes, the arguments of a reset."""

import threading
from collections.abc import Mapping
from typing import Any, TypedDict

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from priorlab.envs.base.alone import Alone
from priorlab.envs.engine.checks import checked_mask, checked_seeds

RENDER_MODES = (None, "rgb_array")
VectorEnv = gymnasium.vector.VectorEnv[np.ndarray, np.ndarray, np.ndarray]


class BatchSettings(TypedDict, total=False):
    """Settings of a batch for gymnasium, which ``gymnasium.make_vec`` may pass on."""

    max_episode_steps: int | None
    """steps after which an episode is truncated, if ``max_inputs`` does not truncate it earlier (default None)"""

    autoreset_mode: AutoresetMode | str
    """what happens to a game that ended: SameStep (default), NextStep or Disabled"""

    copy: bool
    """whether observations are the caller's (default); otherwise read-only views, valid until the next step or reset"""

    render_mode: str | None
    """None (default) or rgb_array"""


BATCH_DEFAULTS: dict[str, Any] = {
    "max_episode_steps": None, "autoreset_mode": AutoresetMode.SAME_STEP, "copy": True, "render_mode": None
}  # fmt: skip


class GymBatch(Alone, VectorEnv):
    """N games in lockstep. A subclass makes them, and calls ``_take`` and ``_describe``. It names ``VectorEnv`` among
    its bases again, as some clients recognise an environment by the direct bases of its class."""

    autoreset_mode: AutoresetMode
    copy: bool

    def _take(self, settings: Mapping[str, Any]) -> None:
        """Takes over the values of ``BatchSettings``. ValueError, one line, for an invalid one."""
        mode, copy, self.render_mode = (settings[name] for name in ("autoreset_mode", "copy", "render_mode"))
        if self.render_mode not in RENDER_MODES:
            raise ValueError(f"render_mode is {self.render_mode!r}: expected None or rgb_array (human is for one game)")
        if not isinstance(copy, (bool, np.bool_)):
            raise ValueError(f"copy is {copy!r}: expected True or False")
        self.autoreset_mode, self.copy = checked_mode(mode), bool(copy)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}

    def _describe(self, num_envs: int, shape: tuple[int, ...], inputs: int) -> None:
        """A game's observations are uint8 of that shape, its actions integers below ``inputs``."""
        self.num_envs = num_envs
        self.single_observation_space = gymnasium.spaces.Box(0, 255, shape, np.uint8)
        self.single_action_space = gymnasium.spaces.Discrete(inputs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._every, self.turn = np.ones(num_envs, np.bool_), threading.Lock()

    def _check_reset(self, seed: object, options: object, started: bool) -> tuple[list[int | None], np.ndarray]:
        """The arguments of a reset as (one seed per game, bool (N,): which games to reset). Seeds gymnasium's
        generator."""
        self._check_open()
        mask, seeds = checked_mask(options, self.num_envs), checked_seeds(seed, self.num_envs)
        if not started and not mask.all():
            raise RuntimeError("reset of some games before the first reset of all: call reset without reset_mask first")
        if isinstance(seed, (int, np.integer)):
            super().reset(seed=int(seed))
        return seeds, mask

    def _check_open(self) -> None:
        if self.closed:
            raise RuntimeError("this environment is closed: make a new one")

    def _over(self, ended: np.ndarray) -> np.ndarray | None:
        """Which of the games that ended before, bool (N,), start over in this step instead of taking their action."""
        if self.autoreset_mode == AutoresetMode.SAME_STEP or not ended.any():
            return None
        if self.autoreset_mode == AutoresetMode.DISABLED:
            lanes = np.flatnonzero(ended).tolist()
            named = ", ".join(map(str, lanes[:10])) + (", ..." if len(lanes) > 10 else "")
            raise RuntimeError(f"step after games ended ({named}): reset them first, by options={{'reset_mask': ...}}")
        return ended


def checked_mode(mode: AutoresetMode | str) -> AutoresetMode:
    """The mode; ValueError if gymnasium has no such mode."""
    try:
        return AutoresetMode(mode)
    except ValueError:
        names = ", ".join(each.value for each in AutoresetMode)
        raise ValueError(f"autoreset_mode is {mode!r}: expected one of {names}") from None


def read_only(array: np.ndarray) -> np.ndarray:
    """A read-only view of the array."""
    view = array.view()
    view.flags.writeable = False
    return view
