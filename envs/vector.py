"""The games as a gymnasium VectorEnv: Games in lockstep, same-step autoreset."""

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from envs.dials import Dials
from envs.env import FPS, MEANINGS
from envs.frames import frame_of
from envs.games import INPUTS, Games
from envs.level import Level
from envs.limits import inputs_of
from envs.rules import MAX_INPUTS


class PriorLabVectorEnv(gymnasium.vector.VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """N games. ``version``, ``level`` and ``look_seed`` are one for all or a list of one a game.
    ``max_episode_steps``, in steps, shortens what ``max_inputs`` says.

    Observations are uint8 (N, screen_size, screen_size, stack_size * C). A game that ends starts over in the same
    step; its last picture and info are in ``infos["final_obs"]`` (object array) and ``infos["final_info"]`` (arrays),
    each with a mask ``_final_obs``, ``_final_info``. Infos are arrays over the games. Game i equals the single
    environment seeded with seed + i.
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
        render_mode: str | None = None,
    ):
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode is {render_mode!r}: expected None or rgb_array (human is for one game)")
        self.render_mode = render_mode
        self.num_envs = num_envs
        self.games = Games(
            num_envs, version, game=game, level=level, order=order, looks=looks, split=split, obs=obs,
            screen_size=screen_size, grayscale_obs=grayscale_obs,
            stack_size=stack_size, frame_skip=frame_skip, look_seed=look_seed, max_inputs=max_inputs,
            random_start=random_start, num_threads=num_threads,
        )  # fmt: skip
        limits = self.games.scenes.numbers[:, MAX_INPUTS]
        limits[:] = [inputs_of(max_episode_steps, frame_skip, random_start, int(limit)) for limit in limits]
        shape = self.games.lanes.observations.shape[1:]
        self.single_observation_space = gymnasium.spaces.Box(0, 255, shape, np.uint8)
        self.single_action_space = gymnasium.spaces.Discrete(INPUTS)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts new plays; ``options={"reset_mask": bool (N,)}`` only those of some games."""
        super().reset(seed=seed if isinstance(seed, int) else None)
        mask = (options or {}).get("reset_mask")
        if mask is None:
            self.games.reset(seed)
        else:
            self.games.restart(np.flatnonzero(mask))
        return self.games.lanes.observations.copy(), self._infos()

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        observations, rewards, terminated, truncated = self.games.step(actions)
        infos = self._infos()
        ended = self.games.ended
        if len(ended):
            infos |= endings(self.num_envs, ended, self.games.final_observations.copy(), self.games.final_info)
        return observations.copy(), rewards.astype(np.float64), terminated.copy(), truncated.copy(), infos

    def _infos(self) -> dict[str, Any]:
        every = np.ones(self.num_envs, np.bool_)
        info = self.games.info()
        return {**info, **{f"_{key}": every for key in info}}

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


def endings(count: int, ended: np.ndarray, observations: np.ndarray, info: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """What gymnasium's infos tell of games that ended in a step: int64 (n,) of ``count``, their last observations and
    infos, arrays over them."""
    mask = np.zeros(count, np.bool_)
    mask[ended] = True
    final = np.full(count, None, object)
    for lane, observation in zip(ended, observations):
        final[lane] = observation
    spread: dict[str, np.ndarray] = {}
    for key, values in info.items():
        spread[key] = np.zeros(count, values.dtype)
        spread[key][ended] = values
        spread[f"_{key}"] = mask.copy()
    return {"final_obs": final, "_final_obs": mask, "final_info": spread, "_final_info": mask.copy()}
