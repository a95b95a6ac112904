"""PPO that values the game's reward and curiosity's bonus apart: a head and a return for each.

Burda et al. 2018 (arXiv 1810.12894), section 2.3. The game's return ends with the episode; the bonus's goes on: what is
new is new over all episodes, and a death that leads back to the start costs what could have been found. Advantages of
both are added, the game's with twice the weight (their table of hyperparameters).
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

from priorlab.agents.curiosity.bonus import Curiosity, curiosity_of
from priorlab.agents.learners.self_imitating import SelfImitatingPPO
from priorlab.agents.networks.pixels import PixelPolicy

OWN_WEIGHT, BONUS_WEIGHT = 2.0, 1.0  # of the advantages


class TwoValuesPolicy(PixelPolicy):
    """A ``PixelPolicy`` whose critic has two outputs: the values of the game's reward and of the bonus."""

    def _build(self, lr_schedule: Schedule) -> None:
        super()._build(lr_schedule)
        self.value_net = nn.Linear(self.value_net.in_features, 2)
        self.value_net.apply(lambda layer: self.init_weights(layer, gain=1.0))  # as stable-baselines3's one
        self.optimize(lr_schedule)

    def both_values(self, obs: torch.Tensor) -> torch.Tensor:
        """float32 (n, 2)."""
        return self.heads(obs)[1]

    def predict_values(self, obs: torch.Tensor) -> torch.Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """float32 (n, 1), of the game's reward: with these, stable-baselines3 bootstraps episodes that were cut off."""
        return self.both_values(obs)[:, :1]


class TwoReturnsBuffer(RolloutBuffer):
    """A rollout with both rewards: what the parent holds is of the game's, ``bonuses``, ``bonus_values`` and
    ``bonus_returns``, (n_steps, n_envs), of the other. Samples hold values and returns of both in turn."""

    def __init__(self, *args: Any, bonus_gamma: float = 0.99, **kwargs: Any):
        self.bonus_gamma = bonus_gamma
        super().__init__(*args, **kwargs)

    def reset(self) -> None:
        super().reset()
        shape = 3, self.buffer_size, self.n_envs
        self.bonuses, self.bonus_values, self.bonus_returns = np.zeros(shape, np.float32)

    def add(self, obs: Any, action: Any, reward: Any, episode_start: Any, value: torch.Tensor, log_prob: Any) -> None:
        """``value`` is (n, 2); put the step's bonus into ``bonuses`` yourself."""
        self.bonus_values[self.pos] = value[:, 1].cpu().numpy()
        super().add(obs, action, reward, episode_start, value[:, 0], log_prob)

    def add_bonus_advantages(self, last_values: np.ndarray) -> None:
        """Generalized advantages of the bonus, as if no episode ended; call it after those of the game's reward.

        last_values: float32 (n_envs,), of the bonus, where the rollout ended.
        """
        values = np.concatenate([self.bonus_values, last_values[None]])
        advantages, following = np.zeros_like(self.bonuses), np.zeros(self.n_envs, np.float32)
        for step in reversed(range(self.buffer_size)):
            error = self.bonuses[step] + self.bonus_gamma * values[step + 1] - values[step]
            advantages[step] = following = error + self.bonus_gamma * self.gae_lambda * following
        self.bonus_returns = advantages + self.bonus_values
        self.advantages = OWN_WEIGHT * self.advantages + BONUS_WEIGHT * advantages

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


class OwnRewards(VecEnvWrapper):
    """The games' own rewards alone, while a curiosity inside adds its bonus to them."""

    def __init__(self, venv: VecEnv, curiosity: Curiosity):
        super().__init__(venv)
        self.curiosity = curiosity

    def reset(self) -> VecEnvObs:
        return self.venv.reset()

    def step_wait(self) -> VecEnvStepReturn:
        observations, _, dones, infos = self.venv.step_wait()
        return observations, self.curiosity.own.copy(), dones, infos


class TwoReturnsPPO(SelfImitatingPPO):
    """PPO for a ``TwoValuesPolicy``, on environments with a curiosity among their wrappers."""

    rollout_buffer: TwoReturnsBuffer  # pyright: ignore[reportIncompatibleVariableOverride]
    policy: TwoValuesPolicy  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, *args: Any, bonus_gamma: float = 0.99, **kwargs: Any):
        apart = {
            "rollout_buffer_class": TwoReturnsBuffer,
            "rollout_buffer_kwargs": {"bonus_gamma": bonus_gamma},
            "vf_coef": 1.0,  # the loss is a mean over both heads: each has the weight of .5 that one has alone
        }
        self.curiosity: Curiosity | None = None
        super().__init__(*args, **{**apart, **kwargs})

    def collect_rollouts(self, env: VecEnv, *args: Any, **kwargs: Any) -> bool:
        self.curiosity = curiosity_of(env)
        if self.curiosity is None:
            raise ValueError("TwoReturnsPPO found no curiosity around its environment: expected one, such as RND")
        goes_on = super().collect_rollouts(OwnRewards(env, self.curiosity), *args, **kwargs)
        if goes_on:
            last = self.values_of(self.tensor(self._last_obs), np.arange(env.num_envs))
            self.rollout_buffer.add_bonus_advantages(last[:, 1].cpu().numpy())
        return goes_on

    @torch.no_grad()
    def values_of(self, observations: torch.Tensor, lanes: np.ndarray) -> torch.Tensor:
        return self.policy.both_values(observations)

    def _update_info_buffer(self, infos: list[dict[str, Any]], dones: np.ndarray | None = None) -> None:
        """Called after each step of a rollout, before it is added."""
        super()._update_info_buffer(infos, dones)
        assert self.curiosity
        self.rollout_buffer.bonuses[self.rollout_buffer.pos] = self.curiosity.bonus

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "curiosity"]
