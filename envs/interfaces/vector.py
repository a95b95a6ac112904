"""The games as a gymnasium VectorEnv: ``Games``, in lockstep."""

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np
from gymnasium.vector import AutoresetMode

from priorlab.envs.base.alone import in_turn
from priorlab.envs.base.settings import complete
from priorlab.envs.engine.game_settings import IN_COLOUR, GameSettings
from priorlab.envs.engine.games import Games
from priorlab.envs.engine.infos import endings, info_of, masked
from priorlab.envs.game.rules import INPUT_COUNT, MAX_INPUTS
from priorlab.envs.interfaces.batch import BATCH_DEFAULTS, BatchSettings, GymBatch, VectorEnv, read_only
from priorlab.envs.interfaces.env import FPS, MEANINGS
from priorlab.envs.interfaces.frames import frame_of
from priorlab.envs.interfaces.limits import inputs_of


class VectorSettings(GameSettings, BatchSettings, total=False):
    """All settings of ``PriorLabVectorEnv``."""


class PriorLabVectorEnv(GymBatch, VectorEnv):
    """N games as one gymnasium environment. Inputs are those of ``PriorLabEnv``, int (N,).

    ``num_envs`` is N; ``version`` is one for all games or a sequence of one per game; the other settings are those of
    ``GameSettings`` and ``BatchSettings``. Raises ValueError, one line, for an invalid value, and TypeError for a
    setting that does not exist.

    Observations are uint8 (N, screen_size, screen_size, stack_size * C), C = 3, or 1 with ``grayscale_obs``; rewards
    float64 (N,); terminated and truncated bool (N,). Infos are arrays over the games, each with a mask ``_name`` of the
    games for which it holds. Game i equals the single environment seeded with seed + i, and the batch equals
    gymnasium's SyncVectorEnv of such environments, bit for bit, in each ``autoreset_mode``:

    - SameStep: a game that ends starts again in the same step; its last picture and info are in ``infos["final_obs"]``
      (object array) and ``infos["final_info"]`` (arrays), each with a mask ``_final_obs``, ``_final_info``.
    - NextStep: it starts over in the next step, which ignores its action and gives no reward.
    - Disabled: it waits for ``reset(options={"reset_mask": bool (N,)})``; a step before that raises RuntimeError.

    With ``copy=False`` observations, ``final_obs`` included, are read-only views, valid until the next step or reset.
    Everything else that is returned belongs to the caller.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": FPS, "autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(
        self,
        num_envs: int = 1,
        version: str | Sequence[str] = "original",
        **settings: Unpack[VectorSettings],
    ):
        chosen = complete(settings, IN_COLOUR | BATCH_DEFAULTS, ("num_envs", "version"))
        self._take(chosen)
        of_games = {name: chosen[name] for name in IN_COLOUR}
        self.games = Games(num_envs, version, autoreset=self.autoreset_mode == AutoresetMode.SAME_STEP, **of_games)
        limits = self.games.scenes.numbers[:, MAX_INPUTS]
        steps, frame_skip, random_start = chosen["max_episode_steps"], self.games.frame_skip, self.games.random_start
        limits[:] = [inputs_of(steps, frame_skip, random_start, int(limit)) for limit in limits]
        self._describe(num_envs, self.games.lanes.observations.shape[1:], INPUT_COUNT)

    @in_turn
    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Resets all games, each as the single environment does, or only those in ``options={"reset_mask": bool
        (N,)}``, for which alone the infos then hold. Seed s seeds game i with s + i; a list has one seed or None per
        game."""
        games = self.games
        seeds, mask = self._check_reset(seed, options, games.started)
        chosen = np.flatnonzero(mask)
        begun = np.array([seeds[lane] is not None for lane in chosen], np.bool_)
        if mask.all():
            games.lanes.ever[:] = 0
        if begun.any():
            games.reset(seeds, chosen[begun])
        if not begun.all():
            games.restart(chosen[~begun], new_play=False)  # after a death the play continues
        games.lanes.ever[chosen] |= games.lanes.visited[chosen]
        info = info_of(games.state[chosen], chosen, self.num_envs)
        return self._returned(games.lanes.observations), masked(info, mask)

    @in_turn
    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        self._check_open()
        games = self.games
        over = None if games.autoreset else self._over(games.lanes.terminated | games.lanes.truncated)
        observations, rewards, terminated, truncated = games.step(actions, over)
        infos = masked(info_of(games.state), self._every)
        if games.autoreset and len(games.ended):
            final = info_of(games.final_states, games.ended, self.num_envs)
            infos |= endings(self._returned(games.final_observations), final, terminated | truncated)
        return self._returned(observations), rewards.astype(np.float64), terminated.copy(), truncated.copy(), infos

    def _returned(self, observations: np.ndarray) -> np.ndarray:
        """A copy, or a read-only view, since pictures are drawn on top of the last ones."""
        return observations.copy() if self.copy else read_only(observations)

    def render(self) -> tuple[np.ndarray, ...] | None:
        """Each game's picture in colour, uint8 (side, side, 3), all of one size: native, or framed if the level is
        smaller."""
        if self.render_mode is None:
            raise RuntimeError("nothing to render: make the environments with render_mode='rgb_array'")
        return tuple(frame_of(self.games, lane) for lane in range(self.num_envs))

    def get_action_meanings(self) -> list[str]:
        """The names of the inputs, in the style of Atari's: NOOP, LEFT, ..."""
        return list(MEANINGS)

    def close_extras(self, **kwargs: Any) -> None:
        self.games.close()
