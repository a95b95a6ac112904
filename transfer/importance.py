"""How much what a network says depends on each of its parameters: the diagonal of the Fisher information.

For logits: the mean over samples of the squared gradient of log p(action), whose action is summed over exactly, drawn
from what the network says, or the one that was taken (empirical: not the Fisher information, but often what is called
so). For values: the squared gradients of all of them, as those of a Gaussian of variance 1. Each is a mean of squares
of single samples' gradients, never the square of a mean (methods: Kirkpatrick et al. 2017, arXiv 1612.00796).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, get_args

import torch
from torch import nn

from priorlab.transfer.gradients import HALVES, by_sample, of_dense, one_by_one, said
from priorlab.transfer.method import Samples
from priorlab.transfer.network import KEPT, Network, evaluating
from priorlab.transfer.states import preserved
from priorlab.transfer.trial import check_rows, inputs_of_trial, line, runs_on_guesses, takes_hooks, tensors

Importance = Literal["exact", "sampled", "empirical"]
AT_ONCE = 1 << 24  # numbers of gradients that are held at once
SAME, SAME_HALVES = 2e-5, 3e-2  # relative difference of what is the same but for rounding, in 32 and in 16 bits
TOLD_BY_BATCH = (nn.modules.batchnorm._BatchNorm,)  # of which a sample's outputs depend on others, without statistics


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
    or without one by its layers, and by runs on whatever inputs its first layer could take."""
    for name, layer in network.module.named_modules():
        if isinstance(layer, TOLD_BY_BATCH) and layer.running_mean is None:
            kind = f"a {type(layer).__name__} without statistics"
            raise ValueError(f"layer {name!r}, {kind}, takes samples of a batch together: expected layers that take "
                             "each by itself, as importances are of single samples")  # fmt: skip
    if example is None:
        faults = [fault_of(network, *each) for each in runs_on_guesses(network)]
        if faults and all(faults):
            raise ValueError(faults[0])
        return
    inputs = inputs_of_trial(network, example)
    with preserved(network.module), evaluating(network.module), torch.no_grad():
        out: Any = network.outputs(network.module, inputs)
    fault = fault_of(network, inputs, out)
    if fault:
        raise ValueError(fault)
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


def fault_of(network: Network, inputs: torch.Tensor, out: object) -> str:
    """What is wrong with outputs for inputs (n, ...), or nothing."""
    wanted = "expected a float tensor (n, k), which `outputs=` can choose"
    if not isinstance(out, torch.Tensor):
        return f"the network's output is a {type(out).__name__}: {wanted}"
    if out.dim() != 2 or len(out) != len(inputs) or not out.is_floating_point():
        return f"the network's output for {len(inputs)} inputs is {tuple(out.shape)} {out.dtype}: {wanted}"
    if network.likelihood == "categorical" and out.shape[1] < 2:
        return ("the network's output is one number a sample, of which log probabilities are 0: expected logits of two "
                "or more, or likelihood='gaussian'")  # fmt: skip
    return ""


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

    handles = [each.register_forward_hook(see) for each in network.module.modules() if takes_hooks(each)]
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
