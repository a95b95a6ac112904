"""The way that gathers most for its cost is the best of all ways, each followed step by step."""

import numpy as np
import pytest

from priorlab.agents.priors.facts import overlapped
from priorlab.envs.game.gathering import CLIMBED, PASSED, STOOD_ON, richest
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.routes import Routes, routes
from priorlab.envs.game.rules import (
    FIELDS,
    JUMPING,
    LADDER,
    ON_LADDER,
    REACH,
    TILE,
    WALL,
    X,
    Y,
    pixel,
    put_at_start,
    step,
)
from priorlab.envs.game.versions import find_rules
from priorlab.envs.random_games.bank import Bank

AHEAD, LANDING, FAR = 20.0, 60.0, 130.0
FITS = {PASSED: lambda bits: not bits & WALL, CLIMBED: lambda bits: bits & LADDER, STOOD_ON: lambda bits: bits & 3}


def rates_of(found: Routes, worth, chances, groups):
    """The rate of each closed node, by the definition of what is gathered."""
    rows, columns = found.tiles.shape
    inside = lambda cells: [(r, c) for r, c in cells if 0 <= r < rows and 0 <= c < columns]  # noqa: E731
    resting = set(found.resting.tolist())
    ways, rates = {0: (frozenset(), 1.0, 0.0)}, np.zeros(len(found.costs))
    for node in np.flatnonzero(found.closed)[np.argsort(found.costs[found.closed], kind="stable")].tolist():
        if not node:
            continue
        known, hold, gain = ways[int(found.parents[node])]
        known, state = set(known), found.states[found.parents[node]].copy()
        for _ in range(found.repeats[node]):
            step(found.tiles, found.level, found.monsters, state, int(found.inputs[node]))
            x, y = int(state[X]), int(state[Y])
            relied = [(PASSED, overlapped(x, y))]
            relied += [(CLIMBED, overlapped(x, y))] if state[ON_LADDER] else []
            relied += [] if state[JUMPING] else [(STOOD_ON, overlapped(x, y + REACH))]
            for use, cells in relied:
                for cell in inside(cells):
                    name = use, "group", int(groups[cell])
                    if FITS[use](int(found.tiles[cell])) and chances[use][cell] < 1 and name not in known:
                        known.add(name)
                        hold *= chances[use][cell]
            middle = (pixel(y) // TILE, pixel(x) // TILE)
            in_cell = pixel(x) % TILE and pixel(y) % TILE
            for kind, cells in enumerate((overlapped(x, y), [middle] if in_cell else [])):
                for cell in inside(cells):
                    if (kind, cell) not in known:
                        known.add((kind, cell))
                        gain += hold * worth[kind][cell]
        ways[node] = frozenset(known), hold, gain
        rates[node] = gain / (found.costs[node] + AHEAD + (0 if node in resting else LANDING))
    return rates


@pytest.mark.parametrize(("number", "sure"), [(5, True), (8, False)])
def test_the_richest_way_is_the_best_of_all(number, sure):
    level, rng = Bank.read("held_out")[number].level, np.random.default_rng(number)
    numbers, state, shape = level_numbers(level, find_rules("princess")), np.zeros(FIELDS, np.int32), level.tiles.shape
    put_at_start(numbers, state)
    worth, prices = rng.random((2, *shape)) ** 8 / 100, rng.random(shape).astype(np.float32)
    chances = np.ones((3, *shape)) if sure else rng.random((3, *shape)).clip(0.6, 1)
    groups = rng.integers(0, 40, shape)
    world = level.tiles, numbers, level.monsters, state, prices
    rates = rates_of(routes(*world, limit=FAR), worth, chances, groups)
    found = richest(*world, worth, chances, groups, limit=FAR, ahead=AHEAD, landing=LANDING)
    assert found is not None and np.isclose(found.rate, rates.max())
    end = state.copy()
    for action in found.inputs:
        step(level.tiles, numbers, level.monsters, end, int(action))
    assert (end == found.end).all()
    assert richest(*world, worth, chances, groups, limit=FAR, ahead=AHEAD, landing=LANDING, above=found.rate) is None


def test_arrays_that_do_not_fit_the_map_are_refused():
    level = Bank.read("held_out")[5].level
    numbers, state, shape = level_numbers(level, find_rules("princess")), np.zeros(FIELDS, np.int32), level.tiles.shape
    world = level.tiles, numbers, level.monsters, state, np.zeros(shape, np.float32)
    worth, chances, groups = np.zeros((2, *shape)), np.ones((3, *shape)), np.zeros(shape, int)
    with pytest.raises(ValueError, match=r"chances has shape \(2, \d+, \d+\): expected \(3, "):
        richest(*world, worth, worth, groups)
    with pytest.raises(ValueError, match=r"groups has 0 to \d+: expected 0 to \d+"):
        richest(*world, worth, chances, groups + level.tiles.size * (level.tiles > 0))
