"""An agent with memory: what it remembers, what it forgets, and that it learns what no picture tells."""

from dataclasses import replace
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from priorlab.agents.evaluation import evaluate
from priorlab.agents.learners.make_ppo import make_ppo, train_ppo
from priorlab.agents.learners.ppo import PlainPPO
from priorlab.agents.learners.recurrent import GameSequences, RecurrentPolicy, RecurrentPPO
from priorlab.agents.networks.pixels import PixelPolicy
from priorlab.agents.runs import checkpoint
from priorlab.agents.runs.run_learner import make_env
from priorlab.agents.settings import Settings
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv
from tests.agents.test_agents import SMALL, StopAt, weights

pytestmark = pytest.mark.usefixtures("one_thread")

REMEMBERS = replace(SMALL, memory="episode", batch_size=64, n_steps=16, max_inputs=60, imitation_batches=None)


class Cue(gymnasium.Env):
    """The first picture is dark or bright, three more are gray; then the action that the first one named pays 1.

    With ``deaths``, the first picture of each second episode is gray too, and what pays is that of the one before.
    """

    observation_space = gymnasium.spaces.Box(0, 255, (24, 24, 1), np.uint8)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, deaths: bool = False):
        self.deaths, self.episodes = deaths, 0

    def picture(self) -> np.ndarray:
        told = self.steps == 0 and not (self.deaths and self.episodes % 2 == 0)
        return np.full((24, 24, 1), 255 * self.cue if told else 128, np.uint8)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episodes, self.steps = self.episodes + 1, 0
        if not self.deaths or self.episodes % 2:
            self.cue = int(self.np_random.integers(2))
        return self.picture(), {}

    def step(self, action):
        self.steps += 1
        over = self.steps == 3
        won = self.deaths and self.episodes % 2 == 0
        return self.picture(), float(over and action == self.cue), over, False, {"solved": over and won}


def learner(deaths: bool, **memory: bool) -> PPO:
    games = DummyVecEnv([lambda: Monitor(Cue(deaths))] * 8)
    kind, policy = (RecurrentPPO, RecurrentPolicy) if memory else (PlainPPO, PixelPolicy)
    return kind(
        policy, games, n_steps=16, batch_size=64, n_epochs=4, learning_rate=6e-3, gamma=0.9, seed=0, device="cpu",
        policy_kwargs={"features": 32}, **memory,
    )  # fmt: skip


def paid(model: PPO, decisions: int) -> float:
    model.learn(decisions)
    assert model.ep_info_buffer
    return float(np.mean([each["r"] for each in model.ep_info_buffer]))


def test_memory_answers_a_cue_that_has_gone():
    assert paid(learner(False, through_deaths=False), 2048) > 0.9
    assert paid(learner(False), 2048) < 0.75


@pytest.mark.parametrize("memory", ["episode", "play"])
@pytest.mark.parametrize("curiosity", ["counts", "rnd"])
def test_what_is_learned_from_is_what_was_done(memory, curiosity):
    """Before the first update, the probabilities and values of whole lanes equal those at which they were played."""
    settings = replace(REMEMBERS, memory=memory, curiosity=curiosity, n_steps=64, batch_size=128, level=None)
    model, kept = make_ppo(settings, make_env(settings)[0]), Kept()
    assert isinstance(model, RecurrentPPO)
    model.train = lambda: None  # type: ignore[method-assign]
    model.learn(2 * 64 * settings.num_games, kept)  # the second rollout begins with something remembered
    buffer = model.rollout_buffer
    assert torch.cat(buffer.memory).abs().sum() > 0
    dones = np.array(kept.dones)[63:-1]
    over = dones & (np.array(kept.over)[63:-1] if memory == "play" else True)
    assert (buffer.forgets.astype(bool) == over).all()
    assert dones.any() and (memory == "episode" or over.sum() < dones.sum())
    count = 0
    for samples in buffer.get(settings.batch_size):
        assert isinstance(samples.observations, GameSequences)
        with torch.no_grad():
            values, logs, _ = model.policy.evaluate_actions(samples.observations, samples.actions.long().flatten())
        assert torch.allclose(values.flatten(), samples.old_values, atol=1e-5)
        assert torch.allclose(logs, samples.old_log_prob, atol=1e-5)
        count += len(logs)
    assert count == 64 * settings.num_games


