"""MAML: weights from which a few steps of gradient descent learn a new task.

Finn et al. 2017, arXiv 1703.03400, algorithms 1 and 2: the loss after adapting to a task is minimised with respect to
the weights before it, through the steps themselves (second order), or as if these did not depend on the weights (first
order).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.func import grad, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from priorlab.transfer.network import Network, functional_call
from priorlab.transfer.states import preserved
from priorlab.transfer.trial import shake

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
    """How a module adapts. loss: of its outputs and the targets, a scalar; rate, steps: of gradient descent.

    Parameters that are frozen don't adapt. What a module draws, as Dropout does in training, is drawn anew for each
    task and step, from torch's own generator. ValueError for a layer that changes its buffers as it runs, as BatchNorm
    does in training: tasks would mix in them.
    """

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
        with sdpa_kernel(SDPBackend.MATH):  # of attention, which alone has second derivatives
            return functional_call(self.module, parameters, (inputs,))

    def loss_of(self, parameters: Parameters, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return self.loss(self.outputs(parameters, inputs), targets)

    def check(self, inputs: torch.Tensor) -> None:
        """ValueError where nothing can adapt, or a layer changes its buffers for inputs (n, ...); leaves no trace."""
        if not any(parameter.requires_grad for parameter in self.module.parameters()):
            raise ValueError("all parameters are frozen: expected some that adapt")
        before = {name: buffer.clone() for name, buffer in self.module.named_buffers()}
        if not before:
            return
        with preserved(self.module), torch.no_grad():
            shake(Network(self.module), torch.Generator().manual_seed(0))  # some change only once weights do
            self.module(inputs)
            named = dict(self.module.named_buffers())
            changed = [name for name, value in before.items() if not torch.equal(named[name], value)]
        if changed:
            layer, _, buffer = changed[0].rpartition(".")
            kind = type(self.module.get_submodule(layer)).__name__
            raise ValueError(f"layer {layer!r}, a {kind}, changes its {buffer} as it runs, in which tasks would mix: "
                             "expected none, or the module in eval mode")  # fmt: skip

    def adapt(
        self, parameters: Parameters, inputs: torch.Tensor, targets: torch.Tensor, steps: int | None = None
    ) -> Parameters:
        """The parameters after some steps down the loss of one task, (n, ...)."""
        self.check(inputs)
        return self.descend(parameters, inputs, targets, self.steps if steps is None else steps)

    def descend(self, parameters: Parameters, inputs: torch.Tensor, targets: torch.Tensor, steps: int) -> Parameters:
        learns = {name for name, parameter in self.module.named_parameters() if parameter.requires_grad}
        still = {name: value for name, value in parameters.items() if name not in learns}
        moving = {name: value for name, value in parameters.items() if name in learns}
        for _ in range(steps):
            slopes = grad(lambda moving: self.loss_of(moving | still, inputs, targets))(moving)
            if self.first_order:
                slopes = {name: slope.detach() for name, slope in slopes.items()}
            moving = {name: value - self.rate * slopes[name] for name, value in moving.items()}
        return {name: (moving | still)[name] for name in parameters}

    def after(self, parameters: Parameters, tasks: Tasks) -> torch.Tensor:
        """(t,): the loss on what each task is asked, after adapting to it."""

        def one(
            inputs: torch.Tensor, targets: torch.Tensor, asked: torch.Tensor, answers: torch.Tensor
        ) -> torch.Tensor:
            return self.loss_of(self.descend(parameters, inputs, targets, self.steps), asked, answers)

        self.check(tasks.inputs[0])
        given = tasks.inputs, tasks.targets, tasks.asked, tasks.answers
        try:
            return vmap(one, randomness="different")(*given)
        except RuntimeError:  # some layers, such as LSTM, can't take several tasks; any other fault shows again
            return torch.stack([one(*task) for task in zip(*given)])

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
