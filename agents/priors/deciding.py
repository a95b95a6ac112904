"""What a player does next: plans on maps drawn from its belief, by the exact rules or by what it learned of
how it moves, and the cheapest of them.

A drawn map in which the goal can't be reached is no candidate: every level can be won. A plan costs its inputs, and
for each cell that it comes to touch the chance that the cell is deadly, in any map, times what a death costs. The best
plan has the least cost for its chance to win: of things that are looked for in turn, such an order finds soonest.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from priorlab.agents.priors.belief import DISCOURAGED, Belief, Imagined
from priorlab.agents.priors.facts import Cell
from priorlab.envs.game.foreseeing import HOLDS_UP, IS_CLIMBED, PASSES, relied_on
from priorlab.envs.game.movement import Movement
from priorlab.envs.game.routes import routes
from priorlab.envs.game.rules import (
    GOAL_HEIGHT,
    GOAL_LEFT,
    GOAL_TOP,
    GOAL_WIDTH,
    HALF,
    HAS_KEY,
    KEYS,
    TILE,
    X,
    Y,
)

HOTTER = (1.0, 2.0, 4.0)  # factors on the temperature, one after another until a drawn map can be won
MOST_INPUTS = 5000  # cost of the longest plan
ACROSS = 10  # inputs across a cell
UNLIKELY = 1e-4  # chances below count as this
PRESS = "press"  # the aim of a plan that holds one input, of a player that learned to act
ROUNDING = 1 + 1e-6  # more than rounding can add to a chance


@dataclass(frozen=True)
class World:
    """What the player is given: the rules' numbers, int64 (NUMBERS,), of which goal and key are not read, and the
    monsters, int32 (m, 4), without a key; and ``movement``, what it learned, where it is not given the rules."""

    numbers: np.ndarray
    monsters: np.ndarray
    movement: Movement | None = None


def target_of(imagined: Imagined, state: np.ndarray) -> Cell:
    """The cell for which a plan in that map goes next."""
    return imagined.key if imagined.key is not None and not state[HAS_KEY] else imagined.goal


class Plan(NamedTuple):
    """Inputs, uint8 (n,), and the world in which they were planned: its map, numbers, monsters and movement."""

    inputs: np.ndarray
    imagined: Imagined
    numbers: np.ndarray
    monsters: np.ndarray
    movement: Movement | None
    cost: float
    aim: str  # goal, wander, or PRESS


def imagined_world(world: World, imagined: Imagined, state: np.ndarray, brushed: set[Cell]) -> World:
    """The world in which that map is true.

    The goal is as large as its cell; where the player ``brushed`` it and nothing happened, a point in the middle.
    """
    numbers, monsters = world.numbers.copy(), world.monsters
    row, column = imagined.goal
    size = 0 if imagined.goal in brushed else TILE
    inset = 1 if size else HALF + 1
    numbers[[GOAL_LEFT, GOAL_TOP]] = TILE * column + inset, TILE * row + inset
    numbers[[GOAL_WIDTH, GOAL_HEIGHT]] = size, size
    numbers[KEYS] = imagined.key is not None or bool(state[HAS_KEY])
    if numbers[KEYS]:
        row, column = imagined.key or (-9, -9)
        key = np.array([[2 * TILE * column + TILE, 2 * TILE * row + TILE, 0, 0]], np.int32)
        monsters = np.concatenate([monsters, key])
    return World(numbers, monsters, world.movement)


def plan_to_win(
    world: World, imagined: Imagined, state: np.ndarray, prices: np.ndarray, brushed: set[Cell], limit: float
) -> Plan | None:
    """The cheapest win in that map, if there is one that costs at most ``limit``."""
    there = imagined_world(world, imagined, state, brushed)
    found = routes(
        imagined.bits, there.numbers, there.monsters, state, prices, aims=aims_of(imagined), limit=limit,
        until_won=True, movement=there.movement,
    )  # fmt: skip
    if not len(found.wins):
        return None
    node = int(found.wins[0])
    return Plan(found.inputs_to(node), imagined, *there_of(there), float(found.costs[node]), "goal")


def there_of(world: World) -> tuple[np.ndarray, np.ndarray, Movement | None]:
    return world.numbers, world.monsters, world.movement


def aims_of(imagined: Imagined) -> np.ndarray:
    """bool (R, R): the cells that the player wants to touch."""
    aims = np.zeros(imagined.bits.shape, np.bool_)
    aims[imagined.goal] = True
    if imagined.key is not None:
        aims[imagined.key] = True
    return aims


def prices_of(belief: Belief, state: np.ndarray, loss: float) -> np.ndarray:
    """float32 (R, R): what it costs to touch each cell: a death loses also the way there, at least as long as if
    nothing were between."""
    rows, columns = np.indices(belief.danger.shape)
    away = np.abs(rows - int(state[Y]) // (2 * TILE)) + np.abs(columns - int(state[X]) // (2 * TILE))
    return (belief.danger * (loss + ACROSS * away)).astype(np.float32)


def decide(
    world: World, belief: Belief, state: np.ndarray, rng: np.random.Generator, maps: int, temper: float, loss: float
) -> Plan | None:
    """The cheapest plan to win in ``maps`` drawn maps; None if none of them can be won.

    state: int32 (FIELDS,), the player's; ``loss``: what a death costs, in inputs.
    """
    prices = prices_of(belief, state, loss)
    for factor in HOTTER:
        best, score, seen = None, float(MOST_INPUTS), set()
        for _ in range(maps):
            imagined = belief.draw(rng, temper * factor)
            name = (imagined.bits.tobytes(), imagined.goal, imagined.key)
            if name in seen:
                continue
            seen.add(name)
            # a plan that costs more has less for its chance than the best, whatever it relies on
            limit = score * max(chance_of_targets(imagined, belief), UNLIKELY) * ROUNDING if best else score
            plan = plan_to_win(world, imagined, state, prices, belief.facts.brushed, limit)
            if plan is None:
                continue
            about = plan.cost / max(chance_of(plan, belief, state), UNLIKELY)
            if best is None or about < score:
                best, score = plan, min(about, MOST_INPUTS)
        if best:
            return best
    return None


def chance_of(plan: Plan, belief: Belief, state: np.ndarray) -> float:
    """About the chance that a plan wins: that its goal and key are what it takes them for, and each cell that it
    relies on can be so used. Cells that look alike stand or fall together: the least likely of them counts."""
    imagined, relies = plan.imagined, np.zeros(plan.imagined.bits.shape, np.uint8)
    relied_on(imagined.bits, plan.numbers, plan.monsters, plan.movement, state.copy(), plan.inputs, relies)
    chance = chance_of_targets(imagined, belief)
    for use, chances in zip((PASSES, HOLDS_UP, IS_CLIMBED), belief.uses):
        at = (relies & use) > 0
        least = np.ones(int(belief.alike.max()) + 1)
        np.minimum.at(least, belief.alike[at], chances[at])
        chance *= float(least.prod())
    return chance


def chance_of_targets(imagined: Imagined, belief: Belief) -> float:
    """The chance that goal and key are where they are in that map, less for each time that a way there failed."""
    chance = float(belief.goal[imagined.goal])
    if not belief.has_key:
        chance *= float(belief.key[imagined.key]) if imagined.key else 1 - float(belief.key.sum())
    return chance * DISCOURAGED ** sum(belief.facts.failed[cell] for cell in (imagined.goal, imagined.key) if cell)


def wander(world: World, belief: Belief, state: np.ndarray, rng: np.random.Generator, loss: float) -> Plan | None:
    """A plan to a random place that can be reached in a drawn map; None if there is none but here."""
    imagined = belief.draw(rng, 2.0)
    there = imagined_world(world, imagined, state, set())
    found = routes(
        imagined.bits, there.numbers, there.monsters, state, prices_of(belief, state, loss), limit=MOST_INPUTS,
        movement=there.movement,
    )  # fmt: skip
    places = found.resting[found.lengths[found.resting] > 0]
    if not len(places):
        return None
    node = int(rng.choice(places))
    return Plan(found.inputs_to(node), imagined, *there_of(there), float(found.costs[node]), "wander")
