"""PPO that values the game's reward and curiosity's bonus separately: one head and one return for each.

Burda et al. 2018 (arXiv 1810.12894), section 2.3. The game's return ends with the episode; the bonus's continues,
because what is new is new across episodes, and a death that leads back to the start costs future discoveries. The two
advantages are added, the game's with twice the weight (their table of hyperparameters).
"""

from collections.abc import Generator
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.type_aliases import RolloutBufferSamples, Schedule
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn
from torch import nn

from priorlab.agents.curiosity.base import Curiosity, find_curiosity
from priorlab.agents.learners.ppo import write_advantages
from priorlab.agents.learners.self_imitating import SelfImitatingPPO
from priorlab.agents.networks.pixels import PixelPolicy

GAME_WEIGHT, BONUS_WEIGHT = 2.0, 1.0  # of the advantages


class TwoValuesPolicy(PixelPolicy):
    """A ``PixelPolicy`` whose critic has two outputs: the values of the game's reward and of the bonus."""

    def _build(self, lr_schedule: Schedule) -> None:
        super()._build(lr_schedule)
        self.value_net = nn.Linear(self.value_net.in_features, 2)
        self.value_net.apply(lambda layer: self.init_weights(layer, gain=1.0))  # as stable-baselines3 initialises one
        self.make_optimizer(lr_schedule)

    def both_values(self, obs: torch.Tensor) -> torch.Tensor:
        """float32 (n, 2): the values of the game's reward and of the bonus."""
        return self.heads(obs)[1]

    def predict_values(self, obs: torch.Tensor) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """float32 (n, 1), of the game's reward: stable-baselines3 bootstraps episodes that were cut off from it."""
        return self.both_values(obs)[:, :1]


class TwoReturnsBuffer(RolloutBuffer):
    """A rollout with both rewards: the parent holds the game's; ``bonuses``, ``bonus_values`` and ``bonus_returns``,
    float32 (n_steps, n_envs), hold the bonus's. Samples alternate values and returns of the two."""

    def reset(self) -> None:
        super().reset()
        shape = 3, self.buffer_size, self.n_envs
        self.bonuses, self.bonus_values, self.bonus_returns = np.zeros(shape, np.float32)

    def add(self, obs: Any, action: Any, reward: Any, episode_start: Any, value: torch.Tensor, log_prob: Any) -> None:
        """``value`` is (n, 2); the learner writes the step's bonus into ``bonuses``."""
        self.bonus_values[self.pos] = value[:, 1].cpu().numpy()
        super().add(obs, action, reward, episode_start, value[:, 0], log_prob)

    def get(self, batch_size: int | None = None) -> Generator[RolloutBufferSamples, None, None]:
        if not self.generator_ready:
            for name in ("bonus_values", "bonus_returns"):
                setattr(self, name, self.swap_and_flatten(getattr(self, name)))
        yield from super().get(batch_size)

    def _get_samples(self, batch_inds: np.ndarray, env: Any = None) -> RolloutBufferSamples:
        samples = super()._get_samples(batch_inds, env)
        values, returns = (self.to_torch(of[batch_inds].ravel()) for of in (self.bonus_values, self.bonus_returns))
        return samples._replace(
            old_values=torch.stack([samples.old_values, values], 1).flatten(),
            returns=torch.stack([samples.returns, returns], 1).flatten(),
        )


class GameRewards(VecEnvWrapper):
    """Returns the games' rewards alone, although a curiosity inside adds its bonus to them."""

    def __init__(self, venv: VecEnv, curiosity: Curiosity):
        super().__init__(venv)
        self.curiosity = curiosity

    def reset(self) -> VecEnvObs:
        return self.venv.reset()

    def step_wait(self) -> VecEnvStepReturn:
        observations, _, dones, infos = self.venv.step_wait()
        return observations, self.curiosity.game_rewards.copy(), dones, infos


class TwoReturnsPPO(SelfImitatingPPO):
    """PPO for a ``TwoValuesPolicy``, on environments with a curiosity among their wrappers.

    bonus_gamma: discount per step of the bonus. ValueError where no curiosity wraps the environment.
    """

    rollout_buffer: TwoReturnsBuffer  # pyright: ignore[reportIncompatibleVariableOverride]
    policy: TwoValuesPolicy  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, *args: Any, bonus_gamma: float = 0.99, **kwargs: Any):
        defaults = {
            "rollout_buffer_class": TwoReturnsBuffer,
            "vf_coef": 1.0,  # the loss is a mean over both heads, so each keeps the weight of 0.5 that one has alone
        }
        self.bonus_gamma = bonus_gamma
        self.curiosity: Curiosity | None = None
        super().__init__(*args, **{**defaults, **kwargs})

    def collect_rollouts(self, env: VecEnv, *args: Any, **kwargs: Any) -> bool:
        self.curiosity = find_curiosity(env)
        if self.curiosity is None:
            raise ValueError("TwoReturnsPPO found no curiosity around its environment: expected one, such as RND")
        return super().collect_rollouts(GameRewards(env, self.curiosity), *args, **kwargs)

    @torch.no_grad()
    def values_of(self, observations: torch.Tensor, lanes: np.ndarray) -> torch.Tensor:
        return self.policy.both_values(observations)

    def _update_info_buffer(self, infos: list[dict[str, Any]], dones: np.ndarray | None = None) -> None:
        """Called after each step of a rollout, before it is added."""
        super()._update_info_buffer(infos, dones)
        assert self.curiosity
        self.rollout_buffer.bonuses[self.rollout_buffer.pos] = self.curiosity.bonus

    def compute_advantages(self, last_values: np.ndarray, dones: np.ndarray) -> None:
        """Adds the advantages of the bonus, whose return no episode ends."""
        super().compute_advantages(last_values, dones)
        rollout, advantages = self.rollout_buffer, np.zeros_like(self.rollout_buffer.bonuses)
        bonus = rollout.bonuses, rollout.bonus_values, last_values[:, 1]
        write_advantages(advantages, *bonus, np.ones_like(advantages), self.bonus_gamma, self.gae_lambda)
        rollout.bonus_returns = advantages + rollout.bonus_values
        rollout.advantages = GAME_WEIGHT * rollout.advantages + BONUS_WEIGHT * advantages

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "curiosity"]
