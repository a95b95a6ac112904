"""What a learner's run does for its user: refuses what can't be run, keeps what was learned, stops what diverges."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from priorlab.agents import training
from priorlab.agents.curiosity.base import find_curiosity
from priorlab.agents.curiosity.rnd import RND
from priorlab.agents.learners.make_ppo import make_ppo, train_ppo
from priorlab.agents.runs import checkpoint, run_learner
from priorlab.agents.runs import required_memory as machine
from priorlab.agents.runs.saved_model import load_model
from priorlab.agents.settings import Settings
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv
from tests.agents.test_agents import RANDOM, SMALL, StopAt, weights
from tests.agents.test_dqn import SMALL as DQN

ROWS = ("episodes.csv", "exploration.csv", "visits.csv", "progress.csv", "reached.csv", "deaths.csv", "tracks.csv")

pytestmark = pytest.mark.usefixtures("one_thread")


class Breaks(BaseCallback):
    """Makes a weight or a reward not a number, once after so many decisions, as a divergence would."""

    def __init__(self, breaks: str, decisions: int):
        super().__init__()
        self.breaks, self.decisions, self.done = breaks, decisions, False

    def _on_step(self) -> bool:
        if self.breaks == "rewards" and self.due():
            self.locals["rewards"][0] = np.nan
        return True

    def _on_rollout_end(self) -> None:
        if self.breaks == "weights" and self.due():
            with torch.no_grad():
                next(self.model.policy.parameters())[0] = float("nan")

    def due(self) -> bool:
        due = self.num_timesteps >= self.decisions and not self.done
        self.done |= due
        return due


TIMELY = replace(SMALL, checkpoint_every=10**9, inputs=1600)


@pytest.fixture(scope="module")
def wholes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Settings], tuple[PPO, Path]]:
    """(what these settings learn when nothing stops the run, its folder), each learned once for all tests."""

    @cache
    def whole(settings: Settings) -> tuple[PPO, Path]:
        folder = tmp_path_factory.mktemp("whole") / "run"
        return train_ppo(replace(settings, out=folder))[0], folder

    return whole


@pytest.mark.parametrize("breaks", ["weights", "rewards"])
def test_a_run_that_diverges_stops_and_resumes_from_its_last_good_checkpoint(tmp_path: Path, wholes, breaks: str):
    whole, there = wholes(SMALL)
    settings = replace(SMALL, out=tmp_path / "run")
    with pytest.raises(FloatingPointError) as error:
        train_ppo(settings, Breaks(breaks, 900))
    told, kept = str(error.value), checkpoint.read(tmp_path / "run")
    assert kept
    assert "became infinite or NaN, after " in told and "\n" not in told
    assert f"{tmp_path}/run/checkpoint.pt holds the run as it was after {kept['record']['inputs']:,}, " in told
    assert not (tmp_path / "run" / "model.zip").exists()
    resumed, _ = train_ppo(settings)
    assert torch.equal(weights(whole), weights(resumed))
    for name in ROWS:
        assert (there / name).read_text() == (tmp_path / "run" / name).read_text(), name


def test_a_run_that_diverges_at_once_says_that_there_is_no_checkpoint(tmp_path: Path):
    with pytest.raises(FloatingPointError, match="no checkpoint had been written yet"):
        train_ppo(replace(SMALL, out=tmp_path), Breaks("weights", 10))


@pytest.mark.parametrize("decisions", [300, 500, 700])
def test_checkpoints_are_written_as_time_goes_by_and_cost_the_run_nothing(
    tmp_path: Path, monkeypatch, wholes, decisions: int
):
    whole, there = wholes(TIMELY)
    monkeypatch.setattr(run_learner, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        train_ppo(replace(TIMELY, out=tmp_path / "run"), StopAt(decisions))
    kept = checkpoint.read(tmp_path / "run")
    assert kept and kept["record"]["inputs"] > 2 * decisions - 2 * 32 * 8 - 50
    resumed, _ = train_ppo(replace(TIMELY, out=tmp_path / "run"))
    assert torch.equal(weights(whole), weights(resumed))
    for name in ROWS:
        assert (there / name).read_text() == (tmp_path / "run" / name).read_text(), name


@pytest.mark.parametrize(
    "change, message",
    [
        ({"features": 10**9}, "network 2,576.0 GB"),
        ({"memory": "episode", "features": 50_000}, "network 320.4 GB"),
        ({"curiosity": "icm", "screen_size": 2000, "batch_size": 2}, "curiosity's networks 19.2 GB"),
        ({"num_games": 10**6, "batch_size": 10**6}, "stored steps 74.5 GB"),
        ({"device": "tpu"}, "device is 'tpu': expected one of auto, cpu, cuda"),
        ({"device": "cuda"}, "device is cuda: expected a GPU that torch can use, and there is none"),
    ],
)
def test_a_run_that_the_machine_cannot_carry_is_rejected_before_anything_is_written(
    tmp_path: Path, monkeypatch, change, message
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(machine, "free_bytes", lambda: 16e9)
    with pytest.raises(ValueError) as error:
        train_ppo(replace(SMALL, imitation_batches=None, out=tmp_path / "run", **change))
    assert message in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_free_memory_is_a_plausible_number():
    assert 1e7 < machine.free_bytes() < 1e15
    assert machine.network_bytes(SMALL) < machine.network_bytes(replace(SMALL, features=10_000)) < 1e9


@pytest.mark.parametrize("change", [{}, {"memory": "play"}, {"curiosity": "rnd"}, {"curiosity": "icm"}])
def test_all_networks_of_a_run_are_counted(change: dict):
    """Of two rows a batch they take little more than their weights, the gradients and two moments of these."""
    settings = replace(SMALL, **change, num_games=2, n_steps=2, batch_size=2, features=700, imitation_batches=None)
    env, _ = run_learner.make_env(settings)
    policy, curiosity = make_ppo(settings, env).policy, find_curiosity(env)
    learning: list[Any] = [policy.features_extractor, *([policy.lstm] if settings.memory == "play" else [])]
    counted, least = machine.network_bytes(settings), 0
    if settings.curiosity in machine.CURIOSITY_BYTES:
        counted += machine.CURIOSITY_BYTES[settings.curiosity](settings)
        learning.append(curiosity)
    if isinstance(curiosity, RND):
        least += 4 * machine.weights_of(curiosity.target)
    least += 4 * 4 * sum(weight.numel() for each in learning for weight in each.parameters())
    assert least < counted < 1.3 * least


@pytest.mark.parametrize("agent", ["ppo", "random"])
def test_a_run_stopped_during_its_evaluation_is_only_evaluated(tmp_path: Path, monkeypatch, agent: str):
    small = RANDOM if agent == "random" else SMALL
    settings = replace(small, inputs=600, evaluation_episodes=4, out=tmp_path / "run")
    with monkeypatch.context() as stopped, pytest.raises(KeyboardInterrupt):
        stopped.setattr(training, "evaluate_player", interrupted)
        training.train(settings)
    kept = {path: path.read_bytes() for path in settings.folder.iterdir()}
    assert settings.folder / "done" in kept and settings.folder / "evaluation.json" not in kept
    with pytest.raises(ValueError, match="holds a run with frame_skip = 2, not 3"):
        training.train(replace(settings, frame_skip=3))
    with pytest.raises(ValueError, match="holds a finished run"):
        training.train(replace(settings, evaluation_episodes=0))
    told = training.train(settings)
    assert "was trained before" in told and "of 4 episodes won" in told
    assert (settings.folder / "evaluation.json").exists() and all(path.read_bytes() == kept[path] for path in kept)
    with pytest.raises(ValueError, match="holds a finished run"):
        training.train(settings)


def interrupted(*_: object) -> list[str]:
    raise KeyboardInterrupt


@pytest.mark.parametrize("change", [{"memory": "episode"}, {"curiosity": "rnd"}, {"on_device": True}, {"agent": "dqn"}])
def test_the_player_of_a_finished_run_loads(tmp_path: Path, change: dict):
    small = DQN if change == {"agent": "dqn"} else replace(SMALL, imitation_batches=None, **change)
    model, _ = training.train_player(replace(small, inputs=600, out=tmp_path))
    again = training.load_player(replace(small, out=tmp_path))
    assert type(again) is type(model)
    pictures = np.asarray(PriorLabVecEnv(**small.game_arguments()).reset())
    assert (again.predict(pictures, deterministic=True)[0] == model.predict(pictures, deterministic=True)[0]).all()


def test_a_model_of_an_earlier_version_is_rejected_in_one_line(tmp_path):
    class Learner:
        def load(self, path):
            pickle.loads(b"cpriorlab.agents.gone\nPolicy\n.")

    with pytest.raises(ValueError, match=r"model\.zip: must be saved by this version of Priorlab") as raised:
        load_model(Learner(), tmp_path)
    assert "\n" not in str(raised.value)
