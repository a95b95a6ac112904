"""What exploration is paid for: each bonus against a slow count of it, and what it does for a learner."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.evaluation import evaluate_policy

from priorlab.agents.curiosity.base import find_curiosity
from priorlab.agents.curiosity.counts import CountBonus, PictureCodes, PrivilegedCountBonus
from priorlab.agents.curiosity.rnd import FIRST_STEPS, RND
from priorlab.agents.learners.make_ppo import make_ppo, train_ppo
from priorlab.agents.learners.self_imitating import SelfImitatingPPO
from priorlab.agents.learners.two_returns import TwoReturnsPPO
from priorlab.agents.runs import checkpoint
from priorlab.agents.runs.run_learner import make_env
from priorlab.agents.settings import CuriosityKind, Settings
from priorlab.agents.training import play_at_random, train
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv
from priorlab.envs.results.load import load
from tests.agents.test_agents import RANDOM, ROOM, SMALL, StopAt, weights

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


@pytest.mark.parametrize("counted", ["both", "episodic", "lifelong"])
def test_the_bonus_is_that_of_a_slow_count(counted):
    arguments = {"num_envs": 3, "level": ROOM, "screen_size": 24, "stack_size": 2, "frame_skip": 2, "max_inputs": 60}
    shape = (24, 24, 2)
    codes, plain = PictureCodes(shape, 8, 3.0), PriorLabVecEnv(**arguments)
    env = CountBonus(PriorLabVecEnv(**arguments), 0.5, codes, reward_scale=2.0, counted=counted)
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
            if code not in seen[lane] or counted == "lifelong":
                seen[lane].add(code)
                lifelong[code] = lifelong.get(code, 0) + 1
                expected, paid = 0.5 if counted == "episodic" else 0.5 / lifelong[code], paid + 1
            assert (env.game_rewards[lane], env.bonus[lane]) == pytest.approx((2 * own[lane], expected))
            assert rewards[lane] == env.game_rewards[lane] + env.bonus[lane]
            if dones[lane]:
                seen[lane], endings = {slow_code(pictures[lane], first, 8, 3.0)}, endings + 1
    assert paid > 50 and endings > 10


@pytest.mark.parametrize("curiosity", ["counts", "icm", "rnd", "privileged-counts", "none"])
def test_a_stopped_run_ends_with_the_same_weights_and_rows(tmp_path: Path, curiosity):
    settings, stop = replace(SMALL, curiosity=curiosity, random_start=5), 900
    if curiosity != "rnd":  # which pays nothing at first; of the others three rollouts, the second of which is stopped
        settings, stop = replace(settings, max_inputs=60, inputs=1500, checkpoint_every=400), 400
    whole, _ = train_ppo(replace(settings, out=tmp_path / "whole"))
    stopped = replace(settings, out=tmp_path / "stopped")
    with pytest.raises(KeyboardInterrupt):
        train_ppo(stopped, StopAt(stop))
    assert (tmp_path / "stopped" / checkpoint.NAME).exists() and not (tmp_path / "stopped" / "done").exists()
    resumed, _ = train_ppo(replace(stopped, tensorboard=tmp_path / "logs"))
    assert list((tmp_path / "logs").rglob("events*"))
    assert torch.equal(weights(whole), weights(resumed))
    for name in ("episodes.csv", "visits.csv"):
        assert (tmp_path / "whole" / name).read_text() == (tmp_path / "stopped" / name).read_text()
    assert (tmp_path / "stopped" / "done").exists()
    lengths = [[episode["l"] for episode in model.ep_info_buffer or ()] for model in (whole, resumed)]
    assert lengths[0] == lengths[1] and len(lengths[0]) > 5  # also of episodes that were open at the checkpoint


def test_a_model_with_two_values_is_one_of_stable_baselines3(tmp_path: Path):
    model, _ = train_ppo(replace(SMALL, curiosity="rnd", inputs=600, out=tmp_path))
    env = PriorLabVecEnv(**SMALL.game_arguments())
    pictures = np.asarray(env.reset())
    for kind in (PPO, TwoReturnsPPO):
        loaded = kind.load(tmp_path / "model.zip", env=RND(env), device="cpu")
        assert (loaded.predict(pictures, deterministic=True)[0] == model.predict(pictures, deterministic=True)[0]).all()
        assert 0 <= evaluate_policy(loaded, env, n_eval_episodes=4)[0] <= 1  # type: ignore[operator]
        before = weights(loaded)
        loaded.learn(256)
        assert not torch.equal(before, weights(loaded))
    with pytest.raises(ValueError, match="found no curiosity around its environment"):
        TwoReturnsPPO.load(tmp_path / "model.zip", env=env, device="cpu").learn(256)


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


def rollout(settings: Settings) -> tuple[SelfImitatingPPO, Kept]:
    """A learner after one rollout, from which it learned nothing."""
    model, kept = make_ppo(settings, make_env(settings)[0]), Kept()
    model.train = lambda: None  # type: ignore[method-assign]
    model.learn(settings.n_steps * settings.num_games, kept)
    return model, kept


@pytest.mark.parametrize("curiosity", ["counts", "rnd"])
def test_an_episode_that_was_cut_off_is_bootstrapped_and_one_that_ended_is_not(curiosity):
    settings = replace(SMALL, curiosity=curiosity, max_inputs=60, n_steps=STEPS)
    model, kept = rollout(settings)
    learned = model.rollout_buffer.rewards
    expected = np.array(kept.rewards)
    for step, lane, truncated, value in kept.ends:
        expected[step, lane] += settings.gamma * value if truncated else 0
    assert {truncated for _, _, truncated, _ in kept.ends} == {True, False}
    assert learned == pytest.approx(expected, abs=1e-5)


def test_the_bonus_of_rnd_has_a_return_of_its_own_that_no_episode_ends():
    settings = replace(SMALL, curiosity="rnd", max_inputs=60, n_steps=STEPS, bonus_gamma=0.9, gae_lambda=1.0)
    model, kept = rollout(settings)
    assert isinstance(model, TwoReturnsPPO) and len(kept.ends) > 8
    buffer = model.rollout_buffer
    curiosity = find_curiosity(model.get_env())
    assert curiosity and (buffer.bonuses[-1] == curiosity.bonus).all() and buffer.bonuses[FIRST_STEPS:].all()
    assert set(np.unique(kept.rewards)) <= {0.0, 10.0}  # the game's alone
    with torch.no_grad():
        ahead = model.policy.both_values(torch.from_numpy(model._last_obs))[:, 1].numpy()
    for step in reversed(range(STEPS)):
        ahead = buffer.bonuses[step] + 0.9 * ahead
        assert buffer.bonus_returns[step] == pytest.approx(ahead, abs=1e-4)
    own = (buffer.advantages - (buffer.bonus_returns - buffer.bonus_values)) / 2
    assert own == pytest.approx(buffer.returns - buffer.values, abs=1e-4)
    shuffled = next(buffer.get())
    flat = {name: buffer.__dict__[name].ravel() for name in ("returns", "bonus_returns")}
    assert shuffled.returns.shape == (2 * STEPS * settings.num_games,)
    pairs = {tuple(pair) for pair in shuffled.returns.reshape(-1, 2).tolist()}
    assert pairs == set(zip(flat["returns"].tolist(), flat["bonus_returns"].tolist()))


@pytest.mark.parametrize("counted", ["both", "episodic", "lifelong"])
def test_the_bonus_for_positions_is_that_of_a_slow_count(counted):
    arguments = {"num_envs": 3, "level": ROOM, "screen_size": 24, "frame_skip": 2, "max_inputs": 60}
    games, plain = PriorLabVecEnv(**arguments), PriorLabVecEnv(**arguments)
    env = PrivilegedCountBonus(games, 0.5, games.games, reward_scale=2.0, counted=counted)
    env.reset(), plain.reset()
    lifelong: dict[tuple, int] = {}
    seen = [{place} for place in places(plain)]
    generator, paid, again, endings = np.random.default_rng(0), 0, 0, 0
    for _ in range(300):
        actions = generator.integers(6, size=3)
        _, rewards, _, told = env.step(actions)
        _, own, dones, infos = plain.step(actions)
        now = places(plain)
        for lane in range(3):
            place = (infos[lane]["x"], infos[lane]["y"]) if dones[lane] else now[lane]
            expected = 0.0
            if place not in seen[lane] or counted == "lifelong":
                again += place in seen[lane]
                seen[lane].add(place)
                lifelong[place] = lifelong.get(place, 0) + 1
                expected, paid = 0.5 if counted == "episodic" else 0.5 / lifelong[place], paid + 1
                assert told[lane].get("discovery", False) == (lifelong[place] == 1)
            assert (rewards[lane], env.bonus[lane]) == pytest.approx((2 * own[lane] + expected, expected))
            if dones[lane]:
                seen[lane], endings = {now[lane]}, endings + 1
    assert paid > 50 and endings > 10 and (again > 0) == (counted == "lifelong")


def places(env: PriorLabVecEnv) -> list[tuple[float, float]]:
    """Where the players are, in pixels."""
    info = env.games.info()
    return list(zip(info["x"].tolist(), info["y"].tolist()))


@pytest.mark.parametrize("on_device", [False, True])
def test_without_a_bonus_a_win_pays_what_the_settings_say(on_device: bool):
    settings = replace(SMALL, curiosity="none", reward_scale=7.0, imitation_batches=0, on_device=on_device)
    model, rewards = make_ppo(settings, make_env(settings)[0]), Rewards()
    model.learn(4 * settings.rollout, rewards)
    assert rewards.found == {0.0, 7.0}


class Rewards(BaseCallback):
    """Which a learner was paid."""

    def __init__(self):
        super().__init__()
        self.found: set[float] = set()

    def _on_step(self) -> bool:
        self.found |= set(self.locals["rewards"].tolist())
        return True


def test_privileged_runs_are_marked(tmp_path: Path):
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


@pytest.mark.parametrize(
    "change, message",
    [
        (
            {"curiosity": "none", "bonus_scale": 2.0},
            "bonus_scale is 2.0: expected None, the default, because it applies only to curiosity counts, icm, rnd or",
        ),
        (
            {"curiosity": "icm", "counts": "episodic"},
            "counts is episodic: expected both, the default, because it applies only to curiosity counts",
        ),
        (
            {"curiosity": "icm", "bonus_gamma": 0.9},
            "bonus_gamma is 0.9: expected 0.99, the default, because it applies only to curiosity rnd",
        ),
        (
            {"curiosity_learning_rate": 0.1},
            "because it applies only to curiosity icm or rnd",
        ),
        (
            {"curiosity": "icm", "code_size": 8},
            "code_size is 8: expected 11, the default, because it applies only to curiosity counts",
        ),
        (
            {"curiosity": "none", "code_step": 9.0},
            "code_step is 9.0: expected 3.0, the default, because it applies only to curiosity counts",
        ),
        (
            {"curiosity": "rnd", "discovery_enough": 1},
            "discovery_enough is 1: expected 1.2, the default, because it applies only to curiosity counts",
        ),
        ({"curiosity": "rnd", "bonus_gamma": 1.5}, "bonus_gamma is 1.5: expected 0 or more, less than 1"),
        ({"curiosity": "icm", "curiosity_learning_rate": 0.0}, "curiosity_learning_rate is 0.0: expected more than 0"),
    ],
)
def test_settings_that_contradict_are_rejected(change: dict, message: str):
    with pytest.raises(ValueError) as error:
        replace(SMALL, **change)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_methods_have_different_names_and_runs_of_the_earlier_setting_load(tmp_path: Path):
    names = {curiosity: replace(SMALL, curiosity=curiosity).method for curiosity in get_args(CuriosityKind)}
    assert names == {
        "counts": "ppo", "icm": "ppo-icm", "rnd": "ppo-rnd", "privileged-counts": "ppo-privileged-counts",
        "none": "ppo-no-bonus",
    }  # fmt: skip
    assert replace(SMALL, counts="lifelong").method == "ppo-lifelong"
    folder = tmp_path / "runs" / "x" / "original" / "ppo" / "seed_0"
    play_at_random(replace(RANDOM, inputs=300, out=folder))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"method": "ppo", "bonus": "counts"}))
    rows: Any = load(tmp_path / "runs")
    assert not rows.problems and list(rows.configs["method"]) == ["ppo"]
