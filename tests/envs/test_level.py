"""Levels as text: read as written, with mistakes reported."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from priorlab.envs.game.level import Level, level_names

PARTS = {"H": "#H", "p": "|m~~|"}  # a ladder that leads somewhere; a patrol
ROWS = st.integers(1, 12).flatmap(
    lambda width: st.lists(st.text("|#Hmp*^ ", min_size=width, max_size=width), min_size=1, max_size=12)
)


@pytest.mark.parametrize("name", level_names())
def test_a_shipped_level_survives_being_written(name):
    level = Level.read(name)
    assert Level.read(level.text()) == level
    assert level.name == name


@given(ROWS, st.integers(-20, 300), st.integers(-20, 300), st.integers(1, 30), st.booleans())
def test_any_level_survives_being_written(rows, x, y, half_period, key):
    rows = ["SkD" if key else "SG", *("".join(PARTS.get(tile, tile) for tile in row) for row in rows)]
    text = f"start = [{x / 2}, {y / 2}]\nperiod = {2 * half_period}\ngoal_size = [15, 20]\n---\n" + "\n".join(rows)
    if sum(row.count("m") for row in rows) <= 30:
        level = Level.read(text)
        assert Level.read(level.text()) == level
        assert level.start == (x / 2, y / 2) and level.goal == (37.5 if key else 22.5, 7.5)
        assert level.period == 2 * half_period and level.key == ((0, 1) if key else None)


def test_the_two_geometries_of_the_study():
    original, masked = Level.read("princess"), Level.read("princess_masked_geometry")
    assert (original.width, original.height, masked.width, masked.height) == (16, 16, 16, 15)
    floors = [[c for c, tile in enumerate(original.rows[row]) if tile == "#"] for row in (4, 9, 14)]
    assert floors == [[1, 2, 3, *range(6, 13)], [*range(3, 9), *range(11, 15)], [*range(1, 9), 12, 13, 14]]
    assert [original.rows[14].index("*"), original.rows[14].rindex("*")] == [9, 11]
    ladders = [(r, c) for r in range(3, 9) for c in (13, 14)] + [(r, c) for r in range(8, 14) for c in (1, 2)]
    assert original.tiles_of("H") == sorted(ladders)


def test_a_level_is_read_from_a_file(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text(Level.read("princess").text())
    assert Level.read(path) == Level.read(str(path)) == Level.read("princess")
    path.write_text("---\nSG?\n")
    with pytest.raises(ValueError, match=r"mine\.txt: row 0, column 2 \(line 2\)"):
        Level.read(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("princes", f"unknown level 'princes': expected one of {', '.join(level_names())}"),
        ("S G\n", "no line '---'"),
        ("---\n", "no rows after '---'"),
        ("a = 1\n---\nSG\n", "unknown setting 'a': expected name, game, start, goal, goal_size"),
        ("name = \n---\nSG\n", "not TOML"),
        ("---\nS G\n# x\n", "row 1, column 2 (line 3): 'x'; expected '|' boundary, '#' platform"),
        ("---\nS  \n", "goal 'G' found nowhere; expected exactly one"),
        ("---\nSGS\n", "start 'S' found row 0, column 0, row 0, column 2; expected exactly one"),
        ("start = [1.2, 3]\n---\nSG\n", "start is [1.2, 3]: expected multiples of 0.5"),
        ("goal = 3\n---\nSG\n", "goal is 3: expected two numbers"),
        ("period = 3\n---\nSG\n", "period is 3: expected an even whole number of steps, 2 to 60"),
        ("---\nSG ~~\n", "row 0, column 3 (line 2): '~~'; expected exactly one monster 'm' in each run of patrol"),
        ("---\nSkG\n", "row 0, column 2: 'G'; expected a door 'D' where there is a key"),
        ("---\nSD\n", "row 0, column 1: 'D'; expected a door 'D' only with a key 'k'"),
        ("---\nSkkD\n", "key 'k' found row 0, column 1, row 0, column 2; expected at most one"),
        ("---\nSG\n H\n", "row 1, column 1: a ladder that leads nowhere"),
        ("goal_size = [0, 4]\n---\nSG\n", "goal_size is [0, 4]: expected two whole numbers"),
        ('game = "chess"\n---\nSG\n', "unknown game 'chess': expected one of princess"),
        ("---\nSG" + "m" * 31 + "\n", "more than 30 monsters"),
        ("---\nSG" + " " * 70 + ".\n", "tiles; expected at most 64 x 64"),
    ],
)
def test_a_malformed_level_is_named(text, said):
    with pytest.raises(ValueError) as error:
        Level.read(text)
    assert said in str(error.value)
