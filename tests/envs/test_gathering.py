"""What is gathered on the ways of a search is what their inputs touch."""

import numpy as np

from priorlab.agents.priors.facts import overlapped
from priorlab.envs.game.gathering import gathered
from priorlab.envs.game.playing import copy
from priorlab.envs.game.routes import routes_of
from priorlab.envs.game.rules import FIELDS, X, Y, step
from priorlab.envs.random_games.bank import Bank


def test_each_way_gathers_what_its_inputs_touch_once():
    level, rng = Bank.read("held_out")[5].level, np.random.default_rng(0)
    found, shape = routes_of(level), level.tiles.shape
    worth = np.stack([rng.random(shape), np.zeros(shape)])
    gains = gathered(found, worth, np.ones((3, *shape)), np.zeros(shape, int))
    for node in rng.choice(np.flatnonzero(found.closed), 20):
        state, touched = np.zeros(FIELDS, np.int32), set()
        copy(found.states[0], state)
        for action in found.inputs_to(node):
            step(found.tiles, found.level, found.monsters, state, int(action))
            touched |= set(overlapped(int(state[X]), int(state[Y])))
        inside = [cell for cell in touched if 0 <= cell[0] < shape[0] and 0 <= cell[1] < shape[1]]
        assert np.isclose(gains[node], sum(worth[0][cell] for cell in inside))
    unlikely = gathered(found, worth, np.full((3, *shape), 0.5), np.zeros(shape, int))
    assert (unlikely <= gains / 2 + 1e-9).all()  # all cells stand or fall together
