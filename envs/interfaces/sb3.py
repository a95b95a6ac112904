"""The games as a stable-baselines3 VecEnv. Importing stable-baselines3 takes seconds, so other files do without it."""

import threading
import time
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvObs, VecEnvStepReturn

from priorlab.envs.base.alone import Alone, in_turn
from priorlab.envs.engine.games import INPUTS, Games, on_cpu
from priorlab.envs.engine.resets import checked_options, checked_seeds
from priorlab.envs.interfaces.env import FPS
from priorlab.envs.interfaces.frames import frame_of


class Batch(Alone, VecEnv):
    """What stable-baselines3 asks of any batch of games in lockstep, which it can't reach one by one."""

    games: Any

    def _told(self) -> list[int | None]:
        """The seeds that the next reset was told. Options would mean nothing."""
        for options in self._options:
            checked_options(options)
        return checked_seeds(self._seeds, self.num_envs)

    def _begin(self) -> None:
        """What a reset leaves."""
        self._reset_seeds()
        self._reset_options()
        self.reset_infos = [{} for _ in range(self.num_envs)]

    def get_images(self) -> Sequence[np.ndarray | None]:
        return [self.picture(lane) for lane in range(self.num_envs)]

    def picture(self, lane: int) -> np.ndarray:
        """uint8 (height, width, 3), as large in every game."""
        return self.games.native_frame(lane)

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        return [getattr(self, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        raise ValueError(f"{attr_name}: the games of a batch have no attributes of their own to set")

    def env_method(self, method_name: str, *args: Any, indices: VecEnvIndices = None, **kwargs: Any) -> list[Any]:
        raise ValueError(f"{method_name}: the games of a batch have no methods of their own; use .games")

    def env_is_wrapped(self, wrapper_class: type, indices: VecEnvIndices = None) -> list[bool]:
        """What a Monitor would add to infos is there."""
        return [wrapper_class is Monitor for _ in self._get_indices(indices)]


def count_of(num_envs: int | None, num_games: int | None) -> int:
    """How many games, by the name that environments have for it or by the one that ``Games`` has; 1 by neither.

    Raises ValueError where both are given.
    """
    if num_envs is not None and num_games is not None:
        raise ValueError(f"num_envs is {num_envs} and num_games is {num_games}: expected one of them")
    given = num_envs if num_games is None else num_games
    return 1 if given is None else given


class PriorLabVecEnv(Batch):
    """N games; settings are those of ``Games``. Observations are uint8 (N, S, S, stack_size * C), channels last.

    Infos are filled when an episode ends: terminal_observation, TimeLimit.truncated, episode (r, l in steps, t in
    seconds, as a Monitor would add), and the game's info. ``games`` is the batch itself; ``steps``, int64 (N,), counts
    the steps of each game's current episode. With games on a GPU, everything is copied into the CPU's memory.
    ``num_games``, the name in ``Games``, works for ``num_envs`` too, so that the same settings make either.
    """

    def __init__(
        self,
        num_envs: int | None = None,
        version: str | Sequence[str] = "original",
        *,
        num_games: int | None = None,
        **settings: Any,
    ):
        num_envs = count_of(num_envs, num_games)
        self.games, self.turn = Games(num_envs, version, **settings), threading.Lock()
        shape = self.games.lanes.observations.shape[1:]
        self.render_mode = "rgb_array"
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": FPS}
        super().__init__(num_envs, gymnasium.spaces.Box(0, 255, shape, np.uint8), gymnasium.spaces.Discrete(INPUTS))
        self._began = time.time()
        self._actions = np.zeros(num_envs, np.int64)
        self.steps = np.zeros(num_envs, np.int64)

    @in_turn
    def reset(self) -> VecEnvObs:
        observations = self.games.reset(self._told())
        self._begin()
        self.steps[:] = 0
        return on_cpu(observations).copy()

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    @in_turn
    def step_wait(self) -> VecEnvStepReturn:
        observations, rewards, terminated, truncated = map(on_cpu, self.games.step(self._actions))
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        self.steps += 1
        final_info, last = self.games.final_info, on_cpu(self.games.final_observations)
        for k, lane in enumerate(on_cpu(self.games.ended)):
            own = {key: values[k].item() for key, values in final_info.items()}
            episode = {"r": float(rewards[lane]), "l": int(self.steps[lane]), "t": round(time.time() - self._began, 6)}
            infos[lane] = own | {
                "terminal_observation": last[k].copy(),
                "TimeLimit.truncated": bool(truncated[lane]),
                "episode": episode,
            }
            self.steps[lane] = 0
        return observations.copy(), rewards.copy(), terminated | truncated, infos

    def picture(self, lane: int) -> np.ndarray:
        return frame_of(self.games, lane)

    def close(self) -> None:
        self.games.close()
