"""Plain PPO, complete in this file: proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347).

stable-baselines3's ``learn`` repeats two steps until the budget is spent:

1. ``collect_rollouts`` plays ``n_steps`` steps in each of N games, and ``compute_advantages`` judges the actions taken;
2. ``train`` makes ``n_epochs`` passes over that rollout; ``update`` takes one gradient step on each minibatch.

The extensions next to this file each replace a few of these methods: ``self_imitating.py`` adds imitation after
``train``; ``recurrent.py`` changes how the agent acts (``act``, ``values_of``, ``after_step``); ``two_returns.py`` adds
a second return (``values_of``, ``compute_advantages``); ``on_device.py`` collects rollouts on a GPU.
"""

from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Dict, Discrete
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.type_aliases import RolloutBufferSamples
from stable_baselines3.common.vec_env import VecEnv
from torch.nn import functional

MEASURES = "policy_gradient_loss", "value_loss", "entropy_loss", "approx_kl", "clip_fraction", "loss"


class PlainPPO(PPO):
    """PPO for discrete actions, with the arguments, policies, environments and callbacks of stable-baselines3's PPO.

    From the same seed it learns the same as stable-baselines3's, up to rounding (``tests/agents/test_ppo.py``), in
    fewer calls. Logged losses are means over all minibatches of an update. ValueError for
    actions that are not discrete, for observations that are dictionaries, and for ``target_kl`` and
    ``clip_range_vf``, limits that the plain algorithm does not have.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        for name in ("clip_range_vf", "target_kl"):
            if kwargs.get(name) is not None:
                raise ValueError(f"{name} is {kwargs[name]}: expected None, because this PPO has no such limit")
        super().__init__(*args, **kwargs)

    def _setup_model(self) -> None:
        if not isinstance(self.action_space, Discrete):
            raise ValueError(f"the action space is {self.action_space}: expected Discrete")
        if isinstance(self.observation_space, Dict):
            raise ValueError(f"the observation space is {self.observation_space}: expected no Dict")
        super()._setup_model()

    # 1. Collecting a rollout

    def collect_rollouts(
        self, env: VecEnv, callback: BaseCallback, rollout_buffer: RolloutBuffer, n_rollout_steps: int
    ) -> bool:
        """Plays ``n_rollout_steps`` steps in each game with the current policy; False if the callback stopped it.

        Callbacks find the locals that stable-baselines3 gives them, under the same names.
        """
        assert isinstance(self._last_obs, np.ndarray)
        self.policy.set_training_mode(False)
        rollout_buffer.reset()
        callback.on_rollout_start()
        n_steps = 0
        while n_steps < n_rollout_steps:
            last_obs, episode_starts = self._last_obs, self._last_episode_starts
            obs_tensor = self.tensor(last_obs)
            actions, values, log_probs = self.act(obs_tensor)
            actions = clipped_actions = actions.cpu().numpy()  # discrete actions need no clipping
            new_obs, rewards, dones, infos = env.step(clipped_actions)
            self.num_timesteps += env.num_envs
            callback.update_locals(locals())
            if not callback.on_step():
                return False
            self._update_info_buffer(infos, dones)
            n_steps += 1
            self.bootstrap(rewards, dones, infos)
            actions = actions[:, None]
            rollout_buffer.add(last_obs, actions, rewards, episode_starts, values, log_probs)  # type: ignore[arg-type]
            self.after_step(dones, infos)
            self._last_obs, self._last_episode_starts = new_obs, dones  # type: ignore[assignment]
        new_obs, dones = self._last_obs, self._last_episode_starts
        last_values = self.values_of(self.tensor(new_obs), np.arange(env.num_envs))
        values = last_values[:, :1]
        assert dones is not None
        self.compute_advantages(last_values.cpu().numpy(), dones)
        callback.update_locals(locals())
        callback.on_rollout_end()
        return True

    def bootstrap(self, rewards: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]) -> None:
        """Where a time limit cut an episode off, adds the value of its last observation to the step's reward."""
        cut = np.array([lane for lane in np.flatnonzero(dones) if infos[lane].get("TimeLimit.truncated")], int)
        if len(cut):
            last = np.stack([infos[lane]["terminal_observation"] for lane in cut])
            rewards[cut] += self.gamma * self.values_of(self.tensor(last), cut)[:, 0].cpu().numpy()

    def tensor(self, observations: Any) -> torch.Tensor:
        return torch.as_tensor(observations, device=self.device)

    @torch.no_grad()
    def act(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Actions int64 (N,), values float32 (N, heads), log probabilities (N,), for one observation of each game."""
        return self.policy(observations)

    @torch.no_grad()
    def values_of(self, observations: torch.Tensor, lanes: np.ndarray) -> torch.Tensor:
        """float32 (n, heads), the value of the game's reward first: of these n games, after the step just made."""
        return self.policy.predict_values(observations)

    def after_step(self, dones: np.ndarray, infos: list[dict[str, Any]]) -> None:
        """Called at the end of each step; plain PPO has nothing to do here."""

    def compute_advantages(self, last_values: np.ndarray, dones: np.ndarray) -> None:
        """Writes advantages and returns, float32 (T, N), into the rollout.

        last_values: float32 (N, heads), of the observations after the rollout; dones: bool (N,), whether the last step
        ended an episode.
        """
        rollout = self.rollout_buffer
        continues = 1 - np.concatenate([rollout.episode_starts[1:], dones[None]])
        game = rollout.rewards, rollout.values, last_values[:, 0]
        write_advantages(rollout.advantages, *game, continues, self.gamma, self.gae_lambda)
        rollout.returns = rollout.advantages + rollout.values

    # 2. Learning from it

    def train(self) -> None:
        """Makes ``n_epochs`` passes over the rollout, in minibatches drawn at random, and logs the means."""
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        assert callable(self.clip_range)
        clip_range, rollout = self.clip_range(self._current_progress_remaining), self.rollout_buffer
        measures = []
        for _ in range(self.n_epochs):
            for batch in rollout.get(self.batch_size):
                measures.append(self.update(batch, clip_range))
            self._n_updates += 1
        for name, value in zip(MEASURES, torch.stack(measures).mean(0).tolist()):  # read from the device only here
            self.logger.record(f"train/{name}", value)
        variance, unexplained = float(rollout.returns.var()), float((rollout.returns - rollout.values).var())
        self.logger.record("train/explained_variance", 1 - unexplained / variance if variance else float("nan"))
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        self.logger.record("train/clip_range", clip_range)

    def update(self, batch: RolloutBufferSamples, clip_range: float) -> torch.Tensor:
        """One gradient step on a minibatch of n decisions; float32 (6,), what ``MEASURES`` names."""
        scored = self.policy.evaluate_actions(batch.observations, batch.actions.long().flatten())
        if self.normalize_advantage and len(batch.advantages) > 1:
            batch = batch._replace(advantages=normalised(batch.advantages))
        measures = clipped_losses(scored, batch, clip_range, self.ent_coef, self.vf_coef)
        self.policy.optimizer.zero_grad()
        measures[-1].backward()
        torch.nn.utils.clip_grad_norm_(self.policy.parameters(), self.max_grad_norm)
        self.policy.optimizer.step()
        return measures.detach()


def normalised(advantages: torch.Tensor) -> torch.Tensor:
    return (advantages - advantages.mean()) / (advantages.std() + 1e-8)


def clipped_losses(
    scored: tuple[torch.Tensor, torch.Tensor, torch.Tensor | None], batch: RolloutBufferSamples, clip_range: float,
    ent_coef: float, vf_coef: float,
) -> torch.Tensor:  # fmt: skip
    """What ``MEASURES`` names, float32 (6,), of n decisions; the last, the loss, is to be minimised.

    scored: values, and log probabilities and entropies, float32 (n,), as ``evaluate_actions`` returns them.
    """
    values, log_probs, entropies = scored
    assert entropies is not None  # None only for continuous actions

    # equation 7: the smaller of two objectives, so that nothing is gained by moving a probability too far
    log_ratio = log_probs - batch.old_log_prob
    ratio = log_ratio.exp()  # of the action's new probability to its old one
    clipped = ratio.clamp(1 - clip_range, 1 + clip_range)
    policy_loss = -torch.min(batch.advantages * ratio, batch.advantages * clipped).mean()
    value_loss = functional.mse_loss(batch.returns, values.flatten())
    entropy_loss = -entropies.mean()
    loss = policy_loss + ent_coef * entropy_loss + vf_coef * value_loss  # equation 9
    with torch.no_grad():
        approx_kl = (ratio - 1 - log_ratio).mean()
        clip_fraction = ((ratio - 1).abs() > clip_range).float().mean()
    return torch.stack([policy_loss, value_loss, entropy_loss, approx_kl, clip_fraction, loss])


def write_advantages(
    advantages: Any, rewards: Any, values: Any, last_values: Any, continues: Any, gamma: float, gae_lambda: float
) -> None:
    """Generalized advantage estimation (Schulman et al. 2016, arXiv 1506.02438), into ``advantages``, float32 (T, N).

    rewards, values, continues: float32 (T, N); continues is 0 where the step ended an episode, else 1. last_values:
    float32 (N,), of the observations after the last step. All are arrays of numpy, or all are tensors.
    """
    advantage, next_values = 0.0, last_values
    for step in reversed(range(len(rewards))):
        error = rewards[step] + gamma * next_values * continues[step] - values[step]
        advantage = error + gamma * gae_lambda * continues[step] * advantage
        advantages[step], next_values = advantage, values[step]
