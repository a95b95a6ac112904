"""A game that only exploring solves, for tests of learners."""

from typing import Any

import gymnasium
import numpy as np
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from priorlab.agents.curiosity.counts import CountBonus, PictureCodes, PrivilegedCountBonus
from priorlab.agents.curiosity.icm import ICM
from priorlab.agents.curiosity.rnd import RND
from priorlab.envs.game.rules import X


class Chain(gymnasium.Env):
    """Twenty cells; one action leads on, the other back to the first; reward 1 in the last."""

    observation_space = gymnasium.spaces.Box(0, 255, (24, 24, 1), np.uint8)
    action_space = gymnasium.spaces.Discrete(2)

    def picture(self) -> np.ndarray:
        picture = np.zeros((24, 24, 1), np.uint8)
        picture[:, self.cell] = 255
        return picture

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cell, self.steps = 0, 0
        return self.picture(), {"x": 0.0, "y": 0.0}

    def step(self, action):
        self.cell = self.cell + 1 if action == self.cell % 2 else 0
        self.steps += 1
        won = self.cell == 19
        return self.picture(), float(won), won, self.steps >= 60, {"x": self.cell / 2, "y": 0.0}


class Wins(BaseCallback):
    """Counts episodes that ended by themselves, and ends the training when there were more than enough."""

    def __init__(self, enough: int = 20):
        super().__init__()
        self.count, self.enough = 0, enough

    def _on_step(self) -> bool:
        self.count += sum(info.get("terminal_observation") is not None and not info["TimeLimit.truncated"]
                          for info in self.locals["infos"])  # fmt: skip
        return self.count <= self.enough


class Positions:
    """The cells of chains, where the batch of games has its positions."""

    def __init__(self, chains: DummyVecEnv):
        self.chains = chains

    @property
    def state(self) -> np.ndarray:
        state = np.zeros((self.chains.num_envs, 8), np.int32)
        state[:, X] = [env.unwrapped.cell for env in self.chains.envs]  # type: ignore[attr-defined]
        return state


def chains_side_by_side() -> DummyVecEnv:
    return DummyVecEnv([lambda: Monitor(Chain())] * 4)


def curious_chains(curiosity: str, seed: int = 0) -> VecEnv:
    chains = chains_side_by_side()
    codes = PictureCodes((24, 24, 1), 24, 1.0)
    games: Any = Positions(chains)
    return {
        "none": lambda: CountBonus(chains, 0.0, codes, 5.0),
        "counts": lambda: CountBonus(chains, 0.1, codes, 5.0),
        "episodic": lambda: CountBonus(chains, 0.1, codes, 5.0, "episodic"),
        "lifelong": lambda: CountBonus(chains, 0.1, codes, 5.0, "lifelong"),
        "privileged-counts": lambda: PrivilegedCountBonus(chains, 0.1, games, 5.0),
        "icm": lambda: ICM(chains, scale=10.0, reward_scale=5.0, n_steps=64, seed=seed),
        "rnd": lambda: RND(chains, reward_scale=5.0, learning_rate=1e-3),
    }[curiosity]()
