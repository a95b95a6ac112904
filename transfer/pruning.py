"""How far a network can shrink: magnitude pruning and lottery tickets, as measures of how much of it is needed.

Han et al. 2015 (arXiv 1506.02626) train, remove the smallest weights, and train on. Frankle and Carbin 2019 (arXiv
1803.03635) reset the weights that are left to their initial values and train again; new random values are the control.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from priorlab.transfer.networks.initialization import Initialization
from priorlab.transfer.networks.network import Network

Restart = Literal["none", "start", "random"]


class WeightMask:
    """Which weights of a network's dense and convolutional layers, heads included, are left; the others are zero.

    ValueError for a network with layers of other kinds that have parameters.
    """

    def __init__(self, network: Network):
        self.weights = [layer.weight for layer in network.weight_layers("pruned").values()]
        self.masks = [torch.ones_like(weight, dtype=torch.bool) for weight in self.weights]

    @property
    def count(self) -> int:
        """How many weights are left."""
        return sum(int(mask.sum()) for mask in self.masks)

    @property
    def left(self) -> float:
        """The share of the weights that is left, from 0 to 1."""
        return self.count / sum(mask.numel() for mask in self.masks)

    @torch.no_grad()
    def apply(self) -> None:
        """Sets the removed weights to zero."""
        for weight, mask in zip(self.weights, self.masks):
            weight.copy_(torch.where(mask, weight, 0.0))

    def attach(self, optimizer: torch.optim.Optimizer) -> None:
        """Keeps the removed weights at zero after each step of an optimizer, whatever its momentum does. ValueError for
        LBFGS, which evaluates the loss several times per step, and so with weights that were removed."""
        if isinstance(optimizer, torch.optim.LBFGS):
            raise ValueError("optimizer is an LBFGS: expected one that evaluates the loss once per step")
        optimizer.register_step_post_hook(lambda *_: self.apply())

    @torch.no_grad()
    def shrink(self, share: float) -> None:
        """Removes the smallest of the weights that are left, a ``share`` between 0 and 1, in all layers together: a
        layer of small weights can lose all of them. ValueError for a share that removes none."""
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
class PruningRound:
    """The result of one training: the share of the weights that is left, from 0 to 1, the performance as ``test``
    returned it, and that of the control, if there is one."""

    left: float
    performance: float
    control: float | None = None


def shrink_and_learn(
    network: Network,
    learn: Callable[[WeightMask], None],
    test: Callable[[], float],
    rounds: int,
    share: float = 0.2,
    restart: Restart = "start",
    control: bool = False,
    seed: int = 0,
) -> list[PruningRound]:
    """Trains a network ``rounds`` + 1 times, removing the smallest weights between trainings; one result per training.

    learn: trains the network, calling ``attach`` of the mask on its optimizer. test: returns the network's performance.
    share: of the weights left, how many each round removes, between 0 and 1. restart: what happens to the weights left:
    "none", they are trained on (magnitude pruning); "start", they return to their initial values (lottery tickets);
    "random", they are drawn again. control: whether to train each network also from new random weights, with the same
    ones left, as Frankle and Carbin do with their tickets; that changes nothing about the rest. seed: of what is drawn.
    ValueError for settings out of range, and for layers that can't be pruned.
    """
    if restart not in get_args(Restart):
        raise ValueError(f"restart is {restart!r}: expected one of {', '.join(get_args(Restart))}")
    if rounds < 0:
        raise ValueError(f"rounds is {rounds}: expected 0 or more")
    mask, results = WeightMask(network), []
    parameters = [*network.parameters().values()]
    first = [parameter.detach().clone() for parameter in parameters]
    starts = [Initialization.of(parameter) for parameter in parameters]
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
        results.append(PruningRound(mask.left, performance, other))
    return results
