"""The games as a stable-baselines3 VecEnv. Importing stable-baselines3 takes seconds, so no other module here does."""

import threading
import time
from collections.abc import Sequence
from typing import Any, Unpack

import gymnasium
import numpy as np
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvObs, VecEnvStepReturn

from priorlab.envs.base.alone import Alone, in_turn
from priorlab.envs.base.settings import complete
from priorlab.envs.engine.checks import checked_options, checked_seeds
from priorlab.envs.engine.engine import on_cpu
from priorlab.envs.engine.game_settings import DEFAULTS, GameSettings
from priorlab.envs.engine.games import Games
from priorlab.envs.game.rules import INPUT_COUNT
from priorlab.envs.interfaces.env import FPS
from priorlab.envs.interfaces.frames import frame_of


class Sb3Batch(Alone, VecEnv):
    """What all batches of games have in common for stable-baselines3: single games have no attributes or methods."""

    games: Any

    def _next_seeds(self) -> list[int | None]:
        """The seeds set for the next reset. ValueError for options, as there are none."""
        for options in self._options:
            checked_options(options)
        return checked_seeds(self._seeds, self.num_envs)

    def _begin(self) -> None:
        """Clears what a reset has used up."""
        self._reset_seeds()
        self._reset_options()
        self.reset_infos = [{} for _ in range(self.num_envs)]

    def get_images(self) -> Sequence[np.ndarray | None]:
        return [self.picture(lane) for lane in range(self.num_envs)]

    def picture(self, lane: int) -> np.ndarray:
        """A game's picture, uint8 (height, width, 3), of the same size for all games."""
        return self.games.native_frame(lane)

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        return [getattr(self, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        raise ValueError(f"{attr_name}: single games of a batch have no attributes to set")

    def env_method(self, method_name: str, *args: Any, indices: VecEnvIndices = None, **kwargs: Any) -> list[Any]:
        raise ValueError(f"{method_name}: single games of a batch have no methods; use .games")

    def env_is_wrapped(self, wrapper_class: type, indices: VecEnvIndices = None) -> list[bool]:
        """Infos have what a Monitor would add."""
        return [wrapper_class is Monitor for _ in self._get_indices(indices)]


def count_of(num_envs: int | None, num_games: int | None) -> int:
    """The number of games, by the environments' name for it or by that of ``Games``; 1 by default.

    Raises ValueError if both are given.
    """
    if num_envs is not None and num_games is not None:
        raise ValueError(f"num_envs is {num_envs} and num_games is {num_games}: expected one of them")
    given = num_envs if num_games is None else num_games
    return 1 if given is None else given


class PriorLabVecEnv(Sb3Batch):
    """N games as a stable-baselines3 VecEnv. Inputs are those of ``PriorLabEnv``, int (N,).

    ``num_envs`` is N; ``num_games``, the name in ``Games``, is accepted instead, so that the same settings make either.
    The other settings are those of ``Games``. Raises ValueError, one line, for an invalid value, and TypeError for a
    setting that does not exist.

    Observations are uint8 (N, S, S, stack_size * C), channels last, gray by default; rewards float32 (N,). Infos are
    filled where an episode ended: terminal_observation, TimeLimit.truncated, episode (r, l in steps, t in seconds: what
    a Monitor would add), and the game's info. ``games`` is the batch; ``steps``, int64 (N,), counts the steps of each
    game's current episode. From games on a GPU everything is copied into the CPU's memory.
    """

    def __init__(
        self,
        num_envs: int | None = None,
        version: str | Sequence[str] = "original",
        *,
        num_games: int | None = None,
        device: str = "cpu",
        **settings: Unpack[GameSettings],
    ):
        num_envs = count_of(num_envs, num_games)
        chosen = complete(settings, DEFAULTS, ("num_envs", "version", "num_games", "device"))
        self.games, self.turn = Games(num_envs, version, device=device, **chosen), threading.Lock()
        shape = self.games.lanes.observations.shape[1:]
        self.render_mode = "rgb_array"
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": FPS}
        super().__init__(
            num_envs, gymnasium.spaces.Box(0, 255, shape, np.uint8), gymnasium.spaces.Discrete(INPUT_COUNT)
        )
        self._began = time.time()
        self._actions = np.zeros(num_envs, np.int64)
        self.steps = np.zeros(num_envs, np.int64)

    @in_turn
    def reset(self) -> VecEnvObs:
        observations = self.games.reset(self._next_seeds())
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
            info = {key: values[k].item() for key, values in final_info.items()}
            episode = {"r": float(rewards[lane]), "l": int(self.steps[lane]), "t": round(time.time() - self._began, 6)}
            infos[lane] = info | {
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
