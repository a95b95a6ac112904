"""Training that is killed with -9 again and again ends with the rows and weights of training that never was."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from stable_baselines3 import DQN, PPO

from priorlab.agents.runs import checkpoint
from priorlab.envs.results.rows import is_finished
from tests.agents.test_agents import ROOM
from tests.support.paths import ROOT
from tests.support.screen import wait_until

KILLS = 5
LONGEST = 0.4  # seconds from a new checkpoint to the kill: a few more are written in it
SMALL = (
    "--level", ROOM, "--max-inputs", "200", "--screen-size", "24", "--features", "32", "--frame-skip", "2",
    "--checkpoint-every", "400", "--device", "cpu", "--evaluation-episodes", "0", "--no-progress",
)  # fmt: skip
LEARNERS = {
    "ppo": ("--inputs", "30000"),
    "rnd": ("--inputs", "30000", "--curiosity", "rnd"),
    "on_device": ("--inputs", "30000", "--on-device"),
    "dqn": ("--inputs", "9000", "--agent", "dqn", "--replay-size", "2000"),
}


def start(learner: str, folder: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "priorlab.scripts.commands.train",
        *SMALL,
        *LEARNERS[learner],
        "--out",
        str(folder),
    ]
    return subprocess.Popen(command, cwd=ROOT)


def when_saved(folder: Path) -> int:
    path = folder / checkpoint.NAME
    return path.stat().st_mtime_ns if path.exists() else 0


def start_and_kill(learner: str, folder: Path, seconds: float) -> None:
    """So many seconds after it wrote a checkpoint."""
    before, process = when_saved(folder), start(learner, folder)
    wait_until(lambda: when_saved(folder) > before or process.poll() is not None)
    time.sleep(seconds)
    assert process.poll() is None, "it trained until it was killed"
    process.kill()
    process.wait()
    assert not is_finished(folder)


def contents(folder: Path, learner: str) -> list[object]:
    model = (DQN if learner == "dqn" else PPO).load(folder / "model.zip", device="cpu")
    weights = torch.cat([value.flatten() for value in model.policy.state_dict().values()])
    return [(folder / f"{name}.csv").read_text() for name in ("episodes", "exploration", "visits")] + [weights.tolist()]


@pytest.mark.parametrize("learner", LEARNERS)
def test_what_was_killed_ends_as_what_was_not(learner: str, tmp_path: Path):
    chance, whole, killed = random.Random(0), tmp_path / "whole", tmp_path / "killed"
    assert start(learner, whole).wait() == 0
    for _ in range(KILLS):
        start_and_kill(learner, killed, chance.uniform(0, LONGEST))
    assert start(learner, killed).wait() == 0
    assert contents(whole, learner) == contents(killed, learner)
