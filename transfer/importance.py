"""How much what a network says depends on each of its parameters: the diagonal of the Fisher information.

For logits: the mean over samples of the squared gradient of log p(action), whose action is summed over exactly, drawn
from what the network says, or the one that was taken (empirical: not the Fisher information, but often what is called
so). For values: the squared gradients of all of them, as those of a Gaussian of variance 1. Each is a mean of squares
of single samples' gradients, never the square of a mean (methods: Kirkpatrick et al. 2017, arXiv 1612.00796).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, get_args

import torch
from torch import nn
from torch.func import functional_call, jacrev, vmap

from transfer.method import Samples
from transfer.network import KEPT, Network, evaluating
from transfer.states import preserved
from transfer.trial import check_rows, inputs_of_trial, line, tensors

Importance = Literal["exact", "sampled", "empirical"]
AT_ONCE = 1 << 24  # numbers of gradients that are held at once
SAME, SAME_HALVES = 2e-5, 3e-2  # relative difference of what is the same but for rounding, in 32 and in 16 bits
HALVES = (torch.float16, torch.bfloat16)
TOLD_BY_BATCH = (nn.modules.batchnorm._BatchNorm,)  # of which a sample's outputs depend on others, without statistics


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


def check_outputs(network: Network, example: torch.Tensor | None) -> None:
    """ValueError for a network whose importances can't be found: seen by a run on inputs like the example's (n, ...),
    or without one by its layers."""
    for name, layer in network.module.named_modules():
        if isinstance(layer, TOLD_BY_BATCH) and layer.running_mean is None:
            kind = f"a {type(layer).__name__} without statistics"
            raise ValueError(f"layer {name!r}, {kind}, takes samples of a batch together: expected layers that take "
                             "each by itself, as importances are of single samples")  # fmt: skip
    if example is None:
        return
    inputs = inputs_of_trial(network, example)
    wanted = "expected a float tensor (n, k), which `outputs=` can choose"
    with preserved(network.module), evaluating(network.module), torch.no_grad():
        out = network.outputs(network.module, inputs)
        if not isinstance(out, torch.Tensor):
            raise ValueError(f"the network's output is a {type(out).__name__}: {wanted}")
        if out.dim() != 2 or len(out) != len(inputs) or not out.is_floating_point():
            raise ValueError(
                f"the network's output for {len(inputs)} inputs is {tuple(out.shape)} {out.dtype}: {wanted}"
            )
        if network.likelihood == "categorical" and out.shape[1] < 2:
            raise ValueError("the network's output is one number a sample, of which log probabilities are 0: expected "
                             "logits of two or more, or likelihood='gaussian'")  # fmt: skip
    check_rows(network, example)
    weights = torch.zeros(1, out.shape[1], device=out.device)
    weights[:, :2] = 1.0
    with preserved(network.module), evaluating(network.module), learning(network) as parameters:
        try:
            found = one_by_one(network, parameters, inputs[:1], weights)
        except Exception as error:
            raise ValueError(f"the network's gradients can't be found: {line(error)}") from error
    if not found:
        raise ValueError("the network's output depends on none of its parameters: expected gradients")


def importance_of(
    network: Network,
    names: list[str],
    samples: Samples,
    kind: Importance = "exact",
    generator: torch.Generator | None = None,
    at_once: int = AT_ONCE,
) -> dict[str, torch.Tensor]:
    """The importance of these parameters, each of its own shape, float32 or wider; in eval mode.

    Whichever way is faster is taken only where it is shown to come to the same, on these samples, as each sample's own
    gradients. generator: of the actions drawn for "sampled"; at_once: numbers of gradients held at once, which bounds
    the memory.
    """
    check_importance(kind, network, samples)
    module = network.module
    with (
        preserved(module, parameters=False),
        evaluating(module),
        widened(network, samples.inputs) as inputs,
        learning(network) as parameters,
    ):
        weights = choices(network, Samples(inputs, samples.taken), kind, generator)
        wanted = {name: parameters[name] for name in names}
        same = SAME_HALVES if in_halves(network, inputs[:1]) else SAME
        try:
            found = of_dense(network, wanted, inputs, weights, same)
        except RuntimeError:  # the same is found without
            found = {}
        rest = {name: parameter for name, parameter in wanted.items() if name not in found}
        found |= by_sample(network, rest, inputs, weights, at_once, same) if rest else {}
    return {
        name: found[name] / len(inputs) if name in found else torch.zeros_like(each) for name, each in wanted.items()
    }


@contextmanager
def learning(network: Network) -> Iterator[dict[str, nn.Parameter]]:
    """The parameters by name. Within, all take gradients; on a card, recurrent layers as well in eval mode, and
    convolutions in full float32."""
    parameters = {name: each for name, each in network.parameters().items() if each.is_floating_point()}
    learns = {name: each.requires_grad for name, each in parameters.items()}
    cudnn = torch.backends.cudnn
    usable = cudnn.enabled and not any(isinstance(each, nn.RNNBase) for each in network.module.modules())
    try:
        for each in parameters.values():
            each.requires_grad_(True)
        with torch.enable_grad(), cudnn.flags(usable, deterministic=cudnn.deterministic, allow_tf32=False):
            yield parameters
    finally:
        for name, each in parameters.items():
            each.requires_grad_(learns[name])


@contextmanager
def widened(network: Network, inputs: torch.Tensor) -> Iterator[torch.Tensor]:
    """Within it, what is kept in 16 bits is float32, and so are inputs (n, ...), where the network can run like that:
    squares of small gradients would be lost."""
    named = [*network.module.named_parameters(), *network.module.named_buffers()]
    halves = [each for name, each in named if each.dtype in HALVES and not name.startswith(f"{KEPT}.")]
    held = [each.data for each in halves]
    wide = inputs.float() if inputs.dtype in HALVES else inputs
    for each in halves:
        each.data = each.data.float()
    try:
        if halves and not runs(network, wide[:1]):
            wide = inputs
            for each, data in zip(halves, held):
                each.data = data
        yield wide
    finally:
        for each, data in zip(halves, held):
            each.data = data


@torch.no_grad()
def in_halves(network: Network, inputs: torch.Tensor) -> bool:
    """Whether a layer computes in 16 bits, as under autocast, whatever its weights are kept in."""
    found: list[torch.dtype] = []

    def see(_: nn.Module, given: Any, out: Any) -> None:
        found.extend(each.dtype for each in tensors(out))

    handles = [each.register_forward_hook(see) for each in network.module.modules()]
    try:
        network.outputs(network.module, inputs)
    finally:
        for handle in handles:
            handle.remove()
    return any(dtype in HALVES for dtype in found)


@torch.no_grad()
def runs(network: Network, inputs: torch.Tensor) -> bool:
    try:
        network.outputs(network.module, inputs)
    except RuntimeError:
        return False
    return True


def said(network: Network, outputs: torch.Tensor) -> torch.Tensor:
    """(n, k): what is differentiated, logarithms of probabilities or values."""
    outputs = outputs.float() if outputs.dtype in HALVES else outputs
    return outputs.log_softmax(1) if network.likelihood == "categorical" else outputs


def squared(gradient: torch.Tensor) -> torch.Tensor:
    return (gradient.float() if gradient.dtype in HALVES else gradient).square()


Parameters = Mapping[str, nn.Parameter]


def by_sample(
    network: Network, parameters: Parameters, inputs: torch.Tensor, weights: torch.Tensor, at_once: int, same: float
) -> dict[str, torch.Tensor]:
    """Sums over samples of squared gradients, weighted (n, k), from each sample's own gradients: for any layer. Several
    samples at a time where that is shown to come to the same on two of them."""
    if len(inputs) > 2:
        try:
            some = vectorized(network, parameters, inputs[:2], weights[:2], at_once)
            slowly = one_by_one(network, parameters, inputs[:2], weights[:2])
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


@torch.no_grad()
def choices(
    network: Network, samples: Samples, kind: Importance = "exact", generator: torch.Generator | None = None
) -> torch.Tensor:
    """float32 (n, k): with which weight the square of each output's gradient counts for each sample."""
    out = network.outputs(network.module, samples.inputs)
    if network.likelihood == "gaussian":
        return torch.ones_like(said(network, out))
    chance = said(network, out).exp()
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
    return nn.functional.one_hot(taken, out.shape[1]).to(chance)
