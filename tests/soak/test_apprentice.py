"""`priorlab apprentice` from lives to plays: what it leaves in its folder, and that nothing in it is done twice."""

import csv
import json

import pytest

from priorlab.agents.apprentice import LivesFile
from priorlab.agents.priors.weights import digest
from priorlab.scripts.run import run
from tests.agents.test_apprentice import life
from tests.scripts.test_apprentice import QUICK
from tests.support.commands import refused


@pytest.fixture
def lives(tmp_path):
    """A folder that holds all lives already."""
    for kind, bank, numbers in (("training", "training", (0, 1)), ("held_out", "held_out", (0,))):
        LivesFile(tmp_path / "lives" / f"{kind}.csv").append(life(number, bank) for number in numbers)
    return ["--lives-in", str(tmp_path / "lives")]


def test_it_goes_from_lives_to_plays_and_does_nothing_twice(tmp_path, lives, capsys):
    words = [*QUICK, *lives, "--out", str(tmp_path / "a")]
    run("apprentice", [*words, "--until", "clone"])
    folder = tmp_path / "a"
    assert json.loads((folder / "imitation.json").read_text())["decisions"] == 45
    assert {path.name for path in folder.iterdir()} == {
        "config.json", "cloned.safetensors", "cloning.csv", "imitation.json",
    }  # fmt: skip
    run("apprentice", words)
    printed = capsys.readouterr().out
    assert "key_door gravity" in printed and "of 45 decisions" in printed
    rows = list(csv.DictReader((folder / "plays.csv").read_text().splitlines()))
    assert {row["where"] for row in rows} >= {"held_out-small", "princess masked_objects"}
    assert len(rows) == 1 + 20 and all(row["inputs"] == "8" for row in rows)
    assert {row["weights"] for row in rows} == {digest(folder / "practised.safetensors")[:16]}
    assert len((folder / "practice.csv").read_text().splitlines()) == 1 + 2
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run("apprentice", words)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    run("apprentice", [*QUICK, *lives, "--out", str(tmp_path / "b"), "--until", "practise"])
    assert (tmp_path / "b" / "practised.safetensors").read_bytes() == before["practised.safetensors"]
    assert "passes = 0.2, not 3.0" in refused("apprentice", *words, "--passes", "3")
