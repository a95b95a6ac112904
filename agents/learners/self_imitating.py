"""PPO that learns again from its own best episodes: where the only reward is a win, wins are rare and soon forgotten.

In the spirit of self-imitation (Oh et al. 2018, arXiv 1806.05635) and of going back to where something new was found
(Ecoffet et al. 2021, arXiv 2004.12919), and simpler than either. Until the agent has won, the latest ways to something
never seen before are kept; from then on the shortest of its won episodes. Loops are cut out of them: where the same
observation comes again, what lay between led nowhere. After each update the actor learns to take the actions that led
on. Only what the agent itself saw and did is used; the bonus says what is new, the game's reward what is a win.
"""

from typing import Any

import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv

from priorlab.agents.imitation.ways import Way, learn, without_loops
from priorlab.agents.learners.rollouts import RolloutPPO


class SelfImitatingPPO(RolloutPPO):
    """PPO, each of whose updates is followed by at most ``imitation_batches`` minibatches of imitation; 0 is plain PPO.

    ``imitation_episodes`` of its own are kept; an update's imitation ends when the mean of -log of the probability of
    what was done falls below ``imitation_enough`` for wins, ``discovery_enough`` for the ways to something new: nearer
    to those, it would no longer look around. Needs environments whose infos hold ``episode`` (as a Monitor's
    do); what is new is told by ``discovery`` in infos (as ``CountBonus`` does), and without it only wins are kept.
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
        self.won: list[Way] = []
        self.found: list[Way] = []
        self.paths: list[list[Way]] = []  # of each lane: its episode so far, a piece a rollout
        self.endings: dict[tuple[int, int], bool] = {}  # (step of the rollout, lane): won
        self.discoveries: set[tuple[int, int]] = set()
        super().__init__(*args, **kwargs)

    def memory(self) -> dict[str, Any]:
        """What a saved model leaves out and a resumed run needs."""
        return {"won": self.won, "found": self.found, "paths": self.paths}

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), *self.memory(), "endings", "discoveries"]

    def _update_info_buffer(self, infos: list[dict[str, Any]], dones: np.ndarray | None = None) -> None:
        """Called after each step of a rollout: notes which lanes found something new, and which ended and how."""
        super()._update_info_buffer(infos, dones)
        step = self.rollout_buffer.pos
        for lane, info in enumerate(infos):
            if dones is not None and dones[lane]:
                self.endings[step, lane] = info["episode"]["r"] > 0
            elif info.get("discovery"):
                self.discoveries.add((step, lane))

    def collect_rollouts(self, env: VecEnv, *args: Any, **kwargs: Any) -> bool:
        self.endings, self.discoveries = {}, set()
        if len(self.paths) != env.num_envs:
            self.paths = [[] for _ in range(env.num_envs)]
        goes_on = super().collect_rollouts(env, *args, **kwargs)
        if goes_on and self.imitation_batches:
            self.keep_ways()
        return goes_on

    def keep_ways(self) -> None:
        """Cuts the rollout into episodes, which may go on over several rollouts, and keeps the best of them."""
        pictures, actions = self.rollout_buffer.observations, self.rollout_buffer.actions[..., 0].astype(np.int64)
        begun = [0] * len(self.paths)
        for step, lane in sorted({*self.endings, *self.discoveries}):
            won = self.endings.get((step, lane), False)
            if won or (step, lane) in self.discoveries:
                piece = slice(begun[lane], step + 1)
                pieces = [*self.paths[lane], (pictures[piece, lane], actions[piece, lane])]
                seen, taken = (np.concatenate(parts) for parts in zip(*pieces))
                (self.won if won else self.found).append(without_loops(seen, taken))
            if (step, lane) in self.endings:
                self.paths[lane], begun[lane] = [], step + 1
        for lane, first in enumerate(begun):
            self.paths[lane].append((pictures[first:, lane].copy(), actions[first:, lane].copy()))
        self.won = sorted(self.won, key=lambda way: len(way[1]))[: self.imitation_episodes]
        self.found = [] if self.won else self.found[-self.imitation_episodes :]

    def train(self) -> None:
        super().train()
        if self.won:
            self.imitate(self.won, self.imitation_enough)
        elif self.found:
            self.imitate(self.found, self.discovery_enough)

    def imitate(self, ways: list[Way], enough: float) -> None:
        pictures, actions = (torch.from_numpy(np.concatenate(parts)).to(self.device) for parts in zip(*ways))
        for _ in range(self.imitation_batches):
            chosen = torch.randint(len(actions), (self.batch_size,), device=self.device)
            loss = learn(
                self.policy, self.policy.optimizer, pictures[chosen], actions[chosen], self.max_grad_norm, enough
            )
            self.logger.record("train/imitation_loss", loss)
            if loss < enough:
                break
        self.logger.record("train/imitation_length", len(actions) / len(ways))
