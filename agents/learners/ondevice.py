"""PPO whose games, rollouts and updates are tensors on one device: for thousands of games on a card.

Nothing that is learned from passes through the CPU's memory. Each frame is kept once; observations are stacked from
frames when a minibatch is gathered. On the CPU it learns the same from the same draws, which is how it is tested.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.type_aliases import GymEnv
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper, VecTransposeImage
from torch.nn import functional

from priorlab.agents.curiosity.bonus import Curiosity, StaysOnDevice, curiosity_of
from priorlab.agents.networks.pixels import PixelPolicy
from priorlab.envs.engine.games import Games
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv


class Batch(NamedTuple):
    """n steps of a rollout, whichever they are."""

    observations: torch.Tensor  # uint8 (n, stack, S, S)
    actions: torch.Tensor  # int64 (n,)
    log_probs: torch.Tensor  # float32 (n,), and so are the others
    advantages: torch.Tensor
    returns: torch.Tensor


class Rollout:
    """T steps of N games, each frame once. Made as a RolloutBuffer is; memory is taken at first use.

    frames: uint8 (stack - 1 + T, N, S, S): those before the first step, then each step's; begins: int64 (T, N), from
    which frame on the step's episode goes; actions, rewards, values, log_probs, ended, advantages, returns: (T, N).
    """

    def __init__(
        self,
        buffer_size: int,
        observation_space: Any,
        action_space: Any,
        device: torch.device,
        gae_lambda: float,
        gamma: float,
        n_envs: int,
    ):
        self.steps, self.games, self.device = buffer_size, n_envs, device
        self.gae_lambda, self.gamma = gae_lambda, gamma
        self.stack, *self.sides = observation_space.shape
        self.frames: torch.Tensor | None = None

    def begin(self, observations: torch.Tensor) -> None:
        """Before the first step; observations: uint8 (N, S, S, stack)."""
        shape = self.steps, self.games
        if self.frames is None:
            frames = self.stack - 1 + self.steps, self.games, *self.sides
            self.frames = torch.zeros(frames, dtype=torch.uint8, device=self.device)
            self.begins, self.actions = torch.zeros((2, *shape), dtype=torch.int64, device=self.device)
            self.ended = torch.zeros(shape, dtype=torch.bool, device=self.device)
            floats = torch.zeros((5, *shape), device=self.device)
            self.rewards, self.values, self.log_probs, self.advantages, self.returns = floats
        self.frames[: self.stack] = observations.movedim(-1, 0)
        self.begins[0] = 0  # what such a stack shows of before its episode is already the episode's first frame

    def add(
        self,
        step: int,
        actions: torch.Tensor,
        values: torch.Tensor,
        log_probs: torch.Tensor,
        rewards: torch.Tensor,
        ended: torch.Tensor,
        shown: torch.Tensor,
    ) -> None:
        """A step, and the frames that are shown after it, uint8 (N, S, S)."""
        assert self.frames is not None
        self.actions[step], self.values[step], self.log_probs[step] = actions, values, log_probs
        self.rewards[step], self.ended[step] = rewards, ended
        if step + 1 < self.steps:
            following = self.stack + step
            self.frames[following] = shown
            self.begins[step + 1] = torch.where(ended, following, self.begins[step])

    def finish(self, last_values: torch.Tensor) -> None:
        """Generalized advantages (Schulman et al. 2016, arXiv 1506.02438).

        last_values: float32 (N,), of what the games show after the last step.
        """
        following, advantage = last_values, torch.zeros_like(last_values)
        for step in reversed(range(self.steps)):
            goes_on = (~self.ended[step]).float()
            error = self.rewards[step] + self.gamma * goes_on * following - self.values[step]
            advantage = error + self.gamma * self.gae_lambda * goes_on * advantage
            self.advantages[step], following = advantage, self.values[step]
        torch.add(self.advantages, self.values, out=self.returns)

    def gather(self, chosen: torch.Tensor) -> Batch:
        """The steps with these numbers, int64 (n,): step t of game i is number t * N + i."""
        assert self.frames is not None
        step, game = chosen // self.games, chosen % self.games
        back = torch.arange(self.stack - 1, -1, -1, device=self.device)
        newest = step + self.stack - 1
        # (n, 1) - (stack,) -> (n, stack), the oldest first
        shown = torch.maximum(newest[:, None] - back, self.begins.flatten()[chosen][:, None])
        # (frames, N, S, S) -> (frames * N, S, S), of which (n, stack) -> (n, stack, S, S)
        observations = self.frames.flatten(0, 1)[shown * self.games + game[:, None]]
        others = self.actions, self.log_probs, self.advantages, self.returns
        return Batch(observations, *(values.flatten()[chosen] for values in others))


class OnDevicePPO(PPO):
    """PPO on a ``PriorLabVecEnv`` of gray pictures, on the device of its network, with a ``PixelPolicy``.

    Callbacks are called after each step as ever. Of the locals that they find, actions, rewards and observations are
    tensors, which the next step overwrites; dones are a numpy array, infos are left out, and ``_last_obs`` is empty.
    Around the games may be a curiosity that stays on the device, and no other wrapper.
    """

    rollout_buffer: Rollout  # pyright: ignore[reportIncompatibleVariableOverride]
    policy: PixelPolicy  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, *args: Any, **kwargs: Any):
        self.lengths: torch.Tensor | None = None  # int64 (N,): steps of each game's episode so far
        super().__init__(*args, **{"rollout_buffer_class": Rollout, **kwargs})
        for name in ("clip_range_vf", "target_kl"):
            if getattr(self, name) is not None:
                raise ValueError(
                    f"{name} is {getattr(self, name)}: expected None, as on one device there is no such limit"
                )

    def memory(self) -> dict[str, Any]:
        """What a saved model leaves out and a resumed run needs."""
        return {"lengths": self.lengths}

    def _excluded_save_params(self) -> list[str]:
        left_out = "_last_obs", "_last_episode_starts", "lengths", "rollout_buffer_class"  # so plain PPO can go on
        return [*super()._excluded_save_params(), *left_out]

    def set_env(self, env: GymEnv, force_reset: bool = True) -> None:
        super().set_env(env, force_reset)
        if force_reset:
            self.lengths = None

    def _setup_learn(self, *args: Any, **kwargs: Any) -> Any:
        if self.lengths is not None and self._last_obs is None:  # resumed: the games are where they were
            self._last_obs = np.zeros(0, np.uint8)
        began = self._last_obs
        done = super()._setup_learn(*args, **kwargs)
        if self._last_obs is not began or self.lengths is None:
            self.lengths = torch.zeros(self.n_envs, dtype=torch.int64, device=self.device)
        self.lengths = self.lengths.to(self.device)
        self._last_obs = np.zeros(0, np.uint8)  # the games hold them
        return done

    def collect_rollouts(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, env: VecEnv, callback: BaseCallback, rollout_buffer: Rollout, n_rollout_steps: int
    ) -> bool:
        games, curiosity = games_of(env, self.device), curiosity_on_device(env, self.device)
        lengths = self.lengths
        assert lengths is not None
        self.policy.set_training_mode(False)
        callback.on_rollout_start()
        observations = torch.as_tensor(games.lanes.observations)  # written anew by each step
        rollout_buffer.begin(observations)
        cut: list[tuple[int, torch.Tensor, torch.Tensor]] = []  # a step, games that were cut off in it, their last
        for step in range(n_rollout_steps):
            actions, values, log_probs = self.act(observations)
            _, own, terminated, truncated = map(torch.as_tensor, games.step(actions))
            dones, rewards = terminated | truncated, own * (curiosity.reward_scale if curiosity else 1)
            lengths += 1
            ended, last = torch.as_tensor(games.ended), torch.as_tensor(games.final_observations)
            if len(ended):  # until here the CPU is ahead of the card
                late = truncated[ended]
                cut.append((step, ended[late], last[late]))
                self.tell(own[ended], lengths[ended])
                lengths[ended] = 0
            if curiosity:
                rewards += curiosity.pay_on_device(actions, observations, ended, last)
            self.num_timesteps += self.n_envs
            callback.update_locals({**locals(), "dones": dones.cpu().numpy(), "infos": []})
            if not callback.on_step():
                return False
            rollout_buffer.add(step, actions, values[:, 0], log_probs, rewards, dones, observations[..., -1])
        self.bootstrap(rollout_buffer, cut)
        rollout_buffer.finish(self.values_of(observations))
        callback.update_locals(locals())
        callback.on_rollout_end()
        return True

    @torch.no_grad()
    def act(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Actions int64 (n,), values float32 (n, 1), log probabilities (n,); observations: uint8 (n, S, S, stack)."""
        return self.policy(channels_first(observations))

    @torch.no_grad()
    def values_of(self, observations: torch.Tensor) -> torch.Tensor:
        """float32 (n,)"""
        return self.policy.heads(channels_first(observations))[1][:, 0]

    def bootstrap(self, rollout: Rollout, cut: list[tuple[int, torch.Tensor, torch.Tensor]]) -> None:
        """Adds the value of what followed where episodes were cut off.

        All of a rollout at once, in batches of N: a card's library takes long to plan for each new size.
        """
        steps = [torch.full_like(games, step) for step, games, _ in cut]
        if not cut or not sum(map(len, steps)):
            return
        last = torch.cat([observations for _, _, observations in cut])
        where = torch.cat(steps), torch.cat([games for _, games, _ in cut])
        values = []
        for batch in last.split(self.n_envs):
            full = torch.cat([batch, batch.new_zeros(self.n_envs - len(batch), *batch.shape[1:])])
            values.append(self.values_of(full)[: len(batch)])
        rollout.rewards[where] += self.gamma * torch.cat(values)

    def tell(self, rewards: torch.Tensor, lengths: torch.Tensor) -> None:
        """Keeps what is shown of episodes that ended."""
        assert self.ep_info_buffer is not None
        most = self._stats_window_size
        for reward, length in zip(rewards[-most:].tolist(), lengths[-most:].tolist()):
            self.ep_info_buffer.append({"r": reward, "l": length})

    def train(self) -> None:
        """What stable-baselines3's does; its losses are read from the device once, at the end."""
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        assert callable(self.clip_range)
        clip_range, rollout = self.clip_range(self._current_progress_remaining), self.rollout_buffer
        told = []
        for _ in range(self.n_epochs):
            for chosen in self.order(rollout.steps * rollout.games).split(self.batch_size):
                told.append(self.update(rollout.gather(chosen), clip_range))
            self._n_updates += 1
        names = "policy_gradient_loss", "value_loss", "entropy_loss", "approx_kl", "clip_fraction", "loss"
        for name, value in zip(names, torch.stack(told).mean(0).tolist()):
            self.logger.record(f"train/{name}", value)
        unexplained = (rollout.returns - rollout.values).var() / rollout.returns.var()
        self.logger.record("train/explained_variance", 1 - unexplained.item())
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        self.logger.record("train/clip_range", clip_range)

    def order(self, count: int) -> torch.Tensor:
        """int64 (count,): that in which an epoch goes through the rollout."""
        return torch.randperm(count, device=self.device)

    def update(self, steps: Batch, clip_range: float) -> torch.Tensor:
        """A gradient step; float32 (6,): what ``train`` tells of it."""
        values, log_probs, entropies = self.policy.evaluate_actions(steps.observations, steps.actions)
        advantages = steps.advantages
        if self.normalize_advantage and len(advantages) > 1:
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        change = log_probs - steps.log_probs
        ratio = change.exp()
        clipped = ratio.clamp(1 - clip_range, 1 + clip_range)
        policy_loss = -torch.min(advantages * ratio, advantages * clipped).mean()
        value_loss = functional.mse_loss(steps.returns, values[:, 0])
        entropy_loss = -entropies.mean()
        loss = policy_loss + self.ent_coef * entropy_loss + self.vf_coef * value_loss
        optimizer = self.policy.optimizer
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.policy.parameters(), self.max_grad_norm)
        optimizer.step()
        with torch.no_grad():
            far = ((ratio - 1).abs() > clip_range).float().mean()
            told = policy_loss, value_loss, entropy_loss, (ratio - 1 - change).mean(), far, loss
            return torch.stack(told).detach()


