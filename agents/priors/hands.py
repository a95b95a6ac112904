"""A person's limits: slips and hesitation, as the simulated players have them (``envs/players/planner.py``)."""

import numpy as np

from priorlab.agents.priors.player_settings import PlayerSettings
from priorlab.envs.game.rules import INPUT_COUNT, NONE
from priorlab.envs.players.planner import HELD, SLIP


class Hands:
    """Presses what is meant, but for slips: the last key held for too long, or another one."""

    def __init__(self, settings: PlayerSettings, seed: int):
        self.rng = np.random.default_rng([seed, 1])
        self.slips, self.hesitation = settings.slips, settings.hesitation
        self.left, self.slip, self.last = 0, NONE, NONE

    def press(self, meant: int) -> int:
        """The input that is really pressed."""
        if not self.left and self.slips and self.rng.random() < self.slips:
            self.left = int(self.rng.geometric(1 / (1 + SLIP)))
            self.slip = self.last if self.rng.random() < HELD else int(self.rng.integers(INPUT_COUNT))
        if self.left:
            self.left -= 1
            self.last = self.slip
        else:
            self.last = meant
        return self.last

    def hesitate(self) -> int:
        """For how many inputs it rests before a new plan."""
        return int(self.rng.geometric(1 / (1 + self.hesitation))) - 1 if self.hesitation else 0
