"""Sums over samples of squares of each one's own gradients, by the fastest of three ways that is shown to be right."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.func import jacrev, vmap

from priorlab.transfer.network import Network, functional_call

HALVES = (torch.float16, torch.bfloat16)


class Outputs(nn.Module):
    """The outputs of a network as a module's forward, for torch.func."""

    def __init__(self, network: Network):
        super().__init__()
        self.module, self.outputs = network.module, network.outputs

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.outputs(self.module, inputs)


def said(network: Network, outputs: torch.Tensor) -> torch.Tensor:
    """(n, k): what is differentiated, logarithms of probabilities or values."""
    outputs = outputs.float() if outputs.dtype in HALVES else outputs
    return outputs.log_softmax(1) if network.likelihood == "categorical" else outputs


def squared(gradient: torch.Tensor) -> torch.Tensor:
    """In float32 at least; dense, as gradients of embeddings may not be."""
    gradient = gradient.to_dense() if gradient.is_sparse else gradient
    return (gradient.float() if gradient.dtype in HALVES else gradient).square()


Parameters = Mapping[str, nn.Parameter]


def by_sample(
    network: Network, parameters: Parameters, inputs: torch.Tensor, weights: torch.Tensor, at_once: int, same: float
) -> dict[str, torch.Tensor]:
    """Sums over samples of squared gradients, weighted (n, k), from each sample's own gradients: for any layer. Several
    samples at a time where that is shown to come to the same on two of them."""
    if len(inputs) > 2:
        try:
            slowly = one_by_one(network, parameters, inputs[:2], weights[:2])
            some = vectorized(network, parameters, inputs[:2], weights[:2], at_once)
            if all(near(some[name], slowly.get(name), same) for name in parameters):
                return vectorized(network, parameters, inputs, weights, at_once)
        except (RuntimeError, ValueError, NotImplementedError):  # many layers can't be vectorized
            pass
    return one_by_one(network, parameters, inputs, weights)


def near(one: torch.Tensor, other: torch.Tensor | None, same: float) -> bool:
    """Whether tensors differ by no more than that share of the first one's size; None is zero."""
    return float((one - (0 if other is None else other)).norm()) <= same * float(one.norm())


