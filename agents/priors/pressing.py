"""A player that learned to act: instead of a plan, it presses what its network chooses for what it believes."""

import numpy as np

from priorlab.agents.priors.acting import Learned, lets_go
from priorlab.agents.priors.belief import Belief, Imagined, as_cell
from priorlab.agents.priors.deciding import PRESS, Plan, World, imagined_world, there_of
from priorlab.agents.priors.facts import Facts
from priorlab.agents.priors.roles import GOAL, KEY
from priorlab.agents.priors.views import Sight
from priorlab.envs.game.rules import HAS_KEY, NONE, WALK, pressed


class Pressing:
    """What one life of such a player presses, in a level of ``side`` x ``side`` cells."""

    def __init__(self, learned: Learned, world: World, side: int):
        self.learned, self.world, self.sight, self.last = learned, world, Sight(world, side), NONE

    @property
    def looks_anew(self) -> bool:
        """Whether its next choice begins with a new look at map and picture."""
        return self.learned.looks_anew

    def notice(self, before: np.ndarray, after: np.ndarray, died: bool) -> bool:
        """Takes in a step between states, int32 (FIELDS,); whether it lets go of what it holds."""
        self.sight.stay(after)
        if died or before[HAS_KEY] != after[HAS_KEY]:
            self.learned.ways = None
        return died or lets_go(int(self.world.numbers[WALK]), self.last, before, after)

    def plan(self, belief: Belief, facts: Facts, state: np.ndarray) -> Plan:
        """The input that it chooses, held; of the map it takes what is likeliest, which only others look at."""
        self.sight.believe(belief, facts)
        self.sight.view(state, self.last, self.learned.view)
        self.last, inputs = self.learned.choose()
        held = np.full(inputs, pressed(self.world.numbers, self.last), np.uint8)
        imagined = likeliest(belief)
        there = there_of(imagined_world(self.world, imagined, state, facts.brushed))
        return Plan(held, imagined, *there, inputs, PRESS)


def likeliest(belief: Belief) -> Imagined:
    """The likeliest map, of each cell by itself, with the likeliest goal, and the key if there rather is one."""
    roles, (bits, _) = belief.posterior.argmax(-1).astype(np.uint8), belief.kinds
    side = len(roles)
    goal, key = as_cell(int(belief.goal.argmax()), side), as_cell(int(belief.key.argmax()), side)
    roles[goal] = GOAL
    if belief.key.sum() < 0.5 or key == goal:
        return Imagined(roles, bits, goal, None)
    roles[key] = KEY
    return Imagined(roles, bits, goal, key)
