"""DQN and its replay memory: each against a slow and obvious one, stopped and resumed, and on a chain."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3 import DQN
from stable_baselines3.common.evaluation import evaluate_policy

from priorlab.agents.curiosity.counts import CountBonus
from priorlab.agents.learners.dqn import DoubleDQN
from priorlab.agents.learners.exploration import Exploration
from priorlab.agents.learners.make_dqn import make_dqn, replay_bytes, train_dqn
from priorlab.agents.learners.replay import FrameReplay, SumTree
from priorlab.agents.runs import checkpoint
from priorlab.agents.runs import required_memory as machine
from priorlab.agents.runs.run_learner import make_env
from priorlab.agents.settings import Settings
from priorlab.agents.training import train
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv
from tests.agents.test_agents import ROOM, StopAt, weights
from tests.agents.test_agents import SMALL as PPO

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = Settings(
    agent="dqn", inputs=2400, level=ROOM, max_inputs=60, frame_skip=2, screen_size=24, features=32,
    batch_size=16, replay_size=800, checkpoint_every=700, evaluation_episodes=0, progress=False,
)  # fmt: skip
SIDE, STACK, LANES = 3, 3, 2


class Reels:
    """Lanes of stacked random frames: an observation slides by one, a new episode begins with its first frame alone."""

    def __init__(self, seed: int, ends: float):
        self.random, self.ends = np.random.default_rng(seed), ends
        self.now = np.stack([self.first() for _ in range(LANES)])

    def frame(self) -> np.ndarray:
        return self.random.integers(256, size=(1, SIDE, SIDE), dtype=np.uint8)

    def first(self) -> np.ndarray:
        return np.concatenate([self.frame()] * STACK)

    def step(self) -> dict[str, Any]:
        """The arguments of ``FrameReplay.add``."""
        before = self.now.copy()
        following = np.stack([np.concatenate([seen[1:], self.frame()]) for seen in before])
        done = self.random.random(LANES) < self.ends
        late = done & (self.random.random(LANES) < 0.5)
        self.now = np.stack([self.first() if ended else seen for ended, seen in zip(done, following)])
        return {
            "obs": before,
            "next_obs": following,
            "action": self.random.integers(6, size=LANES),
            "reward": self.random.normal(size=LANES).astype(np.float32),
            "done": done,
            "infos": [{"TimeLimit.truncated": bool(cut)} for cut in late],
            "notes": self.random.integers(-1, 4, size=LANES),
        }


def replay_of(size: int, **settings: Any) -> FrameReplay:
    space = gymnasium.spaces.Box(0, 255, (STACK, SIDE, SIDE), np.uint8)
    return FrameReplay(
        size, space, gymnasium.spaces.Discrete(6), "cpu", LANES, **{"stack": STACK, "n_steps": 4, "seed": 0} | settings
    )


def worth(notes: np.ndarray) -> np.ndarray:
    return np.where(notes < 0, 0, 0.5 / (notes + 2))


def slow_step(history: list[dict[str, Any]], t: int, lane: int, n_steps: int, gamma: float) -> tuple:
    """Observation, action, return, discount and what follows, of the step at time t."""
    total, k = 0.0, t
    while True:
        step = history[k]
        total += gamma ** (k - t) * (float(step["reward"][lane]) + float(worth(step["notes"][lane])))
        if step["done"][lane] or k - t + 1 == n_steps or k + 1 == len(history):
            break
        k += 1
    ended = step["done"][lane] and not step["infos"][lane]["TimeLimit.truncated"]
    discount = 0.0 if ended else gamma ** (k - t + 1)
    return history[t]["obs"][lane], history[t]["action"][lane], total, discount, step["next_obs"][lane]


@pytest.mark.parametrize("ends, size", [(0.15, 60), (0.15, 400), (0.9, 40), (1.0, 2)])
def test_the_replay_memory_gives_what_a_slow_one_gives(ends: float, size: int):
    reels, replay, history = Reels(1, ends), replay_of(size, gamma=0.9), []
    cut = over = begun = 0
    for count in range(1, 121):
        history.append(reels.step())
        replay.add(**history[-1])
        assert replay.newest == count and 1 <= replay.size() <= size // LANES
        if count % 7:
            continue
        held = [(t, lane) for t in range(replay.oldest, count) for lane in range(LANES)]
        places = np.array([t % replay.buffer_size * LANES + lane for t, lane in held])
        found = replay.gather(places, np.ones(len(places), np.float32), worth)
        assert (replay.tree[places] > 0).all() and replay.tree.total == pytest.approx(replay.tree[places].sum())
        for k, (t, lane) in enumerate(held):
            seen, action, total, discount, following = slow_step(history, t, lane, 4, 0.9)
            assert (found.observations[k].numpy() == seen).all() and (found.following[k].numpy() == following).all()
            assert found.actions[k] == action and found.returns[k].item() == pytest.approx(total, abs=1e-5)
            assert found.discounts[k].item() == pytest.approx(discount)
            late = history[t]["infos"][lane]["TimeLimit.truncated"]
            cut, over = cut + late, over + (history[t]["done"][lane] and not late)
            begun += bool((seen[0] == seen[1]).all())
    assert min(cut, over, begun) > 5
    if ends < 0.5:  # else the starts' frames leave room for few
        assert replay.size() > 0.8 * min(size // LANES, 120)


def test_steps_are_drawn_in_proportion_to_their_priorities_and_weighted_against_them():
    reels, replay = Reels(2, 0.1), replay_of(20, priority=0.5, importance=0.5)
    for _ in range(10):
        replay.add(**reels.step())
    errors = np.linspace(0.1, 3, 20)
    replay.update_priorities(np.arange(20), -errors)
    drawn, chances = np.zeros(20), (errors + 0.01) ** 0.5
    chances /= chances.sum()
    for _ in range(400):
        steps = replay.sample(50)
        drawn += np.bincount(steps.places, minlength=20)
        least = chances[steps.places].min()
        assert steps.weights.numpy() == pytest.approx((chances[steps.places] / least) ** -0.5, rel=1e-4)
    assert drawn / drawn.sum() == pytest.approx(chances, abs=0.004)
    replay.add(**reels.step())  # takes the place of the oldest, and counts as the greatest surprise
    assert replay.tree[np.arange(20)].argmax() in (0, 1) and replay.tree[np.arange(2)].tolist() == [3.01**0.5] * 2


def test_a_sum_tree_finds_what_a_running_sum_finds():
    random = np.random.default_rng(0)
    tree, known = SumTree(37), np.zeros(37)
    for _ in range(30):
        places = random.permutation(37)[:9]
        known[places] = tree_weights = random.random(9) * (random.random(9) < 0.7)
        tree[places] = tree_weights
        sums = random.random(50) * known.sum()
        assert tree.total == pytest.approx(known.sum())
        assert (tree.find(sums) == np.searchsorted(known.cumsum(), sums, side="right")).all()
    assert known[tree.find(np.array([tree.total]))] > 0  # nothing lies there, and an empty place is never given


def test_random_actions_are_more_frequent_in_some_games_and_where_nothing_is_new():
    exploration = Exploration(4, 6, epsilon=0.4, patience=5, seed=0)
    greedy, everywhere = np.full(4, 9), np.ones(4, bool)
    chosen = []
    for _ in range(4000):
        chosen.append(exploration.act(greedy, 1.0) != 9)
        exploration.after_step(~everywhere, everywhere)
    shares = np.mean(chosen, axis=0)
    assert shares == pytest.approx(exploration.ladder, abs=0.03) and (np.diff(shares) < 0).all()
    for waited in range(1, 12):
        exploration.after_step(~everywhere, np.array([False, False, True, True]))
        assert (exploration.act(greedy, 0.0) != 9).tolist() == [waited > 5, waited > 5, False, False]
    exploration.after_step(everywhere, ~everywhere)  # the episodes ended
    assert (exploration.act(greedy, 0.0) == 9).all()


def test_an_episode_interrupted_by_a_reset_counts_as_cut_off():
    reels, replay = Reels(3, 0.0), replay_of(40, n_steps=4)
    for _ in range(3):
        replay.add(**reels.step())
    last = reels.now.copy()
    reels.now = np.stack([reels.first() for _ in range(LANES)])
    replay.begin()
    begun = reels.now.copy()
    for _ in range(3):
        replay.add(**reels.step())
    found = replay.gather(np.arange(replay.newest * LANES), np.ones(replay.newest * LANES, np.float32))
    for lane in range(LANES):
        before, after = 2 * LANES + lane, 3 * LANES + lane
        assert (found.following[before].numpy() == last[lane]).all() and found.discounts[before] > 0
        assert (found.observations[after].numpy() == begun[lane]).all()


def test_the_loss_is_that_of_double_q_learning_with_a_margin():
    settings = replace(SMALL, inputs=900)
    env, _ = make_env(settings)
    model = make_dqn(settings, env)
    model.learn(560)
    with torch.no_grad():
        model.q_net_target.value.bias += 1.0  # type: ignore[union-attr]
    assert model.wins or model.discoveries
    steps = model.replay_buffer.sample(8)
    expected = 0.0
    for k in range(8):
        with torch.no_grad():
            online = model.q_net(steps.following[k : k + 1])[0].tolist()
            target = model.q_net_target(steps.following[k : k + 1])[0].tolist()
            value = model.q_net(steps.observations[k : k + 1])[0, steps.actions[k]].item()
        best = max(range(6), key=lambda action: online[action])
        error = abs(steps.returns[k].item() + steps.discounts[k].item() * target[best] - value)
        huber = error**2 / 2 if error < 1 else error - 0.5
        expected += steps.weights[k].item() * huber / 8
    model.margin = model.discovery_margin = 0.0
    state = torch.get_rng_state(), {name: value.clone() for name, value in model.policy.state_dict().items()}
    assert model.update(steps) == pytest.approx(expected, rel=1e-4)
    torch.set_rng_state(state[0])
    model.policy.load_state_dict(state[1])
    model.margin = model.discovery_margin = 0.3
    seen, done = model.best()
    with torch.no_grad():
        chosen = torch.randint(len(done), (model.imitation_steps,))
        torch.set_rng_state(state[0])
        values = model.q_net(seen[chosen])
    for row, action in zip(values.tolist(), done[chosen].tolist()):
        above = max(value + 0.3 * (k != action) for k, value in enumerate(row))
        expected += (above - row[action]) / model.imitation_steps
    assert model.update(steps) == pytest.approx(expected, rel=1e-4)


def test_the_bonus_of_replayed_steps_follows_the_current_counts():
    env, _ = make_env(SMALL)
    model = make_dqn(SMALL, env)
    model.learn(400)
    curiosity, replay = env, model.replay_buffer
    assert isinstance(curiosity, CountBonus)
    notes = replay.notes[: replay.newest]
    times = curiosity.counts.times
    assert (np.bincount(notes[notes >= 0]) == times[times > 0]).all()  # each visit that counts is noted
    now = curiosity.worth_now(notes)
    assert (now[notes >= 0] == 1 / times[notes[notes >= 0]]).all() and not now[notes < 0].any()
    assert set(np.unique(replay.rewards[: replay.newest])) <= {0.0, 10.0}  # the game's alone


@pytest.mark.parametrize("curiosity", ["counts", "rnd", "none"])
def test_a_stopped_run_ends_with_the_same_weights_and_rows(tmp_path: Path, curiosity):
    settings = replace(SMALL, curiosity=curiosity, random_start=5, inputs=2200, checkpoint_every=600)
    whole, _ = train_dqn(replace(settings, out=tmp_path / "whole"))
    stopped = replace(settings, out=tmp_path / "stopped")
    with pytest.raises(KeyboardInterrupt):
        train_dqn(stopped, StopAt(750))
    held = checkpoint.read(tmp_path / "stopped")
    assert held and held["memory"]["replay_buffer"].newest * settings.num_games > 500  # it had begun to learn
    resumed, _ = train_dqn(stopped)
    assert whole._n_updates > 25 and torch.equal(weights(whole), weights(resumed))  # type: ignore[arg-type]
    for name in ("episodes.csv", "visits.csv"):
        assert (tmp_path / "whole" / name).read_text() == (tmp_path / "stopped" / name).read_text()


def test_a_saved_model_is_one_of_stable_baselines3(tmp_path: Path):
    settings = replace(SMALL, inputs=1400, out=tmp_path, evaluation_episodes=4, tensorboard=tmp_path / "logs")
    told = train(settings)
    assert told.startswith("dqn on original, seed 0") and "most probable actions" in told
    assert list((tmp_path / "logs").rglob("events*"))
    env = PriorLabVecEnv(**settings.game_arguments())
    pictures = np.asarray(env.reset())
    loaded, ours = (kind.load(tmp_path / "model.zip", env=env, device="cpu") for kind in (DQN, DoubleDQN))
    assert 0 <= evaluate_policy(loaded, env, n_eval_episodes=4)[0] <= 1  # type: ignore[operator]
    actions = loaded.predict(pictures, deterministic=True)[0]
    assert (actions == ours.predict(pictures, deterministic=True)[0]).all()
    before = weights(ours)  # type: ignore[arg-type]
    ours.learn(640)
    assert not torch.equal(before, weights(ours))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"n_steps": 64}, "n_steps is 64: expected 16, the default, because it applies only to agent ppo"),
        ({"memory": "play"}, "memory is play: expected nothing, the default, because it applies only to agent ppo"),
        (
            {"demonstrations": Path("x")},
            "demonstrations is x: expected None, the default, because it applies only to agent ppo",
        ),
        (
            {"agent": "ppo", "replay_size": 800, "return_steps": 3, "batch_size": None},
            "replay_size is 800: expected 50000, the default, because it applies only to agent dqn",
        ),
        ({"return_steps": 0}, "return_steps is 0: expected 1 or more"),
        ({"replay_size": 79}, "replay_size is 79: expected num_games * return_steps = 80 or more"),
        ({"margin": -1.0}, "margin is -1.0: expected 0 or more"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0: expected more than 0"),
    ],
)
def test_settings_that_contradict_are_rejected(change: dict, message: str):
    with pytest.raises(ValueError) as error:
        replace(SMALL, **change)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_each_agent_has_its_defaults_and_config_records_them(tmp_path: Path):
    ppo, dqn = Settings().config(), Settings(agent="dqn").config()
    assert (ppo["learning_rate"], dqn["learning_rate"]) != (None, None) and dqn["batch_size"] == 64
    assert "n_steps" not in dqn and dqn["return_steps"] == 10 and not {"replay_size", "margin"} & {*ppo}
    assert Settings(agent="dqn", curiosity="icm").method == "dqn-icm"


def test_a_replay_memory_larger_than_the_machine_is_rejected_before_anything_is_written(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(machine, "free_bytes", lambda: 4e9)
    with pytest.raises(ValueError, match=r"stored steps 6\.5 GB"):
        train_dqn(replace(SMALL, replay_size=10**7, out=tmp_path / "run"))
    assert not (tmp_path / "run").exists()
    target = 4 * sum(each.numel() for each in make_dqn(SMALL, make_env(SMALL)[0]).q_net.features_extractor.parameters())
    assert machine.network_bytes(SMALL) == machine.network_bytes(replace(PPO, batch_size=16)) + target
    replay = make_dqn(SMALL, make_env(SMALL)[0]).replay_buffer
    arrays = (replay.frames, replay.numbers, replay.actions, replay.rewards, replay.notes, replay.tree.nodes)
    assert sum(array.nbytes for array in arrays) == pytest.approx(replay_bytes(SMALL), rel=0.1)
