"""Our collection of rollouts: what is learned from it is what stable-baselines3's own would have learned."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from priorlab.agents.learners.rollouts import RolloutPPO
from priorlab.agents.networks.pixels import PixelPolicy
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv
from tests.agents.test_agents import SMALL, weights

pytestmark = pytest.mark.usefixtures("one_thread")


def learned(kind: type[PPO], callback: BaseCallback | None = None) -> PPO:
    settings = replace(SMALL, max_inputs=60)  # most episodes are cut off, several in one step
    model = kind(
        PixelPolicy, PriorLabVecEnv(**settings.of_games()), n_steps=32, batch_size=64, n_epochs=2, seed=3,
        device="cpu", policy_kwargs={"features": 32},
    )  # fmt: skip
    return model.learn(3 * 32 * settings.num_games, callback)


def test_it_equals_that_of_stable_baselines3():
    ours, theirs = learned(RolloutPPO), learned(PPO)
    for name in ("actions", "episode_starts", "rewards", "returns"):
        assert np.allclose(getattr(ours.rollout_buffer, name), getattr(theirs.rollout_buffer, name), atol=1e-4)
    assert torch.allclose(weights(ours), weights(theirs), atol=1e-4)
    assert ours.rollout_buffer.rewards.any()  # bootstrapped values


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
    learned(RolloutPPO, ours), learned(PPO, theirs)
    assert theirs.at_step["actions"][:2] == (np.ndarray, (8,)) and theirs.at_step["n_steps"][-1] == 31
    assert theirs.at_step.items() <= ours.at_step.items()
    assert theirs.at_end.items() <= ours.at_end.items()
