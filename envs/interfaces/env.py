"""The games as a gymnasium.Env: one game, colour pictures by default."""

import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

import gymnasium
import numpy as np

from priorlab.envs.base.alone import TAKEN, Alone, in_turn
from priorlab.envs.base.compile import Bound
from priorlab.envs.base.settings import complete
from priorlab.envs.engine.checks import checked_actions, checked_options, checked_seed
from priorlab.envs.engine.engine import Saved
from priorlab.envs.engine.game_settings import IN_COLOUR, GameSettings
from priorlab.envs.engine.games import Games
from priorlab.envs.engine.lockstep import Part, advance
from priorlab.envs.game.rules import (
    DEATHS,
    HAS_KEY,
    INPUT_COUNT,
    INPUT_NAMES,
    JUMPING,
    MAX_INPUTS,
    MONSTERS,
    ON_LADDER,
    PLACE,
    PLAY_INPUTS,
    SOLVED,
    SPEED,
    UNIQUE_STATES,
    X,
    Y,
)
from priorlab.envs.interfaces.frames import frame_of
from priorlab.envs.interfaces.keyboard import keys_to_action
from priorlab.envs.interfaces.limits import Limited, steps_of

if TYPE_CHECKING:
    import pygame

ZOOM = 3  # factor on the native picture in the window of render_mode="human"
FPS = 30  # inputs per second, as people play
RENDER_MODES = ("human", "rgb_array")
MEANINGS = ("NOOP", *(name.upper() for name in INPUT_NAMES[1:]))


Base = gymnasium.Env[np.ndarray, np.int64]


