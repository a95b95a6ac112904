"""Sums over samples of each sample's squared gradients, computed by the fastest of three ways that proves correct."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.func import jacrev, vmap

from priorlab.transfer.networks.network import Network, functional_call

HALF_TYPES = (torch.float16, torch.bfloat16)
NamedParameters = Mapping[str, nn.Parameter]
InputOutput = tuple[torch.Tensor, torch.Tensor]  # of one call of a layer


class Outputs(nn.Module):
    """The outputs of a network as a module's forward, for torch.func."""

    def __init__(self, network: Network):
        super().__init__()
        self.module, self.outputs = network.module, network.outputs

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.outputs(self.module, inputs)


def scores(network: Network, outputs: torch.Tensor) -> torch.Tensor:
    """What is differentiated, (n, k): log probabilities, or values."""
    outputs = outputs.float() if outputs.dtype in HALF_TYPES else outputs
    return outputs.log_softmax(1) if network.likelihood == "categorical" else outputs


def squared(gradient: torch.Tensor) -> torch.Tensor:
    """In float32 at least, and dense, as gradients of embeddings may be sparse."""
    gradient = gradient.to_dense() if gradient.is_sparse else gradient
    return (gradient.float() if gradient.dtype in HALF_TYPES else gradient).square()


def squares_by_sample(
    network: Network,
    parameters: NamedParameters,
    inputs: torch.Tensor,
    weights: torch.Tensor,
    at_once: int,
    same: float,
) -> dict[str, torch.Tensor]:
    """Sums over samples of squared gradients, weighted (n, k), from each sample's gradients: right for any layer. Takes
    several samples at a time if that gives the same on two of them, up to the relative difference ``same``."""
    if len(inputs) > 2:
        try:
            slowly = one_by_one(network, parameters, inputs[:2], weights[:2])
            fast = vectorized(network, parameters, inputs[:2], weights[:2], at_once)
            if all(near(fast[name], slowly.get(name), same) for name in parameters):
                return vectorized(network, parameters, inputs, weights, at_once)
        except (RuntimeError, ValueError, NotImplementedError):  # many layers can't be vectorized
            pass
    return one_by_one(network, parameters, inputs, weights)


def near(one: torch.Tensor, other: torch.Tensor | None, same: float) -> bool:
    """Whether two tensors differ by at most the share ``same`` of the first one's norm; None is zero."""
    return float((one - (0 if other is None else other)).norm()) <= same * float(one.norm())


