"""PPO whose games, rollouts and updates are tensors on one device: for thousands of games on a GPU.

No training data passes through the CPU's memory. Each frame is stored once; observations are stacked from frames when
a minibatch is gathered. The update is ``PlainPPO``'s. On the CPU it learns the same as ``PlainPPO`` from the same
draws, which is how it is tested.
"""

from collections.abc import Generator
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.type_aliases import GymEnv, RolloutBufferSamples
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper, VecTransposeImage

from priorlab.agents.curiosity.base import Curiosity, StaysOnDevice, find_curiosity
from priorlab.agents.learners.ppo import PlainPPO, write_advantages
from priorlab.agents.networks.pixels import PixelPolicy
from priorlab.envs.engine.games import Games
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv


class OnDeviceRollout:
    """T steps of N games, on one device, with the constructor and samples of stable-baselines3's RolloutBuffer.

    frames: uint8 (stack - 1 + T, N, S, S), those before the first step, then one per step; begins: int64 (T, N), the
    frame at which the step's episode began; actions, rewards, values, log_probs, ended, advantages, returns: (T, N).
    Memory is allocated at first use.
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
        """Call it before the first step; observations: uint8 (N, S, S, stack)."""
        shape = self.steps, self.games
        if self.frames is None:
            frames = self.stack - 1 + self.steps, self.games, *self.sides
            self.frames = torch.zeros(frames, dtype=torch.uint8, device=self.device)
            self.begins, self.actions = torch.zeros((2, *shape), dtype=torch.int64, device=self.device)
            self.ended = torch.zeros(shape, dtype=torch.bool, device=self.device)
            floats = torch.zeros((5, *shape), device=self.device)
            self.rewards, self.values, self.log_probs, self.advantages, self.returns = floats
        self.frames[: self.stack] = observations.movedim(-1, 0)
        self.begins[0] = 0  # a stack that began earlier already repeats its episode's first frame

    def add(
        self,
        step: int,
        actions: torch.Tensor,
        values: torch.Tensor,
        log_probs: torch.Tensor,
        rewards: torch.Tensor,
        ended: torch.Tensor,
        next_frames: torch.Tensor,
    ) -> None:
        """Stores a step and the frames that it led to, uint8 (N, S, S)."""
        assert self.frames is not None
        self.actions[step], self.values[step], self.log_probs[step] = actions, values, log_probs
        self.rewards[step], self.ended[step] = rewards, ended
        if step + 1 < self.steps:
            following = self.stack + step
            self.frames[following] = next_frames
            self.begins[step + 1] = torch.where(ended, following, self.begins[step])

    def compute_advantages(self, last_values: torch.Tensor) -> None:
        """last_values: float32 (N,), of the observations after the last step."""
        game = self.rewards, self.values, last_values
        write_advantages(self.advantages, *game, (~self.ended).float(), self.gamma, self.gae_lambda)
        torch.add(self.advantages, self.values, out=self.returns)

    def get(self, batch_size: int) -> Generator[RolloutBufferSamples, None, None]:
        """All steps once, in random order, in minibatches."""
        for batch in self.order(self.steps * self.games).split(batch_size):
            yield self.gather(batch)

    def order(self, count: int) -> torch.Tensor:
        """int64 (count,): the order in which an epoch passes over the rollout."""
        return torch.randperm(count, device=self.device)

    def gather(self, numbers: torch.Tensor) -> RolloutBufferSamples:
        """The steps with these numbers, int64 (n,): step t of game i has the number t * N + i."""
        assert self.frames is not None
        step, game = numbers // self.games, numbers % self.games
        back = torch.arange(self.stack - 1, -1, -1, device=self.device)
        newest = step + self.stack - 1
        # (n, 1) - (stack,) -> (n, stack), the oldest first
        stacked = torch.maximum(newest[:, None] - back, self.begins.flatten()[numbers][:, None])
        # (frames, N, S, S) -> (frames * N, S, S), of which (n, stack) -> (n, stack, S, S)
        observations = self.frames.flatten(0, 1)[stacked * self.games + game[:, None]]
        columns = self.actions, self.values, self.log_probs, self.advantages, self.returns
        return RolloutBufferSamples(observations, *(column.flatten()[numbers] for column in columns))


class OnDevicePPO(PlainPPO):
    """PPO on a ``PriorLabVecEnv`` of grayscale pictures, on the device of its network, with a ``PixelPolicy``.

    Callbacks are called after each step as usual. Among their locals, actions, rewards and observations are tensors,
    which the next step overwrites; dones is a numpy array, infos is empty, and so is ``_last_obs``. The only wrapper
    allowed around the games is a curiosity that stays on the device. ValueError for other environments.
    """

    rollout_buffer: OnDeviceRollout  # pyright: ignore[reportIncompatibleVariableOverride]
    policy: PixelPolicy  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, *args: Any, **kwargs: Any):
        self.lengths: torch.Tensor | None = None  # int64 (N,): steps of each game's episode so far
        super().__init__(*args, **{"rollout_buffer_class": OnDeviceRollout, **kwargs})

    def unsaved(self) -> dict[str, Any]:
        """What a saved model leaves out and a resumed run needs."""
        return {"lengths": self.lengths}

    def _excluded_save_params(self) -> list[str]:
        left_out = "_last_obs", "_last_episode_starts", "lengths", "rollout_buffer_class"  # so plain PPO can load it
        return [*super()._excluded_save_params(), *left_out]

    def set_env(self, env: GymEnv, force_reset: bool = True) -> None:
        super().set_env(env, force_reset)
        if force_reset:
            self.lengths = None

    def _setup_learn(self, *args: Any, **kwargs: Any) -> Any:
        if self.lengths is not None and self._last_obs is None:  # resumed: the games are where they were
            self._last_obs = np.zeros(0, np.uint8)
        before = self._last_obs
        result = super()._setup_learn(*args, **kwargs)
        if self._last_obs is not before or self.lengths is None:
            self.lengths = torch.zeros(self.n_envs, dtype=torch.int64, device=self.device)
        self.lengths = self.lengths.to(self.device)
        self._last_obs = np.zeros(0, np.uint8)  # the games hold them
        return result

    def collect_rollouts(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, env: VecEnv, callback: BaseCallback, rollout_buffer: OnDeviceRollout, n_rollout_steps: int
    ) -> bool:
        games, curiosity = games_of(env, self.device), curiosity_on_device(env, self.device)
        lengths = self.lengths
        assert lengths is not None
        self.policy.set_training_mode(False)
        callback.on_rollout_start()
        observations = torch.as_tensor(games.lanes.observations)  # each step overwrites them
        rollout_buffer.begin(observations)
        cut: list[tuple[int, torch.Tensor, torch.Tensor]] = []  # step, games that were cut off, last observations
        for step in range(n_rollout_steps):
            actions, values, log_probs = self.act(channels_first(observations))
            _, game_rewards, terminated, truncated = map(torch.as_tensor, games.step(actions))
            dones, rewards = terminated | truncated, game_rewards * (curiosity.reward_scale if curiosity else 1)
            lengths += 1
            ended, last = torch.as_tensor(games.ended), torch.as_tensor(games.final_observations)
            if len(ended):  # until here the CPU runs ahead of the GPU
                late = truncated[ended]
                cut.append((step, ended[late], last[late]))
                self.log_episodes(game_rewards[ended], lengths[ended])
                lengths[ended] = 0
            if curiosity:
                rewards += curiosity.pay_on_device(actions, observations, ended, last)
            self.num_timesteps += self.n_envs
            callback.update_locals({**locals(), "dones": dones.cpu().numpy(), "infos": []})
            if not callback.on_step():
                return False
            rollout_buffer.add(step, actions, values[:, 0], log_probs, rewards, dones, observations[..., -1])
        self.bootstrap_all(rollout_buffer, cut)
        rollout_buffer.compute_advantages(self.value_of(observations))
        callback.update_locals(locals())
        callback.on_rollout_end()
        return True

    @torch.no_grad()
    def value_of(self, observations: torch.Tensor) -> torch.Tensor:
        """float32 (n,), for uint8 (n, S, S, stack)."""
        return self.policy.heads(channels_first(observations))[1][:, 0]

    def bootstrap_all(self, rollout: OnDeviceRollout, cut: list[tuple[int, torch.Tensor, torch.Tensor]]) -> None:
        """``bootstrap`` for a complete rollout, in batches of N: GPU libraries plan slowly for each new size."""
        steps = [torch.full_like(games, step) for step, games, _ in cut]
        if not cut or not sum(map(len, steps)):
            return
        last = torch.cat([observations for _, _, observations in cut])
        where = torch.cat(steps), torch.cat([games for _, games, _ in cut])
        values = []
        for batch in last.split(self.n_envs):
            full = torch.cat([batch, batch.new_zeros(self.n_envs - len(batch), *batch.shape[1:])])
            values.append(self.value_of(full)[: len(batch)])
        rollout.rewards[where] += self.gamma * torch.cat(values)

    def log_episodes(self, rewards: torch.Tensor, lengths: torch.Tensor) -> None:
        """Stores reward and length of episodes that ended, for stable-baselines3's log."""
        assert self.ep_info_buffer is not None
        most = self._stats_window_size
        for reward, length in zip(rewards[-most:].tolist(), lengths[-most:].tolist()):
            self.ep_info_buffer.append({"r": reward, "l": length})


