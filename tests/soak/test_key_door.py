"""Key and Door at length: searched whole, won at a real window in real time, and not by chance."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from priorlab.envs.engine.games import Games
from priorlab.envs.game.level import Level
from priorlab.envs.game.solver import Solver
from priorlab.envs.game.versions import find_rules
from priorlab.envs.plays.play import Play, as_characters
from tests.envs.test_key_door import solution
from tests.support.screen import Screen, a_screen, needs_x, win_at_the_window


@pytest.mark.parametrize("version", ["original", "ladder_interaction"])
def test_the_solver_finds_the_solution_that_is_kept(version: str):
    """A minute and 2 GB of memory each, on a quiet core."""
    rules = find_rules("key_door" if version == "original" else "key_door_ladder_interaction")
    found = Solver(Level.read("key_door"), rules).run(exhaustive=version == "original")
    assert found.inputs is not None and as_characters(found.inputs) == solution("key_door", version)
    assert version != "original" or (found.states, found.positions) == (72_920_160, 32_591)


def test_random_inputs_do_not_win_in_ten_million():
    batch = Games(100, game="key_door", obs="tiles")
    batch.reset(0)
    for actions in np.random.default_rng(1).integers(0, 6, (100_000, 100)):
        assert not batch.step(actions)[1].any()


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    yield from a_screen(tmp_path_factory.mktemp("screen"))


@needs_x
@pytest.mark.parametrize("version", ["original", "ladder_interaction", "gravity"])
def test_a_whole_game_is_won_at_the_window_by_real_keys(screen: Screen, tmp_path: Path, version: str):
    """Half a minute each: at 30 inputs a second, as people play."""
    wanted = Play.of(solution("key_door", version), version, game="key_door")
    play, printed = win_at_the_window(screen, tmp_path, wanted, "--game", "key_door")
    assert printed.splitlines()[1].startswith("win after ")
    assert (play.ended, play.measure().total_deaths) == ("win", 0)
    before = len(play.inputs) - len(wanted.inputs)
    assert play.inputs == "." * before + wanted.inputs, "none but those, once the monsters are where they were at first"
    assert before % wanted.level.period == 0