@torch.no_grad()  # torch.func takes its own gradients all the same
def vectorized(
    network: Network, parameters: Parameters, inputs: torch.Tensor, weights: torch.Tensor, at_once: int
) -> dict[str, torch.Tensor]:
    """``by_sample``, by torch.func."""
    chosen = {f"module.{name}": parameter.detach() for name, parameter in parameters.items()}
    outputs = Outputs(network)

    def squares(one: torch.Tensor, weight: torch.Tensor) -> dict[str, torch.Tensor]:
        rows = jacrev(lambda parameters: said(network, functional_call(outputs, parameters, (one[None],)))[0])(chosen)
        return {name: torch.tensordot(weight, squared(row), 1) for name, row in rows.items()}  # row: (k, ...)

    held = weights.shape[1] * sum(each.numel() for each in chosen.values())
    total = {name: squared(torch.zeros_like(each)) for name, each in chosen.items()}
    for part, weight in zip(*(each.split(max(1, at_once // held)) for each in (inputs, weights))):
        for name, each in vmap(squares)(part, weight).items():
            total[name] += each.sum(0)
    return {name.removeprefix("module."): each for name, each in total.items()}


def one_by_one(
    network: Network, parameters: Parameters, inputs: torch.Tensor, weights: torch.Tensor
) -> dict[str, torch.Tensor]:
    """``by_sample``, by one gradient after another; nothing of what the outputs don't depend on."""
    total: dict[str, torch.Tensor] = {}
    for one, weight in zip(inputs, weights):
        out = said(network, network.outputs(network.module, one[None]))[0]
        for choice in weight.nonzero()[:, 0].tolist() if out.requires_grad else ():
            found = torch.autograd.grad(out[choice], list(parameters.values()), retain_graph=True, allow_unused=True)
            for name, gradient in zip(parameters, found):
                if gradient is not None:
                    total[name] = total.get(name, 0) + weight[choice] * squared(gradient)
    return total


Call = tuple[torch.Tensor, torch.Tensor]  # what a layer was given and what it gave


def of_dense(
    network: Network, parameters: Parameters, inputs: torch.Tensor, weights: torch.Tensor, same: float
) -> dict[str, torch.Tensor]:
    """The same of dense layers that take (n, in) once: a sample's gradient is an outer product there, so its squares
    are one of squares, and their sum over samples is one product of matrices. Of those alone of which ``proven`` shows
    it on these samples."""
    named = network.module.named_modules()
    layers = {name: each for name, each in named if isinstance(each, nn.Linear) and f"{name}.weight" in parameters}
    with watching(layers, first=True) as calls:
        out = said(network, network.outputs(network.module, inputs))
    once = {name: call[0] for name, call in calls.items() if len(call) == 1}
    once = {
        name: (given, gave)
        for name, (given, gave) in once.items()
        if gave.requires_grad and given.dim() == 2 and len(given) == len(inputs)
    }
    once = proven(out, once, layers, same) if once else {}
    found: dict[str, torch.Tensor] = {}
    for name in once:
        for part in ("weight", "bias"):
            if f"{name}.{part}" in parameters:
                found[f"{name}.{part}"] = squared(torch.zeros_like(parameters[f"{name}.{part}"]))
    given = [gave for _, gave in once.values()]
    for choice in range(out.shape[1]) if given else ():
        gradients = torch.autograd.grad(out[:, choice].sum(), given, retain_graph=True, allow_unused=True)
        for (name, (taken, _)), gradient in zip(once.items(), gradients):
            if gradient is None:
                continue  # of a head that these outputs don't come from
            squares = weights[:, choice, None] * squared(gradient)  # (n, out); a layer may run in bfloat16
            found[f"{name}.weight"] += squares.T @ squared(taken).to(squares)
            if f"{name}.bias" in found:
                found[f"{name}.bias"] += squares.sum(0)
    return found


def proven(
    out: torch.Tensor, calls: Mapping[str, Call], layers: Mapping[str, nn.Linear], same: float
) -> dict[str, Call]:
    """Those of the calls of dense layers where row i belongs to sample i alone, and which are all that the layer's
    weight and bias are used for. ``out`` (n, k) is what is differentiated.

    For random numbers v (n, k), the gradient of sum v out by the weight is, if so, the product of what the layer was
    given and of the gradients by what it gave; and these turn s_i times as large when row i of v does.
    """
    generator = torch.Generator().manual_seed(0)
    numbers = torch.randn(out.shape, generator=generator).to(out)
    scale = 1 + torch.rand(len(out), 1, generator=generator).to(out)
    gave = [each for _, each in calls.values()]
    own = [getattr(layers[name], part) for name in calls for part in ("weight", "bias")]
    asked = [*gave, *(each for each in own if each is not None)]
    plain = torch.autograd.grad((numbers * out).sum(), asked, retain_graph=True, allow_unused=True)
    scaled = torch.autograd.grad((scale * numbers * out).sum(), gave, retain_graph=True, allow_unused=True)
    of = {id(each): gradient for each, gradient in zip(asked, plain) if gradient is not None}
    found = {}
    for (name, (taken, given)), other in zip(calls.items(), scaled):
        first, layer = of.get(id(given)), layers[name]
        if first is None or other is None:
            is_right = id(layer.weight) not in of and id(layer.bias) not in of
        else:
            pairs = [(first * scale, other)]
            pairs += [(first.T.float() @ taken.float(), of.get(id(layer.weight)))]
            pairs += [(first.float().sum(0), of.get(id(layer.bias)))] if layer.bias is not None else []
            is_right = all(near(*pair, same) for pair in pairs)
        if is_right:
            found[name] = (taken, given)
    return found


@contextmanager
def watching(layers: Mapping[str, nn.Module], first: bool = False) -> Iterator[dict[str, list[Call]]]:
    """What each layer takes and gives, at each call of it within, whatever is then done to that in place; first:
    before any hook of its own, or after all."""
    calls: dict[str, list[Call]] = {name: [] for name in layers}

    def watch(name: str) -> Callable[..., torch.Tensor]:
        def hook(_: nn.Module, given: Sequence[Any], named: Mapping[str, Any], out: torch.Tensor) -> torch.Tensor:
            calls[name].append((next(iter([*given, *named.values()])).detach().clone(), out))
            return out.clone()

        return hook

    handles = [
        module.register_forward_hook(watch(name), with_kwargs=True, prepend=first) for name, module in layers.items()
    ]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()
