"""PPO with memory: an LSTM between the pixels' features and the heads (Hausknecht and Stone 2015, arXiv 1507.06527).

The agent's memory lasts for an episode or, as a person's does, through deaths until the game is won or cut off. A
minibatch holds the complete rollouts of some games, each with the memory at its beginning.
"""

from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np
import torch
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.type_aliases import RolloutBufferSamples, Schedule
from stable_baselines3.common.vec_env import VecEnv
from torch import nn

from priorlab.agents.learners.self_imitating import SelfImitatingPPO
from priorlab.agents.learners.two_returns import TwoReturnsBuffer, TwoReturnsPPO, TwoValuesPolicy
from priorlab.agents.networks.pixels import PixelPolicy, choose_actions, score_actions

Memory = tuple[torch.Tensor, torch.Tensor]  # of an LSTM: float32 (n, units) each


class GameSequences(NamedTuple):
    """Observations of the complete rollouts of some games, as ``RecurrentPolicy.evaluate_actions`` takes them."""

    pictures: torch.Tensor  # uint8 (games * steps, C, S, S), game by game
    forgets: torch.Tensor  # float32 (games, steps): 1 where the memory is cleared before the step
    memory: Memory  # at the first step


class RecurrentPolicy(PixelPolicy):
    """A ``PixelPolicy`` with an LSTM, of as many units as there are features, between the features and the heads."""

    def _build(self, lr_schedule: Schedule) -> None:
        super()._build(lr_schedule)
        self.lstm = nn.LSTMCell(self.features_dim, self.features_dim)
        for name, value in self.lstm.named_parameters():
            nn.init.orthogonal_(value) if "weight" in name else nn.init.zeros_(value)
        self.make_optimizer(lr_schedule)

    def empty_memory(self, n: int) -> Memory:
        """The memory of n games that have just begun."""
        hidden, cell = torch.zeros(2, n, self.features_dim, device=self.device)
        return hidden, cell

    def features_of(self, observations: torch.Tensor) -> torch.Tensor:
        """What the LSTM gets of observations, uint8 (n, C, S, S): float32 (n, units)."""
        return self.features_extractor(observations)

    def next_memory(self, observations: torch.Tensor, memory: Memory) -> Memory:
        """The memory after one more observation of each game, uint8 (n, C, S, S)."""
        return self.lstm(self.features_of(observations), memory)

    def heads(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Those of ``PixelPolicy``, for games that have just begun."""
        return self.heads_of(self.next_memory(observations, self.empty_memory(len(observations)))[0])

    def heads_of(self, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The outputs of ``heads`` for hidden units, float32 (n, units)."""
        return self.action_net(hidden).log_softmax(dim=1), self.value_net(hidden)

    def unroll(self, obs: GameSequences) -> tuple[torch.Tensor, Memory]:
        """The hidden units at each step, float32 (games * steps, units), game by game, and the memory at the end."""
        games, steps = obs.forgets.shape
        features = self.features_of(obs.pictures).view(games, steps, -1)  # (games * steps, units) before
        memory, hidden = obs.memory, []
        for step in range(steps):
            keep = 1 - obs.forgets[:, step, None]
            memory = self.lstm(features[:, step], (memory[0] * keep, memory[1] * keep))
            hidden.append(memory[0])
        # steps of (games, units) -> (games, steps, units) -> (games * steps, units)
        return torch.stack(hidden, 1).flatten(0, 1), memory

    def evaluate_actions(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, obs: GameSequences, actions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return score_actions(*self.heads_of(self.unroll(obs)[0]), actions)

    @torch.no_grad()
    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[np.ndarray, Any]:
        """As in stable-baselines3; ``state``, float32 (2, n, units), is the memory, returned with the actions."""
        self.set_training_mode(False)
        pictures, vectorized = self.obs_to_tensor(observation)
        assert isinstance(pictures, torch.Tensor)
        n = len(pictures)
        hidden, cell = self.empty_memory(n) if state is None else torch.as_tensor(state, device=self.device)
        if episode_start is not None:
            keep = 1 - torch.as_tensor(episode_start, dtype=torch.float32, device=self.device).view(n, 1)
            hidden, cell = hidden * keep, cell * keep
        memory = self.next_memory(pictures, (hidden, cell))
        actions = choose_actions(*self.heads_of(memory[0]), deterministic)[0].cpu().numpy()
        return actions if vectorized else actions[0], torch.stack(memory).cpu().numpy()


class RecurrentTwoValuesPolicy(RecurrentPolicy, TwoValuesPolicy):  # pyright: ignore[reportIncompatibleMethodOverride]
    """With separate values of the game's reward and of the bonus."""


class RecurrentBuffer(RolloutBuffer):
    """A rollout with the ``memory`` at its beginning, and ``forgets``, float32 (n_steps, n_envs), 1 where it was
    cleared before the step. The observations of its samples are ``GameSequences``."""

    memory: Memory

    def reset(self) -> None:
        super().reset()
        self.forgets = np.zeros((self.buffer_size, self.n_envs), np.float32)

    def get(self, batch_size: int | None = None) -> Generator[RolloutBufferSamples, None, None]:
        order, steps = np.random.permutation(self.n_envs), self.buffer_size  # noqa: NPY002, as SB3 draws from it
        if not self.generator_ready:
            for name in ("observations", "actions", "values", "log_probs", "advantages", "returns"):
                setattr(self, name, self.swap_and_flatten(getattr(self, name)))
            self.generator_ready = True
        games = self.n_envs if batch_size is None else batch_size // steps
        for first in range(0, self.n_envs, games):
            batch = order[first : first + games]
            yield self._get_samples((batch[:, None] * steps + np.arange(steps)).reshape(-1))

    def _get_samples(self, batch_inds: np.ndarray, env: Any = None) -> RolloutBufferSamples:
        """``batch_inds``: the complete rollouts of games, one after another."""
        samples = super()._get_samples(batch_inds, env)
        games = batch_inds[:: self.buffer_size] // self.buffer_size
        hidden, cell = (each[torch.as_tensor(games, device=self.device)] for each in self.memory)
        observations = GameSequences(samples.observations, self.to_torch(self.forgets.T[games]), (hidden, cell))
        return samples._replace(observations=observations)  # pyright: ignore[reportArgumentType]


class RecurrentTwoReturnsBuffer(TwoReturnsBuffer, RecurrentBuffer):
    """With both rewards."""


class RecurrentPPO(SelfImitatingPPO):
    """PPO for a ``RecurrentPolicy``, without imitation, which removes loops and so would break the memory.

    through_deaths: clear the memory only where a game is won or cut off (``solved`` or ``TimeLimit.truncated`` in
    infos), not at every end of an episode. A minibatch holds the rollouts of ``batch_size`` / ``n_steps`` games.
    ValueError for ``imitation_batches`` above 0.

    Hausknecht and Stone 2015 (arXiv 1507.06527).
    """

    policy: RecurrentPolicy  # pyright: ignore[reportIncompatibleVariableOverride]
    rollout_buffer: RecurrentBuffer  # pyright: ignore[reportIncompatibleVariableOverride]
    buffer_class: type[RecurrentBuffer] = RecurrentBuffer

    def __init__(self, *args: Any, through_deaths: bool = False, **kwargs: Any):
        self.through_deaths = through_deaths
        self.remembered: Memory | None = None  # of each game; None before the first step
        self.forgetting = np.zeros(0, np.float32)  # (N,): 1 for games that are cleared before their next step
        super().__init__(*args, **{"rollout_buffer_class": self.buffer_class, "imitation_batches": 0, **kwargs})
        if self.imitation_batches:
            raise ValueError(f"imitation_batches is {self.imitation_batches}: expected 0 for an agent with memory")

    def unsaved(self) -> dict[str, Any]:
        return super().unsaved() | {"remembered": self.remembered, "forgetting": self.forgetting}

    def _setup_learn(
        self, total_timesteps: int, callback: Any = None, reset_num_timesteps: bool = True, *args: Any, **kwargs: Any
    ) -> Any:
        if reset_num_timesteps or self._last_obs is None:  # all games are reset
            self.remembered = None
        return super()._setup_learn(total_timesteps, callback, reset_num_timesteps, *args, **kwargs)

    def collect_rollouts(self, env: VecEnv, *args: Any, **kwargs: Any) -> bool:
        if self.remembered is None:
            self.remembered, self.forgetting = (
                self.policy.empty_memory(env.num_envs),
                np.zeros(env.num_envs, np.float32),
            )
        self.rollout_buffer.memory = self.remembered
        return super().collect_rollouts(env, *args, **kwargs)

    @torch.no_grad()
    def act(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        self.rollout_buffer.forgets[self.rollout_buffer.pos] = self.forgetting
        self.remembered = self.policy.next_memory(observations, self.memory_of(np.arange(len(observations))))
        self.forgetting = np.zeros_like(self.forgetting)
        return choose_actions(*self.policy.heads_of(self.remembered[0]))

    @torch.no_grad()
    def values_of(self, observations: torch.Tensor, lanes: np.ndarray) -> torch.Tensor:
        return self.policy.heads_of(self.policy.next_memory(observations, self.memory_of(lanes))[0])[1]

    def memory_of(self, lanes: np.ndarray) -> Memory:
        """The memory of these games before their next observation."""
        assert self.remembered is not None
        hidden, cell = self.remembered
        which, keep = self.tensor(lanes), 1 - self.tensor(self.forgetting[lanes])[:, None]
        return hidden[which] * keep, cell[which] * keep

    def after_step(self, dones: np.ndarray, infos: list[dict[str, Any]]) -> None:
        over = [info.get("solved") or info.get("TimeLimit.truncated") or not self.through_deaths for info in infos]
        self.forgetting = (dones & np.array(over, bool)).astype(np.float32)


class RecurrentTwoReturnsPPO(RecurrentPPO, TwoReturnsPPO):  # pyright: ignore[reportIncompatibleVariableOverride]
    """With a separate return of the bonus."""

    buffer_class = RecurrentTwoReturnsBuffer
