"""What exploration is paid for: each bonus against a slow count of it, and what it does for a learner."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from agents import checkpoint
from agents.counts import CountBonus, PictureCodes, PrivilegedCountBonus
from agents.imitation import SelfImitatingPPO
from agents.ppo import make_env, make_model, train_ppo
from agents.train import train
from envs.results import load
from envs.sb3 import PriorLabVecEnv
from tests.chain import Chain, Wins
from tests.test_agents import ROOM, SMALL, StopAt, weights

pytestmark = pytest.mark.usefixtures("one_thread")

STEPS = 192  # of the rollout that is looked into


def slow_code(picture: np.ndarray, first: np.ndarray, size: int, step: float) -> tuple[int, ...]:
    """-1, 0 or 1 for each area of the newest frame; the areas divide the picture here."""
    block = len(picture) // size
    signs = []
    for row in range(0, len(picture), block):
        for column in range(0, len(picture), block):
            area = (slice(row, row + block), slice(column, column + block), -1)
            change = float(picture[area].mean()) - float(first[area].mean())
            signs.append((change >= step) - (change <= -step))
    return tuple(signs)


def test_the_bonus_is_that_of_a_slow_count():
    arguments = {"num_games": 3, "level": ROOM, "screen_size": 24, "stack_size": 2, "frame_skip": 2, "max_inputs": 60}
    shape = (24, 24, 2)
    codes, plain = PictureCodes(shape, 8, 3.0), PriorLabVecEnv(**arguments)
    env = CountBonus(PriorLabVecEnv(**arguments), 0.5, codes, reward_scale=2.0)
    env.reset()
    starts = np.asarray(plain.reset())
    first = starts[0]
    lifelong: dict[tuple, int] = {}
    seen = [{slow_code(picture, first, 8, 3.0)} for picture in starts]
    generator, paid, endings = np.random.default_rng(0), 0, 0
    for _ in range(300):
        actions = generator.integers(6, size=3)
        _, rewards, _, _ = env.step(actions)
        pictures, own, dones, infos = plain.step(actions)
        pictures = np.asarray(pictures)
        for lane in range(3):
            reached = infos[lane]["terminal_observation"] if dones[lane] else pictures[lane]
            code, expected = slow_code(reached, first, 8, 3.0), 0.0
            if code not in seen[lane]:
                seen[lane].add(code)
                lifelong[code] = lifelong.get(code, 0) + 1
                expected, paid = 0.5 / lifelong[code], paid + 1
            assert rewards[lane] == pytest.approx(2 * own[lane] + expected)
            if dones[lane]:
                seen[lane], endings = {slow_code(pictures[lane], first, 8, 3.0)}, endings + 1
    assert paid > 50 and endings > 10


@pytest.mark.parametrize("scale", [0.1, 0.0])
def test_only_with_a_bonus_is_the_end_of_a_chain_found(scale: float):
    chains = DummyVecEnv([lambda: Monitor(Chain())] * 4)
    env = CountBonus(chains, scale, PictureCodes((24, 24, 1), 24, 1.0), reward_scale=5.0)
    model = SelfImitatingPPO(
        "MlpPolicy", env, n_steps=64, batch_size=64, n_epochs=4, learning_rate=1e-3, seed=0, device="cpu"
    )
    callback = Wins()
    model.learn(8000, callback)
    assert (callback.count > 20) == (scale > 0)


@pytest.mark.parametrize("curiosity", ["counts", "privileged-counts", "none"])
def test_a_run_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path, curiosity):
    settings = replace(SMALL, curiosity=curiosity, random_start=5)
    whole, _ = train_ppo(replace(settings, out=tmp_path / "whole"))
    stopped = replace(settings, out=tmp_path / "stopped")
    with pytest.raises(KeyboardInterrupt):
        train_ppo(stopped, StopAt(900))
    assert (tmp_path / "stopped" / checkpoint.NAME).exists() and not (tmp_path / "stopped" / "done").exists()
    resumed, _ = train_ppo(replace(stopped, tensorboard=tmp_path / "logs"))
    assert list((tmp_path / "logs").rglob("events*"))
    assert torch.equal(weights(whole), weights(resumed))
    for name in ("episodes.csv", "visits.csv"):
        assert (tmp_path / "whole" / name).read_text() == (tmp_path / "stopped" / name).read_text()
    assert (tmp_path / "stopped" / "done").exists()


class Kept(BaseCallback):
    """What a rollout's rewards were before the learner saw them, and what the critic said of the last pictures."""

    def __init__(self):
        super().__init__()
        self.rewards: list[np.ndarray] = []
        self.ends: list[tuple[int, int, bool, float]] = []

    def _on_step(self) -> bool:
        self.rewards.append(self.locals["rewards"].copy())
        for lane, info in enumerate(self.locals["infos"]):
            if "terminal_observation" in info:
                picture, _ = self.model.policy.obs_to_tensor(info["terminal_observation"][None])
                with torch.no_grad():
                    value = self.model.policy.predict_values(picture).item()  # type: ignore[operator]
                self.ends.append((len(self.rewards) - 1, lane, info["TimeLimit.truncated"], value))
        return True


def test_an_episode_that_was_cut_off_is_bootstrapped_and_one_that_ended_is_not():
    settings = replace(SMALL, max_inputs=60, n_steps=STEPS)
    env, _ = make_env(settings)
    model, kept = make_model(settings, env), Kept()
    model.train = lambda: None  # type: ignore[method-assign]
    model.learn(STEPS * settings.num_games, kept)
    learned = model.rollout_buffer.rewards
    expected = np.array(kept.rewards)
    for step, lane, truncated, value in kept.ends:
        expected[step, lane] += settings.gamma * value if truncated else 0
    assert {truncated for _, _, truncated, _ in kept.ends} == {True, False}
    assert learned == pytest.approx(expected, abs=1e-5)


def test_what_is_privileged_says_so(tmp_path: Path):
    settings = replace(
        SMALL, inputs=300, curiosity="privileged-counts", out=tmp_path / "a" / "original" / "p" / "seed_0"
    )
    told = train(settings)
    assert "privileged" in told and "privileged" in settings.method
    assert json.loads((settings.folder / "config.json").read_text())["privileged"] is True
    rows: Any = load(tmp_path)
    assert rows.configs["privileged"].all()
    assert PrivilegedCountBonus.privileged and not CountBonus.privileged
    assert not replace(settings, curiosity="counts").privileged
