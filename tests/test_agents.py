"""The agents: their bonus, their learning, and that a stopped run goes on as if it had not been."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from agents import checkpoint
from agents.curiosity import CountBonus, PictureCodes, PrivilegedCountBonus
from agents.evaluate import Chance, evaluate
from agents.imitation import SelfImitatingPPO, without_loops
from agents.networks import PixelPolicy
from agents.ppo import make_env, make_model, train_ppo
from agents.settings import Settings
from agents.train import play_at_random, train
from envs.results import load
from envs.sb3 import PriorLabVecEnv

ROOM = """name = "room"
game = "princess"
---
|          |
|          |
|          |
| S     G  |
|##########|
"""

SMALL = Settings(
    inputs=2400, level=ROOM, max_inputs=200, n_steps=32, n_epochs=2, screen_size=24, code_size=8, features=32,
    checkpoint_every=700, evaluation_episodes=0, progress=False,
)  # fmt: skip


pytestmark = pytest.mark.usefixtures("one_thread")


STEPS = 192  # of the rollout that is looked into


class Chain(gymnasium.Env):
    """Twenty cells; one action leads on, the other back to the first; reward 1 in the last."""

    observation_space = gymnasium.spaces.Box(0, 255, (20, 20, 1), np.uint8)
    action_space = gymnasium.spaces.Discrete(2)

    def picture(self) -> np.ndarray:
        picture = np.zeros((20, 20, 1), np.uint8)
        picture[:, self.cell] = 255
        return picture

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cell, self.steps = 0, 0
        return self.picture(), {}

    def step(self, action):
        self.cell = self.cell + 1 if action == self.cell % 2 else 0
        self.steps += 1
        won = self.cell == 19
        return self.picture(), float(won), won, self.steps >= 60, {}


class Wins(BaseCallback):
    def __init__(self):
        super().__init__()
        self.count = 0

    def _on_step(self) -> bool:
        self.count += sum(info.get("terminal_observation") is not None and not info["TimeLimit.truncated"]
                          for info in self.locals["infos"])  # fmt: skip
        return True


class StopAt(BaseCallback):
    """As Ctrl-C would, in the middle of a rollout."""

    def __init__(self, decisions: int):
        super().__init__()
        self.decisions = decisions

    def _on_step(self) -> bool:
        if self.num_timesteps >= self.decisions:
            raise KeyboardInterrupt
        return True


def weights(model: PPO) -> torch.Tensor:
    return torch.cat([value.flatten() for value in model.policy.state_dict().values()])


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


def test_loops_are_cut_out_of_a_way():
    way, actions = np.array([[1], [2], [3], [2], [4], [1], [5], [6], [5]]), np.arange(9)
    seen, taken = without_loops(way, actions)
    assert seen.tolist() == [[1], [5]] and taken.tolist() == [5, 8]
    seen, taken = without_loops(way[:5], actions[:5])
    assert seen.tolist() == [[1], [2], [4]] and taken.tolist() == [0, 3, 4]


@pytest.mark.parametrize("scale", [0.1, 0.0])
def test_only_with_a_bonus_is_the_end_of_a_chain_found(scale: float):
    chains = DummyVecEnv([lambda: Monitor(Chain())] * 4)
    env = CountBonus(chains, scale, PictureCodes((20, 20, 1), 20, 1.0), reward_scale=5.0)
    model = SelfImitatingPPO(
        "MlpPolicy", env, n_steps=64, batch_size=64, n_epochs=4, learning_rate=1e-3, seed=0, device="cpu"
    )
    callback = Wins()
    model.learn(8000, callback)
    assert (callback.count > 20) == (scale > 0)


def test_the_pixel_agent_learns_a_small_level(tmp_path: Path):
    model, record = train_ppo(replace(SMALL, inputs=8000, out=tmp_path / "run", n_epochs=4, learning_rate=2e-3))
    games = SMALL.of_games() | {"num_games": 50}
    chance = evaluate(Chance(0), games, seed=1)
    learned = evaluate(model, games, seed=1)
    assert learned.win_rate >= 0.9 > chance.win_rate
    assert learned.median_length < chance.median_length
    assert record.first_win and record.episodes > 50


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path: Path):
    settings = [replace(SMALL, inputs=1200, seed=seed, out=tmp_path / str(k)) for k, seed in enumerate((3, 3, 4))]
    runs = [train_ppo(each) for each in settings]
    one, same, other = (weights(model) for model, _ in runs)
    assert torch.equal(one, same) and not torch.equal(one, other)
    rows = [(tmp_path / str(k) / "episodes.csv").read_text() for k in range(3)]
    assert rows[0] == rows[1] != rows[2]


@pytest.mark.parametrize("bonus", ["counts", "privileged-counts", "none"])
def test_a_run_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path, bonus):
    settings = replace(SMALL, bonus=bonus, random_start=5)
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


def test_a_saved_model_plays_in_evaluate_policy(tmp_path: Path):
    model, _ = train_ppo(replace(SMALL, inputs=600, out=tmp_path))
    loaded = PPO.load(tmp_path / "model.zip", device="cpu")
    env = PriorLabVecEnv(**SMALL.of_games())
    mean, _ = evaluate_policy(loaded, env, n_eval_episodes=8)
    assert isinstance(mean, float) and 0 <= mean <= 1
    pictures = env.reset()
    assert isinstance(pictures, np.ndarray)
    assert (loaded.predict(pictures, deterministic=True)[0] == model.predict(pictures, deterministic=True)[0]).all()


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


def test_rows_count_raw_inputs_and_join(tmp_path: Path):
    folder = tmp_path / "runs" / "small" / "original" / "random" / "seed_0"
    record = play_at_random(replace(SMALL, agent="random", out=folder, random_start=7, frame_skip=3))
    rows: Any = load(tmp_path / "runs")
    assert not rows.problems
    episodes = rows.episodes
    assert (episodes["length"] <= 200).all() and episodes["inputs"].is_monotonic_increasing
    assert 0 <= record.inputs - episodes["length"].sum() <= 8 * 200
    assert set(episodes["outcome"]) == {"win", "limit"}
    assert rows.exploration["unique_states"].iloc[-1] == record.games.visited().sum()
    assert rows.configs["finished"].all() and list(rows.configs["frame_skip"]) == [3]


def test_what_is_privileged_says_so(tmp_path: Path):
    settings = replace(SMALL, inputs=300, bonus="privileged-counts", out=tmp_path / "a" / "original" / "p" / "seed_0")
    told = train(settings)
    assert "privileged" in told and "privileged" in settings.method
    assert json.loads((settings.folder / "config.json").read_text())["privileged"] is True
    rows: Any = load(tmp_path)
    assert rows.configs["privileged"].all()
    assert PrivilegedCountBonus.privileged and not CountBonus.privileged
    assert not replace(settings, bonus="counts").privileged


@pytest.mark.parametrize(
    "change, message",
    [
        ({"agent": "dqn"}, "agent is 'dqn': expected one of ppo, random"),
        ({"bonus": "icm"}, "bonus is 'icm': expected one of counts, privileged-counts, none"),
        ({"inputs": 0}, "inputs is 0: expected 1 or more"),
        ({"batch_size": 100}, "batch_size is 100: expected a divisor of"),
        ({"code_size": 99}, "code_size is 99: expected 1 to 24"),
        ({"code_step": 0.0}, "code_step is 0.0: expected"),
        ({"screen_size": 8, "code_size": 4}, "pictures of 8x8: expected"),
        ({"version": "nowhere"}, "nowhere"),
    ],
)
def test_a_bad_setting_is_told_in_one_line(tmp_path: Path, change: dict, message: str):
    with pytest.raises(ValueError) as error:
        train_ppo(replace(SMALL, out=tmp_path / "run", **change))
    assert message in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_that_is_cut_off_is_refused(tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        train_ppo(replace(SMALL, out=tmp_path), StopAt(700))
    path = tmp_path / checkpoint.NAME
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="expected a checkpoint"):
        train_ppo(replace(SMALL, out=tmp_path))


def test_the_network_runs_in_either_precision():
    space, actions = gymnasium.spaces.Box(0, 255, (2, 42, 42), np.uint8), gymnasium.spaces.Discrete(6)
    picture = torch.randint(0, 256, (5, 2, 42, 42), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    low = PixelPolicy(space, actions, lambda _: 1e-3, bfloat16=True)
    high = PixelPolicy(space, actions, lambda _: 1e-3, bfloat16=False)
    high.load_state_dict(low.state_dict())
    values = [policy.predict_values(picture) for policy in (low, high)]
    assert values[0].dtype == torch.float32 and torch.allclose(values[0], values[1], atol=0.02)
