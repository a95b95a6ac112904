"""Curiosity that predicts: what a network predicts badly pays, and the network learns from what it saw."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv
from torch import nn

from priorlab.agents.curiosity.bonus import Curiosity


class Predicting(Curiosity):
    """A bonus that is an error of ``network``, which learns by itself, with Adam, each ``n_steps`` steps.

    It then learns from the steps that it saw since it last did, ``n_epochs`` times, in minibatches of ``batch_size``.
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
        self.seen: list[tuple[Any, ...]] = []  # a step each: what is learned from, (n, ...)
        self.loss_was = torch.zeros(())

    @abstractmethod
    def loss(self, *batch: torch.Tensor) -> torch.Tensor:
        """A scalar, for what ``learn`` was given, cut into minibatches."""

    def learn(self, *columns: torch.Tensor) -> None:
        """Learns from all rows of these, and forgets what was seen."""
        for _ in range(self.n_epochs):
            order = torch.randperm(len(columns[0]), generator=self.generator, device=self.device)
            for chosen in order.split(self.batch_size):
                loss = self.loss(*(column[chosen] for column in columns))
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                self.loss_was = loss.detach()
        self.seen = []

    def parameters(self) -> Iterable[torch.Tensor]:
        return self.network.parameters()

    def told(self) -> dict[str, float]:
        return {"loss": float(self.loss_was), "bonus": float(self.bonus.mean())}

    def memory(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "seen": self.seen,
        }

    def restore(self, memory: dict[str, Any]) -> None:
        self.network.load_state_dict(memory["network"])
        self.optimizer.load_state_dict(memory["optimizer"])
        self.generator.set_state(memory["generator"])
        self.seen = memory["seen"]


def tensor(pictures: np.ndarray) -> torch.Tensor:
    """float32 (n, C, S, S) for (n, S, S, C), as numbers of the same size."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(pictures, 3, 1), dtype=np.float32))
