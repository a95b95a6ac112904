"""All that a module remembers: parameters, buffers, attributes, and the contents of plain objects among these."""

import copy
import warnings
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from priorlab.transfer.networks.network import KEPT

PLAIN = (bool, int, float, complex, str, type(None), torch.Tensor, np.ndarray, list, tuple, dict, set, deque)
OF_TORCH = set(vars(nn.Module()))  # attributes of every module; the tables among them are visited separately
Table = dict[Any, Any] | list[Any]


@dataclass(frozen=True)
class State:
    """One thing that a layer remembers: ``table[key]`` itself, ``held``, and a copy of its value at that time."""

    layer: str
    table: Table
    key: Any
    held: Any
    value: Any

    def changed(self) -> bool:
        now = dict(items(self.table)).get(self.key)
        return not identical(now.data if isinstance(now, nn.Parameter) else now, self.value)

    def put(self, value: Any) -> None:
        """Sets the value, in place where possible."""
        now = self.held
        if isinstance(now, torch.Tensor) and now.shape == value.shape and now.dtype == value.dtype:
            now.data.copy_(value)
        elif isinstance(now, np.ndarray) and now.shape == value.shape:
            now[...] = value
        elif isinstance(now, (list, deque)):
            now.clear()
            now.extend(value)
        elif isinstance(now, (dict, set)):
            now.clear()
            now.update(value)
        else:
            now = value
        if isinstance(self.table, dict) or self.key < len(self.table):
            self.table[self.key] = now


def items(table: Table) -> list[tuple[Any, Any]]:
    return list(table.items() if isinstance(table, dict) else enumerate(table))


def tables(module: nn.Module) -> Iterator[tuple[str, Table]]:
    """Pairs of a layer's name and one of its tables: its parameters, buffers and other attributes, and the lists,
    dictionaries and plain objects among these. The methods that keep the network are left out."""
    for name, layer in module.named_modules():
        if name == KEPT or name.startswith(f"{KEPT}."):
            continue
        if isinstance(layer, torch.jit.ScriptModule):  # whose tables are not dictionaries
            yield name, dict(layer.named_parameters(recurse=False)) | dict(layer.named_buffers(recurse=False))
            continue
        yield from ((name, table) for table in (layer._parameters, layer._buffers, vars(layer)))
        for key, each in list(vars(layer).items()):
            if key in OF_TORCH:
                continue
            if isinstance(each, (dict, list)):
                yield name, each
            elif hasattr(each, "__dict__") and not isinstance(each, (*PLAIN, type)) and not callable(each):
                yield name, vars(each)


def states(module: nn.Module, parameters: bool = True) -> list[State]:
    """Everything that a module remembers now; parameters: whether to include these."""
    remembered = []
    for layer, table in tables(module):
        for key, held in items(table):
            if isinstance(table, list) and not isinstance(held, (torch.Tensor, np.ndarray)):
                continue  # the copy of the list covers it
            if isinstance(held, PLAIN) and key not in OF_TORCH and (parameters or not isinstance(held, nn.Parameter)):
                remembered.append(State(layer, table, key, held, copy_of(held)))
    return remembered


@contextmanager
def preserved(module: nn.Module, parameters: bool = True) -> Iterator[list[State]]:
    """Within the block a module may run, learn and change; warnings are silent. Afterwards everything is as before, bit
    for bit, torch's random states included. parameters: whether the values of parameters may change, too."""
    before = states(module, parameters)
    training = [(each, each.training) for each in module.modules()]
    known = [(table, set(table)) for _, table in tables(module) if isinstance(table, dict)]
    devices = {each.device.index for each in module.parameters() if each.device.type == "cuda"}
    with torch.random.fork_rng(devices=[each for each in devices if each is not None]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield before
        finally:
            for state in before:
                state.put(state.value)
            for table, keys in known:
                for key in set(table) - keys:
                    del table[key]
            for each, was in training:
                each.training = was


def copy_of(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    return value.copy() if isinstance(value, np.ndarray) else copy.copy(value)


def identical(one: Any, other: Any) -> bool:
    """Whether two values are equal bit for bit, NaNs included; of parameters, whether they are one object."""
    if isinstance(one, nn.Parameter) or not isinstance(one, PLAIN):
        return one is other
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        fits = one.shape == other.shape and one.dtype == other.dtype
        return fits and bool(((one.detach() == other) | ((one != one) & (other != other))).all())
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, (list, tuple, deque)):
        return len(one) == len(other) and all(identical(*pair) for pair in zip(one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(identical(each, other[key]) for key, each in one.items())
    return one is other or bool(one == other)
