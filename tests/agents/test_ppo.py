"""Plain PPO learns what stable-baselines3's PPO learns: the rollout to rounding, the update bit for bit."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from priorlab.agents.learners.ppo import PlainPPO
from priorlab.agents.networks.pixels import PixelPolicy
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv
from tests.agents.test_agents import SMALL, weights

pytestmark = pytest.mark.usefixtures("one_thread")


def learned(kind: type[PPO], callback: BaseCallback | None = None, rollouts: int = 3) -> PPO:
    settings = replace(SMALL, max_inputs=60)  # most episodes are cut off, several in one step
    model = kind(
        PixelPolicy, PriorLabVecEnv(**settings.game_arguments()), n_steps=32, batch_size=64, n_epochs=2, seed=3,
        device="cpu", policy_kwargs={"features": 32},
    )  # fmt: skip
    return model.learn(rollouts * 32 * settings.num_games, callback)


def test_it_equals_that_of_stable_baselines3():
    ours, theirs = learned(PlainPPO), learned(PPO)
    for name in ("actions", "episode_starts", "rewards", "returns"):
        assert np.allclose(getattr(ours.rollout_buffer, name), getattr(theirs.rollout_buffer, name), atol=1e-4)
    assert torch.allclose(weights(ours), weights(theirs), atol=1e-4)
    assert ours.rollout_buffer.rewards.any()  # bootstrapped values


def after_a_rollout() -> PPO:
    """A learner that has learned nothing from its first rollout yet."""
    model = learned(PlainPPO, rollouts=0)  # which seeds everything
    model.train = lambda: None  # type: ignore[method-assign]
    model.learn(32 * 8)
    del model.train  # type: ignore[misc]
    return model


def test_from_the_same_rollout_advantages_and_update_equal_those_of_stable_baselines3_bit_for_bit():
    ours, theirs = after_a_rollout(), after_a_rollout()
    rollout, last = theirs.rollout_buffer, torch.as_tensor(theirs._last_obs)
    with torch.no_grad():
        last_values = theirs.policy.predict_values(last)  # type: ignore[operator]
    rollout.compute_returns_and_advantage(last_values, theirs._last_episode_starts)  # type: ignore[arg-type]
    assert rollout.episode_starts.any()
    for name in ("advantages", "returns"):
        assert np.array_equal(getattr(ours.rollout_buffer, name), getattr(rollout, name))
    for model, train in ((ours, PlainPPO.train), (theirs, PPO.train)):
        np.random.seed(0)  # noqa: NPY002  which stable-baselines3's buffer draws from
        train(model)
    assert torch.equal(weights(ours), weights(theirs))


@pytest.mark.parametrize("limit", ["target_kl", "clip_range_vf"])
def test_limits_that_plain_ppo_does_not_have_are_refused(limit: str):
    with pytest.raises(ValueError, match=f"{limit} is 0.1: expected None"):
        PlainPPO("CnnPolicy", PriorLabVecEnv(1), **{limit: 0.1})


class Seen(BaseCallback):
    """The locals that a callback finds, at a step and at the end of a rollout: kinds and shapes."""

    def __init__(self):
        super().__init__()
        self.at_step: dict[str, tuple] = {}
        self.at_end: dict[str, tuple] = {}

    def _on_step(self) -> bool:
        self.at_step = kinds(self.locals)
        return True

    def _on_rollout_end(self) -> None:
        self.at_end = kinds(self.locals)


def kinds(found: dict[str, Any]) -> dict[str, tuple]:
    left_out = ("self", "idx", "done", "terminal_obs", "terminal_value")  # the last four: of a loop over ends
    told = {name: (type(value), np.shape(value), str(getattr(value, "dtype", ""))) for name, value in found.items()}
    counts = {name: value for name, value in found.items() if isinstance(value, int)}
    return {name: told[name] + (counts.get(name),) for name in told if name not in left_out}


def test_callbacks_find_the_locals_that_stable_baselines3_has():
    ours, theirs = Seen(), Seen()
    learned(PlainPPO, ours), learned(PPO, theirs)
    assert theirs.at_step["actions"][:2] == (np.ndarray, (8,)) and theirs.at_step["n_steps"][-1] == 31
    assert theirs.at_step.items() <= ours.at_step.items()
    assert theirs.at_end.items() <= ours.at_end.items()


def test_actions_that_are_not_discrete_are_rejected():
    with pytest.raises(ValueError, match=r"the action space is Box.*expected Discrete"):
        PlainPPO("MlpPolicy", "Pendulum-v1")
