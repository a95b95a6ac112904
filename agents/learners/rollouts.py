"""stable-baselines3's PPO with a collection of its own, whose steps a subclass can change: what an agent remembers,
and how many values its critic gives."""

from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv


class RolloutPPO(PPO):
    """PPO for discrete actions; collects what stable-baselines3's does, in fewer calls.

    Episodes that were cut off are bootstrapped from their last observation, all of a step at once. Callbacks find the
    locals that they find there, under the same names.
    """

    def collect_rollouts(
        self, env: VecEnv, callback: BaseCallback, rollout_buffer: RolloutBuffer, n_rollout_steps: int
    ) -> bool:
        assert isinstance(self._last_obs, np.ndarray)
        self.policy.set_training_mode(False)
        rollout_buffer.reset()
        callback.on_rollout_start()
        n_steps = 0
        while n_steps < n_rollout_steps:
            seen, began = self._last_obs, self._last_episode_starts
            obs_tensor = self.tensor(seen)
            actions, values, log_probs = self.act(obs_tensor)
            actions = clipped_actions = actions.cpu().numpy()  # the same ones: there is nothing to clip
            new_obs, rewards, dones, infos = env.step(clipped_actions)
            self.num_timesteps += env.num_envs
            callback.update_locals(locals())
            if not callback.on_step():
                return False
            self._update_info_buffer(infos, dones)
            n_steps += 1
            late = np.array([lane for lane in np.flatnonzero(dones) if infos[lane].get("TimeLimit.truncated")], int)
            if len(late):
                last = np.stack([infos[lane]["terminal_observation"] for lane in late])
                rewards[late] += self.gamma * self.values_of(self.tensor(last), late)[:, 0].cpu().numpy()
            actions = actions[:, None]
            rollout_buffer.add(seen, actions, rewards, began, values, log_probs)  # type: ignore[arg-type]
            self.forget(dones, infos)
            self._last_obs, self._last_episode_starts = new_obs, dones  # type: ignore[assignment]
        new_obs, dones = self._last_obs, self._last_episode_starts
        values = self.values_of(self.tensor(new_obs), np.arange(env.num_envs))[:, :1]
        rollout_buffer.compute_returns_and_advantage(last_values=values, dones=dones)  # type: ignore[arg-type]
        callback.update_locals(locals())
        callback.on_rollout_end()
        return True

    def tensor(self, observations: Any) -> torch.Tensor:
        return torch.as_tensor(observations, device=self.device)

    @torch.no_grad()
    def act(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Actions int64 (n,), values float32 (n, heads), log probabilities (n,), for an observation of each game."""
        return self.policy(observations)

    @torch.no_grad()
    def values_of(self, observations: torch.Tensor, lanes: np.ndarray) -> torch.Tensor:
        """float32 (len(lanes), heads), the game's own reward first: of these games, after the step just made."""
        return self.policy.predict_values(observations)

    def forget(self, dones: np.ndarray, infos: list[dict[str, Any]]) -> None:
        """Called at the end of each step."""
