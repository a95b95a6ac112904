"""How much what a network says depends on each of its parameters: the diagonal of the Fisher information.

For logits: the mean over samples of the squared gradient of log p(action), whose action is summed over exactly, drawn
from what the network says, or the one that was taken (empirical: not the Fisher information, but often what is called
so). For values: the squared gradients of all of them, as those of a Gaussian of variance 1. Each is a mean of squares
of single samples' gradients, never the square of a mean (methods: Kirkpatrick et al. 2017, arXiv 1612.00796).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, get_args

import torch
from torch import nn
from torch.func import jacrev, vmap

from transfer.method import Samples
from transfer.network import Leaf, Network, evaluating, functional_call

Importance = Literal["exact", "sampled", "empirical"]
AT_ONCE = 1 << 24  # numbers of gradients that are held at once


class Outputs(nn.Module):
    """The outputs of a network as a module's forward, for torch.func."""

    def __init__(self, network: Network):
        super().__init__()
        self.module, self.outputs = network.module, network.outputs

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.outputs(self.module, inputs)


def check_importance(name: str, network: Network, samples: Samples | None = None) -> None:
    """ValueError for an importance there is not, and for one that needs what the network or the samples lack."""
    if name not in get_args(Importance):
        raise ValueError(f"importance is {name!r}: expected one of {', '.join(get_args(Importance))}")
    if network.likelihood == "gaussian" and name != "exact":
        raise ValueError(f"importance is {name}: expected exact for a network of values, which has no probabilities")
    if samples is not None and name == "empirical" and samples.taken is None:
        raise ValueError("importance is empirical: expected samples with `taken`, their labels or the actions taken")


def importance_of(
    network: Network,
    names: list[str],
    samples: Samples,
    kind: Importance = "exact",
    generator: torch.Generator | None = None,
    at_once: int = AT_ONCE,
) -> dict[str, torch.Tensor]:
    """The importance of these parameters, each of its own shape, float32; in eval mode.

    generator: of the actions drawn for "sampled"; at_once: numbers of gradients held at once, which bounds the memory.
    """
    check_importance(kind, network, samples)
    with evaluating(network.module):
        weights = choices(network, samples, kind, generator)
        found = of_dense(network, names, samples, weights)
        rest = [name for name in names if name not in found]
        found |= by_sample(network, rest, samples, weights, at_once) if rest else {}
    return {name: found[name] / len(samples.inputs) for name in names}


def said(network: Network, outputs: torch.Tensor) -> torch.Tensor:
    """(n, k): what is differentiated, logarithms of probabilities or values."""
    return outputs.log_softmax(1) if network.likelihood == "categorical" else outputs


@torch.no_grad()  # torch.func takes its own gradients all the same
def by_sample(
    network: Network, names: list[str], samples: Samples, weights: torch.Tensor, at_once: int
) -> dict[str, torch.Tensor]:
    """Sums over samples of squared gradients, weighted (n, k), from each sample's own gradients: for any layer."""
    named = network.module.named_parameters()
    chosen = {f"module.{name}": parameter.detach() for name, parameter in named if name in names}
    outputs = Outputs(network)

    def squares(one: torch.Tensor, weight: torch.Tensor) -> dict[str, torch.Tensor]:
        rows = jacrev(lambda parameters: said(network, functional_call(outputs, parameters, (one[None],)))[0])(chosen)
        return {name: torch.tensordot(weight, row.square(), 1) for name, row in rows.items()}  # row: (k, ...)

    held = weights.shape[1] * sum(each.numel() for each in chosen.values())
    total = {name: torch.zeros_like(each) for name, each in chosen.items()}
    for part, weight in zip(*(each.split(max(1, at_once // held)) for each in (samples.inputs, weights))):
        for name, each in vmap(squares)(part, weight).items():
            total[name] += each.sum(0)
    return {name.removeprefix("module."): each for name, each in total.items()}


def of_dense(network: Network, names: list[str], samples: Samples, weights: torch.Tensor) -> dict[str, torch.Tensor]:
    """The same of dense layers that take (n, in) once: a sample's gradient is an outer product there, so its squares
    are one of squares, and their sum over samples is one product of matrices."""
    layers = {
        name: module
        for name, module in network.module.named_modules()
        if type(module) is nn.Linear and f"{name}.weight" in names
    }
    with torch.enable_grad(), watching(layers) as calls:
        out = said(network, network.outputs(network.module, samples.inputs))
    n = len(samples.inputs)
    once = {name: call[0] for name, call in calls.items() if len(call) == 1}
    once = {
        name: (given, gave)
        for name, (given, gave) in once.items()
        if gave.requires_grad and given.dim() == 2 and len(given) == n  # a row a sample
    }
    found: dict[str, torch.Tensor] = {}
    for name in once:
        for part in ("weight", "bias"):
            if f"{name}.{part}" in names:
                found[f"{name}.{part}"] = torch.zeros_like(getattr(layers[name], part))
    if not once:
        return found
    given = [call[1] for call in once.values()]
    for choice in range(out.shape[1]):
        gradients = torch.autograd.grad(out[:, choice].sum(), given, retain_graph=True, allow_unused=True)
        for (name, (inputs, _)), gradient in zip(once.items(), gradients):
            if gradient is None:
                continue  # of a head that these outputs don't come from
            squares = weights[:, choice, None] * gradient.float().square()  # (n, out); a layer may run in bfloat16
            found[f"{name}.weight"] += squares.T @ inputs.float().square()
            if f"{name}.bias" in found:
                found[f"{name}.bias"] += squares.sum(0)
    return found


@contextmanager
def watching(layers: Mapping[str, Leaf]) -> Iterator[dict[str, list[tuple[torch.Tensor, torch.Tensor]]]]:
    """What each layer takes and gives, at each call of it within."""
    calls: dict[str, list[tuple[torch.Tensor, torch.Tensor]]] = {name: [] for name in layers}

    def watch(name: str) -> Callable[[nn.Module, Any, torch.Tensor], None]:
        return lambda _, given, out: calls[name].append((given[0].detach(), out))

    handles = [module.register_forward_hook(watch(name)) for name, module in layers.items()]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def choices(
    network: Network, samples: Samples, kind: Importance = "exact", generator: torch.Generator | None = None
) -> torch.Tensor:
    """float32 (n, k): with which weight the square of each output's gradient counts for each sample."""
    out = network.outputs(network.module, samples.inputs)
    if network.likelihood == "gaussian":
        return torch.ones_like(out)
    chance = out.softmax(1)
    if kind == "exact":
        return chance
    if kind == "sampled":
        taken = chance.cpu().multinomial(1, generator=generator)[:, 0].to(out.device)
    else:
        assert samples.taken is not None
        taken = samples.taken
        if not 0 <= int(taken.min()) <= int(taken.max()) < out.shape[1]:
            raise ValueError(f"samples' labels or actions are {int(taken.min())} to {int(taken.max())}: expected 0 to "
                             f"{out.shape[1] - 1}")  # fmt: skip
    return nn.functional.one_hot(taken, out.shape[1]).to(out.dtype)
