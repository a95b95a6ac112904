"""How much a network's outputs depend on each of its parameters: the diagonal of the Fisher information.

For logits it is the mean over samples of the squared gradient of log p(action). The action is summed over (exact),
drawn from the network's probabilities (sampled), or the one that was taken (empirical, which is not the Fisher
information but is often called so). For values it is the squared gradients of all of them, as for Gaussians of variance
1. Each is a mean of squares of single samples' gradients, never the square of a mean (Kirkpatrick et al. 2017, arXiv
1612.00796).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, get_args

import torch
from torch import nn

from priorlab.transfer.networks.gradients import HALF_TYPES, one_by_one, scores, squares_by_sample, squares_of_dense
from priorlab.transfer.networks.network import KEPT, Network, evaluating
from priorlab.transfer.networks.samples import Samples
from priorlab.transfer.networks.states import preserved
from priorlab.transfer.networks.trial import check_rows, one_line, runs_on_guesses, takes_hooks, tensors, trial_inputs

Importance = Literal["exact", "sampled", "empirical"]
AT_ONCE = 1 << 24  # numbers of gradients that are held at once
SAME, SAME_IN_HALVES = 2e-5, 3e-2  # relative differences that are only rounding, in 32 and in 16 bits
MIXES_SAMPLES = (nn.modules.batchnorm._BatchNorm,)  # without statistics, a sample's outputs depend on others


def check_importance(name: str, network: Network, samples: Samples | None = None) -> None:
    """ValueError for an unknown importance, and for one that needs what the network or the samples lack."""
    if name not in get_args(Importance):
        raise ValueError(f"importance is {name!r}: expected one of {', '.join(get_args(Importance))}")
    if network.likelihood == "gaussian" and name != "exact":
        raise ValueError(f"importance is {name}: expected exact for a network of values, which has no probabilities")
    if samples is not None and name == "empirical" and samples.taken is None:
        raise ValueError("importance is empirical: expected samples with `taken`, their labels or the actions taken")


def check_outputs(network: Network, example: torch.Tensor | None) -> None:
    """ValueError for a network whose importances can't be computed. A run on inputs like the example's (n, ...) shows
    it; without an example, its layers do, and runs on inputs that its first layer could take."""
    for name, layer in network.module.named_modules():
        if isinstance(layer, MIXES_SAMPLES) and layer.running_mean is None:
            kind = f"a {type(layer).__name__} without statistics"
            raise ValueError(f"layer {name!r}, {kind}, takes samples of a batch together: expected layers that treat "
                             "each by itself, as importances are of single samples")  # fmt: skip
    if example is None:
        faults = [output_fault(network, *each) for each in runs_on_guesses(network)]
        if faults and all(faults):
            raise ValueError(faults[0])
        return
    inputs = trial_inputs(network, example)
    with preserved(network.module), evaluating(network.module), torch.no_grad():
        out: Any = network.outputs(network.module, inputs)
    fault = output_fault(network, inputs, out)
    if fault:
        raise ValueError(fault)
    check_rows(network, example)
    weights = torch.zeros(1, out.shape[1], device=out.device)
    weights[:, :2] = 1.0
    with preserved(network.module), evaluating(network.module), differentiable(network) as parameters:
        try:
            gradients = one_by_one(network, parameters, inputs[:1], weights)
        except Exception as error:
            raise ValueError(f"the network's gradients can't be computed: {one_line(error)}") from error
    if not gradients:
        raise ValueError("the network's output depends on none of its parameters: expected gradients")


def output_fault(network: Network, inputs: torch.Tensor, out: object) -> str:
    """What is wrong with the outputs for inputs (n, ...), or an empty text."""
    wanted = "expected a float tensor (n, k), which `outputs=` can choose"
    if not isinstance(out, torch.Tensor):
        return f"the network's output is a {type(out).__name__}: {wanted}"
    if out.dim() != 2 or len(out) != len(inputs) or not out.is_floating_point():
        return f"the network's output for {len(inputs)} inputs is {tuple(out.shape)} {out.dtype}: {wanted}"
    if network.likelihood == "categorical" and out.shape[1] < 2:
        return ("the network's output is one number per sample, whose log probability is 0: expected logits of two or "
                "more, or likelihood='gaussian'")  # fmt: skip
    return ""


def importance_of(
    network: Network,
    names: list[str],
    samples: Samples,
    kind: Importance = "exact",
    generator: torch.Generator | None = None,
    at_once: int = AT_ONCE,
) -> dict[str, torch.Tensor]:
    """The importance of the parameters of these names, each of its parameter's shape, float32 or wider; in eval mode.

    A faster way is taken only where it gives the same on these samples as each sample's own gradients. generator: of
    the actions drawn for "sampled"; at_once: numbers of gradients held at once, which bounds the memory.
    """
    check_importance(kind, network, samples)
    module = network.module
    with (
        preserved(module, parameters=False),
        evaluating(module),
        in_float32(network, samples.inputs) as inputs,
        differentiable(network) as parameters,
    ):
        weights = output_weights(network, Samples(inputs, samples.taken), kind, generator)
        wanted = {name: parameters[name] for name in names}
        same = SAME_IN_HALVES if computes_in_halves(network, inputs[:1]) else SAME
        try:
            total = squares_of_dense(network, wanted, inputs, weights, same)
        except RuntimeError:  # the slower ways give the same
            total = {}
        rest = {name: parameter for name, parameter in wanted.items() if name not in total}
        total |= squares_by_sample(network, rest, inputs, weights, at_once, same) if rest else {}
    return {
        name: total[name] / len(inputs) if name in total else torch.zeros_like(each) for name, each in wanted.items()
    }


@contextmanager
def differentiable(network: Network) -> Iterator[dict[str, nn.Parameter]]:
    """Within the block all float parameters, returned by name, take gradients. On a GPU, so do those of recurrent
    layers in eval mode, and convolutions compute in full float32."""
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
def in_float32(network: Network, inputs: torch.Tensor) -> Iterator[torch.Tensor]:
    """Within the block, 16-bit parameters and buffers are float32, and so are the inputs (n, ...) that it returns, if
    the network can run like that: squares of small gradients would underflow."""
    named = [*network.module.named_parameters(), *network.module.named_buffers()]
    halves = [each for name, each in named if each.dtype in HALF_TYPES and not name.startswith(f"{KEPT}.")]
    held = [each.data for each in halves]
    wide = inputs.float() if inputs.dtype in HALF_TYPES else inputs
    for each in halves:
        each.data = each.data.float()
    try:
        if halves and not can_run(network, wide[:1]):
            wide = inputs
            for each, data in zip(halves, held):
                each.data = data
        yield wide
    finally:
        for each, data in zip(halves, held):
            each.data = data


@torch.no_grad()
def computes_in_halves(network: Network, inputs: torch.Tensor) -> bool:
    """Whether a layer outputs 16-bit numbers, as under autocast, whatever its weights are stored in."""
    dtypes: list[torch.dtype] = []

    def note(_: nn.Module, args: Any, out: Any) -> None:
        dtypes.extend(each.dtype for each in tensors(out))

    handles = [each.register_forward_hook(note) for each in network.module.modules() if takes_hooks(each)]
    try:
        network.outputs(network.module, inputs)
    finally:
        for handle in handles:
            handle.remove()
    return any(dtype in HALF_TYPES for dtype in dtypes)


@torch.no_grad()
def can_run(network: Network, inputs: torch.Tensor) -> bool:
    try:
        network.outputs(network.module, inputs)
    except RuntimeError:
        return False
    return True


@torch.no_grad()
def output_weights(
    network: Network, samples: Samples, kind: Importance = "exact", generator: torch.Generator | None = None
) -> torch.Tensor:
    """float32 (n, k): the weight of the squared gradient of each of k outputs, for each of n samples."""
    out = network.outputs(network.module, samples.inputs)
    if network.likelihood == "gaussian":
        return torch.ones_like(scores(network, out))
    probabilities = scores(network, out).exp()
    if kind == "exact":
        return probabilities
    if kind == "sampled":
        taken = probabilities.cpu().multinomial(1, generator=generator)[:, 0].to(out.device)
    else:
        assert samples.taken is not None
        taken = samples.taken
        if not 0 <= int(taken.min()) <= int(taken.max()) < out.shape[1]:
            raise ValueError(f"samples' labels or actions are {int(taken.min())} to {int(taken.max())}: expected 0 to "
                             f"{out.shape[1] - 1}")  # fmt: skip
    return nn.functional.one_hot(taken, out.shape[1]).to(probabilities)
