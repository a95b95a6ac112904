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
from priorlab.envs.looks.dials import Dials
from priorlab.envs.random_games.bank import BANKS, Bank
from tests.agents.test_priors_player import half_told

BANK = Bank.read("held_out")
EVERY = int(os.environ.get("EVERY", 20))  # of the banks' levels, one in so many; 1 takes about an hour
LIMIT = 600  # inputs of each
GAMES = ("princess", "key_door")
STILL = np.delete(np.arange(len(ROLES)), [GOAL, KEY])
ASTRAY = {1632}  # levels with a map that disagrees with a fact: it has no key in two cells, of which one has it


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


def check(belief: Belief, rng: np.random.Generator) -> Counter[str]:
    """Asserts that a belief agrees with every fact, and that a map drawn from it has nothing that is ruled out; counts
    clauses, and the maps that do not agree with all of them."""
    facts, ruled_out = belief.facts, belief.facts.ruled_out
    held = ruled_out[..., STILL].all(-1)  # goal or key, and nothing else
    assert not belief.posterior[..., STILL][ruled_out[..., STILL] & ~held[..., None]].any()
    assert not belief.goal[ruled_out[..., GOAL]].any() and not belief.key[ruled_out[..., KEY]].any()
    drawn = belief.draw(rng, temper=1.0)
    assert not (np.take_along_axis(ruled_out, drawn.roles[..., None].astype(int), -1)[..., 0] & ~held).any()
    agrees = all(any(roles >> drawn.roles[cell] & 1 for cell in cells) for cells, roles in facts.clauses)
    return Counter(beliefs=1, clauses=len(facts.clauses), astray=not agrees)


def lived(scenery: Scenery, perceive: Perceive, seed: int) -> tuple[Player, Counter[str]]:
    """A life in which each new belief is checked: the player, and how much of what there was."""
    living, rng = Living(scenery, perceive, PlayerSettings(), seed), np.random.default_rng(seed)
    before, checked = None, Counter[str]()
    for _ in living.steps(LIMIT):
        checked["inputs"] += 1
        belief = living.player.belief
        if belief is not None and belief is not before:
            checked += check(belief, rng)
            before = belief
    return living.player, checked


class FalseFact(Exception):
    """Raised for levels in which a fact contradicts what is, or another fact."""


@pytest.mark.parametrize(
    "game",
    [
        "princess",
        pytest.param("key_door", marks=pytest.mark.xfail(raises=FalseFact, strict=True, reason="two levels of 1,000")),
    ],
)
def test_what_is_made_out_of_pictures_never_contradicts_what_is(game):
    lost, wrong, astray, checked = 0, [], set[int](), Counter[str]()
    for number in range(GAMES.index(game), len(BANK), len(GAMES)):
        level = on_rules(BANK[number].level, game)
        scenery = Scenery(level, looks=Dials(0.5, 0.5, 0.5, 0.5), look_seed=number)
        player, found = lived(scenery, half_told(level, number), number)
        truth = roles_of(level)[..., None].astype(int)
        if player.facts.contradictions or np.take_along_axis(player.facts.ruled_out, truth, -1).any():
            wrong.append(number)
        if found["astray"]:
            astray.add(number)
        lost, checked = lost + player.tracker.lost, checked + found
    print(f"{game}: false facts in {wrong}, maps astray in {astray}, lost {lost} times; checked: {dict(checked)}")
    assert astray <= ASTRAY and lost <= checked["inputs"] // 2000
    if wrong:
        raise FalseFact(wrong)


@pytest.mark.parametrize("dials", [Dials(edition=2), Dials(objects=0, edition=2), Dials(0, 0, 0, 0, edition=2)])
def test_the_learned_players_belief_never_contradicts_a_fact(dials):
    bank, checked = Bank.read("held_out", size="large"), Counter[str]()
    for number in range(0, len(bank), 4):
        checked += lived(Scenery(bank[number].level, looks=dials, look_seed=number), learned(), number)[1]
    print(f"{dials}: checked: {dict(checked)}")
    assert not checked["astray"]
