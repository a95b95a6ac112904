"""Key and Door: its rules, on the real level and on small ones; every version of both games can be won."""

import tomllib
from functools import cache

import gymnasium
import numpy as np
import pytest

import priorlab  # noqa: F401  registers the games
from priorlab.envs.engine.games import Games
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import (
    CLOCK,
    DEATHS,
    DOWN,
    EPISODE_INPUTS,
    HAS_KEY,
    JUMP,
    JUMPING,
    LAST_SIDE,
    LEFT,
    MONSTERS,
    NONE,
    ON_LADDER,
    PLAY_INPUTS,
    RIGHT,
    SPEED,
    UP,
    X,
    Y,
)
from priorlab.envs.game.solver import Solver
from priorlab.envs.game.versions import find_rules, find_version, games, versions
from priorlab.envs.plays.play import Play, as_characters
from tests.support.paths import DATA

SOLUTIONS = DATA / "solutions.toml"
TURN = str.maketrans("lrud", "udrl")  # the same directions on a rotated screen
PLACED = [X, Y, JUMPING, SPEED, ON_LADDER, MONSTERS, CLOCK, LAST_SIDE, HAS_KEY]
HALL = """name = "hall"
game = "key_door"
period = 10
---
|         |
| ~m    m |
|#########|
|         |
| D S k ^ |
|#########|
"""
PIT = """name = "pit"
game = "{game}"
---
|G        |
|#        |
|S        |
|#       |
"""
SHAFT = """name = "shaft"
game = "key_door"
---
|       |
|  H k D|
|##H####|
|  H    |
|  H    |
|S H    |
|#######|
"""


@cache
def solution(game: str, version: str) -> str:
    """A shortest solution by the rules of that version, as characters of a recording."""
    rules = find_version(game, version).rules
    if game == "princess":
        inputs = Solver(Level.read(game), find_rules(rules)).run(exhaustive=False).inputs
        assert inputs is not None
        return as_characters(inputs)
    kept = {name: "".join(lines) for name, lines in tomllib.loads(SOLUTIONS.read_text()).items()}
    return kept["key_door"].translate(TURN) if version == "gravity" else kept[rules]


def start(version="original", **settings):
    env = gymnasium.make("PriorLab/KeyDoor-v0", version=version, screen_size=45, **settings)
    first, info = env.reset(seed=0)
    return env, first, info


def take(env, *inputs):
    """The last step's (picture, reward, terminated, truncated, info)."""
    for action in inputs:
        answer = env.step(action)
    return answer


def test_the_level_is_the_one_described():
    level = Level.read("key_door")
    floors = [r for r, row in enumerate(level.rows) if row.count("#") > level.width / 2]
    assert len(floors) >= 4 and level.game == "key_door"
    assert level.key is not None and level.key[0] < floors[0] and level.key[1] > level.width * 2 / 3
    (door,) = level.tiles_of("D")
    assert door[0] < floors[0] and door[1] < level.width / 3
    assert level.tiles_of("m") and level.tiles_of("^") and level.start[1] > floors[-2] * 15


@pytest.mark.parametrize("game", games())
def test_every_version_is_won_by_the_solver_s_inputs_and_no_sooner(game):
    lengths = {}
    for version in versions(game):
        play = Play.of(solution(game, version), version, game=game)
        assert (play.ended, play.measure().total_deaths) == ("win", 0), version
        lengths[version] = len(play.inputs)
    assert all(lengths[version] == lengths["original"] for version in lengths if version != "ladder_interaction")
    if game == "key_door":
        assert 400 <= lengths["original"] <= 900 and lengths["original"] == 725


def test_the_door_ends_the_game_only_with_the_key_held():
    env, _, info = start(level=HALL)
    assert not info["has_key"]
    *_, reward, terminated, _, info = take(env, *[LEFT] * 20)
    assert info["x"] == 37.5 and not reward and not terminated, "in the middle of the door"
    *_, reward, terminated, _, info = take(env, *[RIGHT] * 33)
    assert info["has_key"] and not reward and not terminated
    for _ in range(32):
        _, reward, terminated, truncated, info = env.step(LEFT)
        if terminated:
            break
    assert (reward, terminated, truncated, info["solved"]) == (1.0, True, False, True)


def test_a_death_puts_everything_back_but_what_counts_over_the_play():
    """On the real level and a small one, with random inputs that tend to the right, towards spikes."""
    for level in (None, HALL):
        batch = Games(20, game="key_door", level=level, screen_size=45)
        first = batch.reset(0).copy()
        begun, before, died = batch.state.copy(), batch.state.copy(), np.zeros(20, int)
        generator, with_key = np.random.default_rng(0), 0
        for _ in range(4000):
            actions = generator.choice([NONE, LEFT, RIGHT, JUMP, UP, DOWN], 20, p=[0.02, 0.08, 0.6, 0.2, 0.1, 0])
            seen, rewards, terminated, truncated = batch.step(actions)
            assert not rewards.any() and not terminated.any() and not truncated.any(), "the game goes on"
            dead = batch.state[:, DEATHS] > before[:, DEATHS]
            assert (batch.state[dead][:, PLACED] == begun[dead][:, PLACED]).all()
            assert (seen[dead] == first[dead]).all(), "the key lies there again, the monsters are where they were"
            assert (batch.state[:, [EPISODE_INPUTS, PLAY_INPUTS]] == before[:, [EPISODE_INPUTS, PLAY_INPUTS]] + 1).all()
            died += dead
            with_key += before[dead, HAS_KEY].sum()
            before = batch.state.copy()
        assert (batch.info()["deaths"] == died).all() and died.sum() > 20
        assert level is None or with_key


