"""Plays: recorded, saved, rejected when damaged, and replayed exactly."""

import json
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priorlab.envs.engine.games import Games
from priorlab.envs.game.rules import CLOCK, DEATHS, FIELDS, HAS_KEY, LAST_SIDE, SOLVED, X, Y
from priorlab.envs.plays.lane_recorder import LaneRecorder
from priorlab.envs.plays.play import CHARACTERS, Play, hash_state
from priorlab.envs.plays.play_file import checksum
from tests.support.paths import DATA

WIN = (
    "ujjlljj..jjjddllllllllllluuuuuuuuuuuuuuuu..uu.....urruu.......rrrrrrrrrrrrrrrjjrrrrrrrrj......"
    "urrrrrruurulruuuuuuuuuuuulllll.lllllljlllllllllllllll"
)
DEATH = "rrrrrr"  # falls into the fire right of the start
EASY = """name = "easy"
goal_size = [15, 15]
---
|             |
| *  S      G |
|#############|
"""

RESTARTING = """name = "restarting"
game = "key_door"
period = 10
---
|        |
| ~m     |
|########|
|        |
| *Sk D  |
|########|
"""

games_played = st.builds(
    lambda runs: "".join(character * times for character, times in runs),
    st.lists(st.tuples(st.sampled_from(CHARACTERS), st.integers(1, 12)), max_size=30),
)


@cache
def short_play() -> Play:
    return Play.of(DEATH + "lllrj", id="abcdefgh")


def until_the_win(inputs: str, level: str | None = None) -> str:
    """The inputs up to the winning one, if there is one."""
    games = Games(1, level=level, autoreset=False)
    games.reset(seed=0)
    for count, character in enumerate(inputs, 1):
        _, rewards, terminated, _ = games.step(np.array([CHARACTERS.index(character)]))
        if rewards[0]:
            return inputs[:count]
        if terminated[0]:
            games.restart(np.array([0]), new_play=False)
    return inputs


def test_a_win_is_replayed_through_deaths():
    play = Play.of(DEATH + DEATH + WIN)
    found = play.measure()
    assert (play.ended, found.solved, found.inputs, found.total_deaths) == ("win", True, 12 + len(WIN), 2)
    assert np.flatnonzero(found.events).tolist() == [5, 11] and found.deaths[[4, 5, 11, -1]].tolist() == [0, 1, 2, 2]
    assert found.x[0] == 127 and found.x[6] == 127, "each life begins at the start"
    assert found.unique_states[-1] == found.total_unique_states == Play.of(DEATH + WIN).measure().total_unique_states
    assert found.minutes == found.inputs / 30 / 60
    frames = list(play.frames())
    assert len(frames) == found.inputs + 1 and frames[0].shape == (240, 240, 3)
    assert (frames[6] == frames[0]).all() and (frames[12] == frames[0]).all(), "a death shows the start again at once"
    assert next(play.frames(84)).shape == (84, 84, 3)


def test_a_play_without_an_input():
    play = Play.of("")
    assert play.measure().inputs == 0 and play.measure().total_unique_states == 1 and len(list(play.frames())) == 1
    assert Play.of([]).states.shape == (1, FIELDS)


@pytest.mark.parametrize("inputs", ["rrx", [0, 6], [-1], [0.5]])
def test_what_is_no_input_is_refused(inputs):
    with pytest.raises(ValueError, match=r"expected"):
        Play.of(inputs)


def test_inputs_after_the_win_are_refused():
    with pytest.raises(ValueError, match=r"won by input 147 of 148"):
        Play.of(WIN + "l")


@settings(max_examples=15, deadline=None)
@given(games_played, st.sampled_from(["original", "all_masked"]), st.integers(0, 3))
def test_any_play_comes_back_from_its_file(tmp_path_factory, inputs, version, look_seed):
    inputs = until_the_win(inputs, EASY)
    play = Play.of(inputs, version, level=EASY, look_seed=look_seed, ended="limit", player_id="p1")
    path = play.save(tmp_path_factory.mktemp("plays") / "a.play")
    loaded = Play.load(path)
    assert loaded == play and (loaded.states == play.states).all() and not loaded.redrawn
    assert loaded.inputs == inputs and loaded.ended == ("win" if play.states[-1, SOLVED] else "limit")
    assert [file.name for file in path.parent.iterdir()] == ["a.play"]


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_refused_or_the_same_play(tmp_path_factory, data):
    play = short_play()
    whole = play.text().encode()
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:place]  # cut off, or a byte altered
    if data.draw(st.booleans()):
        damaged += bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :]
    path = tmp_path_factory.getbasetemp() / "damaged.play"
    path.write_bytes(damaged)
    try:
        loaded = Play.load(path)
    except ValueError as error:
        assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
    else:
        assert loaded == play, "only how the JSON is spaced may differ"
    assert path.read_bytes() == damaged


