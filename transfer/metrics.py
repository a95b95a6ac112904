"""What a sequence of tasks shows: kept, forgotten, transferred, and whether the network can still learn.

p_i(t), from 0 to 1, is how well task i is done after t steps in all; each of N tasks is learned for D steps. The matrix
is float (N, N): in row i how well each task is done when i tasks and one more have been learned.
"""

import numpy as np
import torch

from priorlab.transfer.columns import ColumnLayer
from priorlab.transfer.network import Leaf, Network

DORMANT = 0.025  # of the mean activity of a layer, below which a unit counts as dormant


def average_performance(matrix: np.ndarray) -> float:
    """(1/N) sum_i p_i(N D)."""
    return float(matrix[-1].mean())


def forgetting(matrix: np.ndarray) -> float:
    """(1/N) sum_i [p_i((i + 1) D) - p_i(N D)]."""
    return float((np.diag(matrix) - matrix[-1]).mean())


def backward_transfer(matrix: np.ndarray) -> float:
    """How later tasks changed the earlier ones: the mean over all but the last of p_i(N D) - p_i((i + 1) D)
    (Lopez-Paz and Ranzato 2017, arXiv 1706.08840); NaN for one task."""
    return float((matrix[-1] - np.diag(matrix))[:-1].mean()) if len(matrix) > 1 else float("nan")


def area(shares: np.ndarray, performance: np.ndarray) -> float:
    """The mean of p_i over the task's own learning: float (m,) each, shares from 0 to 1, straight lines between."""
    return float(np.trapezoid(performance, shares) / (shares[-1] - shares[0]))


def gained(areas: np.ndarray, single: np.ndarray) -> np.ndarray:
    """(AUC_i - AUC_i^single) / (1 - AUC_i^single), whose mean over tasks is forward transfer in Continual World
    (Wolczyk et al. 2021, arXiv 2105.10919, section 3.2); others divide by AUC^single.

    Areas (..., N), single ones (..., N) of the same budget. NaN where a task is done perfectly from the start, and so
    leaves nothing to gain.
    """
    room = 1 - np.broadcast_to(single, np.shape(areas))
    return np.divide(areas - single, room, out=np.full(np.shape(areas), np.nan), where=room > 0)


@torch.no_grad()
def activities(network: Network, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
    """What the heads and each layer that is not given the network's own input are given, by name: float (n, units)."""
    given: dict[str, torch.Tensor] = {}

    def watch(name: str):
        return lambda _, seen, named: given.__setitem__(name, [*seen, *named.values()][0])

    named = network.module.named_modules()
    layers = [(name, module) for name, module in named if isinstance(module, Leaf) and is_of_this_task(name, network)]
    handles = [module.register_forward_pre_hook(watch(name), with_kwargs=True) for name, module in layers]
    try:
        network.outputs(network.module, inputs)
    finally:
        for handle in handles:
            handle.remove()
    first = next(iter(given.values())).data_ptr()  # in the order in which they are called; columns share it
    inner = {name: each for name, each in given.items() if each.data_ptr() != first or network.is_head(name)}
    return {name: each.flatten(1) for name, each in inner.items()}  # (n, ...) -> (n, units)


def is_of_this_task(name: str, network: Network) -> bool:
    """Whether a layer is the task's own, where each has a column: no adapter, and no frozen column of another."""
    for owner, module in network.module.named_modules():
        if isinstance(module, ColumnLayer) and name.startswith(f"{owner}."):
            return name == f"{owner}.columns.{module.active}"
    return True


def dormant_units(network: Network, inputs: torch.Tensor) -> float:
    """Share of units whose mean activity is at most .025 of their layer's (after Sokar et al. 2023, arXiv 2302.12902).

    Every place of a convolution's map counts as a unit; Sokar et al. average a channel over places, and count channels.
    """
    apart = {each.data_ptr(): each for each in activities(network, inputs).values()}  # two heads can be given the same
    means = [each.abs().mean(0) for each in apart.values()]
    return float(torch.cat([each <= DORMANT * each.mean() for each in means]).float().mean())


def effective_rank(network: Network, inputs: torch.Tensor) -> float:
    """Of the features that a head is given, (n, features): exp of the entropy of their singular values' shares (Roy and
    Vetterli 2007); from 1 to the number of features."""
    found = activities(network, inputs)
    features = next(each for name, each in reversed(found.items()) if network.is_head(name))
    values = torch.linalg.svdvals(features.float().cpu())  # a card's solver did not converge, and warned
    shares = values[values > 0] / values.sum()
    return float((-(shares * shares.log()).sum()).exp())