class PriorLabEnv(Limited, Alone, Base):  # pyright: ignore[reportIncompatibleVariableOverride]
    """One game as a gymnasium environment. Inputs 0 to 5: none, left, right, jump, up, down. The goal gives reward 1.

    ``version`` is the game's; the other settings are those of ``GameSettings``, in colour by default. Raises
    ValueError, one line, for an invalid value, and TypeError for a setting that does not exist.

    Observations are uint8 (screen_size, screen_size, stack_size * C), C = 3, or 1 with ``grayscale_obs``. A win or a
    death terminates (in Key and Door only a win), ``max_inputs`` truncates. ``info`` has x, y (pixels), on_ladder,
    jumping, speed (pixels per step, upwards), enemies_alive, has_key, solved; deaths, unique_states and inputs, counted
    over the play; and place, the number of the game in ``games.places``. A reset after a death continues the play, if
    every episode is of the same game; a reset with a seed, or after anything else, begins a new play.
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": FPS}

    def __init__(
        self,
        version: str | Sequence[str] = "original",
        *,
        render_mode: str | None = None,
        **settings: Unpack[GameSettings],
    ):
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise ValueError(f"render_mode is {render_mode!r}: expected None or one of {', '.join(RENDER_MODES)}")
        self.render_mode = render_mode
        self.games = Games(1, version, autoreset=False, **complete(settings, IN_COLOUR, ("version", "render_mode")))
        shape = self.games.lanes.observations.shape[1:]
        self.observation_space = gymnasium.spaces.Box(0, 255, shape, np.uint8)
        self.action_space = gymnasium.spaces.Discrete(INPUT_COUNT)
        self.max_episode_steps = steps_of(int(self.games.scenes.numbers[:, MAX_INPUTS].max()), self.games.frame_skip)
        self._running, self._closed = False, False
        self._settle()

    def _settle(self) -> None:
        """What copies do not share: views of the games' arrays, and a window."""
        self._state, self._observation = self.games.state[0], self.games.lanes.observations[0]
        self._action, self.turn = np.zeros(1, np.int64), threading.Lock()
        games = self.games
        self._advance = Bound(
            advance, games.scenes, games.lanes, self._action, games.frame_skip, Part(0, 1, games.scratch)
        )
        self._window: pygame.Window | None = None
        self._clock: pygame.time.Clock | None = None

    def __getstate__(self) -> dict[str, Any]:
        settled = "turn", "_state", "_observation", "_action", "_advance", "_window", "_clock", "_shown_by"
        return {name: value for name, value in super().__getstate__().items() if name not in settled}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._settle()

    @in_turn
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        self._check_open()
        checked_options(options)
        seed = checked_seed(seed)
        super().reset(seed=seed)
        if seed is not None:
            self.games.reset(seed)
        else:
            died = bool(self.games.lanes.terminated[0]) and not self._state[SOLVED]
            self.games.restart(np.zeros(1, np.int64), new_play=not died)
        self._running = True
        if self.render_mode == "human":
            self._show()
        return self._observation.copy(), self._info()

    def step(self, action: int | np.integer) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        if not self.turn.acquire(False):  # as ``in_turn``, whose extra call would take half a microsecond
            raise RuntimeError(f"step: {TAKEN}")
        try:
            return self._step(action)
        finally:
            self.turn.release()

    def _step(self, action: int | np.integer) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        if not self._running:
            self._check_open()
            raise RuntimeError("step before reset, or after the episode ended: call reset first")
        if action not in range(INPUT_COUNT):
            checked_actions(np.atleast_1d(action), 1)
        self._action[:] = action
        ended = self._advance()
        self._running = not ended
        if self.render_mode == "human":
            self._show()
        won = bool(self._state[SOLVED])
        terminated = bool(ended and self.games.lanes.terminated[0])
        return self._observation.copy(), float(won), terminated, bool(ended) and not terminated, self._info()

    def _info(self) -> dict[str, Any]:
        state = self._state.tolist()
        return {
            "x": state[X] / 2,
            "y": state[Y] / 2,
            "on_ladder": state[ON_LADDER] != 0,
            "jumping": state[JUMPING] != 0,
            "speed": state[SPEED],
            "enemies_alive": state[MONSTERS].bit_count(),
            "deaths": state[DEATHS],
            "unique_states": state[UNIQUE_STATES],
            "has_key": state[HAS_KEY] != 0,
            "solved": state[SOLVED] != 0,
            "inputs": state[PLAY_INPUTS],
            "place": state[PLACE],
        }

    def get_action_meanings(self) -> list[str]:
        """The names of the inputs, in the style of Atari's: NOOP, LEFT, ..."""
        return list(MEANINGS)

    def get_keys_to_action(self) -> dict[tuple[int, ...], int]:
        """For gymnasium.utils.play: arrow keys or W A S D, and space. Of several held keys jump counts, then up and
        down."""
        return keys_to_action(MEANINGS)

    def save(self) -> Saved:
        """A copy of the state, including counts, for ``restore``."""
        return self.games.save()

    def restore(self, saved: Saved) -> tuple[np.ndarray, dict[str, Any]]:
        """Restores a saved state; returns its observation and info."""
        self._check_open()
        self.games.restore(saved)
        self._running = not saved.ending.any()
        return self._observation.copy(), self._info()

    def render(self) -> np.ndarray | None:
        """In mode rgb_array, the picture in colour, uint8 (side, side, 3): native, or framed if the level is
        smaller."""
        if self.render_mode == "human":
            self._show()
            return None
        if self.render_mode is None:
            raise RuntimeError("nothing to render: make the environment with render_mode='rgb_array' or 'human'")
        return frame_of(self.games)

    def _show(self) -> None:
        """Shows the picture in a window, at ``FPS`` frames per second."""
        import pygame

        if self._window is not None and self._shown_by != os.getpid():
            raise RuntimeError("render_mode is 'human', and the window is another process's: make the environment here")
        frame = frame_of(self.games)
        if self._window is None:
            pygame.display.init()
            self._window = pygame.Window("Priorlab", (ZOOM * frame.shape[1], ZOOM * frame.shape[0]))
            self._clock, self._shown_by = pygame.time.Clock(), os.getpid()
        assert self._clock
        picture = pygame.image.frombuffer(frame.tobytes(), frame.shape[1::-1], "RGB")
        self._window.get_surface().blit(pygame.transform.scale_by(picture, ZOOM), (0, 0))
        pygame.event.pump()
        self._window.flip()
        self._clock.tick(FPS)

    def close(self) -> None:
        self.games.close()
        self._running, self._closed = False, True
        if self._window is not None and self._shown_by == os.getpid():
            self._window.destroy()
            self._window = None

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("this environment is closed: make a new one")
