"""Measures of a sequence of tasks: what is kept, forgotten and transferred, and whether the network can still learn.

p_i(t), from 0 to 1, is the performance on task i after t steps in all; each of N tasks is learned for D steps. A matrix
of performances is float (N, N): row i has the performance on each task after i + 1 tasks were learned.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from priorlab.transfer.kept import Kept
from priorlab.transfer.methods.columns import ColumnLayer, Columns
from priorlab.transfer.networks.network import Network, WeightLayer
from priorlab.transfer.networks.samples import Samples

DORMANT = 0.025  # of the mean activity of a layer: at most that much counts as dormant


def average_performance(matrix: np.ndarray) -> float:
    """The mean performance over all tasks after the last of them, (1/N) sum_i p_i(N D), for a matrix float (N, N)."""
    return float(matrix[-1].mean())


def forgetting(matrix: np.ndarray) -> float:
    """How much worse tasks are done at the end than when they were learned, (1/N) sum_i [p_i((i + 1) D) - p_i(N D)],
    for a matrix float (N, N)."""
    return float((np.diag(matrix) - matrix[-1]).mean())


def backward_transfer(matrix: np.ndarray) -> float:
    """How later tasks changed the performance on earlier ones: the mean of p_i(N D) - p_i((i + 1) D) over all tasks but
    the last, for a matrix float (N, N); NaN for one task (Lopez-Paz and Ranzato 2017, arXiv 1706.08840)."""
    return float((matrix[-1] - np.diag(matrix))[:-1].mean()) if len(matrix) > 1 else float("nan")


def area_under_curve(shares: np.ndarray, performance: np.ndarray) -> float:
    """The mean performance on a task over its training, with straight lines between m measurements: float (m,) each,
    shares of the training from 0 to 1, in rising order."""
    return float(np.trapezoid(performance, shares) / (shares[-1] - shares[0]))


def relative_gains(areas: np.ndarray, single: np.ndarray) -> np.ndarray:
    """What each task gained from earlier ones, float (..., N): (AUC_i - AUC_i^single) / (1 - AUC_i^single), whose mean
    over tasks is forward transfer in Continual World (Wolczyk et al. 2021, arXiv 2105.10919, section 3.2); others
    divide by AUC^single.

    areas, single: float (..., N), under the curves of tasks in the sequence, and learned alone with the same budget.
    NaN for a task that alone is done perfectly from the start, as there is nothing to gain.
    """
    room = 1 - np.broadcast_to(single, np.shape(areas))
    return np.divide(areas - single, room, out=np.full(np.shape(areas), np.nan), where=room > 0)


@torch.no_grad()
def layer_inputs(network: Network, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
    """The inputs of the heads, and of each layer that does not take the network's input, for inputs (n, ...) of the
    network: float (n, units), by name."""
    by_name: dict[str, torch.Tensor] = {}

    def record(name: str) -> Callable[..., None]:
        def hook(_: Any, args: Any, kwargs: Any) -> None:
            by_name[name] = [*args, *kwargs.values()][0]

        return hook

    layers = [
        (name, module)
        for name, module in network.module.named_modules()
        if isinstance(module, WeightLayer) and is_of_this_task(name, network)
    ]
    handles = [module.register_forward_pre_hook(record(name), with_kwargs=True) for name, module in layers]
    try:
        network.outputs(network.module, inputs)
    finally:
        for handle in handles:
            handle.remove()
    first = next(iter(by_name.values())).data_ptr()  # in the order of the calls; columns share the network's input
    inner = {name: each for name, each in by_name.items() if each.data_ptr() != first or network.is_head(name)}
    return {name: each.flatten(1) for name, each in inner.items()}  # (n, ...) -> (n, units)


def is_of_this_task(name: str, network: Network) -> bool:
    """Whether a layer belongs to the current task: it is not an adapter, and not in another task's column."""
    for owner, module in network.module.named_modules():
        if isinstance(module, ColumnLayer) and name.startswith(f"{owner}."):
            return name == f"{owner}.columns.{module.active}"
    return True


def dormant_units(network: Network, inputs: torch.Tensor) -> float:
    """The share, from 0 to 1, of units whose mean activity over inputs (n, ...) is at most .025 of their layer's mean
    (after Sokar et al. 2023, arXiv 2302.12902).

    Every place of a convolution's map counts as a unit; Sokar et al. average a channel over places, and count channels.
    """
    distinct = {each.data_ptr(): each for each in layer_inputs(network, inputs).values()}  # heads may share an input
    means = [each.abs().mean(0) for each in distinct.values()]
    return float(torch.cat([each <= DORMANT * each.mean() for each in means]).float().mean())


def effective_rank(network: Network, inputs: torch.Tensor) -> float:
    """The effective rank of a head's input features (n, features), for inputs (n, ...): exp of the entropy of their
    normalised singular values, from 1 to the number of features (Roy and Vetterli 2007)."""
    features = next(each for name, each in reversed(layer_inputs(network, inputs).items()) if network.is_head(name))
    values = torch.linalg.svdvals(features.float().cpu())  # on a GPU the solver did not converge, and warned
    shares = values[values > 0] / values.sum()
    return float((-(shares * shares.log()).sum()).exp())


def sensitivity_to_others(kept: Kept, samples: Samples) -> float | None:
    """The share, from 0 to 1, of the current task's sensitivity to columns other than its own:
    the mean over layers of ``Columns.sensitivity``. None for any other network, and for a single column."""
    columns = [method for method in kept.each() if isinstance(method, Columns)]
    shares = columns[0].sensitivity(samples) if columns else {}
    return float(torch.stack([1 - each[-1] for each in shares.values()]).mean()) if shares else None