def test_a_forged_file_is_refused_with_the_reason(tmp_path):
    """Even with a matching checksum, nobody can change what happened."""
    content = json.loads(Play.of(DEATH + "ll").text())
    forged = {
        "ended": ("win", "not won"),
        "inputs": (["rrrrrlr"], "last state"),
        "last_state": ("0" * 64, "last state"),
        "rules": ("lunar", "lunar"),
        "version": ("nonesuch", "expected one of original"),
        "seed": ("0", "seed is '0': expected a int"),
        "schema": (99, "schema 99"),
        "level": (content["level"][:-1] + ["|  ?"], "row 15, column 3"),
        "player": ("cat", "expected one of person, agent, simulated"),
    }
    path = tmp_path / "forged.play"
    for name, (value, reason) in forged.items():
        altered = {**content, name: value}
        altered["checksum"] = checksum(altered)
        path.write_text(json.dumps(altered), encoding="utf-8")
        with pytest.raises(ValueError, match=r"^.*forged\.play: .*") as caught:
            Play.load(path)
        assert reason in str(caught.value), name


def test_the_file_can_be_read_and_tells_no_more_than_it_must(tmp_path):
    play = Play.of("..llrr" * 20, "masked_semantics")
    content = json.loads(play.save(tmp_path / "new" / "a.play").read_text(encoding="utf-8"))
    assert content["inputs"] == ["..llrr" * 5] * 4, "one second a line"
    assert content["level"][6:] == list(play.level.rows), "the level is a picture"
    assert len(content["id"]) == 8 and len(content["date"]) == len("2020-01-31")


def test_a_play_never_overwrites_another(tmp_path):
    path = Play.of("ll").save(tmp_path / "a.play")
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match=r"a\.play exists"):
        Play.of("rr").save(path)
    assert path.read_bytes() == before


def test_a_recording_made_today_stays_valid():
    """A file of the first schema, as written; neither it nor its measures may ever change."""
    play = Play.load(DATA / "first.play")
    found = play.measure()
    assert (play.version, play.ended, found.total_deaths, found.inputs) == ("original", "win", 1, 153)
    assert found.total_unique_states == 124 and (found.x[-1], found.y[-1]) == (43, 59.5)


def test_the_hash_of_a_state_depends_on_no_platform():
    state = np.arange(FIELDS, dtype=">i4")
    state[[CLOCK, LAST_SIDE, HAS_KEY]] = 0
    assert hash_state(state) == hash_state(state.astype(np.int64))
    assert hash_state(state).startswith("53bfb09a8803b408"), (
        "as before there were patrols, alternating ladders and keys"
    )
    changed = [np.where(np.arange(FIELDS) == field, 99, state) for field in (DEATHS, CLOCK, LAST_SIDE, HAS_KEY)]
    assert len({hash_state(other) for other in (state, *changed)}) == 5


@pytest.mark.parametrize("frame_skip", [1, 3])
@pytest.mark.parametrize(("level", "rights"), [(EASY, 6), (RESTARTING, 9)], ids=["princess", "key_door"])
def test_agents_plays_are_recorded_lane_by_lane(level, rights, frame_skip):
    games = Games(2, ["original", "all_masked"], level=level, max_inputs=100, frame_skip=frame_skip)
    games.reset(seed=0)
    recorders = [LaneRecorder(games, 0, "original"), LaneRecorder(games, 1, "all_masked", player_id="random")]
    random, plays = np.random.default_rng(0), []
    for _ in range(700 // frame_skip):
        actions = random.choice([1] * 5 + [2] * rights + [3], 2)
        games.step(actions)
        for recorder, action in zip(recorders, actions):
            play = recorder.step(int(action))
            if play:
                lane = recorder.lane
                at = int(np.flatnonzero(games.ended == lane)[0])
                assert play.measure().inputs == games.final_info["inputs"][at]
                assert play.measure().total_deaths == games.final_info["deaths"][at]
                assert play.states[-1, X] / 2 == games.final_info["x"][at]
                plays.append(play)
    rest = recorders[0].end()
    assert rest.measure().inputs == games.info()["inputs"][0] and rest.states[-1, Y] == games.state[0, Y]
    assert {play.ended for play in plays} == {"win", "limit"} and {play.player for play in plays} == {"agent"}
    assert any(play.measure().total_deaths for play in plays) and {play.version for play in plays} > {"original"}


@pytest.mark.parametrize("settings", [{"random_start": 5}, {"autoreset": False}, {"order": "in_order"}])
def test_lanes_that_cannot_be_recorded_are_refused(settings):
    games = Games(1, **settings)
    games.reset(seed=0)
    with pytest.raises(ValueError, match='expected games with autoreset, order "own" and without random_start'):
        LaneRecorder(games, 0, "original")
