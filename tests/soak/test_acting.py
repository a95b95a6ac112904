"""`priorlab acting`: that PPO learns to act on a belief, and what the command leaves in its folder."""

import csv
import re

import numpy as np
import pytest

from priorlab.agents.priors.acting import load_acting
from priorlab.agents.priors.learning_to_act import Learning
from priorlab.agents.priors.settings import ActSettings
from priorlab.agents.priors.weights import learned
from priorlab.scripts.run import run

SETTINGS = {
    "rollouts": 1, "lanes": 2, "stretches": 1, "batch-size": 16, "small-levels": 1, "large-levels": 1,
    "held-out-levels": 1, "held-out-limit": 30,
}  # fmt: skip
QUICK = [word for name, value in SETTINGS.items() for word in (f"--{name}", str(value))]


def test_it_learns_to_go_the_shortest_way():
    learning = Learning(ActSettings(rollouts=20, small_levels=8, large_levels=4), learned())
    learning.run()
    went = [row.went for row in learning.rows]
    assert np.mean(went[-5:]) > 1.5 > 4 * abs(np.mean(went[:3]))


def test_the_command_leaves_a_network_and_lives_and_overwrites_neither(tmp_path, capsys):
    folder = tmp_path / "a"
    run("acting", [*QUICK, "--out", str(folder)])
    assert str(folder / "acting.safetensors") in capsys.readouterr().out.replace("\n", "")
    load_acting(folder / "acting.safetensors")
    rows = list(csv.DictReader((folder / "lives.csv").read_text().splitlines()))
    assert [(row["size"], row["rules"]) for row in rows] == [
        ("small", "princess"),
        ("small", "key_door"),
        ("large", "key_door"),
    ]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(SystemExit, match=f"^priorlab acting: {re.escape(str(folder))} holds acting"):
        run("acting", [*QUICK, "--out", str(folder)])
    (folder / "lives.csv").unlink()  # as if it was stopped there
    run("acting", [*QUICK, "--out", str(folder)])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
