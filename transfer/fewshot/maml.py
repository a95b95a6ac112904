"""MAML: weights from which a few steps of gradient descent learn a new task.

Finn et al. 2017, arXiv 1703.03400, algorithms 1 and 2: the loss after adapting to a task is minimised with respect to
the weights before it, through the steps themselves (second order), or as if these did not depend on the weights (first
order).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call, grad, vmap

Parameters = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Tasks:
    """t tasks of the same size: what each is adapted to, (t, n, ...), and what it is then asked, (t, m, ...)."""

    inputs: torch.Tensor
    targets: torch.Tensor
    asked: torch.Tensor
    answers: torch.Tensor


@dataclass(frozen=True)
class MAML:
    """How a module adapts. loss: of its outputs and the targets, a scalar; rate, steps: of gradient descent."""

    module: nn.Module
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    rate: float
    steps: int = 1
    first_order: bool = False

    def __post_init__(self) -> None:
        if self.rate <= 0 or self.steps < 1:
            raise ValueError(f"rate is {self.rate}, steps {self.steps}: expected more than 0, and 1 or more")

    @property
    def parameters(self) -> Parameters:
        return dict(self.module.named_parameters())

    def outputs(self, parameters: Parameters, inputs: torch.Tensor) -> torch.Tensor:
        return functional_call(self.module, parameters, (inputs,))

    def loss_of(self, parameters: Parameters, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return self.loss(self.outputs(parameters, inputs), targets)

    def adapt(
        self, parameters: Parameters, inputs: torch.Tensor, targets: torch.Tensor, steps: int | None = None
    ) -> Parameters:
        """The parameters after some steps down the loss of one task, (n, ...)."""
        for _ in range(self.steps if steps is None else steps):
            slopes = grad(self.loss_of)(parameters, inputs, targets)
            if self.first_order:
                slopes = {name: slope.detach() for name, slope in slopes.items()}
            parameters = {name: value - self.rate * slopes[name] for name, value in parameters.items()}
        return parameters

    def after(self, parameters: Parameters, tasks: Tasks) -> torch.Tensor:
        """float32 (t,): the loss on what each task is asked, after adapting to it."""

        def one(
            inputs: torch.Tensor, targets: torch.Tensor, asked: torch.Tensor, answers: torch.Tensor
        ) -> torch.Tensor:
            return self.loss_of(self.adapt(parameters, inputs, targets), asked, answers)

        return vmap(one)(tasks.inputs, tasks.targets, tasks.asked, tasks.answers)

    def learn(self, draw: Callable[[], Tasks], steps: int, learning_rate: float = 1e-3) -> list[float]:
        """Changes the module so that it adapts better, by Adam on tasks that ``draw`` gives; the mean loss of each
        step, after adapting."""
        optimizer = torch.optim.Adam(self.module.parameters(), learning_rate)
        losses = []
        for _ in range(steps):
            loss = self.after(self.parameters, draw()).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses


def moved(before: Parameters, after: Parameters) -> float:
    """How far weights moved: the Euclidean norm of all their changes together."""
    return float(torch.cat([(after[name] - before[name]).flatten() for name in before]).detach().norm())
