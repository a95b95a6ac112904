"""A plain loop that learns classes, task by task: for what the methods do where the answer is known."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from priorlab.transfer.method import Kept, Samples

POINTS = 10  # evaluations while one task is learned


def as_they_are(inputs: torch.Tensor) -> torch.Tensor:
    return inputs


@dataclass(frozen=True)
class Problem:
    """Inputs float32 (n, ...) and classes int64 (n,) to learn from, and others to be tested with.

    seen: what is made of inputs (n, ...) before the network takes them, a few at a time: many tasks share one set.
    """

    inputs: torch.Tensor
    labels: torch.Tensor
    test_inputs: torch.Tensor
    test_labels: torch.Tensor
    seen: Callable[[torch.Tensor], torch.Tensor] = as_they_are


@dataclass(frozen=True)
class Training:
    """How each task is learned. reset: whether the optimizer begins anew with each, a confounder where it doesn't."""

    steps: int = 300
    """minibatches a task"""
    batch_size: int = 128
    """inputs in a minibatch"""
    learning_rate: float = 1e-3
    """of Adam"""
    reset_optimizer: bool = True
    """whether Adam's moments are forgotten between tasks; they are in any case where each has weights of its own"""
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
    """How well a task is done while another is learned: ``share`` of it, from 0 to 1; performance from 0 to 1."""

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
    """Learns the problems in order, and tells how well each is done on the way.

    ``after`` is called when a task is learned and consolidated. The one being learned is tested ``POINTS`` times while
    it is, all others at its end.
    """
    module = kept.network.module
    optimizer = torch.optim.Adam(module.parameters(), training.learning_rate)
    kept.attach(optimizer)
    points = []
    for task, problem in enumerate(problems):
        if training.reset_optimizer or kept.begins_anew:
            optimizer.state.clear()
        kept.meet(task, Samples(problem.seen(problem.inputs[: training.samples])))
        kept.learn(task)
        generator = torch.Generator().manual_seed(seed * 1009 + task)
        if task == 0:
            points += [Point(0, 0.0, other, accuracy(kept, other, each)) for other, each in enumerate(problems)]
        else:
            points.append(Point(task, 0.0, task, accuracy(kept, task, problem)))
        for step in range(1, training.steps + 1):
            chosen = torch.randint(len(problem.labels), (training.batch_size,), generator=generator)
            loss = nn.functional.cross_entropy(module(problem.seen(problem.inputs[chosen])), problem.labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            kept.advance(step / training.steps)
            if step * POINTS // training.steps > (step - 1) * POINTS // training.steps and step < training.steps:
                points.append(Point(task, step / training.steps, task, accuracy(kept, task, problem)))
        drawn = torch.randperm(len(problem.labels), generator=generator)[: training.samples]
        kept.consolidate(Samples(problem.seen(problem.inputs[drawn]), problem.labels[drawn]))
        points += [Point(task, 1.0, other, accuracy(kept, other, each)) for other, each in enumerate(problems)]
        after(task)
    return points


@torch.no_grad()
def accuracy(kept: Kept, task: int, problem: Problem) -> float:
    """Share of the test's inputs that the network, as it plays this task, gives the right class."""
    with kept.playing(task):
        said = kept.network.module(problem.seen(problem.test_inputs)).argmax(1)
    return float((said == problem.test_labels).float().mean())
