"""State beside the parameters that changes in training and enters what a network says: no method could keep a task so.

Such are running statistics, moving averages, codebooks and counts that are looked at, in buffers or anywhere else.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NoReturn

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrizations
from torch.nn.utils.spectral_norm import SpectralNorm

from priorlab.transfer.network import KEPT, Network
from priorlab.transfer.states import State, items, preserved, same
from priorlab.transfer.trial import SAMPLES, Call, alike, calls_of, inputs_of_trial, line, said_by, shake

LARGE = 10**6  # what a count may come to


def check_known(network: Network) -> None:
    """``check_drift`` without a run, of the layers of torch that are known to drift."""
    for name, module in network.module.named_modules():
        if isinstance(module, nn.modules.batchnorm._NormBase) and module.running_mean is not None:
            refuse(network, name, "running_mean")
        if isinstance(module, parametrizations._SpectralNorm):
            refuse(network, name, "_u")
        if any(isinstance(hook, SpectralNorm) for hook in module._forward_pre_hooks.values()):
            refuse(network, name, "weight_u")


def check_drift(network: Network, example: torch.Tensor) -> None:
    """ValueError where something beside the parameters changes in training and enters what the network says.

    It is looked for in two steps of training on inputs like the example's (n, ...). What changes and enters nothing,
    such as a count of steps, is let be: each is set to several other values to see that.
    """
    inputs = inputs_of_trial(network, example)
    generator = torch.Generator().manual_seed(0)
    with preserved(network.module) as before:
        train_on(network, inputs)
        moved = [state for state in before if is_frozen(state) and state.changed()]
        shake(network, generator)
        train_on(network, inputs)
        network.module.eval()
        with torch.no_grad():
            said_by(network, inputs)
        beside = [state for state in before if not isinstance(state.held, nn.Parameter)]
        drifting = [(state, now_of(state)) for state in beside if state.changed()]
    for state, after in drifting:
        if enters(network, inputs, state, after):
            refuse(network, state.layer, state.key)
    for state in moved:  # such as an average of other parameters
        refuse(network, state.layer, state.key)
    check_memory(network, inputs)


def is_frozen(state: State) -> bool:
    return isinstance(state.held, nn.Parameter) and not state.held.requires_grad


def train_on(network: Network, inputs: torch.Tensor) -> None:
    """A step of training, but for that of an optimizer: for what acts on the way there, or on the way back."""
    learning = [each for each in network.parameters().values() if each.requires_grad]
    network.module.train()
    with torch.enable_grad():
        try:
            said = said_by(network, inputs)
        except Exception as error:
            check_known(network)
            raise ValueError(f"the network can't be trained on its example: {line(error)}") from error
        total = sum((each.sum() for each in said if each.requires_grad), torch.zeros(()))
        if total.requires_grad and learning:
            with suppress(RuntimeError):  # of what has a gradient but by ``backward``
                torch.autograd.grad(total, learning, allow_unused=True)


def check_memory(network: Network, inputs: torch.Tensor) -> None:
    """ValueError where the network says something else after training, by the same parameters: it remembers something
    that is no attribute of its layers, but lies in a closure, in a class, or deeper in an object."""
    runs: list[tuple[list[torch.Tensor], list[Call]]] = []
    with preserved(network.module), torch.no_grad():
        shake(network, torch.Generator().manual_seed(0))
        values = [(each, each.detach().clone()) for each in network.parameters().values()]
        for trained in (False, True):
            for _ in range(2 if trained else 0):
                train_on(network, inputs[1:].flip(-1))
            for parameter, value in values:
                parameter.data.copy_(value)
            network.module.eval()
            torch.manual_seed(0)
            runs.append(([each.clone() for each in said_by(network, inputs)], calls_of(network, inputs)))
    (before, calls), (after, others) = runs
    if all(alike(*pair) for pair in zip(before, after, strict=True)):
        return
    names = [a[0] for a, b in zip(calls, others) if all_alike(a[1], b[1]) and not all_alike(a[2], b[2])]
    refuse(network, names[0] if names else "")


def all_alike(some: list[torch.Tensor], others: list[torch.Tensor]) -> bool:
    return len(some) == len(others) and all(alike(*pair) for pair in zip(some, others))


def now_of(state: State) -> Any:
    now = dict(items(state.table)).get(state.key, state.value)
    return now.detach().clone() if isinstance(now, torch.Tensor) else now


def refuse(network: Network, layer: str, name: Any = None) -> NoReturn:
    kind = type(network.module.get_submodule(layer)).__name__
    where = f"layer {layer!r}, a {kind}," if layer else f"the network, a {kind},"
    what = "remembers earlier inputs" if name is None else f"changes {name!r} as it learns"
    what = f"keeps running statistics ({name})" if "running" in str(name) else what
    raise ValueError(f"{where} {what}, which would drift from task to task: expected a network that says what it does "
                     "by its parameters alone")  # fmt: skip


def enters(
    network: Network, inputs: torch.Tensor, state: State, after: Any, modes: Sequence[bool] = (False, True)
) -> bool:
    """Whether what the network says, in training or not, depends on a state, once its parameters have changed."""
    for training in modes:
        plain = outcome(network, inputs, training, lambda: None)
        for value in others(state.value, after):
            found = outcome(network, inputs, training, lambda value=value: state.put(value))
            if plain is None or found is None or not all(alike(*pair) for pair in zip(plain, found, strict=True)):
                return True
    return False


def outcome(
    network: Network, inputs: torch.Tensor, training: bool, prepare: Callable[[], None]
) -> list[torch.Tensor] | None:
    with preserved(network.module), torch.no_grad():
        shake(network, torch.Generator().manual_seed(0))
        network.module.train(training)
        torch.manual_seed(0)
        prepare()
        try:
            return [each.clone() for each in said_by(network, inputs)]
        except Exception:  # what can't run with another value depends on it
            return None


def others(value: Any, after: Any) -> list[Any]:
    """Other values that a state may come to, beside the one it had ``after`` a trial."""
    if isinstance(value, (np.ndarray, float)) or (isinstance(value, torch.Tensor) and value.is_floating_point()):
        return [after, value + 1, -3 * value - 2]
    if isinstance(value, torch.Tensor) and value.dtype == torch.bool:
        return [after, ~value]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, (torch.Tensor, int)):
        return [after, 0 * value, value + 1, value + LARGE]
    return [after]


class Watch:
    """Has a kept network tried on the first inputs it is run on, where it has no example, and looks at buffers while
    it is learned, at steps 1, 2, 4, 8, ... of the optimizer: code beside the network may change them.

    check: refuses what the methods can't keep, on inputs (n, ...); still: whether no buffer may change that enters what
    the network says.
    """

    def __init__(self, network: Network, check: Callable[[torch.Tensor], None], still: bool):
        self.network, self.check, self.still = network, check, still
        self.inputs, self.steps = network.example, 0
        self.before: dict[str, torch.Tensor] = {}

    def try_on(self, inputs: torch.Tensor) -> bool:
        """Whether it was tried, as it wasn't before. ValueError each time, where the network is refused."""
        if self.inputs is not None:
            return False
        with torch.inference_mode(False):
            self.inputs = inputs[:SAMPLES].detach().clone()  # by now, as the trial runs the network, too
        try:
            self.check(self.inputs)
        except Exception:
            self.inputs = None
            raise
        return True

    def step(self) -> None:
        """Before each step of the optimizer. ValueError for a buffer that changed since the first, and enters."""
        if not self.still or self.inputs is None:
            return
        self.steps += 1
        if self.steps & (self.steps - 1):
            return
        named = self.network.module.named_buffers()
        now = {name: each.detach() for name, each in named if not name.startswith(f"{KEPT}.")}
        if self.steps == 1:
            self.before = {name: each.clone() for name, each in now.items()}
        changed = [name for name, each in now.items() if not same(each, self.before.get(name))]
        inputs = inputs_of_trial(self.network, self.inputs) if changed else self.inputs
        for name in changed:
            where, _, key = name.rpartition(".")
            table = dict(self.network.module.get_submodule(where).named_buffers(recurse=False))
            state = State(where, table, key, now[name], now[name].clone())
            if enters(self.network, inputs, state, self.before.get(name, now[name]), modes=(False,)):
                refuse(self.network, where, key)
