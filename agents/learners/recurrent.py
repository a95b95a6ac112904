"""PPO with memory: an LSTM between the pixels' features and the heads (Hausknecht and Stone 2015, arXiv 1507.06527).

What the agent remembers lasts through an episode, or, as a person's does, through deaths until the game is won or cut
off. A rollout is learned from in whole lanes, each from what was remembered at its beginning.
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
from priorlab.agents.networks.pixels import PixelPolicy, chosen, judged

Memory = tuple[torch.Tensor, torch.Tensor]  # of an LSTM: float32 (n, units) each


class Lanes(NamedTuple):
    """Observations of some lanes, a whole rollout each, as ``RecurrentPolicy.evaluate_actions`` takes them."""

    pictures: torch.Tensor  # uint8 (lanes * steps, C, S, S), lane by lane
    forgets: torch.Tensor  # float32 (lanes, steps): 1 where nothing is remembered from before the step
    memory: Memory  # at the first step


class RecurrentPolicy(PixelPolicy):
    """A ``PixelPolicy`` whose heads see what an LSTM, with as many units as there are features, makes of them."""

    def _build(self, lr_schedule: Schedule) -> None:
        super()._build(lr_schedule)
        self.lstm = nn.LSTMCell(self.features_dim, self.features_dim)
        for name, value in self.lstm.named_parameters():
            nn.init.orthogonal_(value) if "weight" in name else nn.init.zeros_(value)
        self.optimize(lr_schedule)

    def blank(self, n: int) -> Memory:
        """Of n games that have just begun."""
        hidden, cell = torch.zeros(2, n, self.features_dim, device=self.device)
        return hidden, cell

    def remember(self, observations: torch.Tensor, memory: Memory) -> Memory:
        """After one more observation of each game, uint8 (n, C, S, S)."""
        return self.lstm(self.features_extractor(observations), memory)

    def heads(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """As ``PixelPolicy``'s, for games that have just begun."""
        return self.of_hidden(self.remember(observations, self.blank(len(observations)))[0])

    def of_hidden(self, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What ``heads`` gives, for what is remembered."""
        return self.action_net(hidden).log_softmax(dim=1), self.value_net(hidden)

    def evaluate_actions(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, obs: Lanes, actions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        lanes, steps = obs.forgets.shape
        features = self.features_extractor(obs.pictures).view(lanes, steps, -1)  # (lanes * steps, units) before
        memory, hidden = obs.memory, []
        for step in range(steps):
            kept = 1 - obs.forgets[:, step, None]
            memory = self.lstm(features[:, step], (memory[0] * kept, memory[1] * kept))
            hidden.append(memory[0])
        # steps of (lanes, units) -> (lanes, steps, units) -> (lanes * steps, units), lane by lane
        return judged(*self.of_hidden(torch.stack(hidden, 1).flatten(0, 1)), actions)

    @torch.no_grad()
    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[np.ndarray, Any]:
        """As stable-baselines3's; ``state`` is float32 (2, n, units), which it gives back."""
        self.set_training_mode(False)
        pictures, vectorized = self.obs_to_tensor(observation)
        assert isinstance(pictures, torch.Tensor)
        n = len(pictures)
        hidden, cell = self.blank(n) if state is None else torch.as_tensor(state, device=self.device)
        if episode_start is not None:
            kept = 1 - torch.as_tensor(episode_start, dtype=torch.float32, device=self.device).view(n, 1)
            hidden, cell = hidden * kept, cell * kept
        memory = self.remember(pictures, (hidden, cell))
        actions = chosen(*self.of_hidden(memory[0]), deterministic)[0].cpu().numpy()
        return actions if vectorized else actions[0], torch.stack(memory).cpu().numpy()


class RecurrentTwoValuesPolicy(RecurrentPolicy, TwoValuesPolicy):  # pyright: ignore[reportIncompatibleMethodOverride]
    """With the values of the game's reward and of the bonus."""


class RecurrentBuffer(RolloutBuffer):
    """A rollout and what was remembered: ``forgets``, (n_steps, n_envs), and ``memory`` at its beginning. Its samples
    are whole lanes, whose observations are ``Lanes``."""

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
        lanes = self.n_envs if batch_size is None else batch_size // steps
        for first in range(0, self.n_envs, lanes):
            batch = order[first : first + lanes]
            yield self._get_samples((batch[:, None] * steps + np.arange(steps)).reshape(-1))

    def _get_samples(self, batch_inds: np.ndarray, env: Any = None) -> RolloutBufferSamples:
        """``batch_inds``: whole lanes one after another."""
        samples = super()._get_samples(batch_inds, env)
        lanes = batch_inds[:: self.buffer_size] // self.buffer_size
        hidden, cell = (each[torch.as_tensor(lanes, device=self.device)] for each in self.memory)
        observations = Lanes(samples.observations, self.to_torch(self.forgets.T[lanes]), (hidden, cell))
        return samples._replace(observations=observations)  # pyright: ignore[reportArgumentType]


class RecurrentTwoReturnsBuffer(TwoReturnsBuffer, RecurrentBuffer):
    """With both rewards."""


class RecurrentPPO(SelfImitatingPPO):
    """PPO for a ``RecurrentPolicy``; without imitation: it cuts loops out of what was done, and nobody remembers so.

    through_deaths: the agent forgets only where a game is won or cut off (``solved`` or ``TimeLimit.truncated`` in
    infos); otherwise wherever an episode ends. A minibatch holds ``batch_size`` / ``n_steps`` lanes.
    """

    policy: RecurrentPolicy  # pyright: ignore[reportIncompatibleVariableOverride]
    rollout_buffer: RecurrentBuffer  # pyright: ignore[reportIncompatibleVariableOverride]
    buffer_class: type[RecurrentBuffer] = RecurrentBuffer

    def __init__(self, *args: Any, through_deaths: bool = False, **kwargs: Any):
        self.through_deaths = through_deaths
        self.remembered: Memory | None = None  # of each lane; None before the first step
        self.forgetting = np.zeros(0, np.float32)  # 1 for lanes that forget it before their next observation
        super().__init__(*args, **{"rollout_buffer_class": self.buffer_class, "imitation_batches": 0, **kwargs})
        if self.imitation_batches:
            raise ValueError(f"imitation_batches is {self.imitation_batches}: expected 0 for an agent with memory")

    def memory(self) -> dict[str, Any]:
        return super().memory() | {"remembered": self.remembered, "forgetting": self.forgetting}

    def _setup_learn(
        self, total_timesteps: int, callback: Any = None, reset_num_timesteps: bool = True, *args: Any, **kwargs: Any
    ) -> Any:
        if reset_num_timesteps or self._last_obs is None:  # all games begin anew
            self.remembered = None
        return super()._setup_learn(total_timesteps, callback, reset_num_timesteps, *args, **kwargs)

    def collect_rollouts(self, env: VecEnv, *args: Any, **kwargs: Any) -> bool:
        if self.remembered is None:
            self.remembered, self.forgetting = self.policy.blank(env.num_envs), np.zeros(env.num_envs, np.float32)
        self.rollout_buffer.memory = self.remembered
        return super().collect_rollouts(env, *args, **kwargs)

    @torch.no_grad()
    def act(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        self.rollout_buffer.forgets[self.rollout_buffer.pos] = self.forgetting
        self.remembered = self.policy.remember(observations, self.kept(np.arange(len(observations))))
        self.forgetting = np.zeros_like(self.forgetting)
        return chosen(*self.policy.of_hidden(self.remembered[0]))

    @torch.no_grad()
    def values_of(self, observations: torch.Tensor, lanes: np.ndarray) -> torch.Tensor:
        return self.policy.of_hidden(self.policy.remember(observations, self.kept(lanes))[0])[1]

    def kept(self, lanes: np.ndarray) -> Memory:
        """What these lanes remember at their next observation."""
        assert self.remembered is not None
        hidden, cell = self.remembered
        of, kept = self.tensor(lanes), 1 - self.tensor(self.forgetting[lanes])[:, None]
        return hidden[of] * kept, cell[of] * kept

    def forget(self, dones: np.ndarray, infos: list[dict[str, Any]]) -> None:
        over = [info.get("solved") or info.get("TimeLimit.truncated") or not self.through_deaths for info in infos]
        self.forgetting = (dones & np.array(over, bool)).astype(np.float32)


class RecurrentTwoReturnsPPO(RecurrentPPO, TwoReturnsPPO):  # pyright: ignore[reportIncompatibleVariableOverride]
    """With a return for the bonus."""

    buffer_class = RecurrentTwoReturnsBuffer
