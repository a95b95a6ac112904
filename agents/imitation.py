"""PPO that also learns from its own wins, since where reward comes only at the end a win is rare and soon forgotten.

In the spirit of self-imitation (Oh et al. 2018, arXiv 1806.05635), simpler: the shortest of the episodes that the
agent won are kept, without their loops (where the same observation comes again, what lay between led nowhere), and
after each update the actor learns to take the actions that led on. Nothing is imitated before the agent has won by
itself, and only what it saw and did is used.
"""

from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv

Path = tuple[np.ndarray, np.ndarray]  # observations uint8 (n, C, S, S), actions int64 (n,)


class SelfImitatingPPO(PPO):
    """PPO with ``imitation_batches`` minibatches of self-imitation after each update; 0 is plain PPO.

    ``imitation_weight`` weighs them beside PPO's loss; ``imitation_episodes`` of the shortest won episodes are kept.
    """

    def __init__(
        self,
        *args: Any,
        imitation_batches: int = 8,
        imitation_weight: float = 1.0,
        imitation_episodes: int = 16,
        imitation_enough: float = 0.5,
        **kwargs: Any,
    ):
        self.imitation_batches, self.imitation_weight = imitation_batches, imitation_weight
        self.imitation_episodes, self.imitation_enough = imitation_episodes, imitation_enough
        self.won: list[Path] = []
        self.found: list[Path] = []
        self.paths: list[list[Path]] = []
        self.endings: list[tuple[int, int, bool]] = []
        self.discoveries: list[tuple[int, int]] = []
        super().__init__(*args, **kwargs)

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "won", "found", "paths", "endings", "discoveries"]

    def _update_info_buffer(self, infos: list[dict[str, Any]], dones: np.ndarray | None = None) -> None:
        """Called after each step of a rollout: notes where episodes ended, and whether they were won."""
        super()._update_info_buffer(infos, dones)
        self.discoveries += [(self.rollout_buffer.pos, lane) for lane, info in enumerate(infos) if info.get("discovery")]
        for lane in np.flatnonzero(dones if dones is not None else []):
            self.endings.append((self.rollout_buffer.pos, int(lane), infos[lane]["episode"]["r"] > 0))

    def collect_rollouts(self, env: VecEnv, *args: Any, **kwargs: Any) -> bool:
        self.endings, self.discoveries = [], []
        if len(self.paths) != env.num_envs:
            self.paths = [[] for _ in range(env.num_envs)]
        goes_on = super().collect_rollouts(env, *args, **kwargs)
        if goes_on and self.imitation_batches:
            self.keep_wins()
        return goes_on

    def keep_wins(self) -> None:
        """Cuts the rollout into episodes, which may go on over several rollouts, and keeps those that were won."""
        pictures, actions = self.rollout_buffer.observations, self.rollout_buffer.actions[..., 0].astype(np.int64)
        begun = [0] * len(self.paths)
        ends = {(step, lane): won for step, lane, won in self.endings}
        for step, lane in sorted({*ends, *self.discoveries}):
            won = ends.get((step, lane))
            path = [*self.paths[lane], (pictures[begun[lane] : step + 1, lane], actions[begun[lane] : step + 1, lane])]
            if won or (step, lane) in self.discoveries and won is None:
                seen, taken = (np.concatenate(parts) for parts in zip(*path))
                (self.won if won else self.found).append(without_loops(seen, taken))
            if won is not None:
                self.paths[lane], begun[lane] = [], step + 1
        self.won = sorted(self.won, key=lambda path: len(path[1]))[: self.imitation_episodes]
        self.found = self.found[-self.imitation_episodes :]
        for lane, first in enumerate(begun):
            self.paths[lane].append((pictures[first:, lane].copy(), actions[first:, lane].copy()))

    def train(self) -> None:
        super().train()
        if (self.won or self.found) and self.imitation_batches:
            self.imitate()

    def imitate(self) -> None:
        pictures, actions = (torch.from_numpy(np.concatenate(parts)) for parts in zip(*(self.won or self.found)))
        for _ in range(self.imitation_batches):
            chosen = torch.randint(len(actions), (self.batch_size,))
            _, logs, _ = self.policy.evaluate_actions(pictures[chosen].to(self.device), actions[chosen].to(self.device))
            loss = -self.imitation_weight * logs.mean()
            if loss.item() < self.imitation_enough:
                break
            self.policy.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.policy.parameters(), self.max_grad_norm)
            self.policy.optimizer.step()
        self.logger.record("train/imitation_loss", loss.item())
        self.logger.record("train/imitation_length", len(actions) / len(self.won or self.found))
        self.logger.record("train/imitation_found", len(self.found))


def without_loops(pictures: np.ndarray, actions: np.ndarray) -> Path:
    """The decisions that led on: where a picture comes again, all from its first coming to just before its last goes."""
    last = {picture.tobytes(): k for k, picture in enumerate(pictures)}
    kept, k = [], 0
    while k < len(pictures):
        k = last[pictures[k].tobytes()]
        kept.append(k)
        k += 1
    return pictures[kept].copy(), actions[kept].copy()