@torch.no_grad()  # torch.func takes its own gradients all the same
def vectorized(
    network: Network, parameters: NamedParameters, inputs: torch.Tensor, weights: torch.Tensor, at_once: int
) -> dict[str, torch.Tensor]:
    """``squares_by_sample`` by torch.func; at_once: numbers of gradients held at once."""
    chosen = {f"module.{name}": parameter.detach() for name, parameter in parameters.items()}
    outputs = Outputs(network)

    def squares(one: torch.Tensor, weight: torch.Tensor) -> dict[str, torch.Tensor]:
        rows = jacrev(lambda parameters: scores(network, functional_call(outputs, parameters, (one[None],)))[0])(chosen)
        return {name: torch.tensordot(weight, squared(row), 1) for name, row in rows.items()}  # row: (k, ...)

    held = weights.shape[1] * sum(each.numel() for each in chosen.values())
    total = {name: squared(torch.zeros_like(each)) for name, each in chosen.items()}
    for part, weight in zip(*(each.split(max(1, at_once // held)) for each in (inputs, weights))):
        for name, each in vmap(squares)(part, weight).items():
            total[name] += each.sum(0)
    return {name.removeprefix("module."): each for name, each in total.items()}


def one_by_one(
    network: Network, parameters: NamedParameters, inputs: torch.Tensor, weights: torch.Tensor
) -> dict[str, torch.Tensor]:
    """``squares_by_sample`` by one gradient after another; without the parameters that the outputs don't depend on."""
    total: dict[str, torch.Tensor] = {}
    for one, weight in zip(inputs, weights):
        out = scores(network, network.outputs(network.module, one[None]))[0]
        for choice in weight.nonzero()[:, 0].tolist() if out.requires_grad else ():
            gradients = torch.autograd.grad(
                out[choice], list(parameters.values()), retain_graph=True, allow_unused=True
            )
            for name, gradient in zip(parameters, gradients):
                if gradient is not None:
                    total[name] = total.get(name, 0) + weight[choice] * squared(gradient)
    return total


def squares_of_dense(
    network: Network, parameters: NamedParameters, inputs: torch.Tensor, weights: torch.Tensor, same: float
) -> dict[str, torch.Tensor]:
    """The same sums for dense layers that take (n, in) once. A sample's gradient is an outer product there, so its
    squares are an outer product of squares, and their sum over samples is one matrix product. Only for the layers for
    which ``proven`` shows this on these samples."""
    named = network.module.named_modules()
    layers = {name: each for name, each in named if isinstance(each, nn.Linear) and f"{name}.weight" in parameters}
    with recording_calls(layers, first=True) as calls:
        out = scores(network, network.outputs(network.module, inputs))
    once = {name: call[0] for name, call in calls.items() if len(call) == 1}
    once = {
        name: (taken, given)
        for name, (taken, given) in once.items()
        if given.requires_grad and taken.dim() == 2 and len(taken) == len(inputs)
    }
    once = proven(out, once, layers, same) if once else {}
    total: dict[str, torch.Tensor] = {}
    for name in once:
        for part in ("weight", "bias"):
            if f"{name}.{part}" in parameters:
                total[f"{name}.{part}"] = squared(torch.zeros_like(parameters[f"{name}.{part}"]))
    outputs = [given for _, given in once.values()]
    for choice in range(out.shape[1]) if outputs else ():
        gradients = torch.autograd.grad(out[:, choice].sum(), outputs, retain_graph=True, allow_unused=True)
        for (name, (taken, _)), gradient in zip(once.items(), gradients):
            if gradient is None:
                continue  # of a head that these outputs don't come from
            squares = weights[:, choice, None] * squared(gradient)  # (n, out); a layer may run in bfloat16
            total[f"{name}.weight"] += squares.T @ squared(taken).to(squares)
            if f"{name}.bias" in total:
                total[f"{name}.bias"] += squares.sum(0)
    return total


def proven(
    out: torch.Tensor, calls: Mapping[str, InputOutput], layers: Mapping[str, nn.Linear], same: float
) -> dict[str, InputOutput]:
    """The calls of dense layers in which row i belongs to sample i alone, and which are the only use of the layer's
    weight and bias. out: (n, k), what is differentiated.

    For random numbers v (n, k), the gradient of sum v out by such a weight is the product of the layer's inputs and of
    the gradients by its outputs; and these grow by s_i if row i of v does.
    """
    generator = torch.Generator().manual_seed(0)
    numbers = torch.randn(out.shape, generator=generator).to(out)
    scale = 1 + torch.rand(len(out), 1, generator=generator).to(out)
    outputs = [given for _, given in calls.values()]
    parts = [getattr(layers[name], part) for name in calls for part in ("weight", "bias")]
    wanted = [*outputs, *(each for each in parts if each is not None)]
    plain = torch.autograd.grad((numbers * out).sum(), wanted, retain_graph=True, allow_unused=True)
    scaled = torch.autograd.grad((scale * numbers * out).sum(), outputs, retain_graph=True, allow_unused=True)
    by_id = {id(each): gradient for each, gradient in zip(wanted, plain) if gradient is not None}
    right = {}
    for (name, (taken, given)), other in zip(calls.items(), scaled):
        first, layer = by_id.get(id(given)), layers[name]
        if first is None or other is None:
            is_right = id(layer.weight) not in by_id and id(layer.bias) not in by_id
        else:
            pairs = [(first * scale, other)]
            pairs += [(first.T.float() @ taken.float(), by_id.get(id(layer.weight)))]
            pairs += [(first.float().sum(0), by_id.get(id(layer.bias)))] if layer.bias is not None else []
            is_right = all(near(*pair, same) for pair in pairs)
        if is_right:
            right[name] = (taken, given)
    return right


@contextmanager
def recording_calls(layers: Mapping[str, nn.Module], first: bool = False) -> Iterator[dict[str, list[InputOutput]]]:
    """Within the block, records what each layer takes and gives at each of its calls, even if either is then changed in
    place; first: before any other hook of the layer, rather than after all."""
    calls: dict[str, list[InputOutput]] = {name: [] for name in layers}

    def record(name: str) -> Callable[..., torch.Tensor]:
        def hook(_: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any], out: torch.Tensor) -> torch.Tensor:
            calls[name].append((next(iter([*args, *kwargs.values()])).detach().clone(), out))
            return out.clone()

        return hook

    handles = [
        module.register_forward_hook(record(name), with_kwargs=True, prepend=first) for name, module in layers.items()
    ]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()
