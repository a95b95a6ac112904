"""Our collection of rollouts: what is learned from it is what stable-baselines3's own would have learned."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

from agents.networks import PixelPolicy
from agents.rollouts import RolloutPPO
from envs.sb3 import PriorLabVecEnv
from tests.test_agents import SMALL, weights

pytestmark = pytest.mark.usefixtures("one_thread")


def learned(kind: type[PPO]) -> PPO:
    settings = replace(SMALL, max_inputs=60)  # most episodes are cut off, several in one step
    model = kind(
        PixelPolicy, PriorLabVecEnv(**settings.of_games()), n_steps=32, batch_size=64, n_epochs=2, seed=3, device="cpu",
        policy_kwargs={"features": 32},
    )  # fmt: skip
    return model.learn(3 * 32 * settings.num_games)


def test_it_equals_that_of_stable_baselines3():
    ours, theirs = learned(RolloutPPO), learned(PPO)
    for name in ("actions", "episode_starts", "rewards", "returns"):
        assert np.allclose(getattr(ours.rollout_buffer, name), getattr(theirs.rollout_buffer, name), atol=1e-4)
    assert torch.allclose(weights(ours), weights(theirs), atol=1e-4)
    assert ours.rollout_buffer.rewards.any()  # bootstrapped values
