"""Facts of contact: what touching a cell proves about it."""

import numpy as np
import pytest

from priorlab.agents.priors.facts import Facts
from priorlab.agents.priors.roles import MONSTER, roles_of
from priorlab.envs.game.level import Level
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.replaying import replayed
from priorlab.envs.game.rules import DEATHS, FIELDS, MONSTERS, SOLVED, TILE, begin
from priorlab.envs.game.versions import find_rules
from priorlab.envs.random_games.bank import Bank
from tests.support.levels import BUSY

HANGING = """game = "princess"
---
|          H#  |
|  SH  H#  H   |
|####  H   H ##|
|   H  H     G |
|      H   ####|
|   #     *    |
|###H#H########|
|   H H        |
|  m           |
|#### ##^######|
"""  # ladders that end in the air, from above and from below
RULES = ("princess", "princess_ladder_interaction", "princess_gravity", "key_door", "key_door_ladder_interaction")


def wandering(rng: np.random.Generator, solution: np.ndarray, count: int) -> np.ndarray:
    """Part of a way to the goal, then inputs held for a random time."""
    way = solution[: rng.integers(len(solution))] if rng.random() < 0.7 else solution[:0]
    held = np.repeat(rng.integers(0, 6, count), rng.integers(1, 14, count))
    return np.concatenate([way, held]).astype(np.uint8)[:count]


def facts_of(level: Level, name: str, inputs: np.ndarray) -> Facts:
    rules = find_rules(name)
    numbers, start = level_numbers(level, rules), np.zeros(FIELDS, np.int32)
    begin(numbers, start)
    states = until_won(level, rules, inputs)
    facts = Facts(level.side // TILE)
    for action, before, after in zip(inputs.tolist(), states, states[1:]):
        if after[DEATHS] > before[DEATHS]:
            facts.died(numbers, [before], action, may_be_monster=bool(before[MONSTERS]))
        elif not after[SOLVED]:
            facts.lived(numbers, start if before[DEATHS] > 0 and not rules.restarts else before, action, after)
        if after[DEATHS] > before[DEATHS] and not rules.restarts:
            break  # what follows is another episode
    return facts


def until_won(level, rules, inputs):
    try:
        return replayed(level, rules, inputs)
    except ValueError as error:  # won on the way
        return replayed(level, rules, inputs[: int(str(error).split()[3])])


@pytest.mark.parametrize("name", RULES)
def test_facts_never_exclude_what_is_true(name):
    bank, rng, learned = Bank.read("training"), np.random.default_rng(len(name)), 0
    odd = [(Level.read(text), np.zeros(1, np.uint8)) for text in (BUSY, HANGING)]
    for number in range(60):
        level, solution = bank[int(rng.integers(len(bank)))] if number % 3 else odd[number // 3 % 2]
        facts = facts_of(level, name, wandering(rng, solution, 200))
        truth = roles_of(level)
        wrong = [
            (cell, facts.possible[cell[0]][cell[1]])
            for cell in np.ndindex(*truth.shape)
            if not facts.possible[cell[0]][cell[1]] >> int(truth[cell]) & 1
        ]
        assert not wrong and facts.contradictions == 0, (level.text(), wrong)
        learned += facts.count
    assert learned > 60 * 30


def test_a_player_who_knows_what_moves_excludes_monsters_elsewhere():
    facts = Facts(9)
    facts.know_monsters([(3, 4)])
    assert facts.known((3, 4)) == MONSTER and facts.ruled_out[..., MONSTER].sum() == 80
