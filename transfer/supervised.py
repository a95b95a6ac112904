"""A plain loop that learns to classify, task by task, to test methods on data for which the answer is known."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from priorlab.transfer.kept import Kept
from priorlab.transfer.networks.samples import Samples

POINTS = 10  # evaluations while one task is learned


def unchanged(inputs: torch.Tensor) -> torch.Tensor:
    return inputs


@dataclass(frozen=True)
class Problem:
    """A task: inputs float32 (n, ...) and classes int64 (n,) to learn from, and others to test with.

    view: turns inputs (n, ...) into what the network takes, a few at a time, so that many tasks can share one data set.
    """

    inputs: torch.Tensor
    labels: torch.Tensor
    test_inputs: torch.Tensor
    test_labels: torch.Tensor
    view: Callable[[torch.Tensor], torch.Tensor] = unchanged


@dataclass(frozen=True)
class Training:
    """How each task is learned."""

    steps: int = 300
    """minibatches per task"""
    batch_size: int = 128
    """inputs per minibatch"""
    learning_rate: float = 1e-3
    """of Adam"""
    reset_optimizer: bool = True
    """whether Adam's moments are reset between tasks; they always are if each task has its own weights"""
    samples: int = 500
    """inputs on which a task is consolidated"""

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "samples"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: expected 1 or more")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate is {self.learning_rate}: expected more than 0")


@dataclass(frozen=True)
class Point:
    """The performance on ``task``, from 0 to 1, when a ``share``, from 0 to 1, of the training on ``learning`` is
    done."""

    learning: int
    share: float
    task: int
    performance: float


def learn_all(
    kept: Kept,
    problems: list[Problem],
    training: Training,
    seed: int,
    after: Callable[[int], None] = lambda _: None,
) -> list[Point]:
    """Learns the problems in order; returns the performances measured on the way.

    after: called with the number of each task when it has been learned and consolidated. The task being learned is
    tested ``POINTS`` times during its training, the others at its end.
    """
    module = kept.network.module
    optimizer = torch.optim.Adam(module.parameters(), training.learning_rate)
    kept.attach(optimizer)
    points = []
    for task, problem in enumerate(problems):
        if training.reset_optimizer or kept.starts_fresh:
            optimizer.state.clear()
        kept.meet(task, Samples(problem.view(problem.inputs[: training.samples])))
        kept.learn(task)
        generator = torch.Generator().manual_seed(seed * 1009 + task)
        if task == 0:
            points += [Point(0, 0.0, other, accuracy(kept, other, each)) for other, each in enumerate(problems)]
        else:
            points.append(Point(task, 0.0, task, accuracy(kept, task, problem)))
        for step in range(1, training.steps + 1):
            chosen = torch.randint(len(problem.labels), (training.batch_size,), generator=generator)
            loss = nn.functional.cross_entropy(module(problem.view(problem.inputs[chosen])), problem.labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            kept.advance(step / training.steps)
            if step * POINTS // training.steps > (step - 1) * POINTS // training.steps and step < training.steps:
                points.append(Point(task, step / training.steps, task, accuracy(kept, task, problem)))
        drawn = torch.randperm(len(problem.labels), generator=generator)[: training.samples]
        kept.consolidate(Samples(problem.view(problem.inputs[drawn]), problem.labels[drawn]))
        points += [Point(task, 1.0, other, accuracy(kept, other, each)) for other, each in enumerate(problems)]
        after(task)
    return points


@torch.no_grad()
def accuracy(kept: Kept, task: int, problem: Problem) -> float:
    """The share of test inputs that the network, playing this task, classifies correctly."""
    with kept.playing(task):
        predicted = kept.network.module(problem.view(problem.test_inputs)).argmax(1)
    return float((predicted == problem.test_labels).float().mean())
