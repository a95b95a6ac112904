"""Keeps a network by methods: the table of methods, their names with settings as text, and which go together."""

import inspect
import json
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from priorlab.transfer.kept import Kept
from priorlab.transfer.methods.columns import Columns, Progressive, RandomColumn
from priorlab.transfer.methods.means import Means
from priorlab.transfer.methods.method import Method
from priorlab.transfer.methods.packing import Packing
from priorlab.transfer.methods.penalty import EWC, L2, OnlineEWC
from priorlab.transfer.methods.separate import HeadOnly, OwnHeads, Scratch, Separate
from priorlab.transfer.methods.superposition import Superposition
from priorlab.transfer.networks.drift import DriftWatch, check_drift, check_known_layers
from priorlab.transfer.networks.importance import check_outputs
from priorlab.transfer.networks.network import KEPT, Network

METHODS: dict[str, type[Method]] = {
    "own-heads": OwnHeads,
    "scratch": Scratch,
    "separate": Separate,
    "head-only": HeadOnly,
    "random-column": RandomColumn,
    "l2": L2,
    "ewc": EWC,
    "online-ewc": OnlineEWC,
    "progressive": Progressive,
    "psp": Superposition,
    "packing": Packing,
    "means": Means,
}
"""The class of each method, by the name that ``parse`` takes; "own-heads" comes with its argument ``heads``."""
FINETUNE = "finetune"  # no method at all


def parse(text: str, heads: bool = True) -> list[dict[str, Any]]:
    """The specs of methods written as text, for ``keep``.

    text: names joined by +, each with settings after a colon, such as "finetune", "psp+ewc" or
    "ewc:strength=100,importance=sampled". heads: whether each task has its own heads. Returns one dictionary per
    method, with its name under "method" and its settings by name. ValueError for an unknown name, a malformed setting,
    or methods that do not go together; ``keep`` checks the values of settings.
    """
    specs: list[dict[str, Any]] = []
    for part in text.split("+"):
        name, colon, after = part.partition(":")
        if name == FINETUNE and not colon:
            continue
        if any(spec["method"] == name for spec in specs):
            raise ValueError(f"method {text!r}: expected {name} once")
        if name not in METHODS or name == "own-heads":
            known = ", ".join([FINETUNE, *(name for name in METHODS if name != "own-heads")])
            raise ValueError(f"unknown method {name!r}: expected one of {known}, or several joined by +")
        settings = [parse_setting(each, part) for each in after.split(",") if colon]
        if "method" in dict(settings):
            raise ValueError(f"method {part!r}: expected settings of {name}; 'method' is not one")
        if len(dict(settings)) < len(settings):
            raise ValueError(f"method {part!r}: expected each setting once")
        specs.append({"method": name, **dict(settings)})
    has_heads = any(issubclass(METHODS[spec["method"]], (Separate, Columns)) for spec in specs)
    specs = [*([{"method": "own-heads"}] if heads and not has_heads else []), *specs]
    check_together(specs)
    return specs


def parse_setting(text: str, where: str) -> tuple[str, Any]:
    """The name and the value, a number or else a word, of a setting such as "strength=100"."""
    name, equals, value = text.partition("=")
    if not name or not equals or not value:
        raise ValueError(f"method {where!r}: {text!r}: expected a setting and its value, such as strength=100")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def keep(network: Network, methods: Sequence[Mapping[str, Any]], tasks: int, seed: int = 0) -> Kept:
    """Puts methods into a network, so that it can learn several tasks and play all of them.

    methods: specs as ``parse`` returns them, in any order; none for fine-tuning. tasks: how many there will be, at
    least 1. seed: of everything random in the methods. The network is tried on its example, which leaves no trace.
    ValueError, one line that names the layer or setting and what was expected, for a network that the methods can't
    keep.
    """
    if tasks < 1:
        raise ValueError(f"tasks is {tasks}: expected 1 or more")
    if hasattr(network.module, KEPT):
        raise ValueError(f"the network has a part {KEPT!r}: expected none, as its methods take that name")
    check_together(methods)
    methods = sorted(methods, key=building_order)
    if isinstance(network.module, torch.jit.ScriptModule):
        raise ValueError("the network is compiled by TorchScript: expected a module that methods can be put into")
    for name, parameter in network.module.named_parameters():
        if isinstance(parameter, nn.UninitializedParameter):
            raise ValueError(f"parameter {name!r} has no shape yet: expected a network that was run once")
    steady = not all(METHODS[spec["method"]].accepts_drift for spec in methods)
    check_network(network, methods, network.example)
    watch = DriftWatch(network, partial(check_network, network, methods), steady) if methods else None
    generator = torch.Generator().manual_seed(seed)
    check_eager(network)
    frozen = {name: each for name, each in network.parameters().items() if not each.requires_grad}
    fixed = frozen_for_good(network, methods, frozen)
    made: list[Method] = []
    for spec in methods:
        holds = issubclass(METHODS[spec["method"]], (L2, Means))
        made.append(make_method(spec, network if holds else network.without(fixed), tasks, generator))
        network = network.without(made[-1].per_task())
    about = {"methods": [dict(spec) for spec in methods], "seed": seed}
    return Kept(network, made, tasks, about, [*frozen.values()], fixed, watch)


