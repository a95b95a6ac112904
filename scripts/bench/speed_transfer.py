"""The cost of each method: time per update compared with fine-tuning, in turns, and the memory per task.

The network is that of Mnih et al. 2015 (NatureCNN) on 84x84x4 pixels. It learns the second of four tasks, so that
penalties have something to protect, columns have a second one, and weights are packed.
"""

import time
from dataclasses import dataclass

import numpy as np
import torch
import tyro
from rich.console import Console
from rich.table import Table
from torch import nn

from priorlab.transfer.keeping import keep, parse
from priorlab.transfer.kept import Kept
from priorlab.transfer.networks.network import Network
from priorlab.transfer.networks.samples import Samples

METHODS = (
    "finetune", "separate", "head-only", "l2", "ewc", "online-ewc", "psp", "psp:contexts=complex",
    "psp:contexts=rotation", "psp:contexts=power", "psp+ewc", "packing", "progressive", "random-column", "means",
)  # fmt: skip
TASKS, ACTIONS = 4, 6
SHAPE = (4, 84, 84)
UPDATES = 5  # of each method per turn


def nature() -> Network:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(4, 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(3136, 512), nn.ReLU(), nn.Linear(512, ACTIONS),
    )  # fmt: skip
    return Network(module, example=torch.zeros(1, *SHAPE))


@dataclass
class KeptLearner:
    """A network with its method, and its optimizer."""

    kept: Kept
    optimizer: torch.optim.Optimizer

    @classmethod
    def of(cls, method: str) -> "KeptLearner":
        """A learner that has learned one task and learns the next."""
        kept = keep(nature(), parse(method), TASKS)
        optimizer = torch.optim.Adam(kept.network.module.parameters(), 1e-4)
        kept.attach(optimizer)
        kept.learn(0)
        kept.consolidate(Samples(torch.rand(8, *SHAPE)))
        kept.learn(1)
        return cls(kept, optimizer)

    def update(self, inputs: torch.Tensor, labels: torch.Tensor) -> None:
        loss = nn.functional.cross_entropy(self.kept.network.module(inputs), labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


def main(batch_sizes: tuple[int, ...] = (64, 256), turns: int = 15, threads: int = 1) -> None:
    """Print the table.

    Args:
        batch_sizes: inputs per update
        turns: in each turn every method makes five updates; the ratio is the median over turns
        threads: CPU cores for torch
    """
    torch.set_num_threads(threads)
    learners = {method: KeptLearner.of(method) for method in METHODS}
    ratios = {size: time_ratios(learners, size, turns) for size in batch_sizes}
    headings = ["method", *(f"update, batch {size}" for size in batch_sizes)]
    table = Table(*headings, "MB for 1 task", *(f"for {tasks}" for tasks in range(2, TASKS + 1)))
    for method in METHODS:
        stored = [keep(nature(), parse(method), tasks).bytes() / 1e6 for tasks in range(1, TASKS + 1)]
        times = [f"{ratios[size][method]:.2f}" for size in batch_sizes]
        table.add_row(method, *times, *(f"{each:.1f}" for each in stored))
    Console(width=120).print(table)


def time_ratios(learners: dict[str, KeptLearner], size: int, turns: int) -> dict[str, float]:
    """Each method's time relative to fine-tuning's in the same turn, as a median over turns."""
    inputs, labels = torch.rand(size, *SHAPE), torch.randint(ACTIONS, (size,))
    seconds: dict[str, list[float]] = {method: [] for method in learners}
    for turn in range(turns + 1):
        for method, learner in learners.items():
            begun = time.perf_counter()
            for _ in range(UPDATES):
                learner.update(inputs, labels)
            if turn:  # the first turn warms up
                seconds[method].append(time.perf_counter() - begun)
    plain = np.array(seconds["finetune"])
    return {method: float(np.median(np.array(each) / plain)) for method, each in seconds.items()}


if __name__ == "__main__":
    tyro.cli(main)
