"""`priorlab apprentice`: what it leaves in its folder, and that nothing in it is done twice or overwritten."""

import csv
import json

import pytest

from priorlab.agents.apprentice import LivesFile, Shape, new_network, save_network
from priorlab.agents.priors.weights import digest
from priorlab.scripts.run import run
from tests.agents.test_apprentice import life
from tests.support.commands import refused

QUICK = [
    "--lives", "2", "--held-out-lives", "1", "--levels", "small", "--screen-size", "24", "--features", "8",
    "--watched", "2", "--games", "2", "--steps", "8", "--minibatches", "1", "--passes", "0.2", "--decisions", "32",
    "--places", "2", "--plays", "1", "--study-plays", "1", "--play-limit", "8", "--device", "cpu",
]  # fmt: skip


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
    assert {row["where"] for row in rows} >= {"held_out-small", "held_out-large", "princess masked_objects"}
    assert len(rows) == 2 + 20 and all(row["inputs"] == "8" for row in rows)
    assert {row["weights"] for row in rows} == {digest(folder / "practised.safetensors")[:16]}
    assert len((folder / "practice.csv").read_text().splitlines()) == 1 + 2
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run("apprentice", words)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    run("apprentice", [*QUICK, *lives, "--out", str(tmp_path / "b"), "--until", "practise"])
    assert (tmp_path / "b" / "practised.safetensors").read_bytes() == before["practised.safetensors"]
    assert "passes = 0.2, not 3.0" in refused("apprentice", *words, "--passes", "3")


def test_it_practises_from_given_weights_and_refuses_others(tmp_path):
    shape = Shape(24, 2, 8)
    save_network(new_network(shape), shape, tmp_path / "start.safetensors", {})
    words = [*QUICK, "--start", str(tmp_path / "start.safetensors"), "--out", str(tmp_path / "a")]
    run("apprentice", [*words, "--until", "practise"])
    assert {path.name for path in (tmp_path / "a").iterdir()} == {
        "config.json", "practice.csv", "practised.safetensors",
    }  # fmt: skip
    said = refused("apprentice", *words[:-1], str(tmp_path / "b"), "--frame-skip", "3")
    assert said.endswith("start.safetensors: frame_skip is 2: expected 3, as in the settings")
    assert not (tmp_path / "b").exists()
    assert "minibatches is 3: expected a divisor of games, 2" in refused("apprentice", *QUICK, "--minibatches", "3")
