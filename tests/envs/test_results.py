"""Rows survive a kill within a line, a resume and a second start; plays give the same rows."""

import numpy as np
import pytest

from priorlab.envs.game.level import Level
from priorlab.envs.plays.play import Play
from priorlab.envs.results.load import load
from priorlab.envs.results.rows import RunWriter, count_visits, inputs_done, is_finished, thinned

CONFIG = {
    "game": "princess", "version": "original", "method": "ppo", "player": "agent", "privileged": False, "seed": 0,
    "level": Level.read("princess").text(), "frame_skip": 2,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runs" / "study" / "original" / "ppo" / "seed_0"


def write(folder, finish=True, **config):
    writer = RunWriter(folder, CONFIG | config)
    writer.episode(100, 100, "death")
    writer.episode(150, 50, "death")
    writer.episode(190, 40, "win")
    for inputs in range(1, 201):
        writer.exploration(inputs, 2 * inputs)
    counts = np.zeros((35, 35), int)
    counts[10, 20] = 7
    writer.visits(counts)
    writer.finish() if finish else writer.close()


def test_what_is_written_is_loaded_with_the_run_in_front(folder, tmp_path):
    write(folder)
    found = load(tmp_path / "runs")
    assert found.problems == ()
    assert found.episodes.columns[:7].tolist() == [
        "experiment", "game", "version", "method", "player", "privileged", "seed",
    ]  # fmt: skip
    assert found.episodes.iloc[-1].tolist() == [
        "study", "princess", "original", "ppo", "agent", False, 0, 2, 190, 40, "win", 2,
    ]  # fmt: skip
    assert found.exploration[["inputs", "unique_states"]].iloc[-1].tolist() == [200, 400]
    assert found.visits[["x", "y", "visits"]].to_numpy().tolist() == [[140, 70, 7]]
    assert found.configs[["finished", "frame_skip", "inputs"]].iloc[0].tolist() == [True, 2, 200]
    assert {"python", "numpy"} <= set(found.configs["settings"].iloc[0]["software"])


def test_exploration_keeps_about_twenty_rows_a_decade_however_often_it_is_told(folder, tmp_path):
    write(folder)
    decade = [inputs for inputs in load(tmp_path).exploration["inputs"] if 10 < inputs <= 100]
    assert 15 <= len(decade) <= 20
    assert thinned(1000)[-1] == 1000
    assert len(thinned(1000)) < 61


def test_a_torn_last_line_is_left_out_and_cut_before_rows_follow(folder, tmp_path):
    write(folder, finish=False)
    with (folder / "episodes.csv").open("a") as file:
        file.write("3,20")
    assert load(tmp_path).episodes["inputs"].tolist() == [100, 150, 190]
    assert inputs_done(folder) == 200
    writer = RunWriter(folder, CONFIG)
    writer.episode(230, 40, "death")
    writer.finish()
    found = load(tmp_path).episodes
    assert found["inputs"].tolist() == [100, 150, 190, 230]
    assert found["episode"].tolist() == [0, 1, 2, 3]
    assert found["deaths"].tolist() == [1, 2, 2, 3]


def test_resuming_at_a_checkpoint_cuts_the_rows_after_it(folder, tmp_path):
    write(folder, finish=False)
    writer = RunWriter(folder, CONFIG, resume_at=150)
    assert writer.inputs <= 150
    assert load(tmp_path).exploration["inputs"].max() <= 150
    writer.episode(180, 30, "limit")
    writer.exploration(180, 333)
    writer.finish()
    found = load(tmp_path)
    assert found.episodes["inputs"].tolist() == [100, 150, 180]
    assert found.episodes["deaths"].tolist() == [1, 2, 2]
    assert found.exploration["unique_states"].iloc[-1] == 333


def test_a_finished_run_is_never_written_again(folder):
    write(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ValueError, match="holds a finished run"):
        RunWriter(folder, CONFIG, resume_at=0)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert is_finished(folder)


def test_two_processes_never_write_one_run(folder):
    held = RunWriter(folder, CONFIG)
    with pytest.raises(OSError, match="another process is writing this run: expected one"):
        RunWriter(folder, CONFIG)
    held.close()
    RunWriter(folder, CONFIG).close()


def test_rows_of_different_settings_never_share_a_folder(folder):
    write(folder, finish=False)
    with pytest.raises(ValueError, match=r"frame_skip = 2, not 4: expected the same settings, or another folder"):
        RunWriter(folder, CONFIG | {"frame_skip": 4})


@pytest.mark.parametrize(("wrong", "message"), [({"seed": "0"}, "seed = '0'"), ({"level": None}, "level = None")])
def test_a_config_that_the_loader_could_not_join_is_refused(folder, wrong, message):
    with pytest.raises(ValueError, match=message):
        RunWriter(folder, CONFIG | wrong)


def test_an_unknown_outcome_is_refused(folder):
    writer = RunWriter(folder, CONFIG)
    with pytest.raises(ValueError, match="expected one of win, death, limit, quit"):
        writer.episode(10, 10, "won")
    writer.close()


def test_what_is_broken_is_named_and_the_rest_is_loaded(folder, tmp_path):
    write(folder)
    other = folder.with_name("seed_1")
    write(other, seed=1)
    (other / "episodes.csv").write_text("episode,inputs\n1,2\n")
    people = tmp_path / "runs" / "people"
    people.mkdir()
    (people / "cut.play").write_text('{"format": "priorlab play", "sch')
    found = load(tmp_path)
    assert found.configs["seed"].tolist() == [0]
    assert len(found.problems) == 2
    assert all("\n" not in problem for problem in found.problems)
    assert "cut.play" in found.problems[0]
    assert "seed_1" in found.problems[1]


def test_only_one_experiment_is_loaded_where_one_is_named(folder, tmp_path):
    write(folder)
    write(tmp_path / "runs" / "other" / "original" / "ppo" / "seed_5", seed=5)
    assert load(tmp_path / "runs", "other").configs["seed"].tolist() == [5]
    assert load(tmp_path / "runs" / "other").configs["experiment"].tolist() == ["other"]


def test_nothing_at_all_is_no_error(tmp_path):
    found = load(tmp_path)
    assert (len(found.episodes), len(found.configs), found.problems) == (0, 0, ())
    assert "unique_states" in found.exploration


def test_a_person_s_play_gives_the_same_rows(folder, tmp_path):
    inputs = [2] * 40 + [1] * 12 + [0] * 5  # right into the fire, and on after the death
    play = Play.of(inputs, "masked_objects", player_id="someone")
    measured = play.measure()
    assert measured.total_deaths >= 1
    play.save(tmp_path / "runs" / "people" / "abc.play")
    write(folder)
    found = load(tmp_path)
    assert found.problems == ()
    rows = found.episodes[found.episodes["method"] == "person"]
    deaths = (np.flatnonzero(measured.events) + 1).tolist()
    assert rows["inputs"].tolist() == [*deaths, 57]
    assert rows["length"].sum() == 57
    assert rows["outcome"].tolist() == ["death"] * len(deaths) + ["quit"]
    assert rows["deaths"].iloc[-1] == len(deaths)
    assert set(rows["version"]) == {"masked_objects"}
    assert set(rows["seed"]) == {"abc"}
    explored = found.exploration[found.exploration["player"] == "person"]
    assert explored["unique_states"].iloc[-1] == measured.total_unique_states
    assert found.visits[found.visits["player"] == "person"]["visits"].sum() == 57


def test_a_person_s_play_of_key_and_door_has_a_row_a_death_too(tmp_path):
    """The spikes are 21 steps to the right of the start."""
    level = 'name = "spikes"\ngame = "key_door"\n---\n|       |\n| kS  ^ |\n|######D|\n'
    play = Play.of([2] * 21 + [1] * 5 + [2] * 30, level=level)
    play.save(tmp_path / "people" / "abc.play")
    found = load(tmp_path)
    assert found.problems == () and set(found.episodes["game"]) == {"key_door"}
    assert found.episodes["inputs"].tolist() == [21, 52, 56] and found.episodes["length"].tolist() == [21, 31, 4]
    assert found.episodes["outcome"].tolist() == ["death", "death", "quit"]
    assert found.episodes["deaths"].tolist() == [1, 2, 2]
    assert found.exploration["unique_states"].iloc[-1] == 1 + 21 + 5


def test_a_recorded_agent_is_no_person(tmp_path):
    Play.of([2, 2], player="agent").save(tmp_path / "people" / "robot.play")
    found = load(tmp_path)
    assert len(found.configs) == 0
    assert "not a person's play" in found.problems[0]


def test_visits_are_counted_in_cells_of_seven_pixels():
    counts = count_visits(np.array([0, 6.5, 7, 239.5, -3, 240]), np.array([0, 0, 16, 239.5, 5, 5]), 240)
    assert counts.shape == (35, 35)
    assert (counts[0, 0], counts[2, 1], counts[34, 34], counts.sum()) == (2, 1, 1, 4)
