"""The export of participants who agreed and never played, and of what everybody read and was asked."""

import json
from pathlib import Path

import pandas as pd
import pytest

from priorlab.envs.plays.courses import ChosenGame
from priorlab.human_study.data.recorder import Recorder
from priorlab.human_study.data.verify import verify
from priorlab.human_study.data.wordings import wording_name
from priorlab.scripts.commands.export import main

WORDING = {
    "language": "en", "consent_version": "2", "consent": 'I agree: größer, "yes"', "debriefing": "",
    "questions": {
        "age": {"kind": "choice", "text": "How old?", "options": {"18-24": "18 to 24"}},
        "height": {"kind": "number", "text": "How tall?", "options": {}, "least": 1, "most": 3},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    """A participant who played, one who stopped before playing, a wording, and one that somebody edited."""
    folder = tmp_path_factory.mktemp("study")
    recorder = Recorder.create(folder, study="ladders", machine="yyyy2345")
    recorder.note("consent", wording=wording_name(WORDING), seconds=1.5)
    recorder.note("answer", question="aim", answer="NA", seconds=2.5)
    recorder.begin(ChosenGame("princess"), 400)
    recorder.step(2, 0, 0)
    recorder.finish()
    (folder / "wordings").mkdir()
    for text in (WORDING, {"language": "altered"}):
        content = json.dumps(text, ensure_ascii=False, indent=1)
        (folder / "wordings" / f"{wording_name(WORDING)[: 12 if text is WORDING else 11]}.json").write_text(
            content, "utf-8"
        )
    early = Recorder.create(folder, study="ladders", place=18, versions=["gravity"], machine="zzzz2345", draw_ms=1.5)
    early.note("consent", wording=wording_name(WORDING), seconds=3.25)
    early.note("answer", question="age", answer="18-24", seconds=7.125, play=3)
    early.note("page", page="question:aim", what="stop")
    early.finish()
    return folder


@pytest.fixture(scope="module")
def tables(study, tmp_path_factory) -> dict[str, pd.DataFrame]:
    out = tmp_path_factory.mktemp("out") / "export"
    main(study, out)
    return {path.name.split(".")[0]: pd.read_csv(path, dtype={"participant": str}) for path in out.iterdir()}


def test_a_participant_who_never_played_has_a_row_without_a_play(tables):
    (row,) = (row for _, row in tables["participants"].iterrows() if row["ended"] == "not begun")
    assert (row["version"], row["quit_reason"], row["place"]) == ("gravity", "stopped at question:aim", 18)
    assert (row["answer_age"], row["answered_age"], row["answered_aim"]) == ("18-24", 1, 0)
    assert (row["wording"], row["machine"], row["draw_ms"]) == (wording_name(WORDING), 2, 1.5) and row[
        "unfinished"
    ] == 0
    assert row[["play", "won", "inputs", "minutes", "deaths", "play_id"]].isna().all()
    assert not tables["events"]["details"].str.contains("zzzz2345|yyyy2345", na=False).any(), "the computer's id"
    by_version = tables["participants"].groupby("version")[["minutes", "won"]].mean()  # as docs/export.md has it
    assert by_version["won"].drop("gravity").eq(0).all() and by_version.loc["gravity"].isna().all()


def test_a_study_without_a_play_is_exported(study, tmp_path):
    early = next(path for path in study.glob("*.session.jsonl") if b"question:aim" in path.read_bytes())
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / early.name).write_bytes(early.read_bytes())
    main(tmp_path / "data", tmp_path / "out", formats=("csv", "minari"))
    assert pd.read_csv(tmp_path / "out" / "participants.csv")["ended"].tolist() == ["not begun"]
    with pytest.raises(ValueError, match="expected plays by simulated, found none"):
        main(tmp_path / "data", tmp_path / "more", players=("simulated",))


def test_wordings_are_exported_and_damaged_ones_reported(study, tables, tmp_path, capsys):
    rows = tables["wordings"].fillna("")
    assert rows["kind"].tolist() == ["consent", "question", "question"] and set(rows["wording"]) == {
        wording_name(WORDING)
    }
    assert rows["name"].tolist() == ["", "age", "height"] and rows["answer"].tolist() == ["", "choice", "number"]
    assert rows["text"][0] == WORDING["consent"] and json.loads(rows["options"][1]) == {"18-24": "18 to 24"}
    assert json.loads(rows["settings"][2]) == {"least": 1, "most": 3} and rows["settings"][1] == ""
    main(study, tmp_path / "out")
    assert f"{wording_name(WORDING)[:11]}.json: altered: expected the wording" in capsys.readouterr().out
    assert not [line for each in verify([study]) for line in each.problems]
    (study / "wordings" / f"{wording_name(WORDING)}.json").rename(tmp_path / "kept")
    problems = {line for each in verify([study]) for line in each.problems}
    (tmp_path / "kept").rename(study / "wordings" / f"{wording_name(WORDING)}.json")
    assert problems == {
        f"line 2: consent: the wording wordings/{wording_name(WORDING)}.json is missing next to the log"
    }
