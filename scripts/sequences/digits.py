"""One method's run over a sequence where the answer is known: digits, task after task."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from priorlab.transfer.digits import DataName, dense_network, permuted_digits, read_digits, rotating_digits
from priorlab.transfer.keeping import keep, parse
from priorlab.transfer.metrics import dormant_units, effective_rank, sensitivity_to_others
from priorlab.transfer.networks.network import Network
from priorlab.transfer.networks.samples import Samples
from priorlab.transfer.supervised import Problem, Training, learn_all

SEQUENCES: dict[str, Callable[[int, int, DataName], list[Problem]]] = {
    "permuted-digits": permuted_digits,
    "rotating-digits": rotating_digits,
}
METHODS = (  # penalties in several strengths, as nobody knows the right one beforehand
    "finetune", "separate", "scratch", "l2:strength=0.01", "l2:strength=0.1", "ewc:strength=0.1", "ewc:strength=1",
    "ewc:strength=10", "online-ewc:strength=10", "online-ewc:strength=100", "psp", "psp:contexts=complex", "packing",
    "progressive", "random-column", "means", "online-ewc:strength=10+means", "psp+means",
)  # fmt: skip
QUICK_METHODS, QUICK_SEEDS = ("finetune", "separate", "ewc:strength=1", "psp", "packing"), 2
DEFAULTS = {"tasks": 20, "steps": Training.steps, "units": 256, "data": "digits"}
QUICK = {"tasks": 5, "steps": 100}
SIZES: dict[str, dict[str, Any]] = {}  # of some sequences, where they are not the defaults


def settings(told: Mapping[str, Any]) -> dict[str, Any]:
    """All that tells a run but its method and seed. ValueError where the data aren't there."""
    read_digits(told["data"])
    training = Training(steps=told["steps"], reset_optimizer=not told["keep_optimizer"])
    own = {name: told[name] for name in ("sequence", "tasks", "units", "heads", "data")}
    return own | asdict(training)


def check_method(method: str, settings: Mapping[str, Any]) -> None:
    """ValueError for one that can't be learned."""
    keep(Network(dense_network(2, 0), example=torch.zeros(1, 784)), parse(method, settings["heads"]), settings["tasks"])


def learn(method: str, seed: int, settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """One run: its points, and after each task how much of the network is dormant, and its features' rank.

    It takes minutes at most, so nothing is kept in ``folder`` on the way.
    """
    tasks, heads = settings["tasks"], settings["heads"]
    problems = SEQUENCES[settings["sequence"]](tasks, seed, settings["data"])
    seen = Network(dense_network(settings["units"], seed), example=problems[0].inputs[:1])
    kept = keep(seen, parse(method, heads), tasks, seed)
    learned: list[dict[str, Any]] = []

    def after(task: int) -> None:
        inputs = problems[task].view(problems[task].test_inputs)
        measured = {"dormant": dormant_units(seen, inputs), "rank": effective_rank(seen, inputs)}
        learned.append(measured | {"others": sensitivity_to_others(kept, Samples(inputs))})

    training = Training(**{name: settings[name] for name in asdict(Training())})
    points = learn_all(kept, problems, training, seed, after)
    return {"points": [list(asdict(point).values()) for point in points], "learned": learned, "bytes": kept.bytes()}
