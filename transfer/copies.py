"""Values of some parameters that are each task's own: of norms, biases, embeddings of positions, scales of layers."""

from collections.abc import Iterable

import torch
from torch import nn

from priorlab.transfer.network import Network


class Copies(nn.Module):
    """Held by a method: as many values of these parameters as there are tasks, one of which lies in the network.

    onward: whether a new task begins with what the last one left; otherwise as the first one does.
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
        found = self.network.parameters()
        return [found[name] for name in self.names]

    def move(self, task: int, before: int) -> None:
        """Puts a task's values in place of those of ``before``, which are stored."""
        for number, parameter in enumerate(self.parts()):
            self.begun[before] = True
            each = getattr(self, f"of_{number}")
            each[before] = parameter
            if self.begun[task]:
                parameter.copy_(each[task])
