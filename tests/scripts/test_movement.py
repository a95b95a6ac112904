"""`priorlab movement`: what it leaves in its folder, and that nothing in it is overwritten."""

import csv
import re

import pytest

from priorlab.agents.priors.movement import load_movement
from priorlab.scripts.run import run

QUICK = ("--levels", "2", "--held-out-levels", "1")


def test_it_leaves_a_movement_and_its_accuracy_and_overwrites_neither(tmp_path, capsys):
    folder = tmp_path / "a"
    run("movement", [*QUICK, "--out", str(folder)])
    assert str(folder / "movement.safetensors") in capsys.readouterr().out.replace("\n", "")
    assert len(load_movement(folder / "movement.safetensors").ends) > 100
    rows = list(csv.DictReader((folder / "accuracy.csv").read_text().splitlines()))
    assert {row["event"] for row in rows} >= {"all", "lands", "climbs", "dies"}
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(SystemExit, match=f"^priorlab movement: {re.escape(str(folder))} holds a movement"):
        run("movement", [*QUICK, "--out", str(folder)])
    (folder / "accuracy.csv").unlink()  # as if it was stopped there
    run("movement", [*QUICK, "--out", str(folder)])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    (folder / "accuracy.csv").unlink()
    with pytest.raises(SystemExit, match="seed = 0, not 1: expected the same settings"):
        run("movement", [*QUICK, "--seed", "1", "--out", str(folder)])
