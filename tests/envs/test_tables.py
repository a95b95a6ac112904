"""Codes and answers are read back from tables as text, by the recipes of the docs and by our loaders."""

import re
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priorlab.envs.base.tables import csv_of, parse_table, read_table
from priorlab.envs.plays.courses import ChosenGame
from priorlab.envs.results.archive import Archive
from priorlab.envs.results.load import load
from priorlab.envs.results.rows import RunWriter
from priorlab.human_study.data.recorder import Recorder
from priorlab.scripts.commands.compare import main as compare
from priorlab.scripts.commands.export import main as export
from tests.envs.test_results import CONFIG
from tests.support.paths import ROOT

GUESSED = ("NA", "None", "null", "n/a", "nan", "N/A", "#N/A", "<NA>", "NULL", "TRUE", "F", "007", "1e5", "inf", "0x1A")
ANSWERS = (
    *GUESSED, "", "-", "1,5", "1.0", "  x ", 'a "quoted", word', "two\nlines", "a\tb", "#x", "'", "\\N", "back\\slash",
    "東京", "=1+1", "%", ";", "\ud800",
)  # fmt: skip
READ = [answer.encode("utf-8", "backslashreplace").decode() for answer in ANSWERS]
CODES = ("NA", "None", "null", "nan", "TRUE", "007", "1e5", "-", "0")


def recipe(language: str) -> str:
    """The code of docs/export.md that reads an export."""
    (code,) = re.findall(
        rf"```{language}\n(.*?read\(\"steps.csv.gz\"\)\n)", (ROOT / "docs" / "export.md").read_text(), re.S
    )
    return code


@pytest.fixture(scope="module")
def answered(tmp_path_factory) -> Path:
    """The folder of an export in which a participant called NA gave all answers, the others a number."""
    folder = tmp_path_factory.mktemp("answers")
    for code in CODES:
        recorder = Recorder.create(folder / "data", code, study="NA")
        for number, answer in enumerate(ANSWERS if code == "NA" else ()):
            recorder.note("answer", question=f"q{number}", answer=answer)
        if code != "NA":
            recorder.note("answer", question="age", answer=25)
        recorder.begin(ChosenGame(), 100)
        recorder.step(2, time.perf_counter(), time.perf_counter())
        recorder.finish()
    export(folder / "data", folder / "export")
    return folder


def test_the_recipe_for_pandas(answered, monkeypatch):
    monkeypatch.chdir(answered)
    found: dict = {}
    exec(recipe("python"), found)
    people, steps = found["people"].set_index("participant"), found["steps"]
    assert set(people.index) == set(steps["participant"]) == set(CODES) and set(steps["input"]) == {"right"}
    assert [people.at["NA", f"answer_q{number}"] for number in range(len(ANSWERS))] == READ
    assert [people.at["007", f"answer_q{number}"] for number in range(len(ANSWERS))] == [""] * len(ANSWERS)
    assert {people.at["NA", f"answered_q{number}"] for number in range(len(ANSWERS))} == {1}
    assert {people.at["007", f"answered_q{number}"] for number in range(len(ANSWERS))} == {0}
    assert people.at["007", "answer_age"] == 25 and np.isnan(people.at["NA", "answer_age"])
    assert set(people["study"]) == {"NA"} and np.isnan(people["block"]).all() and people["minutes"].dtype == float


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_the_recipe_for_r(answered):
    told = """
        cat(people$participant, "\\n")
        one <- people[people$participant == "NA", ]
        for (name in grep("^answer_q", names(one), value = TRUE)) cat(name, utf8ToInt(one[[name]]), "\\n")
        stopifnot(is.numeric(steps$x), all(people$study == "NA"), is.na(people$block), one$answered_q0 == 1,
                  people$answered_q0[people$participant == "007"] == 0)
    """
    (answered / "recipe.R").write_text(recipe("r") + told, encoding="utf-8")
    done = subprocess.run(["Rscript", "recipe.R"], cwd=answered, capture_output=True, text=True)
    assert not done.stderr
    codes, *rows = [line.split() for line in done.stdout.splitlines()]
    read = {name: "".join(chr(int(each)) for each in points if each != "NA") for name, *points in rows}
    assert set(codes) == set(CODES) and read == {f"answer_q{number}": text for number, text in enumerate(READ)}


def test_the_same_recipe_reads_what_compare_writes(answered, tmp_path, monkeypatch):
    alone = Recorder.create(tmp_path / "more", study="one")  # without a summary
    alone.begin(ChosenGame(), 100)
    alone.step(2, time.perf_counter(), time.perf_counter())
    alone.finish()
    compare((answered / "data", tmp_path / "more"), out=tmp_path / "export")
    (tmp_path / "export" / "data").rename(tmp_path / "data")
    shutil.rmtree(tmp_path / "export")
    (tmp_path / "data").rename(tmp_path / "export")
    monkeypatch.chdir(tmp_path)
    found: dict = {}
    exec(recipe("python").split("\npeople = ")[0], found)
    plays, answers = found["read"]("plays.csv"), found["read"]("answers.csv")
    assert set(plays["participant"]) == {*CODES, alone.participant} and set(plays["study"]) == {"NA", "one"}
    assert plays["inputs"].tolist() == [1] * (len(CODES) + 1) and set(READ) <= set(answers["answer"])
    one, other = found["read"]("numbers.csv")["quit"]
    assert one == 1.0 and np.isnan(other)


@given(
    st.lists(
        st.tuples(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")), st.integers(-99, 99))
    )
)
@settings(deadline=None, max_examples=60)
def test_any_text_comes_back(rows):
    table = pd.DataFrame(rows, columns=["text", "number"]).astype({"text": object, "number": int})
    found = parse_table(csv_of(table), {"text": str, "number": int}, Path("a.csv"))
    assert found["text"].tolist() == table["text"].tolist() and found["number"].tolist() == table["number"].tolist()


def test_values_that_are_equal_but_written_differently_stay_so():
    table = pd.DataFrame({"mixed": [1, 1.0, True, "1", None, 1], "number": [0.5, 2, np.nan, 0.5, np.inf, 2]})
    cells = ['"1",0.5', '"1.0",2.0', '"True",', '"1",0.5', ",inf", '"1",2.0']
    assert csv_of(table) == "\n".join(['"mixed","number"', *cells, ""])


def test_our_own_archives_keep_names_that_look_like_something_else(tmp_path):
    names = ("NA", "None", "007", "1e5")
    for name in names:
        config = CONFIG | {"version": name, "method": name}
        writer = RunWriter(tmp_path / "runs" / "study" / name / name / "seed_0", config)
        writer.episode(100, 100, "win")
        writer.finish()
    results = load(tmp_path / "runs")
    assert sorted(results.configs["version"]) == sorted(names) and not results.problems
    Archive.of(results).write(tmp_path / "kept")
    again = Archive.read(tmp_path / "kept")
    assert again.keys() == {(name, name, 0) for name in names}
    assert sorted(again.results(tmp_path).episodes["method"]) == sorted(names)


def test_a_table_of_other_columns_or_kinds_is_refused_in_a_line(tmp_path):
    path = tmp_path / "a.csv"
    for text, reason in (
        ("b\n1\n", "columns b; expected a"),
        ("a\nx\n", "expected rows of a"),
        ("", "expected rows of a"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: [^\n]*{reason}$"):
            read_table(path, {"a": int})
    path.write_text('a\n""\nnan\n2\n')
    assert read_table(path, {"a": float})["a"].isna().tolist() == [True, True, False]
