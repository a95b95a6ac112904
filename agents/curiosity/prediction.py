"""Curiosity that predicts: what a network predicts badly pays, and the network learns from what it sees."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv
from torch import nn

from priorlab.agents.curiosity.base import Curiosity


class PredictionBonus(Curiosity):
    """A bonus that is an error of ``network``, which learns with Adam every ``n_steps`` steps.

    It makes ``n_epochs`` passes over the steps that it saw since its last update, in minibatches of ``batch_size``.
    """

    def __init__(
        self,
        venv: VecEnv,
        network: nn.Module,
        learning_rate: float,
        scale: float = 1.0,
        reward_scale: float = 1.0,
        n_steps: int = 32,
        batch_size: int = 128,
        n_epochs: int = 3,
        seed: int = 0,
    ):
        super().__init__(venv, scale, reward_scale)
        self.network, self.n_steps, self.batch_size, self.n_epochs = network, n_steps, batch_size, n_epochs
        self.optimizer = torch.optim.Adam(network.parameters(), learning_rate)
        self.device = next(network.parameters()).device
        self.generator = torch.Generator(self.device).manual_seed(seed)  # of the minibatches
        self.seen: list[tuple[Any, ...]] = []  # per step: training data, (n, ...)
        self.last_loss = torch.zeros(())

    @abstractmethod
    def loss(self, *batch: torch.Tensor) -> torch.Tensor:
        """A scalar, for a minibatch of what ``learn`` received."""

    def learn(self, *columns: torch.Tensor) -> None:
        """Learns from all rows of these columns, and clears what was seen."""
        for _ in range(self.n_epochs):
            order = torch.randperm(len(columns[0]), generator=self.generator, device=self.device)
            for batch in order.split(self.batch_size):
                loss = self.loss(*(column[batch] for column in columns))
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                self.last_loss = loss.detach()
        self.seen = []

    def parameters(self) -> Iterable[torch.Tensor]:
        return self.network.parameters()

    def statistics(self) -> dict[str, float]:
        return {"loss": float(self.last_loss), "bonus": float(self.bonus.mean())}

    def state(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "seen": self.seen,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.seen = state["seen"]


def tensor(pictures: np.ndarray) -> torch.Tensor:
    """float32 (n, C, S, S) for (n, S, S, C), with the same values."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(pictures, 3, 1), dtype=np.float32))
