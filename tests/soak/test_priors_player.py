"""Players that bring knowledge, on many random levels: the bound solves all; what pictures show it is true."""

import os

import numpy as np
import pytest

from priorlab.agents.priors.lives import live, on_rules, told
from priorlab.agents.priors.roles import roles_of
from priorlab.agents.priors.scenery import Scenery
from priorlab.envs.looks.dials import Dials
from priorlab.envs.random_games.bank import BANKS, Bank
from tests.agents.test_priors_player import half_told

BANK = Bank.read("held_out")
EVERY = int(os.environ.get("EVERY", 20))  # of the banks' levels, one in so many; 1 takes about an hour
LEVELS = 1000


@pytest.mark.parametrize("name", BANKS)
def test_told_what_things_are_it_solves_all_levels_near_the_shortest(name):
    bank, ratios = Bank.read(name), []
    for number in range(0, len(bank), EVERY):
        level, solution = bank[number]
        life = live(Scenery(level, looks=Dials(edition=2), look_seed=number), told(level), seed=number, limit=2000)
        assert life.solved, number
        ratios.append(len(life.inputs) / len(solution))
    print(
        f"{name}: {len(ratios)} levels, inputs over the known way: mean {np.mean(ratios):.3f}, most {max(ratios):.3f}"
    )
    assert max(ratios) < 1.5 and np.mean(ratios) < 1.06


def test_what_is_made_out_of_pictures_never_contradicts_what_is():
    wrong = lost = inputs = 0
    for number in range(0, len(BANK), len(BANK) // LEVELS):
        level = on_rules(BANK[number].level, ("princess", "key_door")[number % 2])
        scenery = Scenery(level, looks=Dials(0.5, 0.5, 0.5, 0.5), look_seed=number)
        life = live(scenery, half_told(level, number), seed=number, limit=600)
        truth = roles_of(level)[..., None].astype(int)
        wrong += life.contradictions > 0 or not np.take_along_axis(life.possible, truth, -1).all()
        lost, inputs = lost + life.lost, inputs + len(life.inputs)
    print(f"{LEVELS} lives, {inputs} inputs: {wrong} with a false fact, lost {lost} times")
    assert wrong == 0 and lost <= inputs // 2000
