"""Per-task copies of some parameters: of norms, biases, position embeddings, layer scales."""

from collections.abc import Iterable

import torch
from torch import nn

from priorlab.transfer.networks.network import Network


class Copies(nn.Module):
    """One copy per task of the parameters with these names, held by a method; the current task's is in the network.

    onward: whether a new task starts with the last task's values, rather than with those of the first task's start.
    """

    def __init__(self, network: Network, names: Iterable[str], tasks: int, onward: bool = False):
        super().__init__()
        self.network, self.names = network, list(names)
        for number, parameter in enumerate(self.parts()):
            each = parameter.detach().expand(tasks, *parameter.shape).clone()
            self.register_buffer(f"of_{number}", each)  # (tasks, ...)
        if self.names:
            self.register_buffer("begun", torch.full((tasks,), not onward))
        self.begun: torch.Tensor

    def parts(self) -> list[nn.Parameter]:
        parameters = self.network.parameters()
        return [parameters[name] for name in self.names]

    def move(self, task: int, before: int) -> None:
        """Stores the values of task ``before`` and puts those of ``task`` in their place."""
        for number, parameter in enumerate(self.parts()):
            self.begun[before] = True
            each = getattr(self, f"of_{number}")
            each[before] = parameter
            if self.begun[task]:
                parameter.copy_(each[task])
