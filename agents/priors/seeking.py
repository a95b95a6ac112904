"""Plans to look for a goal or a key that may be in many places: the way that gathers most chance for its cost.

Where a player does not know what to go for, ways to single cells are a poor choice: a way past twenty cells, each of
which may be the goal, beats a dash to the likeliest. All ways in a drawn map compete, and the best has the most chance
to find, passing on what it assumes and survives, for its inputs and risks: of things that are looked for in turn, such
an order finds soonest on average (Smith's rule).
"""

import numpy as np

from priorlab.agents.priors.belief import Belief, Imagined
from priorlab.agents.priors.deciding import MOST_INPUTS, Plan, World, prices_of
from priorlab.agents.priors.facts import Cell, overlapped
from priorlab.agents.priors.roles import FREE
from priorlab.envs.game.gathering import PASSED, richest
from priorlab.envs.game.rules import GOAL_LEFT, HAS_KEY, KEYS, X, Y

AT_EDGE = 0.5  # of the chance of a goal, this much is known when its cell is touched, the rest when the player is in it
AHEAD = 20.0  # inputs that each plan is taken to cost more, lest crumbs nearby come before all else
HEATS = (1.0, 1.0, 3.0)  # factors on the temperature of the maps: a hot one finds ways that are thought unlikely
AIMED = 0.25  # of the mean worth: jumps are tried at cells that are worth more
NOWHERE = -(1 << 20)
SMALLEST = np.finfo(float).tiny  # rate of gain by which a chance can be divided


def worth_of(belief: Belief, state: np.ndarray) -> np.ndarray:
    """float64 (2, R, R): the chance that a search ends, by touching a cell and by being in its middle."""
    worth = np.zeros((2, *belief.goal.shape))
    goal = belief.goal * belief.courage
    if state[HAS_KEY]:
        edge = np.full(goal.shape, AT_EDGE)
        for cell in belief.facts.brushed:
            if belief.facts.is_inside(cell):
                edge[cell] = 0
        worth[0], worth[1] = goal * edge, goal * (1 - edge)
        return worth
    for cell in belief.facts.closed:
        if belief.facts.is_inside(cell):
            goal[cell] = 0
    worth[0] = belief.key * belief.courage
    worth[1] = goal * max(1 - belief.key.sum(), 0.0)
    return worth


def seek(
    world: World, belief: Belief, state: np.ndarray, rng: np.random.Generator, maps: int, temper: float, loss: float
) -> Plan | None:
    """The best way to look for the goal, or for the key, in drawn maps, at most ``maps``; None if there is none.

    state: int32 (FIELDS,), the player's; ``loss``: what a death costs, in inputs.
    """
    prices, worth = prices_of(belief, state, loss), worth_of(belief, state)
    chances = belief.uses.copy()
    chances[PASSED] *= 1 - belief.danger
    chances = chances.clip(0, 1)
    numbers = world.numbers.copy()
    numbers[[KEYS, GOAL_LEFT]] = 0, NOWHERE
    best, rate, each = None, 0.0, worth.sum(axis=0)
    aims = each > AIMED * each.sum() / each.size
    for heat in HEATS[:maps]:
        imagined = belief.draw(rng, temper * heat)
        # a way that ends in the air may end in death: it costs one
        limit = min(each.sum() / rate - AHEAD, MOST_INPUTS) if rate > SMALLEST else MOST_INPUTS
        way = richest(
            imagined.bits, numbers, world.monsters, state, prices, worth, chances, belief.alike,
            aims=aims, limit=limit, ahead=AHEAD, landing=loss, above=rate,
            movement=world.movement,
        )  # fmt: skip
        if way is not None:
            rate, imagined = way.rate, imagined_for(belief, imagined, target_at(way.end, each))
            best = Plan(way.inputs, imagined, numbers, world.monsters, world.movement, way.cost, "goal")
    return best


def imagined_for(belief: Belief, imagined: Imagined, target: Cell) -> Imagined:
    """The same map, but for its goal and key: what it goes for is what ``target`` rather is, and nothing else is."""
    roles = imagined.roles.copy()
    for cell in (imagined.goal, imagined.key):
        if cell is not None and belief.facts.may_be(cell, 1 << FREE):
            roles[cell] = FREE
    is_key = not belief.has_key and belief.key[target] > belief.goal[target] * (1 - belief.key.sum())
    return imagined._replace(roles=roles, goal=target, key=target if is_key else None)


def target_at(state: np.ndarray, worth: np.ndarray) -> Cell:
    """The cell of most worth that a player in that state touches."""
    side = len(worth)
    touched = [(row, column) for row, column in overlapped(int(state[X]), int(state[Y]))]
    inside = [(min(max(row, 0), side - 1), min(max(column, 0), side - 1)) for row, column in touched]
    return max(inside, key=lambda cell: worth[cell])
