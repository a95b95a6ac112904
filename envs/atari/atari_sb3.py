"""Masked Atari games as a stable-baselines3 VecEnv, which takes seconds to import, so no other module here does."""

import threading
import time
from typing import Any, Unpack

import gymnasium
import numpy as np
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from priorlab.envs.atari.atari_settings import DEFAULTS, AtariSettings
from priorlab.envs.atari.games import FPS, Atari
from priorlab.envs.base.alone import in_turn
from priorlab.envs.base.settings import complete
from priorlab.envs.interfaces.sb3 import Sb3Batch, count_of


class AtariVecEnv(Sb3Batch):
    """N Atari games as a stable-baselines3 VecEnv.

    ``num_envs`` is N; ``num_games``, the name in ``Atari``, is accepted instead. ``game`` is ale_py's name of the game;
    the other settings are those of ``AtariSettings``. Raises ValueError, one line, for an invalid value, and TypeError
    for a setting that does not exist.

    Observations are uint8 (N, R, S, stack * C). Rewards are the signs of the points (Mnih et al. 2015) unless
    ``clip_rewards`` is false. Infos are filled where an episode ended: terminal_observation, TimeLimit.truncated,
    inputs (raw frames), and episode with r, the score; l, in steps; t, in seconds.
    """

    def __init__(
        self,
        num_envs: int | None = None,
        game: str = "pong",
        clip_rewards: bool = True,
        *,
        num_games: int | None = None,
        **settings: Unpack[AtariSettings],
    ):
        num_envs = count_of(num_envs, num_games)
        chosen = complete(settings, DEFAULTS, ("num_envs", "game", "clip_rewards", "num_games"))
        self.games, self.clip_rewards, self.turn = Atari(num_envs, game, **chosen), clip_rewards, threading.Lock()
        self.render_mode = "rgb_array"
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": FPS}
        pictures = gymnasium.spaces.Box(0, 255, self.games.shape, np.uint8)
        super().__init__(num_envs, pictures, gymnasium.spaces.Discrete(len(self.games.actions)))
        self._began = time.time()
        self._actions = np.zeros(num_envs, np.int64)
        self._scores, self._steps = np.zeros(num_envs), np.zeros(num_envs, np.int64)

    @in_turn
    def reset(self) -> VecEnvObs:
        outcome = self.games.reset(seeds=self._next_seeds())
        self._begin()
        self._scores[:], self._steps[:] = 0, 0
        return outcome.observations

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    @in_turn
    def step_wait(self) -> VecEnvStepReturn:
        outcome = self.games.step(self._actions)
        ended = np.flatnonzero(outcome.terminated | outcome.truncated)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        self._scores += outcome.rewards
        self._steps += 1
        for k, lane in enumerate(ended):
            score, steps = float(self._scores[lane]), int(self._steps[lane])
            infos[lane] = {
                "terminal_observation": outcome.final_observations[k],
                "TimeLimit.truncated": bool(outcome.truncated[lane]),
                "inputs": int(outcome.final_inputs[k]),
                "episode": {"r": score, "l": steps, "t": round(time.time() - self._began, 6)},
            }
            self._scores[lane], self._steps[lane] = 0, 0
        rewards = np.sign(outcome.rewards) if self.clip_rewards else outcome.rewards
        return outcome.observations, rewards.astype(np.float32), outcome.terminated | outcome.truncated, infos

    def close(self) -> None:
        """Does nothing: nothing is open."""
