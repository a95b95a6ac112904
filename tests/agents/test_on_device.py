"""PPO that stays on one device: what it learns is what the other one would have learned."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback, CallbackList, EvalCallback, StopTrainingOnMaxEpisodes
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecEnv, VecNormalize, VecTransposeImage

from priorlab.agents.curiosity import on_device_counts
from priorlab.agents.curiosity.base import NoBonus
from priorlab.agents.curiosity.counts import CountBonus, PictureCodes
from priorlab.agents.curiosity.icm import ICM
from priorlab.agents.curiosity.on_device_counts import OnDeviceCounts
from priorlab.agents.learners.make_ppo import train_ppo
from priorlab.agents.learners.on_device import OnDevicePPO, OnDeviceRollout
from priorlab.agents.learners.ppo import PlainPPO
from priorlab.agents.networks.pixels import PixelPolicy
from priorlab.agents.settings import Settings
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv
from tests.agents.test_agents import SMALL, StopAt, weights

pytestmark = pytest.mark.usefixtures("one_thread")

# most episodes are cut off
ON_DEVICE = replace(SMALL, on_device=True, stack_size=3, max_inputs=60, imitation_batches=None)
CPU = torch.device("cpu")


class SameOrder(OnDeviceRollout):
    """Draws minibatches as stable-baselines3's buffer does: step t of game i has the number i * T + t there."""

    def order(self, count: int) -> torch.Tensor:
        game, step = np.divmod(np.random.permutation(count), self.steps)  # noqa: NPY002  as stable-baselines3
        return torch.from_numpy(step * self.games + game)


def curious(games: PriorLabVecEnv, curiosity: str, on_device: bool) -> VecEnv:
    if curiosity == "icm":
        return ICM(games, scale=20.0, reward_scale=10.0, n_steps=32, batch_size=64, seed=1)
    return counting(games, on_device) if curiosity == "counts" else NoBonus(games, 10.0)


def counting(games: PriorLabVecEnv, on_device: bool, counted: str = "both") -> VecEnv:
    codes = PictureCodes(games.observation_space.shape or (), 8, 3.0, device=CPU if on_device else None)
    if on_device:
        return OnDeviceCounts(games, 2.0, codes, CPU, reward_scale=10.0, counted=counted)  # type: ignore[arg-type]
    return CountBonus(games, 2.0, codes, reward_scale=10.0, counted=counted)  # type: ignore[arg-type]


def learned(kind: type[PPO], curiosity: str, settings: Settings) -> PPO:
    on_device = kind is OnDevicePPO
    games = curious(PriorLabVecEnv(**settings.game_arguments()), curiosity, on_device)
    model = kind(
        PixelPolicy, games, n_steps=32, batch_size=64, n_epochs=2, seed=3, device="cpu", policy_kwargs={"features": 32},
        rollout_buffer_class=SameOrder if on_device else None,
    )  # fmt: skip
    return model.learn(3 * 32 * settings.num_games)


@pytest.mark.parametrize(("curiosity", "stack_size"), [("none", 3), ("counts", 1), ("counts", 3), ("icm", 2)])
def test_it_learns_the_same_as_plain_ppo(curiosity: str, stack_size: int):
    settings = replace(ON_DEVICE, stack_size=stack_size)
    ours, theirs = (learned(kind, curiosity, settings) for kind in (OnDevicePPO, PlainPPO))
    assert isinstance(ours, OnDevicePPO)
    rollout, other = ours.rollout_buffer, theirs.rollout_buffer
    everything = rollout.gather(torch.arange(32 * settings.num_games))
    # theirs are (N * T, ...) after learning, lane by lane
    assert torch.equal(
        everything.observations.unflatten(0, (32, -1)).transpose(0, 1).flatten(0, 1),
        torch.as_tensor(other.observations),
    )
    for name in ("returns", "advantages"):
        theirs_too = getattr(other, name).reshape(settings.num_games, 32).T  # (N * T,) -> (T, N)
        assert np.allclose(getattr(rollout, name), theirs_too, atol=1e-4)
    assert torch.allclose(weights(ours), weights(theirs), atol=1e-4)
    assert rollout.ended.any() and rollout.rewards.any()
    assert ours.ep_info_buffer and theirs.ep_info_buffer
    assert [(e["r"], e["l"]) for e in ours.ep_info_buffer] == [(e["r"], e["l"]) for e in theirs.ep_info_buffer]


