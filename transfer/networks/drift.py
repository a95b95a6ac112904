"""Drift: state other than parameters that changes in training and affects a network's outputs, as no method can keep
it.

Examples are running statistics, moving averages, codebooks, and counts that the network reads, in buffers or elsewhere.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NoReturn

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrizations
from torch.nn.utils.spectral_norm import SpectralNorm

from priorlab.transfer.networks.network import KEPT, Network
from priorlab.transfer.networks.states import State, identical, items, preserved
from priorlab.transfer.networks.trial import (
    SAMPLES,
    LayerCall,
    all_outputs,
    close,
    one_line,
    perturb,
    record_calls,
    trial_inputs,
)

LARGE = 10**6  # what a count may grow by


def check_known_layers(network: Network) -> None:
    """``check_drift`` without a run: ValueError for torch's layers that are known to drift."""
    for name, module in network.module.named_modules():
        if isinstance(module, nn.modules.batchnorm._NormBase) and module.running_mean is not None:
            reject(network, name, "running_mean")
        if isinstance(module, parametrizations._SpectralNorm):
            reject(network, name, "_u")
        if any(isinstance(hook, SpectralNorm) for hook in module._forward_pre_hooks.values()):
            reject(network, name, "weight_u")


def check_drift(network: Network, example: torch.Tensor) -> None:
    """ValueError if something other than parameters changes in training and affects the network's outputs.

    Two steps of training on inputs like the example's (n, ...) show what changes. What changes without affecting the
    outputs, such as a count of steps, is accepted: each is set to several other values to see that.
    """
    inputs = trial_inputs(network, example)
    generator = torch.Generator().manual_seed(0)
    with preserved(network.module) as before:
        train_on(network, inputs)
        moved = [state for state in before if is_frozen(state) and state.changed()]
        perturb(network, generator)
        train_on(network, inputs)
        network.module.eval()
        with torch.no_grad():
            all_outputs(network, inputs)
        others = [state for state in before if not isinstance(state.held, nn.Parameter)]
        drifting = [(state, current_value(state)) for state in others if state.changed()]
    for state, after in drifting:
        if affects_outputs(network, inputs, state, after):
            reject(network, state.layer, state.key)
    for state in moved:  # such as an average of other parameters
        reject(network, state.layer, state.key)
    check_memory(network, inputs)


def is_frozen(state: State) -> bool:
    return isinstance(state.held, nn.Parameter) and not state.held.requires_grad


def train_on(network: Network, inputs: torch.Tensor) -> None:
    """A forward and a backward pass in training mode, without an optimizer's step."""
    learning = [each for each in network.parameters().values() if each.requires_grad]
    network.module.train()
    with torch.enable_grad():
        try:
            outputs = all_outputs(network, inputs)
        except Exception as error:
            check_known_layers(network)
            raise ValueError(f"the network can't be trained on its example: {one_line(error)}") from error
        total = sum((each.sum() for each in outputs if each.requires_grad), torch.zeros(()))
        if total.requires_grad and learning:
            with suppress(RuntimeError):  # of a layer that has gradients only by ``backward``
                torch.autograd.grad(total, learning, allow_unused=True)


def check_memory(network: Network, inputs: torch.Tensor) -> None:
    """ValueError if training changes the network's outputs although its parameters are the same: it remembers something
    that is not an attribute of its layers, but in a closure, in a class, or deep inside an object."""
    runs: list[tuple[list[torch.Tensor], list[LayerCall]]] = []
    with preserved(network.module), torch.no_grad():
        perturb(network, torch.Generator().manual_seed(0))
        values = [(each, each.detach().clone()) for each in network.parameters().values()]
        for trained in (False, True):
            for _ in range(2 if trained else 0):
                train_on(network, inputs[1:].flip(-1))
            for parameter, value in values:
                parameter.data.copy_(value)
            network.module.eval()
            torch.manual_seed(0)
            runs.append(([each.clone() for each in all_outputs(network, inputs)], record_calls(network, inputs)))
    (before, calls), (after, later_calls) = runs
    if all(close(*pair) for pair in zip(before, after, strict=True)):
        return
    names = [a[0] for a, b in zip(calls, later_calls) if all_close(a[1], b[1]) and not all_close(a[2], b[2])]
    reject(network, names[0] if names else "")


def all_close(some: list[torch.Tensor], others: list[torch.Tensor]) -> bool:
    return len(some) == len(others) and all(close(*pair) for pair in zip(some, others))


