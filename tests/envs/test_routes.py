"""Plans over any map: exact when replayed, priced as documented, and nearly as short as the shortest."""

import numpy as np
import pytest

from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.routes import Routes, routes
from priorlab.envs.game.rules import DEATHS, FIELDS, GRID, KEYS, ONGOING, TILE, WIN, X, Y, pixel, put_at_start, step
from priorlab.envs.game.versions import find_rules
from priorlab.envs.random_games.bank import Bank

BANK = Bank.read("held_out")
RULES = ("princess", "princess_ladder_interaction", "princess_gravity", "key_door", "key_door_ladder_interaction")


def planned(level, rules="princess", **settings):
    numbers, state = level_numbers(level, find_rules(rules)), np.zeros(FIELDS, np.int32)
    put_at_start(numbers, state)
    return routes(level.tiles, numbers, level.monsters, state, **settings)


def cells(state):
    """The cells that the player's rectangle overlaps."""
    left, top = (pixel(int(state[at])) - GRID for at in (X, Y))
    return {(y // TILE, x // TILE) for y in (top, top + TILE - 1) for x in (left, left + TILE - 1)}


def price_of(prices, row, column):
    inside = 0 <= row < prices.shape[0] and 0 <= column < prices.shape[1]
    return float(prices[row, column]) if inside else 0.0


def replay(found: Routes, node, prices):
    """(state, cost, outcome) after the inputs to that node, from the rules alone."""
    state, cost, outcome, inputs = found.states[0].copy(), 0.0, ONGOING, found.inputs_to(node)
    for action in inputs:
        assert outcome == ONGOING
        before = cells(state)
        outcome = step(found.tiles, found.level, found.monsters, state, int(action))
        cost += 1 + sum(price_of(prices, *cell) for cell in cells(state) - before)
    assert len(inputs) == found.lengths[node]
    return state, cost, outcome


@pytest.mark.parametrize("rules", RULES)
def test_plans_end_where_they_say_at_the_cost_they_say(rules):
    rng = np.random.default_rng(0)
    for number in range(0, 2000, 400):
        level = BANK[number].level
        prices = np.round(rng.exponential(3, level.tiles.shape), 1).astype(np.float32)
        prices[rng.random(prices.shape) < 0.1] = np.inf
        found = planned(level, rules, prices=prices)
        for node in rng.choice(np.flatnonzero(found.closed), 12):
            state, cost, outcome = replay(found, int(node), prices)
            assert (state == found.states[node]).all() and state[DEATHS] == 0
            assert cost == pytest.approx(found.costs[node], abs=1e-3) and np.isfinite(cost)
            assert (outcome == WIN) == (node in found.wins)


def test_wins_are_found_and_nearly_shortest():
    ratios = []
    for number in range(0, 2000, 25):
        level, solution = BANK[number]
        found = planned(level, until_won=True)
        _, cost, outcome = replay(found, int(found.wins[0]), np.zeros(level.tiles.shape))
        assert outcome == WIN and cost == found.lengths[found.wins[0]] >= len(solution)
        ratios.append(cost / len(solution))
    assert np.mean(ratios) < 1.03 and max(ratios) < 1.3


def test_targets_are_touched_and_landings_survived():
    level = next(solved.level for solved in map(BANK.__getitem__, range(3, 2000)) if solved.level.key)
    found = planned(level)
    assert level.key
    first = found.key_taken[0]
    assert first == found.touching(*level.key)[0] and found.costs[first] == found.costs[found.key_taken].min()
    assert all(level.key in cells(found.states[node]) for node in found.touching(*level.key))
    for node in np.flatnonzero(found.closed)[::97]:
        inputs, state = found.landing(node), found.states[node].copy()
        if inputs is not None:
            outcomes = [step(found.tiles, found.level, found.monsters, state, int(action)) for action in inputs]
            assert len(inputs) or node in found.resting
            assert not any(outcomes) or WIN in outcomes


def test_wrong_arrays_are_refused():
    level = BANK[0].level
    with pytest.raises(ValueError, match=r"prices has shape \(2, 2\): expected"):
        planned(level, prices=np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"aims has shape \(3,\): expected"):
        planned(level, aims=np.zeros(3, bool))
    numbers, state = level_numbers(level, find_rules("princess")), np.zeros(FIELDS, np.int32)
    numbers[KEYS] = 1
    with pytest.raises(ValueError, match=r"monsters has \d rows: expected \d, as the level has, its key included"):
        routes(level.tiles, numbers, level.monsters, state)
    with pytest.raises(ValueError, match=r"a price is -1\.0: expected 0 or more"):
        planned(level, prices=np.full(level.tiles.shape, -1.0))