def channels_first(observations: torch.Tensor) -> torch.Tensor:
    """uint8 (n, S, S, stack) -> (n, stack, S, S), the same memory."""
    return observations.movedim(-1, 1)


def games_of(env: VecEnv, device: torch.device) -> Games:
    """The batch of gray games inside; ValueError where it is not that, or not on this device."""
    inner = env
    while isinstance(inner, VecEnvWrapper):
        if not isinstance(inner, (VecTransposeImage, Curiosity)):
            raise ValueError(f"around the games is a {type(inner).__name__}: expected a curiosity alone")
        inner = inner.venv
    if not isinstance(inner, PriorLabVecEnv):
        raise ValueError(f"the environment is a {type(inner).__name__}: expected a PriorLabVecEnv")
    games = inner.games
    there = torch.as_tensor(games.lanes.observations).device
    if there.type != device.type:
        raise ValueError(f"the games are on {there.type}, the network on {device.type}: expected both on one device")
    if games.scenes.starts.shape[3] != 1:
        raise ValueError("the games are in colour or in tiles: expected gray pictures")
    return games


def curiosity_on_device(env: VecEnv, device: torch.device) -> StaysOnDevice | None:
    """The curiosity around the games; ValueError where it is not one that stays on the device."""
    found = curiosity_of(env)
    if found is None:
        return None
    if not isinstance(found, StaysOnDevice) or found.device.type != device.type:
        raise ValueError(
            f"the curiosity is {type(found).__name__}: expected OnDeviceCounts or ICM on {device.type}, or none"
        )
    return found
