"""The twenty levels: each can be solved, is as long as stated in the docs, and has no traps."""

import re
from functools import cache

import numpy as np
import pytest

from priorlab.envs.engine.games import Games
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import JUMPING, TILE, X, Y
from priorlab.envs.game.sequences import TOWER
from priorlab.envs.game.solver import Labels, Solver
from priorlab.scripts.commands.solve import main as solve
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "levels.md"
ROW = re.compile(r"^\| (tower_\d\d) \|.*\| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", re.MULTILINE)


@cache
def page():
    """Name -> (inputs, states, positions) of each level, as in the docs."""
    return {name: tuple(int(number.replace(",", "")) for number in row) for name, *row in ROW.findall(PAGE.read_text())}


def explored(name):
    """(a shortest solution, labels of all states, positions) of a level."""
    solver = Solver(Level.read(name))
    labels: Labels = solver.labels()
    return solver.way(), labels, int(np.bitwise_count(solver.search.positions).sum())


def test_the_page_has_every_level_each_longer_than_the_one_before():
    lengths = [row[0] for row in page().values()]
    assert tuple(page()) == TOWER
    assert all(np.diff(lengths) > 0) and lengths[0] < 20 and lengths[-1] > 300


@pytest.mark.parametrize("name", TOWER)
def test_a_level_is_as_its_page_says_and_traps_nobody(name):
    level = Level.read(name)
    way, labels, positions = explored(name)
    assert (len(way), len(labels.states), positions) == page()[name]
    games = Games(1, level=level, screen_size=15)
    games.reset(0)
    won = [bool(games.step(np.array([action]))[1][0]) for action in way]
    assert won[-1] and not any(won[:-1])
    assert Solver(level, frame_skip=4).run(exhaustive=False).inputs is not None
    at_rest = labels.states[:, JUMPING] == 0
    assert (labels.distances[at_rest] > 0).all(), "somebody stands alive where there is no way to the goal"
    x, y = labels.states[:, X] / 2, labels.states[:, Y] / 2
    assert x.min() > 0 and x.max() < TILE * level.width and y.min() > 0 and y.max() < TILE * level.height


@pytest.mark.parametrize("name", TOWER)
def test_what_is_placed_stands_on_something(name):
    level = Level.read(name)
    for thing in "SGDkm~":
        for row, column in level.tiles_of(thing):
            assert level.rows[row + 1][column] in "#|", f"{thing!r} at row {row}, column {column}"
    row, column = next(iter(level.tiles_of("G") or level.tiles_of("D")))
    feet = level.goal[1] + level.goal_size[1] / 2
    assert abs(feet - TILE * (row + 1)) <= 1 and abs(level.goal[0] - TILE * (column + 0.5)) <= 2


def test_a_random_player_solves_none_of_the_last_ten():
    games = Games(10, level=list(TOWER[10:]), screen_size=15)
    games.reset(0)
    generator = np.random.default_rng(0)
    for actions in generator.integers(0, 6, (20_000, 10)):
        assert not games.step(actions)[1].any()


def test_the_command_tells_each_solution_and_which_level_has_none(tmp_path, capsys):
    path = tmp_path / "walled.txt"
    path.write_text('name = "walled"\n---\n|||||\n|S#G|\n|||||\n')
    solve(("tower_01",))
    assert re.search(r"tower_01 +16 +534 +388", capsys.readouterr().out)
    with pytest.raises(SystemExit, match="no solution: walled"):
        solve(("tower_01", str(path)))
    with pytest.raises(ValueError, match="frame_skip is 0: expected 1 or more"):
        solve(("tower_01",), frame_skip=0)
