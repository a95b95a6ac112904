"""Double DQN on pixels with curiosity: stable-baselines3's DQN, with a replay memory that stores each frame once.

Double Q-learning (van Hasselt et al. 2016, arXiv 1509.06461) with n-step returns and prioritised replay, as in Rainbow
(Hessel et al. 2018, arXiv 1710.02298). The actions of the agent's best trajectories are valued above all others by a
margin, as demonstrations are in DQfD (Hester et al. 2018, arXiv 1704.03732): until its first win, those of the latest
trajectories to something never seen before; from then on, those of its shortest wins. Loops are removed, as in
``self_imitating.py``.
"""

from typing import Any

import numpy as np
import torch
from stable_baselines3 import DQN
from torch import nn
from torch.nn import functional

from priorlab.agents.curiosity.base import find_curiosity, step_results
from priorlab.agents.curiosity.counts import CountBonus
from priorlab.agents.imitation.trajectories import Trajectory, remove_loops
from priorlab.agents.learners.exploration import Exploration
from priorlab.agents.learners.replay import FrameReplay, Samples


class DoubleDQN(DQN):
    """DQN on a ``FrameReplay`` buffer and a ``PixelQPolicy``; otherwise with the arguments of stable-baselines3's DQN.

    margin, discovery_margin: by which the actions of won episodes, and of trajectories to something new, are valued
    above others; infos mark the latter with ``discovery``, as ``CountBonus`` does, and must hold ``episode``, as a
    Monitor's do. imitation_steps: steps of such trajectories in each update; trajectories: how many are stored;
    epsilon, patience: those of ``Exploration``. The target network is updated every ``target_update_interval`` updates.
    The bonus of counts for a replayed step is computed from the current counts, because what was new when it was seen
    is not worth seeking for ever.
    """

    replay_buffer: FrameReplay  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(
        self,
        *args: Any,
        margin: float = 0.3,
        discovery_margin: float = 0.1,
        imitation_steps: int = 128,
        trajectories: int = 12,
        epsilon: float = 0.4,
        patience: int = 10,
        **kwargs: Any,
    ):
        self.margin, self.discovery_margin = margin, discovery_margin
        self.imitation_steps, self.trajectories = imitation_steps, trajectories
        self.epsilon, self.patience = epsilon, patience
        self.wins: list[Trajectory] = []
        self.discoveries: list[Trajectory] = []  # trajectories to something new
        self.joined: tuple[torch.Tensor, torch.Tensor] | None = None  # all trajectories as tensors, once needed
        super().__init__(*args, **kwargs)

    def _setup_model(self) -> None:
        super()._setup_model()
        self.begun = np.zeros(self.n_envs, np.int64)  # row in the replay memory at which each game's episode began
        self.exploration = Exploration(self.n_envs, int(self.action_space.n), self.epsilon, self.patience, self.seed)  # type: ignore[attr-defined]

    def _setup_learn(
        self, total_timesteps: int, callback: Any = None, reset_num_timesteps: bool = True, *args: Any, **kwargs: Any
    ) -> Any:
        if reset_num_timesteps or self._last_obs is None:  # all games are reset
            self.replay_buffer.begin()
            self.begun[:] = self.replay_buffer.newest
        return super()._setup_learn(total_timesteps, callback, reset_num_timesteps, *args, **kwargs)

    def unsaved(self) -> dict[str, Any]:
        """What a saved model leaves out and a resumed run needs."""
        names = ("replay_buffer", "wins", "discoveries", "begun", "exploration")
        return {name: getattr(self, name) for name in names}

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), *self.unsaved(), "joined"]

    @torch.no_grad()
    def _sample_action(
        self, learning_starts: int, action_noise: Any = None, n_envs: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        assert isinstance(self._last_obs, np.ndarray)
        values = self.q_net(self.policy.obs_to_tensor(self._last_obs)[0])
        won = sum(episode["r"] > 0 for episode in self.ep_info_buffer or ()) / self._stats_window_size
        chance = 1.0 if self.num_timesteps < learning_starts else None
        actions = self.exploration.act(values.argmax(dim=1).cpu().numpy(), 1 - won, chance)
        self.exploration_rate = self.exploration.rate
        return actions, actions

    def _on_step(self) -> None:
        self.logger.record("rollout/exploration_rate", self.exploration_rate)  # ``train`` does the rest

    def _store_transition(  # pyright: ignore[reportIncompatibleMethodOverride]  dictionaries are not pictures
        self,
        replay_buffer: FrameReplay,
        buffer_action: np.ndarray,
        new_obs: np.ndarray,
        reward: np.ndarray,
        dones: np.ndarray,
        infos: list[dict[str, Any]],
    ) -> None:
        assert isinstance(self._last_obs, np.ndarray)
        curiosity, visited = find_curiosity(self.env), -1
        if isinstance(curiosity, CountBonus):
            reward, visited = curiosity.game_rewards, curiosity.visited
        results = step_results(new_obs, dones, infos)
        replay_buffer.add(self._last_obs, results, buffer_action, reward, dones, infos, visited)
        self._last_obs = new_obs
        self.exploration.after_step(dones, curiosity.bonus > 0 if curiosity and curiosity.pays else None)
        for lane, info in enumerate(infos):
            won = dones[lane] and info["episode"]["r"] > 0
            if won or (info.get("discovery") and not dones[lane]):
                self.store_trajectory(lane, won)
            if dones[lane]:
                self.begun[lane] = replay_buffer.newest

    def store_trajectory(self, lane: int, won: bool) -> None:
        """Stores the episode of this game so far, without loops, if it is among the best."""
        if self.wins and not won:
            return
        trajectory = remove_loops(*self.replay_buffer.trajectory(self.begun[lane], lane))
        (self.wins if won else self.discoveries).append(trajectory)
        self.wins = sorted(self.wins, key=lambda trajectory: len(trajectory[1]))[: self.trajectories]
        self.discoveries = [] if self.wins else self.discoveries[-self.trajectories :]
        self.joined = None

    def train(self, gradient_steps: int, batch_size: int = 100) -> None:
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        curiosity = find_curiosity(self.env)
        worth = curiosity.worth_now if isinstance(curiosity, CountBonus) else None
        losses = []
        for _ in range(gradient_steps):
            if self._n_updates % self.target_update_interval == 0:
                self.q_net_target.load_state_dict(self.q_net.state_dict())
            self._n_updates += 1
            steps = self.replay_buffer.sample(batch_size, worth=worth)
            losses.append(self.update(steps))
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        self.logger.record("train/loss", np.mean(losses))

    def update(self, steps: Samples) -> float:
        """One gradient step on these samples and on the agent's best trajectories; its loss."""
        pictures, actions = steps.observations, steps.actions
        margin = self.margin if self.wins else self.discovery_margin
        if margin and (self.wins or self.discoveries):
            seen, done = self.best()
            batch = torch.randint(len(done), (self.imitation_steps,), device=self.device)
            pictures, actions = torch.cat([pictures, seen[batch]]), torch.cat([actions, done[batch]])
        values = self.q_net(pictures)
        taken = values.gather(1, actions[:, None])  # (n, 1): of the samples, then of its trajectories
        targets, count = self.targets(steps), len(steps.actions)
        errors = functional.smooth_l1_loss(taken[:count, 0], targets, reduction="none")
        loss = (steps.weights * errors).mean()
        if len(actions) > count:
            above = (values[count:] + margin).scatter(1, actions[count:, None], taken[count:]).amax(dim=1)
            loss = loss + (above - taken[count:, 0]).mean()
        self.replay_buffer.update_priorities(steps.places, (targets - taken[:count, 0]).detach().cpu().numpy())
        self.policy.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.policy.parameters(), self.max_grad_norm)
        self.policy.optimizer.step()
        return loss.item()

    @torch.no_grad()
    def targets(self, steps: Samples) -> torch.Tensor:
        """float32 (n,): n-step returns plus the target network's value of the online network's greedy action."""
        best = self.q_net(steps.following).argmax(dim=1, keepdim=True)
        return steps.returns + steps.discounts * self.q_net_target(steps.following).gather(1, best).squeeze(1)

    def best(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Observations uint8 (n, C, S, S) and actions int64 (n,) of all stored trajectories."""
        if self.joined is None:
            seen, done = (torch.from_numpy(np.concatenate(parts)) for parts in zip(*(self.wins or self.discoveries)))
            self.joined = seen.to(self.device), done.to(self.device)
        return self.joined
