"""The agents: what they save and tell, and what is refused."""

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

from priorlab.agents.imitation.trajectories import remove_loops
from priorlab.agents.learners.make_ppo import train_ppo
from priorlab.agents.networks.pixels import PixelPolicy
from priorlab.agents.runs import checkpoint, run_log
from priorlab.agents.settings import Settings
from priorlab.agents.training import play_at_random
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv
from priorlab.envs.results.load import load
from priorlab.envs.results.rows import count_visits

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
    inputs=2400, level=ROOM, max_inputs=200, n_steps=32, n_epochs=2, screen_size=24, features=32,
    frame_skip=2, learning_rate=1e-3, checkpoint_every=700, evaluation_episodes=0, progress=False,
    imitation_batches=4,
)  # fmt: skip
RANDOM = Settings(
    agent="random", inputs=2400, level=ROOM, max_inputs=200, frame_skip=2, evaluation_episodes=0, progress=False
)

pytestmark = pytest.mark.usefixtures("one_thread")


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


def test_loops_are_removed_from_a_trajectory():
    way, actions = np.array([[1], [2], [3], [2], [4], [1], [5], [6], [5]]), np.arange(9)
    seen, taken = remove_loops(way, actions)
    assert seen.tolist() == [[1], [5]] and taken.tolist() == [5, 8]
    seen, taken = remove_loops(way[:5], actions[:5])
    assert seen.tolist() == [[1], [2], [4]] and taken.tolist() == [0, 3, 4]


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path: Path):
    settings = [replace(SMALL, inputs=1200, seed=seed, out=tmp_path / str(k)) for k, seed in enumerate((3, 3, 4))]
    runs = [train_ppo(each) for each in settings]
    one, same, other = (weights(model) for model, _ in runs)
    assert torch.equal(one, same) and not torch.equal(one, other)
    rows = [(tmp_path / str(k) / "episodes.csv").read_text() for k in range(3)]
    assert rows[0] == rows[1] != rows[2]


def test_a_saved_model_plays_in_evaluate_policy(tmp_path: Path):
    model, _ = train_ppo(replace(SMALL, inputs=600, out=tmp_path))
    loaded = PPO.load(tmp_path / "model.zip", device="cpu")
    env = PriorLabVecEnv(**SMALL.game_arguments())
    mean, _ = evaluate_policy(loaded, env, n_eval_episodes=8)
    assert isinstance(mean, float) and 0 <= mean <= 1
    pictures = env.reset()
    assert isinstance(pictures, np.ndarray)
    assert (loaded.predict(pictures, deterministic=True)[0] == model.predict(pictures, deterministic=True)[0]).all()


def test_rows_count_raw_inputs_and_join(tmp_path: Path):
    folder = tmp_path / "runs" / "small" / "original" / "random" / "seed_0"
    played = play_at_random(replace(RANDOM, out=folder, random_start=7, frame_skip=3))
    rows: Any = load(tmp_path / "runs")
    assert not rows.problems
    episodes = rows.episodes
    assert (episodes["length"] <= 200).all() and episodes["inputs"].is_monotonic_increasing
    assert 0 <= played.inputs - episodes["length"].sum() <= 8 * 200
    assert set(episodes["outcome"]) == {"win", "limit"}
    assert rows.exploration["unique_states"].iloc[-1] == played.games.visited().sum()
    assert rows.configs["finished"].all() and list(rows.configs["frame_skip"]) == [3]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"agent": "a2c"}, "agent is 'a2c': expected one of ppo, dqn, random"),
        ({"curiosity": "some"}, "curiosity is 'some': expected one of counts, icm, rnd, privileged-counts, none"),
        ({"inputs": 0}, "inputs is 0: expected 1 or more"),
        ({"batch_size": 100}, "batch_size is 100: expected a divisor of"),
        ({"code_size": 99}, "code_size is 99: expected 1 to 24, the picture's side"),
        ({"code_step": 0.0}, "code_step is 0.0: expected"),
        ({"screen_size": 8, "code_size": 4}, "pictures of 8x8: expected"),
        ({"version": "nowhere"}, "nowhere"),
        ({"gamma": float("nan")}, "gamma is nan: expected a finite number, 0 or more, at most 1"),
        ({"gamma": 1.01}, "gamma is 1.01: expected 0 or more, at most 1"),
        ({"clip_range": 0}, "clip_range is 0: expected more than 0"),
    ],
)
def test_a_bad_setting_gets_a_one_line_error(tmp_path: Path, change: dict, message: str):
    with pytest.raises(ValueError) as error:
        train_ppo(replace(SMALL, out=tmp_path / "run", **change))
    assert message in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_the_random_agent_has_no_settings_of_learners():
    for name, value in {
        "learning_rate": 0.1, "gamma": 0.9, "features": 9, "network": "study", "reward_scale": 1.0, "batch_size": 2,
        "tensorboard": Path("x"), "screen_size": 84, "device": "cpu", "imitation_episodes": 3,
    }.items():  # fmt: skip
        with pytest.raises(
            ValueError, match=f"{name} is {value}: expected .*, because it applies only to agent ppo or dqn"
        ):
            replace(RANDOM, **{name: value})
    assert replace(RANDOM, curiosity="none", num_games=3).config()["method"] == "random"


def test_positions_are_counted_now_and_then_and_the_table_of_visits_is_the_same(tmp_path: Path, monkeypatch):
    whole = play_at_random(replace(RANDOM, out=tmp_path / "whole"))
    monkeypatch.setattr(run_log, "BUFFERED", 3)
    counted = []
    monkeypatch.setattr(run_log, "count_visits", lambda x, *where: counted.append(len(x)) or count_visits(x, *where))
    play_at_random(replace(RANDOM, out=tmp_path / "often"))
    assert max(counted) == 3 * RANDOM.num_games and whole.visits.sum() == sum(counted) > 50 * RANDOM.num_games
    for name in ("visits", "episodes", "exploration", "progress", "reached", "deaths", "tracks"):
        whole_file, often_file = (tmp_path / out / f"{name}.csv" for out in ("whole", "often"))
        assert whole_file.read_text() == often_file.read_text()


def test_a_truncated_checkpoint_is_rejected(tmp_path: Path):
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
