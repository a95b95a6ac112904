"""Packing: several tasks in one network, each in weights that the earlier ones left free.

PackNet (Mallya and Lazebnik 2018, arXiv 1711.05769): a task is learned with all free weights. The largest are kept, the
others are set to zero, and the kept ones are retrained alone and frozen. The next task uses them, and learns in what is
still free. Unlike there, free weights are initialised again for each task: from zero, a unit that kept no weight would
get no gradient and be lost.
"""

from collections.abc import Mapping

import torch

from priorlab.transfer.methods.copies import Copies
from priorlab.transfer.methods.method import Factor, Method
from priorlab.transfer.networks.initialization import Initialization
from priorlab.transfer.networks.network import Network
from priorlab.transfer.networks.samples import Samples

FREE = 255  # the owner of a weight that no task has


class Packing(Method):
    """Packs tasks into the weights of dense and convolutional layers and of attention's projections. Their biases learn
    the first task and are frozen. Each task has its own values of other parameters, such as those of norms.

    share: of a layer's free weights, how many a task keeps, between 0 and 1; None keeps equal parts for all tasks.
    retrain: the last part of a task's training, from 0 to less than 1, that comes after pruning.
    """

    assigns_weights = True

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
        self.copies = Copies(network, network.small_parameters("packed"), tasks)
        self.starts = [Initialization.of(weight) for weight in self.weights()]
        self.register_buffer("seed", torch.randint(2**62, (), generator=generator))
        self.seed: torch.Tensor
        self.register_buffer("pruned", torch.zeros(tasks, dtype=torch.bool))
        self.pruned: torch.Tensor
        self.task = 0
        for number, weight in enumerate(self.weights()):
            self.register_buffer(f"packed_{number}", torch.zeros_like(weight))  # the frozen weights
            owner = torch.full(weight.shape, FREE, dtype=torch.uint8, device=weight.device)
            self.register_buffer(f"owner_{number}", owner)

    def weights(self) -> list[torch.Tensor]:
        parameters = self.network.parameters()
        return [parameters[name] for name in self.names]

    def per_task(self) -> list[str]:
        return self.copies.names

    def parts(self) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """The weights of each layer, the frozen ones among them, and the owner of each: the number of a task, or
        FREE."""
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
            return  # the later task is not learned yet, and uses what is being learned
        for weight, packed, owner in self.parts():
            weight.copy_(torch.where(owner <= task, packed, 0.0))

    def learn(self, task: int) -> None:
        if self.pruned[task]:
            raise ValueError(
                f"task {task} is packed and its weights are frozen: expected a task that was not learned yet"
            )
        self.check_free()
        if not self.pruned.any():
            return
        generator = torch.Generator().manual_seed(int(self.seed) + task)
        for start, (weight, _, owner) in zip(self.starts, self.parts()):
            weight.copy_(torch.where(owner == FREE, start.draw(generator).to(weight), weight))

    def check_free(self) -> None:
        """ValueError if the user froze weights that are to be packed."""
        parameters = self.network.parameters()
        for name in self.names:
            if not parameters[name].requires_grad:
                raise ValueError(f"parameter {name!r} is frozen and can't be packed: expected it to learn, or to be "
                                 "frozen before the network is kept")  # fmt: skip

    def learning(self, owner: torch.Tensor) -> torch.Tensor:
        """bool, of a layer's shape: the weights that the current task changes."""
        return owner == (self.task if self.pruned[self.task] else FREE)

    def acts_on(self) -> list[str]:
        return self.names

    def before_step(self, factors: Mapping[str, Factor]) -> None:
        for weight, _, owner in self.parts():
            if weight.grad is not None:
                weight.grad.mul_(self.learning(owner))

    def after_step(self) -> None:
        """Restores what an optimizer's momentum moved, bit for bit."""
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
