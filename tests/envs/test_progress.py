"""The share of the shortest way that a play has covered: by a plain search, by hand, and at its ends."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priorlab.envs.game.level import Level
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.rules import DEATH, FIELDS, HAS_KEY, RESTARTS, WIN, X, Y, put_at_start, step
from priorlab.envs.game.solver import Solver
from priorlab.envs.game.versions import find_rules
from priorlab.envs.plays import progress as progress_file
from priorlab.envs.plays.play import Play, rules_of
from priorlab.envs.plays.progress import UNKNOWN, covered, find_distances, progress
from tests.envs.test_solver import CELL, FUTURE, SHUT, STAIR, searched

SPIKES = 'name = "spikes"\ngame = "key_door"\n---\n|          |\n| k S      |\n|#####^###D|\n'
VERSIONS = ["original", "ladder_interaction", "gravity"]
PROBLEMS = [(STAIR, "original"), (STAIR, "gravity"), (STAIR, "ladder_interaction"), (SPIKES, "original")]


def shares(play: Play) -> np.ndarray:
    """float64 (2, k): the inputs at which the share rose, and the share."""
    return covered(*progress(play).to_numpy().T)


def level_and_rules(text: str, version: str):
    level = Level.read(text)
    return level, find_rules(rules_of(level.game, version))


@cache
def nearest(text: str, version: str) -> dict[tuple, int]:
    """(has the key, x, y) -> the least number of inputs to the win, by a plain search without monsters."""
    head, rows = text.split("---")
    bare = f"{head}---{rows.replace('m', ' ').replace('~', ' ')}"
    rules = rules_of(Level.read(text).game, version)
    leads_to, _, _ = searched(bare, rules, 1)
    start = next(iter(leads_to)) if find_rules(rules).restarts else None  # where a death leads
    comes_from: dict = {}
    for own, ends in leads_to.items():
        for end in ends:
            comes_from.setdefault(start if end == DEATH else end, []).append(own)
    far: dict[Any, int] = {WIN: 0}
    layer: Iterable = [WIN]
    while layer:
        layer = {own for end in layer for own in comes_from.get(end, ()) if own not in far}
        far |= dict.fromkeys(layer, max(far.values()) + 1)
    least: dict[tuple, int] = {}
    for own, distance in far.items():
        if own != WIN:
            at = own[FUTURE.index(HAS_KEY)], own[0], own[1]
            least[at] = min(distance, least.get(at, distance))
    return least


@pytest.mark.parametrize("text, version", PROBLEMS, ids=lambda value: value.split('"')[1] if "\n" in value else value)
def test_distances_are_those_of_a_plain_search(text, version):
    level, rules = level_and_rules(text, version)
    found, expected = find_distances(level, rules), nearest(text, version)
    states = np.zeros((len(expected), FIELDS), np.int32)
    states[:, [HAS_KEY, X, Y]] = list(expected)
    assert found.of(states).tolist() == list(expected.values())
    assert (found.table != UNKNOWN).sum() == len(expected)
    outside = states[:1].repeat(4, axis=0)
    outside[:, X] += [-10_000, 10_000, 0, 0]
    outside[:, Y] += [0, 0, -10_000, 10_000]
    assert set(found.of(outside).tolist()) == {UNKNOWN}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("level", [STAIR, CELL, "princess"], ids=["stair", "cell", "princess"])
def test_a_shortest_solution_covers_all_of_the_way_at_its_last_input_and_not_before(level, version):
    """The solver's own, with monsters: it can be longer than the way without them, but not shorter."""
    way = Solver(*level_and_rules(level, version)).run(exhaustive=False).inputs
    assert way is not None
    inputs, share = shares(Play.of(way, version, level=level))
    assert (inputs[0], share[0]) == (0, 0) and (inputs[-1], share[-1]) == (len(way), 1)
    assert (np.diff(inputs) > 0).all() and (np.diff(share) > 0).all()
    assert progress(Play.of(way, version, level=level))["remaining"].iloc[0] <= len(way)
    assert shares(Play.of(way[:-1], version, level=level))[1, -1] < 1


@pytest.mark.parametrize("game", ["princess", "key_door"])
def test_who_stands_still_covers_nothing(game):
    assert shares(Play.of([0] * 200, game=game)).tolist() == [[0], [0]]


@pytest.mark.parametrize("text", [STAIR, SPIKES], ids=["stair", "spikes"])
@settings(deadline=None, max_examples=50)
@given(runs=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 30)), max_size=20))
def test_the_share_never_falls_whatever_is_played(text, runs):
    """The same as the least distance so far, position by position, deaths and restarts included."""
    inputs = [action for action, times in runs for _ in range(times)]
    level, rules = level_and_rules(text, "original")
    state, taken, expected = np.zeros(FIELDS, np.int32), 0, nearest(text, "original")
    numbers, monsters = level_numbers(level, rules), level.monsters.reshape(-1, 4)
    put_at_start(numbers, state)
    least = [find_distances(level, rules).first]
    for taken, action in enumerate(inputs, 1):  # noqa: B007
        outcome = step(level.tiles, numbers, monsters, state, action)
        if outcome == DEATH and numbers[RESTARTS]:
            put_at_start(numbers, state)
        here = 0 if outcome == WIN else expected.get((state[HAS_KEY], state[X], state[Y]), least[-1])
        least.append(min(least[-1], here))
        if outcome == WIN:
            break
        if outcome == DEATH:
            put_at_start(numbers, state)
    play = Play.of(inputs[:taken], level=text)
    got, share = shares(play)
    assert (np.diff(share) > 0).all() and (share[-1] == 1) == play.solved
    assert progress(play)["remaining"].tolist() == sorted(set(least), reverse=True)
    assert got.tolist() == [least.index(each) for each in sorted(set(least), reverse=True)]


def test_the_way_leads_to_the_key_first():
    """Next to the door is close only with the key: it is on the other side of the start."""
    level, rules = level_and_rules(SPIKES, "original")
    found, states = find_distances(level, rules), np.zeros((2, FIELDS), np.int32)
    expected = nearest(SPIKES, "original")
    states[:, [HAS_KEY, X, Y]] = min((at for at in expected if at[0]), key=expected.__getitem__)
    states[1, HAS_KEY] = 0
    with_it, without = found.of(states).tolist()
    assert with_it == 1 and without > found.first


def test_a_level_out_of_reach_has_no_progress_and_says_why(monkeypatch):
    play = Play.of([1, 2, 3], level=SHUT)
    assert progress(play).empty and shares(play).shape == (2, 0)
    with pytest.raises(ValueError, match=r"^level 'shut': no solution$"):
        find_distances(play.level, find_rules(play.rules))
    monkeypatch.setattr(progress_file, "MOST_STATES", 1000)
    many = progress_file.search.__wrapped__(*level_and_rules("key_door", "original"))
    assert many == "too many states to search for the shortest way"
    crowd = Level.read('name = "crowd"\n---\nS' + "m" * 20 + "G\n" + "#" * 22 + "\n")
    assert find_distances(crowd, find_rules("princess")).first > 0  # its monsters don't count
