"""Methods without any mechanism against forgetting: separate weights per task, new weights, or all but heads frozen."""

import torch

from priorlab.transfer.methods.method import Method
from priorlab.transfer.networks.initialization import Initialization
from priorlab.transfer.networks.network import Network


class OwnHeads(Method):
    """Each task has its own heads. Those of later tasks are initialised as the first ones were."""

    accepts_drift = True
    of_body = False

    def __init__(self, network: Network, tasks: int, generator: torch.Generator):
        super().__init__(network)
        self.names = [name for name in network.shared() if self.of_body or network.is_head(name)]
        if not self.of_body:
            self.check_untied()
        for number, parameter in enumerate(self.moved()):
            initialization = Initialization.of(parameter)
            each = [parameter.detach().cpu(), *(initialization.draw(generator) for _ in range(tasks - 1))]
            self.register_buffer(f"of_{number}", torch.stack(each).to(parameter.device))  # (tasks, ...)

    def check_untied(self) -> None:
        """ValueError if a head shares a weight with the body."""
        named = list(self.network.module.named_parameters(remove_duplicate=False))
        of_body = {id(parameter): name for name, parameter in named if not self.network.is_head(name)}
        for name, parameter in named:
            if self.network.is_head(name) and id(parameter) in of_body:
                raise ValueError(f"head's parameter {name!r} is also {of_body[id(parameter)]!r}: expected heads that "
                                 "share no weight with the body, or methods without heads of their own")  # fmt: skip

    def moved(self) -> list[torch.nn.Parameter]:
        """The parameters that each task has its own values of, in the network's order."""
        parameters = self.network.parameters()
        return [parameters[name] for name in self.names]

    def per_task(self) -> list[str]:
        return self.names

    def move(self, task: int, before: int) -> None:
        for parameter, each in zip(self.moved(), self.buffers()):
            each[before] = parameter
            parameter.copy_(each[task])

    def bytes(self) -> int:
        """Without one task's values, which are in the network."""
        return super().bytes() - sum(parameter.numel() * parameter.element_size() for parameter in self.moved())


class Separate(OwnHeads):
    """A separate network per task: nothing is forgotten, nothing is reused, and memory grows with each task."""

    accepts_drift = False
    assigns_weights = True
    of_body = True
    starts_fresh = True


class Scratch(Method):
    """Initialises the weights again whenever a task is learned: what came before is lost."""

    assigns_weights = True
    starts_fresh = True

    def __init__(self, network: Network, tasks: int, generator: torch.Generator):
        super().__init__(network)
        self.starts = {name: Initialization.of(each) for name, each in network.parameters().items()}
        self.register_buffer("seed", torch.randint(2**62, (), generator=generator))
        self.register_buffer("begun", torch.zeros((), dtype=torch.int64))
        self.seed: torch.Tensor
        self.begun: torch.Tensor

    def learn(self, task: int) -> None:
        if self.begun:
            generator = torch.Generator().manual_seed(int(self.seed) + int(self.begun))
            learn = {name: each for name, each in self.network.parameters().items() if each.requires_grad}
            for name, parameter in learn.items():  # what the user froze stays
                parameter.copy_(self.starts[name].draw(generator))
        self.begun += 1


class HeadOnly(Method):
    """The body learns the first task and is frozen; later tasks learn their heads (baseline 2 of progressive networks:
    Rusu et al. 2016, arXiv 1606.04671, section 4)."""

    assigns_weights = True
    needs_own_heads = True

    def __init__(self, network: Network, tasks: int, generator: torch.Generator):
        super().__init__(network)

    def refresh(self, task: int) -> None:
        for parameter in self.network.shared().values():
            parameter.requires_grad_(task == 0)
