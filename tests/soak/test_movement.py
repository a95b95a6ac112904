"""Plans by the movement that comes with the package: how many of them hold an input that it foresees wrongly. A search
finds the errors that promise a shorter way, so there are more than among inputs at random."""

import numpy as np
import pytest

from priorlab.agents.priors.lives import on_rules
from priorlab.agents.priors.movement import load_movement
from priorlab.envs.game.foreseeing import foresee
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.routes import routes
from priorlab.envs.game.rules import FIELDS, JUMPING, ON_LADDER, X, Y, put_at_start
from priorlab.envs.game.versions import find_rules
from priorlab.envs.random_games.bank import Bank

EVERY = 7  # of the held-out small levels
MOST = {"princess": 0.05, "princess_ladder_interaction": 0.3}  # share of plans, by the rules


@pytest.mark.parametrize("rules", MOST)
def test_plans_hold_few_errors(rules):
    movement, bank, fields = load_movement(), Bank.read("held_out"), [X, Y, JUMPING, ON_LADDER]
    wrong = plans = 0
    for number in range(0, len(bank), EVERY):
        level = on_rules(bank[number].level, "princess")
        numbers, state = level_numbers(level, find_rules(rules)), np.zeros(FIELDS, np.int32)
        put_at_start(numbers, state)
        ways = routes(level.tiles, numbers, level.monsters, state, until_won=True, movement=movement)
        foreseen, plans = state.copy(), plans + 1
        for action in ways.inputs_to(int(ways.wins[0])).tolist():
            told = foresee(level.tiles, numbers, level.monsters, foreseen, action, movement)
            came = foresee(level.tiles, numbers, level.monsters, state, action, None)
            if told != came or (foreseen[fields] != state[fields]).any():
                wrong += 1
                break
    print(f"{rules}: {wrong} of {plans} plans hold an error")
    assert wrong <= MOST[rules] * plans
