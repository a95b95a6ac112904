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
from priorlab.envs.game.gathering import gathered
from priorlab.envs.game.route_search import RESTS
from priorlab.envs.game.routes import routes
from priorlab.envs.game.rules import GOAL_LEFT, HAS_KEY, KEYS, X, Y

AT_EDGE = 0.5  # of the chance of a goal, this much is known when its cell is touched, the rest when the player is in it
AHEAD = 20.0  # inputs that each plan is taken to cost more, lest crumbs nearby come before all else
HEATS = (1.0, 1.0, 3.0)  # factors on the temperature of the maps: a hot one finds ways that are thought unlikely
AIMED = 0.25  # of the mean worth: jumps are tried at cells that are worth more
NOWHERE = -(1 << 20)


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
    chances = uses_of(belief)
    numbers = world.numbers.copy()
    numbers[[KEYS, GOAL_LEFT]] = 0, NOWHERE
    best, rate, each = None, 0.0, worth.sum(axis=0)
    aims = each > AIMED * each.sum() / each.size
    for heat in HEATS[:maps]:
        imagined = belief.draw(rng, temper * heat)
        # a way that ends in the air may end in death: it costs one
        limit = min(each.sum() / rate - AHEAD, MOST_INPUTS) if rate else MOST_INPUTS
        found = routes(
            imagined.bits, numbers, world.monsters, state, prices, aims=aims, limit=limit, movement=world.movement
        )
        gains = gathered(found, worth, chances, belief.alike)
        rates = gains / (found.costs + AHEAD + np.where(found.known & RESTS, 0.0, loss))
        node = int(rates.argmax())
        if rates[node] > rate:
            rate, inputs = float(rates[node]), found.inputs_to(node)
            imagined = imagined_for(belief, imagined, target_at(found.states[node], each))
            best = Plan(inputs, imagined, numbers, world.monsters, world.movement, float(found.costs[node]), "goal")
    return best


def imagined_for(belief: Belief, imagined: Imagined, target: Cell) -> Imagined:
    """The same map, but for its goal and key: what it goes for is what ``target`` rather is, and nothing else is."""
    roles = imagined.roles.copy()
    for cell in (imagined.goal, imagined.key):
        if cell is not None and belief.facts.may_be(cell, 1 << FREE):
            roles[cell] = FREE
    is_key = not belief.has_key and belief.key[target] > belief.goal[target] * (1 - belief.key.sum())
    return imagined._replace(roles=roles, goal=target, key=target if is_key else None)


def uses_of(belief: Belief) -> np.ndarray:
    """float64 (3, R, R): the chance that a cell can be passed alive, stood on, climbed."""
    _, logs = belief.kinds()
    _, wall, ladder, _ = np.moveaxis(np.exp(logs.astype(np.float64)), -1, 0)
    return np.stack([(1 - wall) * (1 - belief.danger), wall + ladder, ladder]).clip(0, 1)


def target_at(state: np.ndarray, worth: np.ndarray) -> Cell:
    """The cell of most worth that a player in that state touches."""
    side = len(worth)
    touched = [(row, column) for row, column in overlapped(int(state[X]), int(state[Y]))]
    inside = [(min(max(row, 0), side - 1), min(max(column, 0), side - 1)) for row, column in touched]
    return max(inside, key=lambda cell: worth[cell])