def frozen_for_good(network: Network, methods: Sequence[Mapping[str, Any]], frozen: Collection[str]) -> set[str]:
    """Names of the parameters frozen by the user that must stay so, the same for all tasks: all of them, with a method
    that assigns weights to tasks. ValueError for a layer that is frozen in part, if the method can't split it."""
    kinds = [METHODS[spec["method"]] for spec in methods]
    for name, module in network.module.named_modules():
        direct = [f"{name}.{each}" if name else each for each, _ in module.named_parameters(recurse=False)]
        part = [each for each in direct if each in frozen]
        splits = any(issubclass(kind, (Columns, Superposition, Packing)) for kind in kinds)
        if part and len(part) < len(direct) and splits:
            raise ValueError(f"layer {name!r} is frozen in part, its {part[0].rpartition('.')[2]}: expected all or "
                             f"nothing of it with {methods[0]['method']}")  # fmt: skip
    if any(kind.assigns_weights for kind in kinds):
        return {*frozen}
    return {name for name in frozen if OwnHeads in kinds and network.is_head(name)}


def check_eager(network: Network) -> None:
    """ValueError if a part of the network is compiled: it would run as it is now, whatever methods put in."""
    for name, module in network.module.named_modules():
        is_wrapped = "_orig_mod" in module._modules  # as torch.compile(module) does
        if is_wrapped or getattr(module, "_compiled_call_impl", None) is not None:
            raise ValueError(f"{f'layer {name!r}' if name else 'the network'} is compiled: expected one that isn't; "
                             "compile it after it is kept")  # fmt: skip


def check_network(network: Network, methods: Sequence[Mapping[str, Any]], inputs: torch.Tensor | None) -> None:
    """ValueError if a run on inputs (n, ...) shows something that these methods can't keep; without inputs, if a layer
    is known for it."""
    kinds = [METHODS[spec["method"]] for spec in methods]
    if not all(kind.accepts_drift for kind in kinds):
        check_drift(network, inputs) if inputs is not None else check_known_layers(network)
    if any(issubclass(kind, EWC) for kind in kinds):
        check_outputs(network, inputs)


def building_order(spec: Mapping[str, Any]) -> tuple[bool, bool, bool]:
    """A key that sorts specs in the order in which methods are built and act: those that give tasks their own weights,
    then those that hold shared weights, then those that look at the weights that the others put in place."""
    kind = METHODS[spec["method"]]
    return issubclass(kind, Means), issubclass(kind, L2), kind.assigns_weights


def meets_tasks(methods: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of these specs uses samples of a task before that is learned (``Kept.meet``)."""
    return any(spec["method"] == "means" and spec.get("start") == "aligned" for spec in methods)


def check_together(methods: Sequence[Mapping[str, Any]]) -> None:
    """ValueError if the methods of these specs can't be used together."""
    if isinstance(methods, str):
        raise ValueError(f"methods is {methods!r}: expected specs, as `parse({methods!r})` returns them")
    names = [spec.get("method", "") for spec in methods]
    for name in names:
        if name not in METHODS:
            raise ValueError(f"unknown method {name!r}: expected one of {', '.join(METHODS)}")
    assigning = [name for name in names if METHODS[name].assigns_weights]
    if len(assigning) > 1:
        raise ValueError(f"methods {' and '.join(assigning)}: expected one of them, as each decides which task has "
                         "which weights")  # fmt: skip
    penalties = [spec for spec in methods if issubclass(METHODS[spec["method"]], L2)]
    if len(penalties) > 1:
        raise ValueError(f"methods {' and '.join(spec['method'] for spec in penalties)}: expected one penalty")
    holding = [name for name in names if issubclass(METHODS[name], (L2, Means))]
    if holding and assigning and assigning != ["psp"]:
        raise ValueError(f"methods {assigning[0]} and {holding[0]}: expected one of them, as with {assigning[0]} no "
                         "weight that an earlier task needs can change")  # fmt: skip
    for spec in methods:
        if penalties and spec["method"] == "psp" and spec.get("contexts", "binary") != "binary":
            raise ValueError(f"methods psp and {penalties[0]['method']}: expected binary contexts, as with "
                             f"{spec['contexts']} ones single weights have no importance")  # fmt: skip
    with_heads = [name for name in assigning if issubclass(METHODS[name], (Separate, Columns))]
    if with_heads and "own-heads" in names:
        raise ValueError(
            f"methods own-heads and {with_heads[0]}: expected one of them, as both give each task its heads"
        )
    if "own-heads" not in names:
        for name in names:
            if METHODS[name].needs_own_heads:
                raise ValueError(f"method {name}: expected separate heads for each task, as nothing else would learn")


def check_setting(what: str, value: Any, default: Any) -> None:
    """ValueError if a setting is not of the kind of its default: a word, or a number (also where the default is
    None)."""
    if isinstance(default, str):
        if not isinstance(value, str):
            raise ValueError(f"{what} is {value!r}: expected a word, such as {default}")
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{what} is {value!r}: expected a number")
    elif isinstance(default, int) and not isinstance(value, int):
        raise ValueError(f"{what} is {value!r}: expected a whole number")


def make_method(spec: Mapping[str, Any], network: Network, tasks: int, generator: torch.Generator) -> Method:
    """The method of a spec. ValueError for settings that it does not have, or of a wrong kind."""
    kind = METHODS[spec["method"]]
    settings = {name: value for name, value in spec.items() if name != "method"}
    known = [*inspect.signature(kind).parameters][3:]
    for name in settings:
        if name not in known:
            raise ValueError(f"method {spec['method']} has no setting {name!r}: expected {', '.join(known) or 'none'}")
        default = inspect.signature(kind).parameters[name].default
        check_setting(f"method {spec['method']}: {name}", settings[name], default)
    return kind(network, tasks, generator, **settings)  # pyright: ignore[reportCallIssue]
