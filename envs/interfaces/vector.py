"""The games as a gymnasium VectorEnv: Games in lockstep."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from priorlab.envs.base.alone import in_turn
from priorlab.envs.engine.games import INPUTS, Games
from priorlab.envs.engine.infos import endings, info_of, masked
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import MAX_INPUTS
from priorlab.envs.interfaces.batch import Batch, VectorEnv, checked_copy, checked_mode, shown
from priorlab.envs.interfaces.env import FPS, MEANINGS
from priorlab.envs.interfaces.frames import frame_of
from priorlab.envs.interfaces.limits import inputs_of
from priorlab.envs.looks.dials import Dials


class PriorLabVectorEnv(Batch, VectorEnv):
    """N games. ``version``, ``level`` and ``look_seed`` are one value for all games, or a list with one per game.
    ``max_episode_steps``, in steps, shortens the limit that ``max_inputs`` sets.

    Observations are uint8 (N, screen_size, screen_size, stack_size * C), rewards float64 (N,), ends bool (N,). Infos
    are arrays over the games, each with a mask of the games for which it holds. Game i equals the single environment
    seeded with seed + i, and the batch equals gymnasium's SyncVectorEnv, bit for bit, in each ``autoreset_mode``:

    - SameStep: a game that ends starts again in the same step; its last picture and info are in ``infos["final_obs"]``
      (object array) and ``infos["final_info"]`` (arrays), each with a mask ``_final_obs``, ``_final_info``.
    - NextStep: it starts again in the next step, which ignores its action and pays nothing.
    - Disabled: it waits for ``reset(options={"reset_mask": bool (N,)})``; a step before that raises RuntimeError.

    With ``copy=False`` observations, ``final_obs`` included, are read-only views, valid until the next step or reset.
    All other arrays are copies.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": FPS, "autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(
        self,
        num_envs: int = 1,
        version: str | Sequence[str] = "original",
        *,
        game: str | Sequence[str] | None = None,
        level: str | Level | Sequence[str | Level | None] | None = None,
        order: str = "own",
        looks: Dials | Mapping[str, float] | None = None,
        split: str = "training",
        obs: str = "pixels",
        screen_size: int = 84,
        grayscale_obs: bool = False,
        stack_size: int = 1,
        frame_skip: int = 1,
        look_seed: int | Sequence[int] = 0,
        max_inputs: int | None = None,
        random_start: int = 0,
        num_threads: int = 1,
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        copy: bool = True,
        render_mode: str | None = None,
    ):
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode is {render_mode!r}: expected None or rgb_array (human is for one game)")
        mode, copy = checked_mode(autoreset_mode), checked_copy(copy)
        self.games = Games(
            num_envs, version, game=game, level=level, order=order, looks=looks, split=split, obs=obs,
            screen_size=screen_size, grayscale_obs=grayscale_obs,
            stack_size=stack_size, frame_skip=frame_skip, look_seed=look_seed, max_inputs=max_inputs,
            random_start=random_start, num_threads=num_threads, autoreset=mode == AutoresetMode.SAME_STEP,
        )  # fmt: skip
        limits = self.games.scenes.numbers[:, MAX_INPUTS]
        limits[:] = [inputs_of(max_episode_steps, frame_skip, random_start, int(limit)) for limit in limits]
        self._describe(num_envs, self.games.lanes.observations.shape[1:], INPUTS, mode, copy, render_mode)

    @in_turn
    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Resets games, each as the single environment would; with ``options={"reset_mask": bool (N,)}`` only some, and
        infos hold for those. Seed s seeds game i with s + i; a list has one seed, or None, per game."""
        games = self.games
        seeds, mask = self._told(seed, options, games.started)
        chosen = np.flatnonzero(mask)
        begun = np.array([seeds[lane] is not None for lane in chosen], np.bool_)
        if mask.all():
            games.lanes.ever[:] = 0
        if begun.any():
            games.reset(seeds, chosen[begun])
        if not begun.all():
            games.restart(chosen[~begun], new_play=False)  # who died goes on with the play
        games.lanes.ever[chosen] |= games.lanes.visited[chosen]
        info = info_of(games.state[chosen], chosen, self.num_envs)
        return self._own(games.lanes.observations), masked(info, mask)

    @in_turn
    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        self._check_open()
        games = self.games
        over = None if games.autoreset else self._over(games.lanes.terminated | games.lanes.truncated)
        observations, rewards, terminated, truncated = games.step(actions, over)
        infos = masked(info_of(games.state), self._every)
        if games.autoreset and len(games.ended):
            final = info_of(games.final_states, games.ended, self.num_envs)
            infos |= endings(self._own(games.final_observations), final, terminated | truncated)
        return self._own(observations), rewards.astype(np.float64), terminated.copy(), truncated.copy(), infos

    def _own(self, observations: np.ndarray) -> np.ndarray:
        """The caller's own, or what nobody can write to: pictures are drawn on top of the last ones."""
        return observations.copy() if self.copy else shown(observations)

    def render(self) -> tuple[np.ndarray, ...] | None:
        """Each game's picture in colour, uint8 (side, side, 3) of one size: native, a smaller level's framed."""
        if self.render_mode is None:
            raise RuntimeError("nothing to render: make the environments with render_mode='rgb_array'")
        return tuple(frame_of(self.games, lane) for lane in range(self.num_envs))

    def get_action_meanings(self) -> list[str]:
        """What the inputs are called, as Atari's are: NOOP, LEFT, ..."""
        return list(MEANINGS)

    def close_extras(self, **kwargs: Any) -> None:
        self.games.close()