def channels_first(observations: torch.Tensor) -> torch.Tensor:
    """uint8 (n, S, S, stack) -> (n, stack, S, S), the same memory."""
    return observations.movedim(-1, 1)


def games_of(env: VecEnv, device: torch.device) -> Games:
    """The grayscale games inside; ValueError for any other environment, or for games on another device."""
    inner = env
    while isinstance(inner, VecEnvWrapper):
        if not isinstance(inner, (VecTransposeImage, Curiosity)):
            raise ValueError(f"the games are wrapped in a {type(inner).__name__}: expected only a curiosity")
        inner = inner.venv
    if not isinstance(inner, PriorLabVecEnv):
        raise ValueError(f"the environment is a {type(inner).__name__}: expected a PriorLabVecEnv")
    games = inner.games
    games_device = torch.as_tensor(games.lanes.observations).device
    if games_device.type != device.type:
        raise ValueError(
            f"the games are on {games_device.type}, the network on {device.type}: expected both on one device"
        )
    if games.scenes.starts.shape[3] != 1:
        raise ValueError("the games are in colour or in tiles: expected grayscale pictures")
    return games


def curiosity_on_device(env: VecEnv, device: torch.device) -> StaysOnDevice | None:
    """The curiosity around the games; ValueError for one that does not stay on the device."""
    curiosity = find_curiosity(env)
    if curiosity is None:
        return None
    if not isinstance(curiosity, StaysOnDevice) or curiosity.device.type != device.type:
        raise ValueError(
            f"the curiosity is {type(curiosity).__name__}: expected OnDeviceCounts or ICM on {device.type}, or none"
        )
    return curiosity