def current_value(state: State) -> Any:
    now = dict(items(state.table)).get(state.key, state.value)
    return now.detach().clone() if isinstance(now, torch.Tensor) else now


def reject(network: Network, layer: str, name: Any = None) -> NoReturn:
    kind = type(network.module.get_submodule(layer)).__name__
    where = f"layer {layer!r}, a {kind}," if layer else f"the network, a {kind},"
    what = "remembers earlier inputs" if name is None else f"changes {name!r} as it learns"
    what = f"keeps running statistics ({name})" if "running" in str(name) else what
    raise ValueError(f"{where} {what}, which would drift from task to task: expected a network whose outputs depend on "
                     "its parameters alone")  # fmt: skip


def affects_outputs(
    network: Network, inputs: torch.Tensor, state: State, after: Any, modes: Sequence[bool] = (False, True)
) -> bool:
    """Whether the outputs, in eval or training mode, depend on a state once the parameters have changed; after: the
    value that the state had after a trial."""
    for training in modes:
        plain = outputs_after(network, inputs, training, lambda: None)
        for value in other_values(state.value, after):
            changed = outputs_after(network, inputs, training, lambda value=value: state.put(value))
            if plain is None or changed is None or not all(close(*pair) for pair in zip(plain, changed, strict=True)):
                return True
    return False


def outputs_after(
    network: Network, inputs: torch.Tensor, training: bool, prepare: Callable[[], None]
) -> list[torch.Tensor] | None:
    """The outputs with perturbed parameters after ``prepare``; None if the network can't run then."""
    with preserved(network.module), torch.no_grad():
        perturb(network, torch.Generator().manual_seed(0))
        network.module.train(training)
        torch.manual_seed(0)
        prepare()
        try:
            return [each.clone() for each in all_outputs(network, inputs)]
        except Exception:  # a network that can't run with another value depends on it
            return None


def other_values(value: Any, after: Any) -> list[Any]:
    """Values that a state may take later, including the one that it had ``after`` a trial."""
    if isinstance(value, (np.ndarray, float)) or (isinstance(value, torch.Tensor) and value.is_floating_point()):
        return [after, value + 1, -3 * value - 2]
    if isinstance(value, torch.Tensor) and value.dtype == torch.bool:
        return [after, ~value]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, (torch.Tensor, int)):
        return [after, 0 * value, value + 1, value + LARGE]
    return [after]


class DriftWatch:
    """Tries a network without an example on the first inputs that it runs on, and looks at its buffers at steps 1, 2,
    4, 8, ... of the optimizer while it learns, as code outside the network may change them.

    check: raises ValueError for what the methods can't keep, given inputs (n, ...); steady: whether no buffer that
    affects the outputs may change.
    """

    def __init__(self, network: Network, check: Callable[[torch.Tensor], None], steady: bool):
        self.network, self.check, self.steady = network, check, steady
        self.inputs, self.steps = network.example, 0
        self.before: dict[str, torch.Tensor] = {}

    def try_on(self, inputs: torch.Tensor) -> bool:
        """Tries the network, unless that was done before, and returns whether it did. ValueError, each time, for a
        network that the methods can't keep."""
        if self.inputs is not None:
            return False
        with torch.inference_mode(False):
            self.inputs = inputs[:SAMPLES].detach().clone()  # set before the trial, which runs the network as well
        try:
            self.check(self.inputs)
        except Exception:
            self.inputs = None
            raise
        return True

    def step(self) -> None:
        """Call it before each step of the optimizer. ValueError if a buffer changed since the first step and affects
        the outputs."""
        if not self.steady or self.inputs is None:
            return
        self.steps += 1
        if self.steps & (self.steps - 1):
            return
        named = self.network.module.named_buffers()
        now = {name: each.detach() for name, each in named if not name.startswith(f"{KEPT}.")}
        if self.steps == 1:
            self.before = {name: each.clone() for name, each in now.items()}
        changed = [name for name, each in now.items() if not identical(each, self.before.get(name))]
        inputs = trial_inputs(self.network, self.inputs) if changed else self.inputs
        for name in changed:
            where, _, key = name.rpartition(".")
            table = dict(self.network.module.get_submodule(where).named_buffers(recurse=False))
            state = State(where, table, key, now[name], now[name].clone())
            if affects_outputs(self.network, inputs, state, self.before.get(name, now[name]), modes=(False,)):
                reject(self.network, where, key)
