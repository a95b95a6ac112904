"""Random levels: solved, varied and fair; their banks; the environment that plays them."""

from functools import cache

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from priorlab.envs.engine.games import Games
from priorlab.envs.game.level import Level, level_names
from priorlab.envs.game.solver import Solver
from priorlab.envs.game.versions import find_rules
from priorlab.envs.looks.dials import Dials
from priorlab.envs.random_games.bank import Bank, generated
from priorlab.envs.random_games.generate import CLASSES, generate
from priorlab.envs.random_games.layouts import DIRECTIONS, GAME
from priorlab.envs.random_games.random_levels import random_settings

TURN = len(CLASSES) * len(DIRECTIONS)  # numbers until directions and lengths repeat
TRAINING, HELD_OUT = Bank.read("training"), Bank.read("held_out")


@cache
def all_levels(bank):
    return bank.levels(len(bank))


def won(level, inputs):
    """Whether the inputs win, and only with the last one."""
    games = Games(1, level=level, autoreset=False, obs="tiles")
    games.reset(0)
    rewards = [float(games.step(np.array([action]))[1][0]) for action in inputs]
    return rewards == [0.0] * (len(inputs) - 1) + [1.0]


@pytest.mark.parametrize("bank", [TRAINING, HELD_OUT], ids=["training", "held_out"])
def test_every_level_of_the_banks_is_won_by_its_solution(bank):
    for number in range(0, len(bank), len(bank) // 250):
        assert won(*bank[number]), number


@pytest.mark.parametrize("number", range(0, 2000, 97))
def test_solutions_are_shortest(number):
    level, solution = TRAINING[number]
    assert len(Solver(level, find_rules(GAME)).run(exhaustive=False).inputs) == len(solution)


def test_solutions_spread_and_no_direction_is_more_likely():
    for bank in (TRAINING, HELD_OUT):
        quartiles = np.percentile(bank.parts["lengths"], [25, 50, 75])
        assert (quartiles >= [50, 90, 150]).all()
        whole = len(bank) // TURN * TURN
        found = dict.fromkeys(DIRECTIONS, 0)
        for level in all_levels(bank)[:whole]:
            right, down = np.subtract(level.goal, level.start)
            found[(np.sign(right), 0) if abs(right) > abs(down) else (0, np.sign(down))] += 1
        assert set(found.values()) == {whole // len(DIRECTIONS)}


def test_no_two_levels_are_alike_and_none_is_one_of_ours():
    rows = [level.rows for bank in (TRAINING, HELD_OUT) for level in all_levels(bank)]
    assert len(set(rows)) == len(rows)
    assert not set(rows) & {Level.read(name).rows for name in level_names()}
    drawn = TRAINING.levels(500)
    assert 0 < sum(level.key is not None for level in drawn) < len(drawn)
    assert any(level.patrols for level in drawn) and any("*" in row for level in drawn for row in level.rows)


def test_levels_are_as_good_as_written_ones():
    for level in TRAINING.levels(200):
        assert Level.read(level.text()) == level
    for k in range(3):
        level = TRAINING[k].level
        assert level.goal_size == (15, 15)


def test_the_banks_hold_what_the_generator_makes_on_any_number_of_threads():
    one, two = (list(generated(6, 0, "training", threads)) for threads in (1, 2))
    for number, (a, b) in enumerate(zip(one, two)):
        assert a.level == b.level == TRAINING[number].level
        assert a.solution.tolist() == b.solution.tolist() == TRAINING[number].solution.tolist()
    assert generate(0, 0, "held_out").level.rows != one[0].level.rows != generate(0, 1).level.rows


def test_a_bank_is_read_as_it_was_written_and_never_over_another(tmp_path):
    bank = Bank.of([TRAINING[k] for k in range(5)], "few")
    bank.write(tmp_path / "few.npz")
    read = Bank.read(tmp_path / "few.npz")
    assert len(read) == 5 and read[3].level.name == "few_3"
    assert read[3].level.rows == TRAINING[3].level.rows
    with pytest.raises(FileExistsError):
        bank.write(tmp_path / "few.npz")


@pytest.mark.parametrize("harm", ["cut", "flip", "text", "other"])
def test_a_damaged_bank_is_refused(harm, tmp_path):
    path = tmp_path / "bank.npz"
    Bank.of([TRAINING[0]], "one").write(path)
    content = path.read_bytes()
    if harm == "other":
        parts = TRAINING.parts | {"cells": TRAINING.parts["cells"] + 1}
        path.unlink()
        with path.open("wb") as file:
            np.savez_compressed(file, checksum=np.array("0" * 64), **parts)
    else:
        middle = len(content) // 3
        flipped = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
        path.write_bytes({"cut": content[: len(content) // 2], "flip": flipped, "text": b"levels"}[harm])
    with pytest.raises(ValueError, match=r"bank\.npz: damaged"):
        Bank.read(path)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"levels": 0}, "levels is 0: expected a whole number from 1 to"),
        ({"levels": 10**9}, "expected a whole number from 1 to"),
        ({"split": "test"}, "split is 'test': expected one of training, held_out"),
        ({"looks": {"semantics": 2}}, "semantics is 2: expected a number from -1 to 1"),
        ({"looks": {"colour": 1}}, "unknown dial 'colour': expected semantics, objects, affordance, similarity"),
        ({"looks": "original"}, "looks is 'original': expected dials by name"),
        ({"looks": {"edition": 1}}, "looks has edition 1: expected 2 in this environment"),
        (
            {"bank": "nowhere.npz"},
            "no bank 'nowhere.npz': expected training, held_out, large_training, large_held_out or",
        ),
    ],
)
def test_wrong_settings_say_what_was_expected(settings, said):
    with pytest.raises(ValueError, match=said):
        gymnasium.make("PriorLab/Random-v1", **settings)


def test_dials_of_the_other_edition_are_refused():
    assert random_settings(looks=Dials(objects=0), edition=2)["looks"] == Dials(objects=0, edition=2)
    with pytest.raises(ValueError, match="looks has edition 2: expected 1 in this environment"):
        random_settings(looks=Dials(objects=0, edition=2))


@pytest.mark.parametrize("name", ["Random-v1", "Levels-v0"])
@pytest.mark.parametrize("obs", ["pixels", "tiles"])
def test_gymnasium_finds_nothing_wrong(name, obs):
    settings = {"levels": 20} if name == "Random-v1" else {}
    check_env(gymnasium.make(f"PriorLab/{name}", obs=obs, **settings).unwrapped, skip_render_check=True)


def test_a_batch_of_random_games_equals_single_ones():
    settings = {"levels": 30, "looks": {"objects": 0.5}, "max_inputs": 40}
    batch = gymnasium.make_vec("PriorLab/Random-v1", num_envs=3, num_threads=2, **settings)
    singles = [gymnasium.make("PriorLab/Random-v1", **settings) for _ in range(3)]
    first, _ = batch.reset(seed=5)
    played = set()
    for lane, env in enumerate(singles):
        assert np.array_equal(env.reset(seed=5 + lane)[0], first[lane])
    for actions in np.random.default_rng(0).integers(0, 6, (200, 3)):
        observations, _, terminated, truncated, infos = batch.step(actions)
        for lane, env in enumerate(singles):
            observation, _, over, late, info = env.step(actions[lane])
            assert (over, late) == (terminated[lane], truncated[lane])
            if over or late:
                assert infos["final_info"]["place"][lane] == info["place"]
                observation, info = env.reset()
            assert np.array_equal(observation, observations[lane]) and info["place"] == infos["place"][lane]
            played.add(info["place"])
    assert len(played) > 5


def test_the_first_version_of_the_pictures_can_still_be_made():
    with pytest.warns(DeprecationWarning, match="Random-v0 is out of date"):
        env = gymnasium.make("PriorLab/Random-v0", levels=3)
    assert {place.look for place in env.unwrapped.games.places} == {Dials(edition=1)}
    assert {place.look for place in gymnasium.make("PriorLab/Random-v1", levels=3).unwrapped.games.places} == {
        Dials(edition=2)
    }


def test_the_study_looks_go_on_random_levels_too():
    env = gymnasium.make("PriorLab/Random-v1", levels=3, looks=None, version="masked_semantics")
    assert {place.look for place in env.unwrapped.games.places} == {"masked_semantics"}
    games = Games(1, **random_settings(3))
    assert {place.look for place in games.places} == {Dials()}


def test_each_game_can_have_a_look_of_its_own():
    level, looks = TRAINING[5].level, [Dials(objects=0), None, {"semantics": 0}]
    together = Games(3, level=level, looks=looks, look_seed=[1, 2, 3], screen_size=24, still=False).reset(0)
    for lane, look in enumerate(looks):
        alone = Games(1, level=level, looks=look, look_seed=lane + 1, screen_size=24, still=False).reset(0)
        assert (alone[0] == together[lane]).all()
    with pytest.raises(ValueError, match="looks lists 3 values for 2 games"):
        Games(2, level=level, looks=looks)
