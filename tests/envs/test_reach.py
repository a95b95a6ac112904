"""When plays reached the objects and ladders of a level: by hand, and in summaries."""

import numpy as np
import pytest

from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import FIELDS, REACH, X, Y, touched
from priorlab.envs.plays.play import Play
from priorlab.envs.plays.tracks import NEAR, on_ladders, reached, things_of, track
from priorlab.scripts.analysis.players import Section, kinds_of
from priorlab.scripts.analysis.reaching import half_time, incidence, reaches, reaches_of
from priorlab.scripts.analysis.statistics import Played
from priorlab.scripts.analysis.tables import reached as table_of

SPIKES = 'name = "spikes"\ngame = "key_door"\n---\n|       |\n| kS  ^ |\n|######D|\n'


def times_in(play):
    """Thing -> inputs, for the things that the play reached."""
    found = reached(play)
    return {row.thing: int(row.inputs) for row in found.itertuples() if row.inputs == row.inputs}


def test_what_a_play_reached_by_hand():
    """Spikes are at x 90 to 105, the start's centre at 52.5: within 15 px from 75 on, 15 steps of 1.5 px. The key, 30
    to 45, is within reach of the start: it counts once the player has left it, beyond 60, and comes back."""
    walk = Play.of([2] * 21 + [1] * 3 + [2] * 10 + [1] * 8 + [0] * 3, level=SPIKES)
    measured = walk.measure()
    assert [thing.name for thing in things_of(walk.level)] == ["spikes 1", "key", "door"]
    assert times_in(walk) == {"spikes 1": 15, "key": 21 + 3 + 10 + 2}  # not at 21, where the death puts the player back
    assert reached(walk)["order"].tolist()[:2] == [1, 2] and np.isnan(reached(walk)["order"][2])
    places = track(measured)
    assert places["inputs"].tolist() == [6, 12, 18, 20, 24, 30, 36, 42, 45]  # and the last before the death at 21
    assert places["life"].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert places["x"].tolist() == measured.x[places["inputs"] - 1].tolist()


def test_a_monster_is_reached_where_it_is_and_spikes_not_from_below():
    """The monster walks 2 px per step, from 75 to 45 and back (its left): 15 px from the player's centre, 37.5, by
    12."""
    patrol = 'name = "m"\ngame = "key_door"\nperiod = 30\n---\n|k       |\n| S~~m  D|\n|########|\n'
    assert times_in(Play.of([0] * 11, level=patrol)) == {}
    assert times_in(Play.of([0] * 12, level=patrol)) == {"monster 1": 12}
    below = Play.of([2] * 30 + [3] + [0] * 12, game="key_door")  # a jump under the third spikes, 90 to 105, 225 to 240
    assert (below.measure().y - 240).min() <= NEAR and abs(below.measure().x[-1] - 97.5) < 1
    assert times_in(below) == {}


def test_a_ladder_is_reached_when_it_is_touched_in_gravity_too():
    """The ladder's right is 31, counted as the rules count; the player's left 31 after 10 steps of 1.5 px from 52.5."""
    assert times_in(Play.of([1] * 10, game="key_door")) == {}
    assert times_in(Play.of([1] * 11, game="key_door")) == {"ladder 4": 11}
    assert times_in(Play.of([1] * 11, "gravity", game="key_door")) == {}
    assert times_in(Play.of([4] * 11, "gravity", game="key_door")) == {"ladder 4": 11}  # up goes to the level's left


