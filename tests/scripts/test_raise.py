"""`priorlab raise`: what it leaves in its folder, and that nothing in it is overwritten."""

import csv
import re
from contextlib import contextmanager

import pytest

from priorlab.agents.priors.weights import load
from priorlab.scripts.priors import raised
from priorlab.scripts.run import run

QUICK = ("--pictures", "4", "--batch-size", "2", "--width", "16", "--levels", "small", "--appraisal-levels", "1")


def test_it_leaves_a_player_and_figures_and_overwrites_neither(tmp_path, capsys):
    folder = tmp_path / "a"
    run("raise", [*QUICK, "--out", str(folder)])
    assert str(folder / "perception.safetensors") in capsys.readouterr().out.replace("\n", "")
    _, about = load(folder / "perception.safetensors")
    assert about["settings"]["pictures"] == 4
    rows = list(csv.DictReader((folder / "appraisal.csv").read_text().splitlines()))
    assert {row["condition"] for row in rows} >= {"all 1", "objects 0", "all 0"}
    assert all(0 <= float(row["accuracy"]) <= 1 for row in rows)
    bins = list(csv.DictReader((folder / "reliability.csv").read_text().splitlines()))
    assert all(0 <= float(row["mean"]) <= 1 and 0 <= float(row["true"]) <= 1 for row in bins)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(SystemExit, match=f"^priorlab raise: {re.escape(str(folder))} holds a player that is raised"):
        run("raise", [*QUICK, "--out", str(folder)])
    (folder / "appraisal.csv").unlink()  # as if it was stopped there
    run("raise", [*QUICK, "--out", str(folder)])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    (folder / "perception.safetensors").unlink()
    with pytest.raises(SystemExit, match="holds a run with seed = 0, not 1: expected the same settings"):
        run("raise", [*QUICK, "--seed", "1", "--out", str(folder)])


def test_a_folder_that_another_process_fills_meanwhile_is_refused(tmp_path, monkeypatch):
    @contextmanager
    def held(path, taken):
        (tmp_path / "config.json").write_text('{"seed": 1}')
        yield

    monkeypatch.setattr(raised, "held", held)
    with pytest.raises(ValueError, match="seed = 1, not 0"), raised.prepared(tmp_path, {"seed": 0}):
        pass
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(ValueError, match=r"config\.json: expected the settings of a run"):
        raised.refuse_others(tmp_path, {"seed": 0})
