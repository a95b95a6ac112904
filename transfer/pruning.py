"""How far a network can shrink: magnitude pruning, and lottery tickets, as a measurement of how much of it is needed.

Han et al. 2015 (arXiv 1506.02626): train, remove the smallest weights, train on. Frankle and Carbin 2019 (arXiv
1803.03635): put what is left back to where it started, and train again; a new random start is the control.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from priorlab.transfer.network import Network, Start

Restart = Literal["none", "start", "random"]


class Mask:
    """Which weights of the dense and convolutional layers, heads included, are left; the others are zero."""

    def __init__(self, network: Network):
        self.weights = [leaf.weight for leaf in network.leaves("pruned").values()]
        self.masks = [torch.ones_like(weight, dtype=torch.bool) for weight in self.weights]

    @property
    def count(self) -> int:
        """How many are left."""
        return sum(int(mask.sum()) for mask in self.masks)

    @property
    def left(self) -> float:
        """Share of the weights, from 0 to 1."""
        return self.count / sum(mask.numel() for mask in self.masks)

    @torch.no_grad()
    def apply(self) -> None:
        for weight, mask in zip(self.weights, self.masks):
            weight.copy_(torch.where(mask, weight, 0.0))

    def attach(self, optimizer: torch.optim.Optimizer) -> None:
        """Keeps what was removed at zero, whatever the optimizer's momentum would do. ValueError for one that asks for
        the loss several times a step, which would be that of a network with what was removed."""
        if isinstance(optimizer, torch.optim.LBFGS):
            raise ValueError("optimizer is an LBFGS: expected one that asks for the loss once a step")
        optimizer.register_step_post_hook(lambda *_: self.apply())

    @torch.no_grad()
    def shrink(self, share: float) -> None:
        """Removes the smallest ``share`` of the weights that are left, those of all layers together: a layer of small
        weights can lose all of its own."""
        if not 0 < share < 1:
            raise ValueError(f"share is {share}: expected more than 0, less than 1")
        if not round(share * self.count):
            raise ValueError(f"share is {share}: expected one that removes any of {self.count} weights")
        sizes = torch.cat([torch.where(mask, w.abs(), -1.0).flatten() for w, mask in zip(self.weights, self.masks)])
        gone = int((sizes < 0).sum())
        flat = torch.ones(len(sizes), dtype=torch.bool, device=sizes.device)
        flat[sizes.argsort(stable=True)[: gone + round(share * self.count)]] = False
        parts = flat.split([mask.numel() for mask in self.masks])
        self.masks = [part.reshape(mask.shape) for part, mask in zip(parts, self.masks)]  # as flattened above
        self.apply()


@dataclass(frozen=True)
class Shrunk:
    """After a training: the share of the weights that are left, and the performance; of the control, if wanted."""

    left: float
    performance: float
    control: float | None = None


def shrink_and_learn(
    network: Network,
    learn: Callable[[Mask], None],
    test: Callable[[], float],
    rounds: int,
    share: float = 0.2,
    restart: Restart = "start",
    control: bool = False,
    seed: int = 0,
) -> list[Shrunk]:
    """What is found in each of ``rounds`` + 1 trainings, with ``share`` of the weights removed between them.

    learn: trains the network, with ``Mask.attach`` on its optimizer; restart: what happens to the weights that are
    left: nothing (magnitude pruning), back to where they started (lottery tickets), or new random ones; control:
    whether each network is also trained from new random weights where the same ones are left, as Frankle and Carbin do
    with their tickets, which changes nothing of the rest.
    """
    if restart not in get_args(Restart):
        raise ValueError(f"restart is {restart!r}: expected one of {', '.join(get_args(Restart))}")
    if rounds < 0:
        raise ValueError(f"rounds is {rounds}: expected 0 or more")
    mask, found = Mask(network), []
    parameters = [*network.parameters().values()]
    first = [parameter.detach().clone() for parameter in parameters]
    starts = [Start.of(parameter) for parameter in parameters]
    generator = torch.Generator().manual_seed(seed)

    @torch.no_grad()
    def put(weights: Iterable[torch.Tensor]) -> None:
        for parameter, each in zip(parameters, weights):
            parameter.copy_(each)
        mask.apply()

    for number in range(rounds + 1):
        if number:
            mask.shrink(share)
            if restart != "none":
                put(first if restart == "start" else (start.draw(generator) for start in starts))
        learn(mask)
        performance, other = test(), None
        if control:
            trained = [parameter.detach().clone() for parameter in parameters]
            put(start.draw(generator) for start in starts)
            learn(mask)
            other = test()
            put(trained)
        found.append(Shrunk(mask.left, performance, other))
    return found
