"""What a player believes of the map: a posterior over roles, with one goal and at most one key, and maps drawn from it.

Perception gives each cell's roles by themselves. A level has exactly one goal and at most one key, so the chances of
all cells compete: with independent odds o_i, the chance that cell i alone is the goal is o_i / sum(o). A fact that one
of several cells has a role raises theirs, p_i / (1 - prod(1 - p)).
"""

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from priorlab.agents.priors.facts import Cell, Facts
from priorlab.agents.priors.roles import BITS_OF_ROLE, DANGER, FREE, GOAL, KEY, MONSTER, ROLES
from priorlab.envs.game.foreseeing import KINDS
from priorlab.envs.game.rules import DEADLY

Perceive = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(picture uint8 (15 R, 15 R, 3), ruled_out bool (R, R, 8)) -> float32 (R, R, 8), each cell sums to 1"""

TINY = 1e-9
DISCOURAGED = 0.5  # factor on a chance for each time that a way there failed
AMONG = np.array([[roles >> k & 1 for k in range(len(ROLES))] for roles in range(1 << len(ROLES))], bool)
ROLES_OF_KIND = [np.flatnonzero(kind == BITS_OF_ROLE) for kind in KINDS]
TRUSTED, MOST_TIMES = 0.5, 4  # factor on the trust in a cell for each death there, and how often at most
SURE = 1 - 1e-4  # a cell whose likeliest role is likelier has that role in every map


class Imagined(NamedTuple):
    """A map that may be true."""

    roles: np.ndarray  # uint8 (R, R)
    bits: np.ndarray  # uint8 (R, R), as the rules have them
    goal: Cell
    key: Cell | None


class Belief:
    """The chances of all maps, given a picture and facts.

    ``posterior``: float64 (R, R, 8), of still things: sums to 1 over roles without goal and key; ``goal``, ``key``:
    float64 (R, R), where they are; the key's sum is the chance that there is one.
    """

    def __init__(
        self, perceived: np.ndarray, facts: Facts, alike: np.ndarray, has_key: bool, prefer_objects: bool = True
    ):
        """``alike``: int (R, R), the same number for cells that look alike. Without ``prefer_objects``, goal and key
        are as likely in a free cell as in what looks like them."""
        self.facts, self.alike = facts, alike
        chances = np.where(facts.ruled_out, 0.0, np.maximum(perceived, TINY).astype(np.float64))
        chances /= chances.sum(axis=-1, keepdims=True)
        for cells, roles in facts.clauses:
            raise_to(chances, cells, roles)
        for cell, times in facts.suspected.items():
            suspect(chances, cell, times)
        self.goal, self.key = only(chances[..., GOAL]), at_most_one(chances[..., KEY])
        if not prefer_objects:
            room = chances[..., [FREE, GOAL, KEY]].sum(axis=-1)
            self.goal = spread(self.goal, np.where(facts.ruled_out[..., GOAL], 0, room))
            self.key = spread(self.key, np.where(facts.ruled_out[..., KEY], 0, room))
            chances[..., FREE] = np.where(facts.ruled_out[..., FREE], 0, room)
        if not has_key and facts.closed:  # if there is no key, the goal is none of the cells where the player was
            shut = sum(float(self.goal[cell]) for cell in facts.closed if facts.is_inside(cell))
            self.key /= max(self.key.sum() + (1 - self.key.sum()) * max(1 - shut, 0.0), TINY)
        still = np.delete(np.arange(len(ROLES)), [GOAL, KEY])
        self.posterior = np.zeros_like(chances)
        self.posterior[..., still] = chances[..., still] + TINY * (~facts.ruled_out[..., still])
        none_left = self.posterior.sum(axis=-1) <= 0  # a cell that is known to be the goal or the key
        self.posterior[none_left, FREE] = 1.0
        self.posterior /= self.posterior.sum(axis=-1, keepdims=True)
        self.has_key = has_key
        self.cumulated: dict[float, np.ndarray] = {}  # chances of roles up to each, by the temperature

    @property
    def courage(self) -> np.ndarray:
        """float64 (R, R): the factor on the chance that a cell is gone for, after ways there failed."""
        factors = np.ones(self.goal.shape)
        for cell, times in self.facts.failed.items():
            factors[cell] = DISCOURAGED**times
        return factors

    @cached_property
    def danger(self) -> np.ndarray:
        """float64 (R, R): the chance that touching a cell kills; monsters that are known to move are not counted."""
        held = 1 - np.minimum(self.goal + self.key, 1)
        monsters = 0 if self.facts.monsters_known else self.posterior[..., MONSTER]
        return (self.posterior[..., BITS_OF_ROLE == DEADLY].sum(axis=-1) + monsters) * held

    @cached_property
    def kinds(self) -> tuple[np.ndarray, np.ndarray]:
        """(uint8 (R, R), the likeliest map as the rules have it; float32 (R, R, 4), the logarithms of the chances of
        each of ``foreseeing.KINDS``)."""
        chances = np.stack([self.posterior[..., each].sum(axis=-1) for each in ROLES_OF_KIND], axis=-1)
        chances[..., 0] += (self.goal + self.key).clip(0, 1)
        return (1 << chances.argmax(axis=-1) >> 1).astype(np.uint8), np.log(chances + TINY).astype(np.float32)

    @cached_property
    def uses(self) -> np.ndarray:
        """float64 (3, R, R): the chance that a cell can be passed, stood on, climbed."""
        _, logs = self.kinds
        _, wall, ladder, _ = np.moveaxis(np.exp(logs.astype(np.float64)), -1, 0)
        return np.stack([1 - wall, wall + ladder, ladder])

    @cached_property
    def surely(self) -> np.ndarray:
        """int (R, R): the role that a cell has in every map; -1 where that varies."""
        return np.where(self.posterior.max(axis=-1) > SURE, self.posterior.argmax(axis=-1), -1)

    def draw(self, rng: np.random.Generator, temper: float) -> Imagined:
        """A map from the belief, each chance raised to 1 / ``temper`` and normalised again.

        Cells that look alike share their random number, so they get the same role where they have the same chances.
        """
        key = self.draw_key(rng, temper)
        goal = self.draw_goal(rng, temper, key)
        if temper not in self.cumulated:
            self.cumulated[temper] = np.cumsum(tempered(self.posterior, temper), axis=-1)
        drawn = rng.random(int(self.alike.max()) + 1)[self.alike]
        roles = np.minimum(np.count_nonzero(self.cumulated[temper] < drawn[..., None], axis=-1), len(ROLES) - 1)
        roles = np.where(self.surely < 0, roles, self.surely).astype(np.uint8)
        roles[goal] = GOAL
        if key is not None:
            roles[key] = KEY
        self.satisfy(roles, rng)
        bits = BITS_OF_ROLE[roles]
        if not self.facts.monsters_known:
            bits = np.where(roles == MONSTER, np.uint8(DEADLY), bits)
        return Imagined(roles, bits.astype(np.uint8), goal, key)

    def draw_key(self, rng: np.random.Generator, temper: float) -> Cell | None:
        """Where the key is, or was."""
        chances = np.append((self.key * self.courage).ravel(), max(1 - self.key.sum(), 0.0))
        chances /= chances.sum()
        at = int(rng.choice(len(chances), p=tempered(chances, temper)))
        return None if at == self.key.size else as_cell(at, self.facts.side)

    def draw_goal(self, rng: np.random.Generator, temper: float, key: Cell | None) -> Cell:
        """Where the goal is; without a key not where the player has been."""
        chances = self.goal * self.courage
        if key is not None:
            chances[key] = 0
        elif not self.has_key:
            for cell in self.facts.closed:
                if self.facts.is_inside(cell):
                    chances[cell] = 0
        if chances.sum() <= 0:
            chances[:] = ~self.facts.ruled_out[..., GOAL]
        if chances.sum() <= 0:  # the facts contradict each other
            chances[:] = 1.0
        chances = tempered(chances.ravel() / chances.sum(), temper)
        return as_cell(int(rng.choice(len(chances), p=chances)), self.facts.side)

    def satisfy(self, roles: np.ndarray, rng: np.random.Generator) -> None:
        """Changes a map, uint8 (R, R), until it agrees with all clauses."""
        now = roles.tolist()
        for cells, wanted in self.facts.clauses:
            if any(wanted >> now[row][column] & 1 for row, column in cells):
                continue
            kinds = [role for role in range(len(ROLES)) if wanted >> role & 1 and role not in (GOAL, KEY)]
            chances = np.array([[self.posterior[cell][kind] for kind in kinds] for cell in cells]).ravel()
            if chances.sum() > 0:
                at = int(rng.choice(len(chances), p=chances / chances.sum()))
                (row, column), kind = cells[at // len(kinds)], kinds[at % len(kinds)]
                roles[row, column] = now[row][column] = kind


def as_cell(number: int, side: int) -> Cell:
    return divmod(number, side)


def tempered(chances: np.ndarray, temper: float) -> np.ndarray:
    """Chances along the last axis, raised to 1 / temper and normalised."""
    raised = chances ** (1 / temper) if temper != 1 else chances
    return raised / raised.sum(axis=-1, keepdims=True)


def odds(chances: np.ndarray) -> np.ndarray:
    return chances / np.maximum(1 - chances, TINY)


def only(chances: np.ndarray) -> np.ndarray:
    """Chances of each cell by itself, float (R, R) -> chances that this cell is the one; they sum to 1."""
    each = odds(chances)
    total = each.sum()
    return each / total if total > 0 else np.full_like(each, 1 / each.size)


def at_most_one(chances: np.ndarray) -> np.ndarray:
    """As ``only``, where there may be none; they sum to at most 1."""
    each = odds(chances)
    return each / (1 + each.sum())


def spread(chances: np.ndarray, room: np.ndarray) -> np.ndarray:
    """The sum of the chances, float (R, R), in proportion to the room, float (R, R), of each cell."""
    return chances.sum() * room / room.sum() if room.sum() > 0 else chances


def suspect(chances: np.ndarray, cell: Cell, times: int) -> None:
    """Raises the chance that a cell, of float64 (R, R, 8), is deadly, after so many deaths there that proved nothing:
    what else explains them once explains them again, so without this the same way is tried for ever."""
    now, least = float(chances[cell][DANGER]), 1 - TRUSTED ** min(times, MOST_TIMES)
    if 0 < now < least:
        chances[cell] *= (1 - least) / (1 - now)
        chances[cell][DANGER] = least


def raise_to(chances: np.ndarray, cells: tuple[Cell, ...], roles: int) -> None:
    """Raises the chances, float64 (R, R, 8), that these cells have one of the roles, bits: at least one of them has."""
    wanted, at = AMONG[roles], tuple(zip(*cells))
    each = chances[at]  # (n, 8)
    one = np.minimum(np.maximum(each[:, wanted].sum(axis=-1), TINY), 1.0)
    raised = np.minimum(one / max(1 - (1 - one).prod(), TINY), 1.0)
    factor = np.where(wanted, (raised / one)[:, None], ((1 - raised) / np.maximum(1 - one, TINY))[:, None])
    each = each * factor
    chances[at] = each / each.sum(axis=-1, keepdims=True)