@pytest.mark.parametrize("memory", ["episode", "play"])
def test_an_episode_that_was_cut_off_is_bootstrapped_by_what_is_remembered_and_one_that_ended_is_not(memory):
    """Against all of a lane's pictures seen anew, one after another, since it last forgot."""
    settings = replace(REMEMBERS, memory=memory, level=None, n_steps=96, batch_size=96)
    model, kept = make_ppo(settings, make_env(settings)[0]), Kept()
    assert isinstance(model, RecurrentPPO)
    model.train = lambda: None  # type: ignore[method-assign]
    model.learn(96 * settings.num_games, kept)
    expected, pictures = np.array(kept.rewards), torch.as_tensor(model.rollout_buffer.observations)
    ended = cut = 0
    for lane in range(settings.num_games):
        forgotten = 0  # the first step whose picture is remembered
        for step in np.flatnonzero(np.array(kept.dones)[:, lane]):
            info = kept.infos[step][lane]
            if info["TimeLimit.truncated"]:
                last = torch.as_tensor(info["terminal_observation"])
                remembered = model.policy.empty_memory(1)
                with torch.no_grad():
                    for picture in (*pictures[forgotten : step + 1, lane], last):
                        remembered = model.policy.next_memory(picture[None], remembered)
                    expected[step, lane] += settings.gamma * model.policy.heads_of(remembered[0])[1].item()
            ended, cut = ended + (not info["TimeLimit.truncated"]), cut + info["TimeLimit.truncated"]
            if memory == "episode" or kept.over[step][lane]:
                forgotten = step + 1
    assert model.rollout_buffer.rewards == pytest.approx(expected, abs=1e-5) and min(ended, cut) > 1


class Kept(BaseCallback):
    def __init__(self):
        super().__init__()
        self.dones: list[np.ndarray] = []
        self.rewards: list[np.ndarray] = []
        self.infos: list[list[dict]] = []
        self.over: list[list[bool]] = []

    def _on_step(self) -> bool:
        infos = self.locals["infos"]
        self.infos.append(infos)
        self.rewards.append(self.locals["rewards"].copy())
        self.dones.append(self.locals["dones"].copy())
        self.over.append([bool(info.get("solved") or info.get("TimeLimit.truncated")) for info in infos])
        return True


@pytest.mark.parametrize("memory", ["episode", "play"])
def test_a_stopped_run_ends_with_the_same_weights_and_rows(tmp_path: Path, memory):
    settings: Settings = replace(REMEMBERS, memory=memory, inputs=1600, checkpoint_every=500)
    whole, _ = train_ppo(replace(settings, out=tmp_path / "whole"))
    stopped = replace(settings, out=tmp_path / "stopped")
    with pytest.raises(KeyboardInterrupt):
        train_ppo(stopped, StopAt(600))
    assert (tmp_path / "stopped" / checkpoint.NAME).exists()
    resumed, _ = train_ppo(stopped)
    assert torch.equal(weights(whole), weights(resumed))
    assert settings.method == {"episode": "ppo-recurrent", "play": "ppo-recurrent-through-deaths"}[memory]


def test_it_plays_in_evaluate_policy_and_in_ours(tmp_path: Path):
    model, _ = train_ppo(replace(REMEMBERS, inputs=600, out=tmp_path))
    loaded = RecurrentPPO.load(tmp_path / "model.zip", device="cpu")
    env = PriorLabVecEnv(**REMEMBERS.game_arguments())
    assert 0 <= evaluate_policy(loaded, env, n_eval_episodes=4)[0] <= 1  # type: ignore[operator]
    assert 0 <= evaluate(loaded, REMEMBERS.game_arguments()).win_rate <= 1
    pictures = np.asarray(env.reset())
    first, state = loaded.predict(pictures, deterministic=True)
    again, later = model.predict(pictures, state, np.ones(len(pictures), bool), deterministic=True)
    assert (first == again).all() and np.allclose(state, later, atol=1e-6)
    assert not np.allclose(state, model.predict(pictures, state)[1])  # it is remembered that this was seen before


@pytest.mark.parametrize(
    "change, message",
    [
        ({"imitation_batches": 8}, "imitation_batches is 8: expected 0 for an agent with memory"),
        ({"n_steps": 48, "batch_size": 64}, "batch_size is 64: expected a multiple of n_steps, 48"),
    ],
)
def test_settings_that_contradict_are_rejected(change: dict, message: str):
    with pytest.raises(ValueError, match=message):
        replace(REMEMBERS, **change)
