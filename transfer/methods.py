"""The table of methods, how they are told in a word, and which of them go together."""

import inspect
import json
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from priorlab.transfer.columns import Columns, Progressive, RandomColumn
from priorlab.transfer.drift import Watch, check_drift, check_known
from priorlab.transfer.importance import check_outputs
from priorlab.transfer.means import Means
from priorlab.transfer.method import Kept, Method
from priorlab.transfer.network import KEPT, Network
from priorlab.transfer.packing import Packing
from priorlab.transfer.penalty import EWC, L2, OnlineEWC
from priorlab.transfer.separate import HeadOnly, OwnHeads, Scratch, Separate
from priorlab.transfer.superposition import Superposition

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
FINETUNE = "finetune"  # no method at all


def parse(text: str, heads: bool = True) -> list[dict[str, Any]]:
    """The specs of methods told in a word: finetune, psp+ewc, or with settings, ewc:strength=100,importance=sampled.

    heads: whether each task has heads of its own. ValueError for what there is not, or what does not go together.
    """
    specs: list[dict[str, Any]] = []
    for part in text.split("+"):
        name, colon, told = part.partition(":")
        if name == FINETUNE and not colon:
            continue
        if any(spec["method"] == name for spec in specs):
            raise ValueError(f"method {text!r}: expected {name} once")
        if name not in METHODS or name == "own-heads":
            known = ", ".join([FINETUNE, *(name for name in METHODS if name != "own-heads")])
            raise ValueError(f"unknown method {name!r}: expected one of {known}, or several joined by +")
        settings = [setting(each, part) for each in told.split(",") if colon]
        if "method" in dict(settings):
            raise ValueError(f"method {part!r}: expected settings of {name}, of which 'method' is none")
        if len(dict(settings)) < len(settings):
            raise ValueError(f"method {part!r}: expected each setting once")
        specs.append({"method": name, **dict(settings)})
    bears = any(issubclass(METHODS[spec["method"]], (Separate, Columns)) for spec in specs)
    specs = [*([{"method": "own-heads"}] if heads and not bears else []), *specs]
    check_together(specs)
    return specs


def setting(text: str, where: str) -> tuple[str, Any]:
    """strength=100 as a name and a value: a number, or else a word."""
    name, equals, value = text.partition("=")
    if not name or not equals or not value:
        raise ValueError(f"method {where!r}: {text!r}: expected a setting and its value, such as strength=100")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def keep(network: Network, methods: Sequence[Mapping[str, Any]], tasks: int, seed: int = 0) -> Kept:
    """Has a network kept by these methods, over so many tasks: specs as ``parse`` gives them, in any order; seed: of
    all that is random in them. ValueError, in one line, for what can't be."""
    if tasks < 1:
        raise ValueError(f"tasks is {tasks}: expected 1 or more")
    if hasattr(network.module, KEPT):
        raise ValueError(f"the network has a part {KEPT!r}: expected none, as that is where its methods lie")
    check_together(methods)
    methods = sorted(methods, key=turn)
    if isinstance(network.module, torch.jit.ScriptModule):
        raise ValueError("the network is compiled by TorchScript: expected a module that methods can be put into")
    for name, parameter in network.module.named_parameters():
        if isinstance(parameter, nn.UninitializedParameter):
            raise ValueError(f"parameter {name!r} has no shape yet: expected a network that was run once")
    still = not all(METHODS[spec["method"]].takes_statistics for spec in methods)
    check_network(network, methods, network.example)
    watch = Watch(network, partial(check_network, network, methods), still) if methods else None
    generator = torch.Generator().manual_seed(seed)
    check_eager(network)
    frozen = {name: each for name, each in network.parameters().items() if not each.requires_grad}
    fixed = left_alone(network, methods, frozen)
    made: list[Method] = []
    for spec in methods:
        holds = issubclass(METHODS[spec["method"]], (L2, Means))
        made.append(make(spec, network if holds else network.but(fixed), tasks, generator))
        network = network.but(made[-1].owned())
    about = {"methods": [dict(spec) for spec in methods], "seed": seed}
    return Kept(network, made, tasks, about, [*frozen.values()], fixed, watch)


def left_alone(network: Network, methods: Sequence[Mapping[str, Any]], frozen: Collection[str]) -> set[str]:
    """Of the parameters that the user froze, those that are then all tasks' for good: with methods that say which task
    has which weights, all of them. ValueError for a layer of which these can't leave a part."""
    kinds = [METHODS[spec["method"]] for spec in methods]
    for name, module in network.module.named_modules():
        own = [f"{name}.{each}" if name else each for each, _ in module.named_parameters(recurse=False)]
        part = [each for each in own if each in frozen]
        if part and len(part) < len(own) and any(issubclass(kind, (Columns, Superposition, Packing)) for kind in kinds):
            raise ValueError(f"layer {name!r} is frozen in part, its {part[0].rpartition('.')[2]}: expected all or "
                             f"nothing of it with {methods[0]['method']}")  # fmt: skip
    if any(kind.sorts_weights for kind in kinds):
        return {*frozen}
    return {name for name in frozen if OwnHeads in kinds and network.is_head(name)}


