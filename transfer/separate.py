"""Weights of each task's own: of the heads, of the whole network, or new ones every time; and all but heads frozen."""

import torch

from priorlab.transfer.method import Method
from priorlab.transfer.network import Network, Start


class OwnHeads(Method):
    """Each task has heads of its own; what a head is not yet learned for starts as the first one did, drawn anew."""

    takes_statistics = True
    of_body = False

    def __init__(self, network: Network, tasks: int, generator: torch.Generator):
        super().__init__(network)
        self.names = [name for name in network.shared() if self.of_body or network.is_head(name)]
        if not self.of_body:
            self.check_apart()
        for number, parameter in enumerate(self.moved()):
            start = Start.of(parameter)
            each = [parameter.detach().cpu(), *(start.draw(generator) for _ in range(tasks - 1))]
            self.register_buffer(f"of_{number}", torch.stack(each).to(parameter.device))  # (tasks, ...)

    def check_apart(self) -> None:
        """ValueError where a head shares a weight with what lies below."""
        named = list(self.network.module.named_parameters(remove_duplicate=False))
        of_body = {id(parameter): name for name, parameter in named if not self.network.is_head(name)}
        for name, parameter in named:
            if self.network.is_head(name) and id(parameter) in of_body:
                raise ValueError(f"head's parameter {name!r} is {of_body[id(parameter)]!r}, too: expected heads that "
                                 "share no weight with the body, or methods without heads of their own")  # fmt: skip

    def moved(self) -> list[torch.nn.Parameter]:
        """The parameters that each task has its own of, in the network's order."""
        found = self.network.parameters()
        return [found[name] for name in self.names]

    def owned(self) -> list[str]:
        return self.names

    def move(self, task: int, before: int) -> None:
        for parameter, each in zip(self.moved(), self.buffers()):
            each[before] = parameter
            parameter.copy_(each[task])

    def bytes(self) -> int:
        """One task's lie in the network."""
        return super().bytes() - sum(parameter.numel() * parameter.element_size() for parameter in self.moved())


class Separate(OwnHeads):
    """Separate networks, a whole one a task: nothing is forgotten, nothing is reused, memory grows with each."""

    takes_statistics = False
    sorts_weights = True
    of_body = True
    begins_anew = True


class Scratch(Method):
    """New weights whenever a task is learned: what came before is lost."""

    sorts_weights = True
    begins_anew = True

    def __init__(self, network: Network, tasks: int, generator: torch.Generator):
        super().__init__(network)
        self.starts = {name: Start.of(each) for name, each in network.parameters().items()}
        self.register_buffer("seed", torch.randint(2**62, (), generator=generator))
        self.register_buffer("begun", torch.zeros((), dtype=torch.int64))
        self.seed: torch.Tensor
        self.begun: torch.Tensor

    def learn(self, task: int) -> None:
        if self.begun:
            generator = torch.Generator().manual_seed(int(self.seed) + int(self.begun))
            learn = {name: each for name, each in self.network.parameters().items() if each.requires_grad}
            for name, parameter in learn.items():  # what the user froze is not new
                parameter.copy_(self.starts[name].draw(generator))
        self.begun += 1


class HeadOnly(Method):
    """What lies below the heads learns the first task and is frozen: baseline 2 of progressive networks (Rusu et al.
    2016, arXiv 1606.04671, section 4)."""

    sorts_weights = True
    heads_are_own = True

    def __init__(self, network: Network, tasks: int, generator: torch.Generator):
        super().__init__(network)

    def refresh(self, task: int) -> None:
        for parameter in self.network.shared().values():
            parameter.requires_grad_(task == 0)
