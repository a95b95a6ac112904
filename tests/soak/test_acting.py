"""`priorlab acting`: that PPO learns to act on a belief, and what the command leaves in its folder."""

import csv
import re

import numpy as np
import pytest

from priorlab.agents.priors.acting import load_acting
from priorlab.agents.priors.learning_to_act import Learning
from priorlab.agents.priors.lives import live, on_rules, told
from priorlab.agents.priors.player_settings import PlayerSettings
from priorlab.agents.priors.scenery import Scenery
from priorlab.agents.priors.settings import ActSettings
from priorlab.agents.priors.weights import learned
from priorlab.envs.random_games.bank import Bank
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


def test_told_what_there_is_it_wins_levels_that_it_practised_in_and_others():
    """The network that comes with the package, of which docs say that it has not learned its levels by heart."""
    settings = PlayerSettings(acting="learned")
    for rules in ("princess", "key_door"):
        won = {}
        for kind, bank, numbers in (
            ("practised", "training", range(0, 100, 7)),
            ("others", "held_out", range(3, 300, 20)),
        ):
            levels = [on_rules(Bank.read(bank)[number].level, rules) for number in numbers]
            lives = [live(Scenery(level), told(level), settings, seed=3, limit=1500) for level in levels]
            won[kind] = sum(life.solved for life in lives)
        print(f"{rules}: won {won['practised']} of 15 levels that it practised in, {won['others']} of 15 others")
        assert min(won.values()) > 3


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
