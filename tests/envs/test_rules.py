"""The rules against steps recorded in the study's public game, and their guarantees on any level."""

import json

import gymnasium
import numpy as np
import pytest

import priorlab  # noqa: F401  registers the games
from priorlab.envs.game import rules
from priorlab.envs.game.level import Level
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.versions import find_rules
from tests.support.paths import RECORDINGS

KEYS = ".lrjud"
LEVELS = {"original": "princess", "masked": "princess_masked_geometry"}
STEPS = {"original": 9531, "masked": 6843}


def recorded(name):
    return json.loads((RECORDINGS / f"{name}.json").read_text())


def entry(episode, t):
    fields = [episode[key][t] for key in ("x2", "y2", "jumping", "speed", "on_ladder", "enemies")]
    return [int(field) for field in fields]


@pytest.mark.parametrize("name", LEVELS)
def test_every_recorded_step_is_reproduced(name):
    env = gymnasium.make("PriorLab/Princess-v0", level=LEVELS[name], screen_size=16)
    steps = 0
    for episode in recorded(name):
        _, info = env.reset(seed=0)
        assert [2 * info["x"], 2 * info["y"]] == [episode["x2"][0], episode["y2"][0]]
        for t, key in enumerate(episode["actions"]):
            _, reward, terminated, truncated, info = env.step(KEYS.index(key))
            steps += 1
            assert not truncated
            if t + 1 == len(episode["x2"]):  # the recording has no state for the last step of an episode
                assert terminated and episode["end"] == ("win" if reward else "death")
                break
            found = [2 * info["x"], 2 * info["y"], info["jumping"], info["speed"], info["on_ladder"]]
            assert [*found, info["enemies_alive"]] == entry(episode, t + 1)
            assert reward == 0 and not terminated
    assert steps == STEPS[name]


@pytest.mark.parametrize("name", LEVELS)
def test_the_same_rules_run_as_plain_python(name):
    level = Level.read(LEVELS[name])
    numbers, state = level_numbers(level, find_rules("princess")), np.zeros(rules.FIELDS, np.int32)
    ends = {"win": rules.WIN, "death": rules.DEATH, "open": rules.ONGOING}
    for episode in recorded(name)[:12]:
        rules.begin(numbers, state)
        outcome = rules.ONGOING
        for t, key in enumerate(episode["actions"]):
            outcome = rules.step(level.tiles, numbers, level.monsters, state, KEYS.index(key))
            if outcome == rules.ONGOING:
                alive = int(state[rules.MONSTERS]).bit_count()
                assert [*state[: rules.MONSTERS].tolist(), alive] == entry(episode, t + 1)
        assert outcome == ends[episode["end"]]


def test_a_fall_out_of_the_frame_has_no_rule_and_ends_at_the_limit():
    env = gymnasium.make("PriorLab/Princess-v0", level="---\nS  \n#  \n  G\n", max_inputs=60, screen_size=16)
    env.reset(seed=0)
    for _ in range(59):
        _, _, terminated, truncated, info = env.step(rules.RIGHT)
        assert not terminated and not truncated
    assert info["y"] > 100 and info["x"] > 100
    assert env.step(rules.RIGHT)[3]


def test_touching_fire_and_goal_in_one_step_is_a_win():
    env = gymnasium.make("PriorLab/Princess-v0", level="goal = [30, 7.5]\n---\nS*G\n###\n", screen_size=16)
    env.reset(seed=0)
    _, reward, terminated, _, info = env.step(rules.RIGHT)
    assert (reward, terminated, info["solved"], info["deaths"]) == (1.0, True, True, 0)


def test_a_monster_is_crushed_from_above_and_kills_from_the_side():
    env = gymnasium.make("PriorLab/Princess-v0", level="---\n  S  \n     \n  m G\n#####\n", screen_size=16)
    env.reset(seed=0)
    alive = [env.step(rules.NONE)[4]["enemies_alive"] for _ in range(12)]
    assert alive[0] == 1 and alive[-1] == 0
    env = gymnasium.make("PriorLab/Princess-v0", level="---\nS  mG\n#####\n", screen_size=16)
    env.reset(seed=0)
    for _ in range(8):
        _, reward, terminated, _, info = env.step(rules.RIGHT)
        if terminated:
            break
    assert terminated and reward == 0 and info["deaths"] == 1 and not info["solved"]


def test_cells_of_pixels_are_those_of_a_division():
    near, far = np.arange(-5000, 5000), (rules.TILE << 23) - 1 - np.arange(5000)
    for at in (near, far, -far):
        assert [rules.cell_of(int(each)) for each in at] == (at // rules.TILE).tolist()