def check_eager(network: Network) -> None:
    """ValueError where a part of the network is compiled: it would run on as it was then, whatever methods put in."""
    for name, module in network.module.named_modules():
        is_wrapped = "_orig_mod" in module._modules  # as torch.compile(module) does
        if is_wrapped or getattr(module, "_compiled_call_impl", None) is not None:
            raise ValueError(f"{f'layer {name!r}' if name else 'the network'} is compiled: expected one that isn't; "
                             "compile it after it is kept")  # fmt: skip


def check_network(network: Network, methods: Sequence[Mapping[str, Any]], inputs: torch.Tensor | None) -> None:
    """ValueError for what a run of the network on inputs (n, ...) shows that these methods can't keep; without any, for
    the layers that are known for it."""
    kinds = [METHODS[spec["method"]] for spec in methods]
    if not all(kind.takes_statistics for kind in kinds):
        check_drift(network, inputs) if inputs is not None else check_known(network)
    if any(issubclass(kind, EWC) for kind in kinds):
        check_outputs(network, inputs)


def turn(spec: Mapping[str, Any]) -> tuple[bool, bool, bool]:
    """Sorts specs in the order in which they are built and act: what gives each task weights of its own, what holds
    those that are still shared then, and what looks at the weights that the others put in place."""
    kind = METHODS[spec["method"]]
    return issubclass(kind, Means), issubclass(kind, L2), kind.sorts_weights


def meets(methods: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of these specs makes something of samples of a task before that is learned."""
    return any(spec["method"] == "means" and spec.get("start") == "aligned" for spec in methods)


def check_together(methods: Sequence[Mapping[str, Any]]) -> None:
    """ValueError where these can't be used together."""
    if isinstance(methods, str):
        raise ValueError(f"methods is {methods!r}: expected specs, as `parse({methods!r})` gives them")
    names = [spec.get("method", "") for spec in methods]
    for name in names:
        if name not in METHODS:
            raise ValueError(f"unknown method {name!r}: expected one of {', '.join(METHODS)}")
    sorting = [name for name in names if METHODS[name].sorts_weights]
    if len(sorting) > 1:
        raise ValueError(f"methods {' and '.join(sorting)}: expected one of them, as each decides which task has which "
                         "weights")  # fmt: skip
    penalties = [spec for spec in methods if issubclass(METHODS[spec["method"]], L2)]
    if len(penalties) > 1:
        raise ValueError(f"methods {' and '.join(spec['method'] for spec in penalties)}: expected one penalty")
    holding = [name for name in names if issubclass(METHODS[name], (L2, Means))]
    if holding and sorting and sorting != ["psp"]:
        raise ValueError(f"methods {sorting[0]} and {holding[0]}: expected one of them, as with {sorting[0]} no weight "
                         "that an earlier task needs can change")  # fmt: skip
    for spec in methods:
        if penalties and spec["method"] == "psp" and spec.get("contexts", "binary") != "binary":
            raise ValueError(f"methods psp and {penalties[0]['method']}: expected binary contexts, as with "
                             f"{spec['contexts']} ones no weight has an importance of its own")  # fmt: skip
    bearing = [name for name in sorting if issubclass(METHODS[name], (Separate, Columns))]
    if bearing and "own-heads" in names:
        raise ValueError(f"methods own-heads and {bearing[0]}: expected one of them, as both give each task its heads")
    if "own-heads" not in names:
        for name in names:
            if METHODS[name].heads_are_own:
                raise ValueError(f"method {name}: expected heads of each task's own, which nothing else lets it learn")


def check_kind(what: str, value: Any, default: Any) -> None:
    """ValueError where a setting is no number though its default is one (or None, for a number that is worked out), or
    no word though that is one."""
    if isinstance(default, str):
        if not isinstance(value, str):
            raise ValueError(f"{what} is {value!r}: expected a word, such as {default}")
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{what} is {value!r}: expected a number")
    elif isinstance(default, int) and not isinstance(value, int):
        raise ValueError(f"{what} is {value!r}: expected a whole number")


def make(spec: Mapping[str, Any], network: Network, tasks: int, generator: torch.Generator) -> Method:
    """The method that a spec tells: its name under "method", and its settings. ValueError for unknown ones."""
    kind = METHODS[spec["method"]]
    settings = {name: value for name, value in spec.items() if name != "method"}
    known = [*inspect.signature(kind).parameters][3:]
    for name in settings:
        if name not in known:
            raise ValueError(f"method {spec['method']} has no setting {name!r}: expected {', '.join(known) or 'none'}")
        check_kind(f"method {spec['method']}: {name}", settings[name], inspect.signature(kind).parameters[name].default)
    return kind(network, tasks, generator, **settings)  # pyright: ignore[reportCallIssue]
