"""An Atari game with a masked look as a gymnasium.Env."""

from typing import Any, Unpack

import gymnasium
import numpy as np

from priorlab.envs.atari.ale import MaskedALE
from priorlab.envs.atari.atari_settings import AleSettings, with_ale_names
from priorlab.envs.atari.games import FPS, Atari, Outcome
from priorlab.envs.base.alone import Alone
from priorlab.envs.engine.checks import checked_actions, checked_options, checked_seed
from priorlab.envs.interfaces.keyboard import keys_to_action
from priorlab.envs.interfaces.limits import Limited, steps_of

Base = gymnasium.Env[np.ndarray, np.int64]


class AtariEnv(Limited, Alone, Base):  # pyright: ignore[reportIncompatibleVariableOverride]
    """One Atari game as a gymnasium environment. Inputs are ale_py's, of which the game uses some or all 18.

    ``game`` is ale_py's name of it; the other settings are those of ``AtariSettings``, or ale_py's names for them.
    Raises ValueError, one line, for an invalid value, and TypeError for a setting that does not exist.

    Observations are uint8 (screen_size, screen_size, stack_size * C), C = 3, or 1 with ``grayscale_obs``; without a
    screen size, (210, 160, ...) in most games. Rewards are the game's points. The end of the game terminates,
    ``max_inputs`` truncates. ``info`` has lives and inputs, the raw frames of the episode.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": FPS}

    def __init__(
        self,
        game: str = "montezuma_revenge",
        *,
        render_mode: str | None = None,
        **settings: Unpack[AleSettings],
    ):
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode is {render_mode!r}: expected None or rgb_array")
        self.render_mode = render_mode
        self.games = Atari(1, game, autoreset=False, **with_ale_names(settings, ("game", "render_mode")))
        self.max_episode_steps = steps_of(self.games.max_inputs, self.games.frame_skip)
        self.observation_space = gymnasium.spaces.Box(0, 255, self.games.shape, np.uint8)
        self.action_space = gymnasium.spaces.Discrete(len(self.games.actions))
        self._running, self._closed = False, False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        if self._closed:
            raise RuntimeError("this environment is closed: make a new one")
        checked_options(options)
        seed = checked_seed(seed)
        super().reset(seed=seed)
        outcome = self.games.reset(seeds=[seed])
        self._running = True
        return outcome.observations[0], info_of(outcome)

    def step(self, action: int | np.integer) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        if not self._running:
            raise RuntimeError("step before reset, or after the episode ended: call reset first")
        outcome = self.games.step(checked_actions(np.atleast_1d(action), 1, self.games.meanings))
        terminated, truncated = bool(outcome.terminated[0]), bool(outcome.truncated[0])
        self._running = not (terminated or truncated)
        return outcome.observations[0], float(outcome.rewards[0]), terminated, truncated, info_of(outcome)

    def render(self) -> np.ndarray:
        """The masked picture in colour, in the size of ALE's screen: uint8 (210, 160, 3) in most games."""
        if self.render_mode is None:
            raise RuntimeError("nothing to render: make the environment with render_mode='rgb_array'")
        return self.games.native_frame()

    @property
    def ale(self) -> MaskedALE:
        """ale_py's interface, masked, for wrappers made for ale_py's environments."""
        return MaskedALE(self.games)

    @property
    def _frameskip(self) -> int:
        """Read by gymnasium's AtariPreprocessing, which refuses to skip frames of a game that already does."""
        return self.games.frame_skip

    def get_action_meanings(self) -> list[str]:
        """ale_py's names of the inputs: NOOP, FIRE, ..."""
        return self.games.meanings

    def get_keys_to_action(self) -> dict[tuple[int, ...], int]:
        """For gymnasium.utils.play: arrow keys or W A S D, combined with space, the button."""
        return keys_to_action(self.games.meanings)

    def close(self) -> None:
        self._running, self._closed = False, True


def info_of(outcome: Outcome) -> dict[str, Any]:
    return {"lives": int(outcome.lives[0]), "inputs": int(outcome.inputs[0])}