def test_of_many_ladders_each_state_s_are_those_of_the_rules():
    """93 ladders, more than the bits of a number; the plain rules say which tiles the player overlaps."""
    row, blank = "|" + "H#" * 31 + "|\n", "|" + "  " * 31 + "|\n"
    level = Level.read('name = "l"\ngame = "key_door"\n---\n' + 3 * (row + blank) + "|kS" + "#" * 59 + "D|\n")
    ladders = [thing for thing in things_of(level) if thing.kind == "ladder"]
    states = np.zeros((300, FIELDS), np.int32)
    states[:, X], states[:, Y] = np.random.default_rng(0).integers(0, [30 * level.width, 30 * level.height], (300, 2)).T
    for state, met in zip(states.tolist(), on_ladders(states, level, ladders)):
        for ladder, is_met in zip(ladders, met.tolist(), strict=True):
            tiles = np.zeros(np.shape(level.tiles), int)
            tiles[ladder.tiles[0]] = 1
            assert is_met == bool(touched(tiles, state[X], state[Y]) | touched(tiles, state[X], state[Y] + REACH))


@pytest.mark.parametrize("depth", range(3, 9))
def test_where_a_player_died_counts_though_the_rules_put_it_back(depth):
    rows = ["|kS   |", "|##   |"] + ["|     |"] * depth + ["|^^^^^|", "|D####|"]
    fall = Play.of([2] * 60 + [0] * 60, level="\n".join(['name = "f"', 'game = "key_door"', "---", *rows, ""]))
    died = np.flatnonzero(fall.measure().events) + 1
    assert died[0] - 1 <= times_in(fall)["spikes 1"] <= died[0]


def test_how_many_have_reached_a_thing_by_hand():
    """Of four players, one quits first; one of three reaches the thing at 1, one of the other two at 2; the last wins
    without."""
    times, events = np.array([0.5, 1, 2, 3]), np.array([0, 1, 1, 2])
    ordered, share = incidence(times, events)
    assert ordered.tolist() == [0.5, 1, 2, 3] and share == pytest.approx([0, 1 / 3, 2 / 3, 2 / 3])
    assert half_time(times, events) == 2
    assert half_time(times, np.array([0, 1, 2, 2])) == np.inf
    assert half_time(np.array([1, 2, 3, 4.0]), np.array([1, 1, 1, 1])) == 2.5  # as in R
    weights = np.array([[1, 1, 1, 1], [0, 2, 1, 3], [2, 0, 1, 1]])
    repeated = [half_time(times.repeat(row), events.repeat(row)) for row in weights]
    assert half_time(times, events, weights).tolist() == repeated


def test_the_order_of_reaching_is_summed_up():
    def walk(first, second, person, won=True):
        return Played(
            version="original", method="person", player="person", privileged=False, folder=person, level=SPIKES,
            settings={"player_id": person}, frame_skip=1, finished=True, budget=5400, inputs=5400, won=won, deaths=0,
            mastered=np.nan, curve=np.zeros((2, 0)), visits=np.zeros((0, 3), np.int64), game="key_door",
            reached={"spikes 1": 1800.0 * first, "key": 1800.0 * second, "door": np.nan},
        )  # fmt: skip

    things = things_of(Level.read(SPIKES))[:2]
    runs = [walk(1, 2, "a"), walk(2, np.nan, "b", False), walk(np.nan, 1, "c"), walk(np.nan, np.nan, "d", False)]
    (kind,) = kinds_of(runs)
    spikes, key = reaches(things, kind, "original", runs)
    for each, place, early, times in ((spikes, 5.5, (0.5, 0), (1, 2)), (key, 6.5, (0.25, 0.25), (1, 2))):
        assert each.place and each.median and each.reached
        assert (each.times, each.place.value, each.early[:2]) == (times, place / 4, early)
        assert (each.median.value, each.reached.value) == (2, 0.5)
    few = reaches(things, kind, "original", runs[:2])  # two players: only their own times
    assert [(each.times, each.median, each.place, each.early) for each in few] == [
        ((1, 2), None, None, ()), ((2,), None, None, ()),
    ]  # fmt: skip
    (whole,) = [Section("key_door", SPIKES, ("original",), tuple(runs))]
    frame = table_of(whole)
    assert frame[["inputs", "minutes", "order"]].isna().all(axis=1).sum() == 8 and len(frame) == 12
    assert frame["order"].dropna().tolist() == [1, 2, 1, 1]
    assert [each.thing.short for each in reaches_of(whole)] == ["S1", "K", "D"]
