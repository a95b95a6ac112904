"""Sequences of games: every task can be made and played, and mistakes in a table are reported."""

import json
import re
from itertools import pairwise

import gymnasium
import pytest

from priorlab.envs.game.level import level_names
from priorlab.envs.game.sequences import TOWER, find_sequence, parse, sequence_in, sequences
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "sequences.md"
REGISTERED = [name for name in sequences() if all(task.id in gymnasium.registry for task in find_sequence(name).tasks)]
ROW = '[lists]\nlooks = ["original", "all_masked"]\n[sequences.s]\nabout = "a"\n'


@pytest.mark.parametrize("name", REGISTERED)
def test_every_task_is_a_game_and_all_of_a_sequence_share_their_spaces(name):
    spaces = set()
    for task in find_sequence(name).tasks:
        env = task.make(screen_size=42)
        env.reset(seed=0)
        observation, *_ = env.step(env.action_space.sample())
        assert env.observation_space.contains(observation)
        spaces.add((str(env.observation_space), str(env.action_space)))
        env.close()
    assert len(spaces) == 1


@pytest.mark.parametrize("name", REGISTERED)
def test_a_task_differs_from_the_one_before(name):
    tasks = find_sequence(name).tasks
    assert len(tasks) > 1 and find_sequence(name).about
    assert all(one != other for one, other in pairwise(tasks))


def test_the_page_tells_every_sequence():
    told = re.findall(r"^\| `(\w+)` \| (\d+) \|", PAGE.read_text(), re.MULTILINE)
    assert told == [(name, str(len(find_sequence(name).tasks))) for name in sequences()]


def test_a_task_makes_batches_and_takes_more_settings():
    task = find_sequence("levels_and_looks").tasks[1]
    assert (task.id, task.settings) == ("PriorLab/Princess-v0", {"level": "tower_02", "version": "retextured"})
    batch = task.make_vec(3, screen_size=42, grayscale_obs=True)
    assert batch.reset(seed=0)[0].shape == (3, 42, 42, 1)
    batch.close()
    games = task.make(level="princess", max_inputs=5).unwrapped.games  # type: ignore[attr-defined]
    assert games.places[0].level.name == "princess"


def test_the_tower_is_every_level_of_its_name():
    assert len(TOWER) == 20 and list(TOWER) == [name for name in level_names() if name.startswith("tower")]
    assert [task.settings["level"] for task in find_sequence("levels").tasks] == list(TOWER)


def test_values_go_in_step_and_shorter_lists_over_again():
    _, found = parse(ROW + 'tasks = [{ id = "x", a = { each = "looks" }, b = { each = [1, 2, 3] }, c = [7] }]', "text")
    assert [task.settings for task in found["s"].tasks] == [
        {"a": "original", "b": 1, "c": [7]},
        {"a": "all_masked", "b": 2, "c": [7]},
        {"a": "original", "b": 3, "c": [7]},
    ]


def test_an_unknown_sequence_lists_what_exists():
    with pytest.raises(ValueError, match=r"unknown sequence 'look': expected one of looks, drawings, levels"):
        find_sequence("look")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a =", "table: not TOML"),
        ("[lists]", "table: sequences is missing"),
        ("[lists]\na = 3\n[sequences]", "table: list 'a' is 3: expected one value or more"),
        (ROW, "table: sequence 's': tasks is missing"),
        (ROW + "tasks = []", "table: sequence 's': no tasks"),
        (ROW + "tasks = []\nother = 1", "table: sequence 's': other is 1"),
        (ROW + 'tasks = [{ id = "x" }, { a = 1 }]', "table: sequence 's', task 1: {'a': 1}: expected a table with an"),
        (
            ROW + 'tasks = [{ id = "x", a = { each = "b" } }]',
            "sequence 's', task 0: a: no list 'b': expected one of looks",
        ),
        (ROW + 'tasks = [{ id = "x", a = { each = [] } }]', "sequence 's', task 0: a: {'each': []}: expected"),
        (ROW + 'tasks = [{ id = "x", a = { all = "looks" } }]', "sequence 's', task 0: a: {'all': 'looks'}"),
    ],
)
def test_a_broken_table_says_where(text, said):
    with pytest.raises(ValueError) as error:
        parse(text, "table")
    assert said in str(error.value)


def test_a_sequence_of_ones_own_lies_in_a_file_of_ones_own_and_uses_the_lists_of_the_lab(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        '[sequences.mine]\nabout = "a"\ntasks = [{ id = "PriorLab/Princess-v0", version = { each = "looks" } }]'
    )
    found = find_sequence("mine", file)
    assert found.tasks == find_sequence("looks").tasks
    assert sequence_in({"sequence": "mine", "own": json.loads(json.dumps(found.plain()))}) == found
    assert sequence_in({"sequence": "looks"}) == find_sequence("looks")
    with pytest.raises(ValueError, match=r"mine.toml: unknown sequence 'looks': expected one of mine"):
        find_sequence("looks", file)
    file.write_text(file.read_text().replace("sequences.mine", "sequences.looks"))
    with pytest.raises(ValueError, match=r"mine.toml: sequence 'looks': expected another name"):
        find_sequence("looks", file)