@pytest.mark.parametrize("counted", ["both", "episodic", "lifelong"])
def test_counts_pay_the_same_as_on_the_cpu(counted: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(on_device_counts, "ROOM", 8)  # so that room is made often
    settings = {"max_inputs": 400, "screen_size": 24, "frame_skip": 6}
    ours, theirs = (counting(PriorLabVecEnv(24, **settings), each, counted) for each in (True, False))
    ours.seed(0), theirs.seed(0)
    ours.reset(), theirs.reset()
    for actions in np.random.default_rng(0).integers(0, 6, (200, 24)):
        for mine, other in zip(ours.step(actions)[:3], theirs.step(actions)[:3]):
            assert np.array_equal(mine, other)
    assert isinstance(ours, OnDeviceCounts) and isinstance(theirs, CountBonus)
    assert ours.statistics() == theirs.statistics() and ours.statistics()["codes"] > 32


@pytest.mark.parametrize("curiosity", ["counts", "icm", "none"])
def test_a_stopped_run_ends_with_the_same_weights_and_rows(tmp_path: Path, curiosity: str):
    settings = replace(ON_DEVICE, curiosity=curiosity, inputs=1500, checkpoint_every=400)
    whole, record = train_ppo(replace(settings, out=tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        train_ppo(replace(settings, out=tmp_path / "run"), StopAt(400))  # in the second rollout of three
    resumed, again = train_ppo(replace(settings, out=tmp_path / "run"))
    assert torch.equal(weights(whole), weights(resumed))
    for name in ("episodes.csv", "exploration.csv"):
        assert (tmp_path / "whole" / name).read_text() == (tmp_path / "run" / name).read_text()
    assert record.episodes == again.episodes > 20
    games = PriorLabVecEnv(**settings.game_arguments())
    loaded = PPO.load(tmp_path / "run" / "model.zip", games)  # plain stable-baselines3 plays it, and trains it on
    assert evaluate_policy(loaded, games, n_eval_episodes=8)
    assert not torch.equal(weights(loaded.learn(8 * 32)), weights(resumed))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("curiosity", "rnd"),
        ("memory", "play"),
        ("imitation_batches", 4),
        ("imitation_enough", 0.3),
        ("demonstrations", Path("here")),
    ],
)
def test_what_cannot_stay_on_a_device_is_rejected(setting: str, value: object):
    with pytest.raises(ValueError, match=f"{setting} is .*: expected .*"):
        replace(ON_DEVICE, **{setting: value})


def test_new_games_start_from_their_beginning():
    model = learned(OnDevicePPO, "counts", ON_DEVICE)
    model.set_env(counting(PriorLabVecEnv(**ON_DEVICE.game_arguments()), True))
    model.learn(8 * 32, reset_num_timesteps=False)
    assert model.num_timesteps == 3 * 32 * 8 + 8 * 32


class Watching(BaseCallback):
    """What users' callbacks do: look at the locals, and learn something beside."""

    def _on_step(self) -> bool:
        assert len(self.locals["rewards"]) == len(self.locals["dones"]) == self.training_env.num_envs
        torch.ones(1, requires_grad=True).sum().backward()
        return True


def test_callbacks_work(tmp_path: Path):
    games = PriorLabVecEnv(**ON_DEVICE.game_arguments())
    others = VecTransposeImage(PriorLabVecEnv(**ON_DEVICE.game_arguments()))
    evaluates = EvalCallback(others, eval_freq=40, best_model_save_path=str(tmp_path), verbose=0)
    model = OnDevicePPO(PixelPolicy, games, n_steps=32, batch_size=64, n_epochs=1, seed=3, device="cpu")
    model.learn(4000, CallbackList([Watching(), evaluates, StopTrainingOnMaxEpisodes(8)]))
    assert model.num_timesteps < 4000 and (tmp_path / "best_model.zip").exists()


def test_unsuitable_environments_are_rejected():
    games = PriorLabVecEnv(**ON_DEVICE.game_arguments())
    with pytest.raises(ValueError, match="the games are wrapped in a VecNormalize: expected only a curiosity"):
        OnDevicePPO(PixelPolicy, VecNormalize(games, norm_obs=False), n_steps=8, batch_size=8, device="cpu").learn(8)
    with pytest.raises(ValueError, match="the curiosity is CountBonus: expected OnDeviceCounts or ICM on cpu, or none"):
        OnDevicePPO(PixelPolicy, counting(games, False), n_steps=8, batch_size=8, device="cpu").learn(8)
    with pytest.raises(ValueError, match=r"target_kl is 0\.1: expected None"):
        OnDevicePPO(PixelPolicy, games, n_steps=8, batch_size=8, device="cpu", target_kl=0.1)