def test_a_crushed_monster_lives_again_after_a_death():
    env, _, _ = start(level='game = "key_door"\n---\n|  S    |\n|       |\n|  m ^ G|\n|#######|\n')
    alive = [take(env, NONE)[4]["enemies_alive"] for _ in range(12)]
    assert alive[0] == 1 and alive[-1] == 0
    infos = [take(env, RIGHT)[4] for _ in range(20)]
    told = [(info["deaths"], info["enemies_alive"]) for info in infos]
    assert told[told.index((1, 1)) - 1] == (0, 0), "in the step of the death"


def test_deaths_time_and_unique_states_count_over_the_whole_play():
    """The spikes are 31 steps to the right of the start."""
    play, half = (Play.of(inputs, game="key_door", level=HALL) for inputs in ("r" * 31 + "l" * 5 + "r" * 36, "r" * 31))
    found = play.measure()
    assert (found.solved, found.total_deaths, found.inputs, half.measure().total_deaths) == (False, 2, 72, 1)
    assert np.flatnonzero(found.events).tolist() == [30, 71] and found.deaths[[29, 30, 70, 71]].tolist() == [0, 1, 1, 2]
    assert (found.x[[30, 71]] == 67.5).all(), "back at the start in the same step"
    assert play.states[30, HAS_KEY] and not play.states[31, HAS_KEY]
    assert half.measure().total_unique_states == 1 + 31 and found.total_unique_states == 1 + 31 + 5


def test_a_fall_below_the_lowest_floor_is_a_death_and_none_in_princess():
    inputs = "r" * 60
    fallen = Play.of(inputs, level=PIT.format(game="key_door").replace("G", "D").replace("|S", "kS"))
    assert fallen.measure().total_deaths >= 1
    assert Play.of(inputs, level=PIT.format(game="princess")).measure().total_deaths == 0


def test_thirty_minutes_at_thirty_inputs_a_second_are_the_limit():
    batch = Games(1, game="key_door", screen_size=19, frame_skip=1000, autoreset=False)
    batch.reset(0)
    ends = [(bool(terminated[0]), bool(truncated[0])) for _, _, terminated, truncated in
            (batch.step(np.array([NONE])) for _ in range(54))]  # fmt: skip
    assert ends == [(False, False)] * 53 + [(False, True)]
    assert batch.info()["inputs"] == 54_000


@pytest.mark.parametrize("level", [None, HALL])
def test_monsters_are_where_they_were_after_a_period_and_not_before(level):
    env, first, _ = start(level=level)
    period = Level.read(level or "key_door").period
    pictures = [take(env, NONE)[0] for _ in range(2 * period)]
    same = [number for number, picture in enumerate(pictures, 1) if np.array_equal(picture, first)]
    assert same == [period, 2 * period]


def test_on_a_ladder_left_and_right_in_turn_climb():
    env, _, _ = start("ladder_interaction", level=SHAFT)
    info = take(env, *[RIGHT] * 20)[4]
    assert info["x"] == 52.5
    info = take(env, UP, *[NONE] * 20)[4]  # a leap onto it
    assert info["on_ladder"]
    x, y = info["x"], info["y"]
    assert take(env, UP)[4]["y"] == y, "up does nothing"
    assert take(env, DOWN)[4]["y"] == y + 3.5 and take(env, LEFT)[4]["y"] == y, "left after right"
    assert take(env, RIGHT)[4]["y"] == y - 3.5
    assert take(env, NONE, UP, LEFT)[4]["y"] == y - 7, "what is pressed between them changes nothing"
    info = take(env, LEFT)[4]
    assert (info["x"], info["y"]) == (x - 1.5, y - 7), "the same side twice is a step aside"
    assert take(env, RIGHT)[4]["y"] == y - 10.5 and env.unwrapped._info()["x"] == x - 1.5


@pytest.mark.parametrize("game", games())
@pytest.mark.parametrize("size", [84, None])
def test_gravity_is_the_original_turned(game, size):
    level = Level.read(game)
    plain, turned = (
        Games(4, version, game=game, screen_size=size or level.side, grayscale_obs=False)
        for version in ("original", "gravity")
    )
    seen, seen_turned = plain.reset(0), turned.reset(0)
    same = np.array([NONE, UP, DOWN, JUMP, RIGHT, LEFT])  # of each input, on the rotated screen
    for actions in np.random.default_rng(0).choice(6, (400, 4), p=[0.05, 0.2, 0.4, 0.15, 0.15, 0.05]):
        assert np.array_equal(np.rot90(seen, -1, axes=(1, 2)), seen_turned)
        answer, answer_turned = plain.step(actions), turned.step(same[actions])
        assert all(np.array_equal(one, other) for one, other in zip(answer[1:], answer_turned[1:]))
        assert (plain.state == turned.state).all()
        seen, seen_turned = answer[0], answer_turned[0]


def test_random_inputs_do_not_win_in_a_million():
    batch = Games(100, game="key_door", obs="tiles")
    batch.reset(0)
    for actions in np.random.default_rng(0).integers(0, 6, (10_000, 100)):
        assert not batch.step(actions)[1].any()
