"""PPO that imitates its best episodes: where the only reward is a win, wins are rare and soon forgotten.

In the spirit of self-imitation (Oh et al. 2018, arXiv 1806.05635) and of returning to where something new was found
(Ecoffet et al. 2021, arXiv 2004.12919), and simpler than either. Until its first win, the agent stores the latest
trajectories to something never seen before; from then on its shortest wins. Loops are removed: where the same
observation comes again, what lay between led nowhere. After each update the actor imitates these trajectories. It uses
only what the agent saw and did; the bonus defines what is new, the game's reward what is a win.
"""

from typing import Any

import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv

from priorlab.agents.imitation.trajectories import Trajectory, imitate, remove_loops
from priorlab.agents.learners.ppo import PlainPPO


class SelfImitatingPPO(PlainPPO):
    """``PlainPPO`` that imitates its best episodes after each update.

    imitation_batches: most minibatches of imitation per update; 0 is plain PPO. imitation_episodes: how many
    trajectories it stores. imitation_enough, discovery_enough: mean negative log-likelihood of the actions below which
    an update's imitation stops, for wins and for trajectories to something new; imitating those more closely would end
    exploration. Infos must hold ``episode``, as a Monitor's do. ``discovery`` in infos marks what is new, as in
    ``CountBonus``; without it, only wins are stored.
    """

    def __init__(
        self,
        *args: Any,
        imitation_batches: int = 32,
        imitation_episodes: int = 12,
        imitation_enough: float = 0.2,
        discovery_enough: float = 1.2,
        **kwargs: Any,
    ):
        self.imitation_batches = imitation_batches
        self.imitation_episodes = imitation_episodes
        self.imitation_enough = imitation_enough
        self.discovery_enough = discovery_enough
        self.wins: list[Trajectory] = []
        self.discoveries: list[Trajectory] = []  # trajectories to something new
        self.paths: list[list[Trajectory]] = []  # of each game: its episode so far, one piece per rollout
        self.endings: dict[tuple[int, int], bool] = {}  # (step of the rollout, game): won
        self.discovered: set[tuple[int, int]] = set()  # (step of the rollout, game) that reached something new
        super().__init__(*args, **kwargs)

    def unsaved(self) -> dict[str, Any]:
        """What a saved model leaves out and a resumed run needs."""
        return {"wins": self.wins, "discoveries": self.discoveries, "paths": self.paths}

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), *self.unsaved(), "endings", "discovered"]

    def _update_info_buffer(self, infos: list[dict[str, Any]], dones: np.ndarray | None = None) -> None:
        """Called after each step of a rollout: records which games reached something new, and which ended and how."""
        super()._update_info_buffer(infos, dones)
        step = self.rollout_buffer.pos
        for lane, info in enumerate(infos):
            if dones is not None and dones[lane]:
                self.endings[step, lane] = info["episode"]["r"] > 0
            elif info.get("discovery"):
                self.discovered.add((step, lane))

    def collect_rollouts(self, env: VecEnv, *args: Any, **kwargs: Any) -> bool:
        self.endings, self.discovered = {}, set()
        if len(self.paths) != env.num_envs:
            self.paths = [[] for _ in range(env.num_envs)]
        continues = super().collect_rollouts(env, *args, **kwargs)
        if continues and self.imitation_batches:
            self.store_trajectories()
        return continues

    def store_trajectories(self) -> None:
        """Cuts the rollout into episodes, which may span several rollouts, and stores the best of them."""
        pictures, actions = self.rollout_buffer.observations, self.rollout_buffer.actions[..., 0].astype(np.int64)
        begun = [0] * len(self.paths)
        for step, lane in sorted({*self.endings, *self.discovered}):
            won = self.endings.get((step, lane), False)
            if won or (step, lane) in self.discovered:
                piece = slice(begun[lane], step + 1)
                pieces = [*self.paths[lane], (pictures[piece, lane], actions[piece, lane])]
                seen, taken = (np.concatenate(parts) for parts in zip(*pieces))
                (self.wins if won else self.discoveries).append(remove_loops(seen, taken))
            if (step, lane) in self.endings:
                self.paths[lane], begun[lane] = [], step + 1
        for lane, first in enumerate(begun):
            self.paths[lane].append((pictures[first:, lane].copy(), actions[first:, lane].copy()))
        self.wins = sorted(self.wins, key=lambda trajectory: len(trajectory[1]))[: self.imitation_episodes]
        self.discoveries = [] if self.wins else self.discoveries[-self.imitation_episodes :]

    def train(self) -> None:
        super().train()
        if self.wins:
            self.imitate(self.wins, self.imitation_enough)
        elif self.discoveries:
            self.imitate(self.discoveries, self.discovery_enough)

    def imitate(self, trajectories: list[Trajectory], enough: float) -> None:
        """Imitates random minibatches of these trajectories until their mean loss is below ``enough``."""
        pictures, actions = (torch.from_numpy(np.concatenate(parts)).to(self.device) for parts in zip(*trajectories))
        for _ in range(self.imitation_batches):
            batch = torch.randint(len(actions), (self.batch_size,), device=self.device)
            steps = pictures[batch], actions[batch]
            loss = imitate(self.policy, self.policy.optimizer, *steps, self.max_grad_norm, enough)
            self.logger.record("train/imitation_loss", loss)
            if loss < enough:
                break
        self.logger.record("train/imitation_length", len(actions) / len(trajectories))
