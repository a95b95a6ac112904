"""The plain loops of the lecture's experiments, and networks that see pictures."""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Literal

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from priorlab.scripts.lecture.objects import labelled, some_classes
from priorlab.transfer import digits
from priorlab.transfer.keeping import keep, parse
from priorlab.transfer.networks.network import Network
from priorlab.transfer.supervised import Problem, Training, learn_all

WIDTH = 64  # features
BATCH = 128
KNOWN = 7680  # pictures to learn from
NEW, EXAMPLES = 64, 40  # drawings from which those of a test are drawn, and pictures of each
Examples = tuple[torch.Tensor, torch.Tensor]  # pictures float32 (n, ...) and their classes int64 (n,)
Signs = Literal["digits", "mnist", "fashion", "omniglot"]


def eye(side: int, channels: int, seed: int, units: int = 32) -> nn.Sequential:
    """Three convolutions and a dense layer: float32 (n, WIDTH) features of pictures (n, channels, side, side)."""
    left = -(-side // 8)  # each convolution halves the side, rounded up
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(channels, units, 3, 2, 1), nn.ReLU(), nn.Conv2d(units, 2 * units, 3, 2, 1), nn.ReLU(),
            nn.Conv2d(2 * units, 2 * units, 3, 2, 1), nn.ReLU(), nn.Flatten(),
            nn.Linear(2 * units * left * left, WIDTH), nn.ReLU(),
        )  # fmt: skip


def classifier(seen: nn.Module, classes: int, seed: int) -> nn.Sequential:
    """A network that sees with ``seen``, whose weights it shares, and tells ``classes`` apart."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(seen, nn.Linear(WIDTH, classes))


def fit(
    module: nn.Module,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    steps: int,
    generator: torch.Generator,
    learning_rate: float = 1e-3,
    attach: Callable[[torch.optim.Optimizer], object] = lambda _: None,
) -> None:
    """Steps of Adam on minibatches of inputs (n, ...) and classes int64 (n,); ``attach`` is told the optimizer."""
    optimizer = torch.optim.Adam(module.parameters(), learning_rate)
    attach(optimizer)
    for _ in range(steps):
        chosen = torch.randint(len(labels), (min(BATCH, len(labels)),), generator=generator)
        loss = functional.cross_entropy(module(inputs[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def accuracy(module: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> float:
    """Share of inputs (n, ...) that are given the right class, int64 (n,)."""
    return float((module(inputs).argmax(1) == labels).float().mean())


@lru_cache(maxsize=1)
def known_objects(classes: int, seed: int) -> Examples:
    """Pictures of so many drawings of the split ``training``, KNOWN in all: what networks learn from."""
    rng = np.random.default_rng([seed, classes])
    return labelled(some_classes(classes, rng), KNOWN // classes, "training", rng)


def new_objects(seed: int) -> Examples:
    """Pictures of drawings of the split ``held_out``, from which tests are drawn."""
    rng = np.random.default_rng([seed, 1])
    return labelled(some_classes(NEW, rng), EXAMPLES, "held_out", rng)


def object_classifier(classes: int, steps: int, seed: int) -> nn.Sequential:
    """An eye, and a last layer, that learned to tell ``known_objects`` apart."""
    inputs, labels = known_objects(classes, seed)
    module = classifier(eye(inputs.shape[-1], 3, seed), classes, seed)
    fit(module, inputs, labels, steps, torch.Generator().manual_seed(seed))
    return module


def object_eye(classes: int, steps: int, seed: int) -> nn.Sequential:
    """The eye of an ``object_classifier``."""
    seen = object_classifier(classes, steps, seed)[0]
    assert isinstance(seen, nn.Sequential)
    return seen


def one_after_another(
    method: str, problems: list[Problem], units: int, steps: int, seed: int
) -> dict[tuple[int, int], float]:
    """How well each problem is done after each was learned, by (learned, problem), by one of transfer's methods."""
    network = Network(digits.dense_network(units, seed), example=problems[0].inputs[:1])
    kept = keep(network, parse(method, heads=False), len(problems), seed)
    points = learn_all(kept, problems, Training(steps=steps), seed)
    return {(point.learning, point.task): point.performance for point in points if point.share == 1}


@cache
def signs(data: Signs) -> tuple[Examples, Examples]:
    """Known classes and new ones, of pictures float32 (n, 1, S, S): classes 0 to 4 and 5 to 9, or, of omniglot, the
    characters of its background set and those of its evaluation set."""
    if data == "omniglot":
        return digits.read_omniglot(True), digits.read_omniglot(False)
    every = digits.read_digits(data)
    pictures = torch.cat([every.inputs, every.test_inputs]).reshape(-1, 1, digits.SIDE, digits.SIDE)  # from (n, pixels)
    labels = torch.cat([every.labels, every.test_labels])
    low = labels < digits.CLASSES // 2
    return (pictures[low], labels[low]), (pictures[~low], labels[~low] - digits.CLASSES // 2)


def sign_eye(data: Signs, steps: int, seed: int) -> nn.Sequential:
    """An eye that learned to tell the known ones of ``signs`` apart."""
    inputs, labels = signs(data)[0]
    seen = eye(digits.SIDE, 1, seed)
    classes = len(labels.unique())
    fit(classifier(seen, classes, seed), inputs, labels, steps, torch.Generator().manual_seed(seed))
    return seen


def frozen(seen: nn.Module):
    """The features of an eye, as a function without gradients."""

    @torch.no_grad()
    def features(pictures: torch.Tensor) -> torch.Tensor:
        return seen(pictures)

    return features


def flat(pictures: torch.Tensor) -> torch.Tensor:
    """Pixels as features: (n, ...) -> (n, d)."""
    return pictures.flatten(1)
