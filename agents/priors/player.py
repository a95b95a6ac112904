"""A player that brings knowledge: it believes in a map, plans by the rules, tries, and concludes.

It sees pictures and what is *given* (``player_settings.py``). Each input teaches facts of contact; perception turns
picture and facts into a belief; a plan is followed until something happens that its map did not foresee.
"""

from typing import NamedTuple

import numpy as np

from priorlab.agents.priors.belief import Belief, Imagined, Perceive, look_alikes
from priorlab.agents.priors.deciding import Plan, World, decide, wander
from priorlab.agents.priors.facts import Facts
from priorlab.agents.priors.player_settings import PlayerSettings
from priorlab.envs.game.foreseeing import foresee
from priorlab.envs.game.rules import (
    CLOCK,
    EPISODE_INPUTS,
    FIELDS,
    HAS_KEY,
    INPUT_COUNT,
    JUMPING,
    LAST_SIDE,
    MONSTER_COUNT,
    MONSTER_Y,
    MONSTERS,
    NONE,
    ON_LADDER,
    ONGOING,
    PERIOD,
    SPEED,
    TILE,
    X,
    Y,
    next_clock,
    patrolled,
    pixel,
)

MOVES = [X, Y, JUMPING, SPEED, ON_LADDER, HAS_KEY, MONSTERS]  # fields that a plan foresees
NEAR = 2 * TILE  # pixels from a monster, within which it may have killed
WANDERING = (5, 40)  # least and most random inputs where no plan is found


class Seen(NamedTuple):
    """What a player makes out after an input."""

    state: np.ndarray  # int32 (FIELDS,)
    died: bool = False


class Player:
    """One life in one level. ``picture``: uint8 (15 R, 15 R, 3), the scene at the start.

    ``perceive`` is asked whenever facts are new; ``plans`` counts its plans, ``surprises`` how often one failed.
    """

    def __init__(
        self, perceive: Perceive, world: World, settings: PlayerSettings, seed: int, picture: np.ndarray
    ) -> None:
        self.perceive, self.world, self.settings, self.picture = perceive, world, settings, picture
        self.rng = np.random.default_rng(seed)
        self.facts = Facts(picture.shape[0] // TILE)
        self.facts.know_monsters(cells_of(world))
        self.alike = look_alikes(picture)
        self.state = np.zeros(FIELDS, np.int32)
        self.before = np.zeros(FIELDS, np.int32)
        self.action = -1  # the last input; -1 before the first
        self.plan: Plan | None = None
        self.at = 0  # of the plan's inputs
        self.foreseen = np.zeros(FIELDS, np.int32)
        self.belief: Belief | None = None
        self.believed_at = (-1, False)
        self.random_inputs = 0
        self.stale, self.decided_at = 0, -1
        self.checked = 0
        self.plans = self.surprises = 0

    def act(self, seen: Seen) -> int:
        """The next input, 0 to 5, after what was seen."""
        self.learn(seen)
        self.state[:] = seen.state
        if self.random_inputs:
            self.random_inputs -= 1
            action = int(self.rng.integers(INPUT_COUNT))
        else:
            if not self.holds():
                self.think()
            action = self.follow()
        self.before[:] = self.state
        self.action = action
        return action

    def learn(self, seen: Seen) -> None:
        """Facts from the last input."""
        if self.action < 0:
            return
        if seen.died:
            may_be_monster = monster_near(self.world, self.before)
            self.facts.died(self.world.numbers, self.before, self.action, may_be_monster)
            self.plan = None
        else:
            self.facts.lived(self.world.numbers, self.before, self.action, seen.state)

    def holds(self) -> bool:
        """Whether the plan goes on as foreseen, on a map that no fact contradicts."""
        if self.plan is None or self.at >= len(self.plan.inputs):
            return False
        if (self.foreseen[MOVES] != self.state[MOVES]).any():
            self.surprises += 1
            return False
        if self.facts.count != self.checked:
            self.checked = self.facts.count
            if contradicts(self.facts, self.plan.imagined):
                return False
        return True

    def think(self) -> None:
        """Makes a new plan."""
        settings = self.settings
        self.stale = self.stale + 1 if self.facts.count == self.decided_at else 0
        self.decided_at = self.checked = self.facts.count
        self.plan, self.at = None, 0
        self.plans += 1
        belief, loss = self.believe(), settings.loss + float(self.state[EPISODE_INPUTS])
        if self.stale < settings.patience:
            self.plan = decide(self.world, belief, self.state, self.rng, settings.maps, settings.temper, loss)
        if self.plan is None:
            self.plan = wander(self.world, belief, self.state, self.rng, loss)
            self.stale = 0
        if self.plan is None:
            self.random_inputs = int(self.rng.integers(*WANDERING))
        else:
            self.foreseen[:] = self.state

    def believe(self) -> Belief:
        """The belief by all facts so far."""
        now = (self.facts.count, bool(self.state[HAS_KEY]))
        if self.belief is None or now != self.believed_at:
            perceived = self.perceive(self.picture, self.facts.ruled_out)
            self.belief, self.believed_at = Belief(perceived, self.facts, self.alike, now[1]), now
        return self.belief

    def follow(self) -> int:
        """The plan's next input."""
        if self.plan is None:
            return NONE
        action = int(self.plan.inputs[self.at])
        self.at += 1
        self.foreseen[:] = self.state
        outcome = foresee(self.plan.imagined.bits, self.plan.numbers, self.plan.monsters, self.foreseen, action)
        if outcome != ONGOING:
            self.foreseen[X] = -1  # if it goes on after this, that is a surprise
        return action


def cells_of(world: World) -> list[tuple[int, int]]:
    """(row, column) of each monster at the start."""
    places = []
    for i in range(int(world.numbers[MONSTER_COUNT])):
        x = patrolled(world.monsters, i, 0, int(world.numbers[PERIOD]))
        places.append((int(world.monsters[i, MONSTER_Y]) // (2 * TILE), int(x) // (2 * TILE)))
    return places


def monster_near(world: World, before: np.ndarray) -> bool:
    """Whether a monster can have touched the player after its next input."""
    clock = next_clock(world.numbers, int(before[CLOCK]))
    for i in range(int(world.numbers[MONSTER_COUNT])):
        if int(before[MONSTERS]) >> i & 1:
            x = patrolled(world.monsters, i, clock, int(world.numbers[PERIOD]))
            aside = abs(pixel(int(x)) - pixel(int(before[X])))
            if aside < NEAR and abs(pixel(int(world.monsters[i, MONSTER_Y])) - pixel(int(before[Y]))) < NEAR:
                return True
    return False


def contradicts(facts: Facts, imagined: Imagined) -> bool:
    """Whether a fact says that the map is wrong."""
    possible = np.array(facts.possible, np.uint8)
    if not (possible >> imagined.roles & 1).all():
        return True
    return any(not any(roles >> int(imagined.roles[cell]) & 1 for cell in cells) for cells, roles in facts.clauses)


__all__ = ["LAST_SIDE", "Player", "Seen"]
