"""A game that only exploring solves, for tests of learners."""

import gymnasium
import numpy as np
from stable_baselines3.common.callbacks import BaseCallback


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
