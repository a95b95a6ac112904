"""Players that bring knowledge, on many random levels: the bound solves all; beliefs keep to facts, facts to truth."""

import os
from collections import Counter

import numpy as np
import pytest

from priorlab.agents.priors.belief import Belief, Perceive
from priorlab.agents.priors.lives import Living, live, on_rules, told
from priorlab.agents.priors.player import Player
from priorlab.agents.priors.player_settings import PlayerSettings
from priorlab.agents.priors.roles import GOAL, KEY, ROLES, roles_of
from priorlab.agents.priors.scenery import Scenery
from priorlab.agents.priors.weights import learned
from priorlab.envs.game.rules import SOLVED
from priorlab.envs.looks.dials import Dials
from priorlab.envs.random_games.bank import BANKS, Bank
from tests.agents.test_priors_player import half_told

BANK = Bank.read("held_out")
EVERY = int(os.environ.get("EVERY", 20))  # of the banks' levels, one in so many; 1 takes about an hour
LIMIT = 600  # inputs of each
LOST_SIGHT = {271, 1317}  # levels in which the player takes itself for where it was, and so a false fact for true
STILL = np.delete(np.arange(len(ROLES)), [GOAL, KEY])


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


def check(belief: Belief, rng: np.random.Generator) -> int:
    """Asserts that a belief and a map drawn from it agree with every fact; returns how many clauses there are."""
    facts, ruled_out = belief.facts, belief.facts.ruled_out
    held = ruled_out[..., STILL].all(-1)  # goal or key, and nothing else
    assert not belief.posterior[..., STILL][ruled_out[..., STILL] & ~held[..., None]].any()
    assert not belief.goal[ruled_out[..., GOAL]].any() and not belief.key[ruled_out[..., KEY]].any()
    drawn = belief.draw(rng, temper=1.0)
    assert not (np.take_along_axis(ruled_out, drawn.roles[..., None].astype(int), -1)[..., 0] & ~held).any()
    assert all(any(roles >> drawn.roles[cell] & 1 for cell in cells) for cells, roles in facts.clauses)
    return len(facts.clauses)


def lived(scenery: Scenery, perceive: Perceive, seed: int) -> tuple[Player, int, Counter[str]]:
    """A life in which each new belief is checked: the player, its inputs, and what was checked."""
    living, rng = Living(scenery, perceive, PlayerSettings(), seed), np.random.default_rng(seed)
    died, before, checked, taken = False, None, Counter[str](), 0
    while taken < LIMIT and not living.state[SOLVED]:
        action, belief = living.decide(died), living.player.belief
        if belief is not None and belief is not before:
            checked.update(beliefs=1, clauses=check(belief, rng))
            before = belief
        died, taken = living.press(action), taken + 1
    return living.player, taken, checked


def test_what_is_made_out_of_pictures_never_contradicts_what_is():
    lost, inputs, wrong, checked = 0, 0, set[int](), Counter[str]()
    for number in range(len(BANK)):
        level = on_rules(BANK[number].level, ("princess", "key_door")[number % 2])
        scenery = Scenery(level, looks=Dials(0.5, 0.5, 0.5, 0.5), look_seed=number)
        player, taken, found = lived(scenery, half_told(level, number), number)
        truth = roles_of(level)[..., None].astype(int)
        if player.facts.contradictions or np.take_along_axis(player.facts.ruled_out, truth, -1).any():
            wrong.add(number)
        lost, inputs, checked = lost + player.tracker.lost, inputs + taken, checked + found
    print(f"{len(BANK)} lives, {inputs} inputs: false facts in {sorted(wrong)}, lost {lost} times; {dict(checked)}")
    assert wrong <= LOST_SIGHT and lost <= inputs // 2000


@pytest.mark.parametrize("dials", [Dials(edition=2), Dials(objects=0, edition=2), Dials(0, 0, 0, 0, edition=2)])
def test_the_learned_players_belief_never_contradicts_a_fact(dials):
    bank, checked = Bank.read("held_out", size="large"), Counter[str]()
    for number in range(0, len(bank), 4):
        checked += lived(Scenery(bank[number].level, looks=dials, look_seed=number), learned(), number)[2]
    print(f"{dials}: checked: {dict(checked)}")
