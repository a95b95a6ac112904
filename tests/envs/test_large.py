"""Large random levels: won by their plans, varied and fair; their banks."""

from pathlib import Path

import gymnasium
import numpy as np
import pytest

from priorlab.envs.game.level import Level, level_names
from priorlab.envs.game.replaying import replayed
from priorlab.envs.game.rules import DEATHS, SOLVED
from priorlab.envs.game.versions import find_rules
from priorlab.envs.random_games.bank import Bank
from priorlab.envs.random_games.generate import generate
from priorlab.envs.random_games.large import BOUNDS, GAME, SIDE
from priorlab.envs.random_games.layouts import DIRECTIONS, split_of
from priorlab.envs.random_games.traps import has_trap

BANKS = {split: Bank.read(split, size="large") for split in ("training", "held_out")}
TURN = len(DIRECTIONS) * len(BOUNDS)  # numbers until directions and lengths repeat


@pytest.mark.parametrize("split", BANKS)
def test_every_plan_wins_without_a_death(split):
    bank = BANKS[split]
    for number in range(len(bank)):
        level, plan = bank[number]
        states = replayed(level, find_rules(GAME), plan)
        assert states[-1, SOLVED] and not states[-1, DEATHS], number


@pytest.mark.parametrize("split", BANKS)
def test_ways_are_long_and_no_direction_is_more_likely(split):
    bank = BANKS[split]
    least, *quartiles, most = np.percentile(bank.upper_bounds, [0, 25, 50, 75, 100])
    assert least >= 300 and (np.array(quartiles) >= [370, 470, 600]).all() and most <= 900
    assert len(bank) % TURN == 0
    found = dict.fromkeys(DIRECTIONS, 0)
    for level in bank.levels(len(bank)):
        (x, y), (goal, row) = level.start, (level.goal[0], level.goal[1] // 15 * 15 + 7.5)
        right, down = goal - x, row - y
        found[(np.sign(right), 0) if abs(right) > abs(down) else (0, np.sign(down))] += 1
    assert set(found.values()) == {len(bank) // len(DIRECTIONS)}


def test_levels_are_large_different_and_in_one_split():
    rows = {split: [level.rows for level in bank.levels(len(bank))] for split, bank in BANKS.items()}
    for split, each in rows.items():
        assert len(set(each)) == len(each) and all(split_of(level) == split for level in each)
        keys = np.mean(["k" in "".join(level) for level in each])
        assert 0.7 < keys < 0.9
        for level in each:
            assert all(SIDE[0] <= side <= SIDE[1] for side in (len(level), len(level[0])))
            climbed = np.array([list(row) for row in level]) == "H"
            assert not (climbed[1:, 1:] & climbed[1:, :-1] & climbed[:-1, 1:] & climbed[:-1, :-1]).any()  # one-wide
            assert sum(row.count("#") > 3 for row in level) >= 4
    assert not {each for split in rows.values() for each in split} & {Level.read(name).rows for name in level_names()}
    level = BANKS["training"][0].level
    assert Level.read(level.text()) == level and level.game == GAME
    assert len(Bank.read(Path("held_out"), size="large")) == len(BANKS["held_out"])


PIT = """
game = "key_door"
---
|        |
|        |
|S      G|
|###  ###|
|  |  |  |
|  |  |  |
|  |  |  |
|########|
"""


def test_a_level_has_no_place_from_which_one_neither_wins_nor_dies():
    assert has_trap(Level.read(PIT))
    assert not has_trap(Level.read(PIT.replace("|  |  |  |\n|#", "|  |^ |  |\n|#")))  # it can die there
    assert not has_trap(BANKS["held_out"][0].level)


def test_the_banks_hold_what_the_generator_makes():
    for number in (5,):
        made = generate(number, 0, "training", size="large")
        kept = BANKS["training"][number]
        assert made.level.rows == kept.level.rows and made.level.goal == kept.level.goal
        assert made.level.goal_size == kept.level.goal_size and made.solution.tolist() == kept.solution.tolist()
    with pytest.raises(ValueError, match="size is 'huge': expected one of small, large"):
        generate(0, size="huge")


def test_they_are_played_like_other_banks_and_kept_like_them(tmp_path):
    env = gymnasium.make("PriorLab/Random-v1", levels=1, bank="large_held_out", obs="tiles", split="held_out")
    env.reset(seed=0)
    assert env.unwrapped.games.places[0].level == BANKS["held_out"][0].level  # type: ignore
    Bank.of([BANKS["training"][k] for k in range(4)], "few").write(tmp_path / "few.npz")
    read = Bank.read(tmp_path / "few.npz")
    assert [read[k].level.goal for k in range(4)] == [BANKS["training"][k].level.goal for k in range(4)]
    assert read[2].level.name == "few_2" and read[2].level.game == GAME
