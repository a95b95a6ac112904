"""Plays as a BIDS dataset: names that BIDS allows, events with onset and duration."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from priorlab.envs.plays.courses import ChosenGame
from priorlab.envs.plays.sessions import find_plays
from priorlab.human_study.data.bids import EVENTS, write_bids
from priorlab.human_study.data.recorder import Recorder

EVENTS_FILE = re.compile(r"sub-[A-Za-z0-9]+/beh/sub-[A-Za-z0-9]+_task-(keydoor|princess)_run-1_events\.tsv")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    recorder = Recorder.create(folder, study="ladders", place=3, system="linux")
    recorder.note("answer", question="aim", answer="to\twin\n")
    for game in (ChosenGame("key_door"), ChosenGame("princess")):
        course = recorder.begin(game, 100)
        due = recorder.log.began + 1.0
        for number in range(40):
            due += 1 / course.rate
            recorder.step(1, due, due)
            if number == 20:
                recorder.note("key", what="down", code=4, key="a")
                recorder.note("pause", what="begin", why="probe")
                recorder.note("probe", question="now", answer=2, why="every", seconds=0.0)
                recorder.note("pause", what="end", why="probe")
                recorder.note("key", what="up", code=4, key="a")
        recorder.end("escape")
    recorder.finish()
    out = folder / "bids"
    write_bids(find_plays(folder)[0], out)
    return out


def read(path: Path) -> Any:
    return pd.read_csv(path, sep="\t", keep_default_na=False, na_values=["n/a"])


def test_files_have_names_that_bids_allows(dataset):
    found = {str(path.relative_to(dataset)) for path in dataset.rglob("*") if path.is_file()}
    events = {name for name in found if EVENTS_FILE.fullmatch(name)}
    assert len(events) == 2
    (scans,) = (name for name in found if name.endswith("_scans.tsv"))
    assert found - events - {scans} == {
        "README", "dataset_description.json", "participants.json", "participants.tsv", "scans.json",
        "task-keydoor_events.json", "task-princess_events.json",
    }  # fmt: skip
    assert {f"{scans.partition('/')[0]}/{name}" for name in read(dataset / scans)["filename"]} == events


def test_every_column_and_kind_of_event_is_described(dataset):
    tables = {
        path.name.rpartition("_")[2].partition(".")[0]: list(read(path)) for path in sorted(dataset.rglob("*.tsv"))
    }  # fmt: skip
    assert (
        tables["events"]
        == [*EVENTS]
        == [name for name in json.loads((dataset / "task-princess_events.json").read_text()) if name[0].islower()]
    )
    for name in ("participants", "scans"):
        known = json.loads((dataset / f"{name}.json").read_text())
        assert {*tables[name]} - {"participant_id"} == {*known}
    kinds = {kind for path in dataset.rglob("*_events.tsv") for kind in read(path)["trial_type"]}
    assert kinds == {"play", "key", "pause", "probe", "quit"} and kinds <= {*EVENTS["trial_type"]["Levels"]}


def test_what_lasts_has_a_duration_and_what_ends_no_row(dataset):
    for path in dataset.rglob("*_events.tsv"):
        events = read(path)
        assert (events["onset"].diff().dropna() >= 0).all() and events["onset"][0] == 0
        key, pause, probe = (
            events[events["trial_type"] == kind].to_dict("records") for kind in ("key", "pause", "probe")
        )  # fmt: skip
        assert len(key) == len(pause) == len(probe) == 1
        assert key[0]["onset"] <= pause[0]["onset"] <= probe[0]["onset"]
        assert pause[0]["onset"] + pause[0]["duration"] <= key[0]["onset"] + key[0]["duration"] + 2e-6
        assert (key[0]["value"], key[0]["step"], probe[0]["value"], probe[0]["response"]) == ("a", 20, "now", 2)


def test_answers_are_texts_of_one_line(dataset):
    (person,) = read(dataset / "participants.tsv").to_dict("records")
    assert person["answer_aim"] == "to win" and person["place"] == 3


def record_a_play(folder: Path, participant: str) -> None:
    recorder = Recorder.create(folder, participant=participant)
    recorder.begin(ChosenGame("princess"), 100)
    recorder.end("escape")
    recorder.finish()


def test_no_play_takes_the_name_of_another(tmp_path):
    for _ in range(2):
        record_a_play(tmp_path, "a-1")
    write_bids(find_plays(tmp_path)[0], tmp_path / "bids")
    assert sorted(path.name for path in (tmp_path / "bids").rglob("*_events.tsv")) == [
        "sub-a1_task-princess_run-1_events.tsv", "sub-a1_task-princess_run-2_events.tsv",
    ]  # fmt: skip
    record_a_play(tmp_path, "a_1")
    with pytest.raises(ValueError, match=r"participants 'a.1' and 'a.1': expected codes that differ"):
        write_bids(find_plays(tmp_path)[0], tmp_path / "again")


def test_plays_without_times_are_no_dataset(tmp_path):
    with pytest.raises(ValueError, match="recorded with times, found none"):
        write_bids([], tmp_path / "bids")
