"""MAML: weights from which a few steps of gradient descent learn a new task.

Finn et al. 2017, arXiv 1703.03400, algorithms 1 and 2: the loss after adapting to a task is minimised with respect to
the weights before it, through the steps of adapting (second order), or as if these did not depend on the weights (first
order).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.func import grad, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from priorlab.transfer.networks.network import Network, functional_call
from priorlab.transfer.networks.states import preserved
from priorlab.transfer.networks.trial import perturb

Parameters = dict[str, torch.Tensor]


@dataclass(frozen=True)
class TaskBatch:
    """t tasks of the same size: inputs and targets to adapt to, (t, n, ...), and queries for the adapted network with
    their targets, (t, m, ...)."""

    inputs: torch.Tensor
    targets: torch.Tensor
    query_inputs: torch.Tensor
    query_targets: torch.Tensor


@dataclass(frozen=True)
class MAML:
    """Adapts a module to tasks, and trains it to adapt better (Finn et al. 2017, arXiv 1703.03400).

    loss: a scalar from the module's outputs and the targets. rate: of gradient descent, above 0. steps: of adapting, at
    least 1. first_order: whether to ignore that the steps depend on the weights.

    Frozen parameters don't adapt. What a module draws, as Dropout does in training, is drawn for each task and step
    from torch's global generator. ValueError if nothing can adapt, and for a layer that changes its buffers as it runs,
    as BatchNorm does in training: tasks would mix in them.
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
        """The module's parameters by name."""
        return dict(self.module.named_parameters())

    def outputs(self, parameters: Parameters, inputs: torch.Tensor) -> torch.Tensor:
        """The module's outputs (n, ...) for inputs (n, ...), with these parameters."""
        with sdpa_kernel(SDPBackend.MATH):  # the only kernel of attention with second derivatives
            return functional_call(self.module, parameters, (inputs,))

    def loss_of(self, parameters: Parameters, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss on inputs and targets (n, ...) with these parameters."""
        return self.loss(self.outputs(parameters, inputs), targets)

    def check(self, inputs: torch.Tensor) -> None:
        """ValueError if nothing can adapt, or if a layer changes its buffers for inputs (n, ...); leaves no trace."""
        if not any(parameter.requires_grad for parameter in self.module.parameters()):
            raise ValueError("all parameters are frozen: expected some that adapt")
        before = {name: buffer.clone() for name, buffer in self.module.named_buffers()}
        if not before:
            return
        with preserved(self.module), torch.no_grad():
            perturb(Network(self.module), torch.Generator().manual_seed(0))  # some buffers change only with weights
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
        """The parameters after some steps, by default ``self.steps``, down the loss on one task's inputs (n, ...)."""
        self.check(inputs)
        return self.descend(parameters, inputs, targets, self.steps if steps is None else steps)

    def descend(self, parameters: Parameters, inputs: torch.Tensor, targets: torch.Tensor, steps: int) -> Parameters:
        """``adapt`` without its checks."""
        learns = {name for name, parameter in self.module.named_parameters() if parameter.requires_grad}
        still = {name: value for name, value in parameters.items() if name not in learns}
        moving = {name: value for name, value in parameters.items() if name in learns}
        for _ in range(steps):
            slopes = grad(lambda moving: self.loss_of(moving | still, inputs, targets))(moving)
            if self.first_order:
                slopes = {name: slope.detach() for name, slope in slopes.items()}
            moving = {name: value - self.rate * slopes[name] for name, value in moving.items()}
        return {name: (moving | still)[name] for name in parameters}

    def adapted_losses(self, parameters: Parameters, tasks: TaskBatch) -> torch.Tensor:
        """float (t,): the loss on each task's queries after adapting to it."""

        def one(
            inputs: torch.Tensor, targets: torch.Tensor, query_inputs: torch.Tensor, query_targets: torch.Tensor
        ) -> torch.Tensor:
            adapted = self.descend(parameters, inputs, targets, self.steps)
            return self.loss_of(adapted, query_inputs, query_targets)

        self.check(tasks.inputs[0])
        parts = tasks.inputs, tasks.targets, tasks.query_inputs, tasks.query_targets
        try:
            return vmap(one, randomness="different")(*parts)
        except RuntimeError:  # some layers, such as LSTM, can't take several tasks; any other error shows again
            return torch.stack([one(*task) for task in zip(*parts)])

    def learn(self, draw: Callable[[], TaskBatch], steps: int, learning_rate: float = 1e-3) -> list[float]:
        """Trains the module to adapt better, by so many ``steps`` of Adam on tasks from ``draw``; returns each step's
        mean loss after adapting."""
        optimizer = torch.optim.Adam(self.module.parameters(), learning_rate)
        losses = []
        for _ in range(steps):
            loss = self.adapted_losses(self.parameters, draw()).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses


def distance_moved(before: Parameters, after: Parameters) -> float:
    """How far parameters moved: the Euclidean norm of all their changes together."""
    return float(torch.cat([(after[name] - before[name]).flatten() for name in before]).detach().norm())
