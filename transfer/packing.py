"""Packing: several tasks in one network, each in weights that the ones before left free.

PackNet (Mallya and Lazebnik 2018, arXiv 1711.05769): learn a task with all free weights, keep the largest, set the
others to zero, learn on with the kept ones alone, freeze them; the next task sees them and learns in what is still
free. Here what is free starts anew with each task: at zero, a unit that kept no weight gets no gradient and is lost.
"""

from collections.abc import Mapping

import torch

from priorlab.transfer import steps
from priorlab.transfer.copies import Copies
from priorlab.transfer.method import Method, Samples
from priorlab.transfer.network import Network, Start

FREE = 255  # as the owner of a weight


class Packing(Method):
    """Packs into the weights of all dense and convolutional layers and attention's projections; their biases learn the
    first task and are frozen; other parameters, of norms and such, are each task's own.

    share: of a layer's free weights, that a task keeps; None keeps equal parts for all tasks. retrain: the last part of
    a task's learning, which comes after the others were set to zero.
    """

    sorts_weights = True

    def __init__(
        self,
        network: Network,
        tasks: int,
        generator: torch.Generator,
        share: float | None = None,
        retrain: float = 0.4,
    ):
        super().__init__(network)
        if share is not None and not 0 < share < 1:
            raise ValueError(f"share is {share}: expected more than 0, less than 1")
        if not 0 <= retrain < 1:
            raise ValueError(f"retrain is {retrain}: expected 0 or more, less than 1")
        if tasks >= FREE:
            raise ValueError(f"tasks is {tasks}: expected less than {FREE} to be packed")
        self.tasks, self.share, self.retrain = tasks, share, retrain
        self.names = [each.weight for each in network.matrices("packed")]
        self.copies = Copies(network, network.apart("packed"), tasks)
        self.starts = [Start.of(weight) for weight in self.weights()]
        self.register_buffer("seed", torch.randint(2**62, (), generator=generator))
        self.seed: torch.Tensor
        self.register_buffer("pruned", torch.zeros(tasks, dtype=torch.bool))
        self.pruned: torch.Tensor
        self.task = 0
        for number, weight in enumerate(self.weights()):
            self.register_buffer(f"packed_{number}", torch.zeros_like(weight))  # what is frozen
            owner = torch.full(weight.shape, FREE, dtype=torch.uint8, device=weight.device)
            self.register_buffer(f"owner_{number}", owner)

    def weights(self) -> list[torch.Tensor]:
        found = self.network.parameters()
        return [found[name] for name in self.names]

    def owned(self) -> list[str]:
        return self.copies.names

    def parts(self) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """The weights of each layer, those that are frozen, and whose each is."""
        each = enumerate(self.weights())
        return [(weight, getattr(self, f"packed_{k}"), getattr(self, f"owner_{k}")) for k, weight in each]

    def refresh(self, task: int) -> None:
        self.task = task
        learning = {*self.names, *self.copies.names}
        for name, parameter in self.network.shared().items():
            if name not in learning:
                parameter.requires_grad_(task == 0)

    def move(self, task: int, before: int) -> None:
        self.copies.move(task, before)
        if task > before and not self.pruned[before]:
            return  # the later task is not learned yet, and sees what is being learned
        for weight, packed, owner in self.parts():
            weight.copy_(torch.where(owner <= task, packed, 0.0))

    def learn(self, task: int) -> None:
        if self.pruned[task]:
            raise ValueError(f"task {task} is packed: expected one that was not learned, as its weights are frozen")
        self.check_free()
        if not self.pruned.any():
            return
        generator = torch.Generator().manual_seed(int(self.seed) + task)
        for start, (weight, _, owner) in zip(self.starts, self.parts()):
            weight.copy_(torch.where(owner == FREE, start.draw(generator).to(weight), weight))

    def check_free(self) -> None:
        """ValueError where the user froze what is to be packed."""
        found = self.network.parameters()
        for name in self.names:
            if not found[name].requires_grad:
                raise ValueError(f"parameter {name!r} is frozen and can't be packed: expected it to learn, or to be "
                                 "frozen before the network is kept")  # fmt: skip

    def learning(self, owner: torch.Tensor) -> torch.Tensor:
        """bool, of a layer's shape: the weights that the present task changes."""
        return owner == (self.task if self.pruned[self.task] else FREE)

    def acted(self) -> list[str]:
        return self.names

    def before_step(self, factors: Mapping[str, steps.Factor]) -> None:
        for weight, _, owner in self.parts():
            if weight.grad is not None:
                weight.grad.mul_(self.learning(owner))

    def after_step(self) -> None:
        """Also what an optimizer's momentum would move stays in place, to the bit."""
        for weight, packed, owner in self.parts():
            weight.copy_(torch.where(self.learning(owner), weight, torch.where(owner < self.task, packed, 0.0)))

    def advance(self, task: int, share: float) -> bool:
        due = share >= 1 - self.retrain and not bool(self.pruned[task])
        if due:
            self.prune(task)
        return due

    def prune(self, task: int) -> None:
        """Keeps the largest of the free weights for this task, and sets the others to zero."""
        self.check_free()
        share = self.share or 1 / (self.tasks - task)
        self.pruned[task] = True
        for weight, _, owner in self.parts():
            free = owner == FREE
            count = round(share * int(free.sum()))
            size = torch.where(free, weight.abs(), -1.0).flatten()
            owner.view(-1)[size.topk(count).indices] = task
            weight.copy_(torch.where(owner == FREE, 0.0, weight))

    @torch.no_grad()
    def consolidate(self, task: int, samples: Samples) -> None:
        if not self.pruned[task]:
            self.prune(task)
        for weight, packed, owner in self.parts():
            packed.copy_(torch.where(owner == task, weight, packed))
