"""Replaying a play in one call gives the same states as stepping it, bit for bit."""

import numpy as np
import pytest

from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import DEATHS, HAS_KEY, SOLVED, UNIQUE_STATES
from priorlab.envs.game.versions import games, versions
from priorlab.envs.plays.play import Course, Play, replay

BOTH = [(game, version) for game in games() for version in versions(game)]


def stepped(version: str, level: Level, inputs: np.ndarray) -> np.ndarray:
    """The states that a course goes through, until it is won."""
    course = Course(version, level, size=15)
    states = [course.state.copy()]
    for action in inputs:
        if course.solved:
            break
        course.step(int(action))
        states.append(course.state.copy())
    return np.array(states)


def wandering(seed: int, count: int) -> np.ndarray:
    """Inputs, each held for a while, so that the player gets around: onto ladders, into fire, over edges."""
    generator = np.random.default_rng(seed)
    return np.repeat(generator.integers(0, 6, count), generator.integers(1, 40, count))[:count]


@pytest.mark.parametrize(("game", "version"), BOTH, ids="/".join)
def test_replaying_equals_stepping_in_every_version(game, version):
    level = Level.read(game)
    inputs = wandering(len(version), 3000)
    expected = stepped(version, level, inputs)
    play = Play.of(inputs[: len(expected) - 1], version, game=game)
    assert (play.states == expected).all()
    assert expected[-1, DEATHS] > 0 and expected[-1, UNIQUE_STATES] > 30


def test_replaying_equals_stepping_through_key_and_win():
    level = Level.read(
        'name = "short"\ngame = "key_door"\nperiod = 10\n---\n|          |\n| S k    D |\n|##########|\n'
    )
    inputs = np.concatenate([np.full(60, 2), [3], np.full(200, 2)])
    expected = stepped("original", level, inputs)
    assert expected[-1, SOLVED] and expected[-1, HAS_KEY]
    assert (Play.of(inputs[: len(expected) - 1], level=level).states == expected).all()
    with pytest.raises(ValueError, match="expected no input after the win"):
        replay("original", level, Play.of(inputs[: len(expected) - 1], level=level).inputs + "l")


def test_loading_draws_nothing(tmp_path, monkeypatch):
    path = Play.of("rrrrrr", player="simulated").save(tmp_path / "a.play")

    def refuse(*_):
        raise AssertionError("a picture was drawn")

    monkeypatch.setattr("priorlab.envs.plays.play.Course", refuse)
    loaded = Play.load(path)
    assert loaded.player == "simulated" and loaded.measure().total_deaths == 1
