"""Whether what was learned on N classes helps with new ones, and what fine-tuning makes of few labels."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from torch import nn

from priorlab.scripts.lecture.claim import CHANCE, Row
from priorlab.scripts.lecture.learning import (
    Examples,
    accuracy,
    classifier,
    eye,
    fit,
    frozen,
    object_eye,
    sign_eye,
    signs,
)
from priorlab.scripts.lecture.objects import MOST, labelled, some_classes
from priorlab.transfer.digits import DataName

NEW, LABELS, TESTED = 10, (1, 3, 10, 30, 100), 50  # new classes, labels of each to learn from, and to be tested with
CLASSES = (2, 8, 32, 128)
WAYS = SCRATCH, TUNED, FROZEN = "from scratch", "fine-tuned", "features kept"
RATES, TRIED = (1e-3, 1e-2), 10  # of learning; labels of each class with which they are tried


@dataclass(frozen=True)
class Settings:
    classes: Annotated[int, "drawings that the features were learned from, in the first figure", MOST] = 128
    steps: Annotated[int, "minibatches that they were learned from"] = 300
    tuning: Annotated[int, "steps of learning the new classes"] = 80
    labels: Annotated[int, "labels of each new class in the last figure", LABELS[-1]] = 3
    data: Annotated[DataName, "the second set of pictures; all but digits from torchvision, in the folder data"] = (
        "digits"
    )


SMALL = {"classes": 18, "steps": 10, "tuning": 4}


def check(settings: Settings) -> None:
    signs(settings.data)


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    rng = np.random.default_rng([seed, 1])
    new = labelled(some_classes(NEW, rng), LABELS[-1] + TESTED, "held_out", rng)
    tried = split(labelled(some_classes(NEW, rng), TRIED + TESTED, "training", rng), TRIED, rng)
    eyes = {classes: object_eye(classes, settings.steps, seed) for classes in {settings.classes, *CLASSES}}
    known = eyes[settings.classes]
    rates = best_rates(known, tried, settings, seed)
    for labels in LABELS:
        yield from learned("objects", labels, known, split(new, labels, rng), rates, settings, seed)
    numerals = signs(settings.data)
    known = sign_eye(settings.data, settings.steps // 2, seed)
    of_signs = best_rates(known, split(numerals[0], TRIED, rng), settings, seed)
    for labels in LABELS:
        yield from learned("digits", labels, known, split(numerals[1], labels, rng), of_signs, settings, seed)
    for classes in CLASSES:
        yield from learned("classes", classes, eyes[classes], split(new, settings.labels, rng), rates, settings, seed)


def split(examples: Examples, labels: int, rng: np.random.Generator) -> tuple[Examples, Examples]:
    """``labels`` examples of each class to learn from, and ``TESTED`` others to be tested with."""
    inputs, classes = examples
    own = [rng.permutation(np.flatnonzero(classes == each)) for each in classes.unique()]
    first = torch.from_numpy(np.concatenate([one[:labels] for one in own]))
    last = torch.from_numpy(np.concatenate([one[-TESTED:] for one in own]))
    return (inputs[first], classes[first]), (inputs[last], classes[last])


def told_apart(
    way: str, known: nn.Sequential, parts: tuple[Examples, Examples], rate: float, settings: Settings, seed: int
) -> float:
    """How well classes are told apart after learning them in one of three ways."""
    (inputs, labels), (asked, truth) = parts
    classes = int(labels.max()) + 1
    if way == FROZEN:
        inputs, asked, seen = frozen(known)(inputs), frozen(known)(asked), nn.Identity()
    else:
        seen = deepcopy(known) if way == TUNED else eye(inputs.shape[-1], inputs.shape[1], seed + 1000)
    module = classifier(seen, classes, seed)
    fit(module, inputs, labels, settings.tuning, torch.Generator().manual_seed(seed), rate)
    return accuracy(module, asked, truth)


def best_rates(
    known: nn.Sequential, parts: tuple[Examples, Examples], settings: Settings, seed: int
) -> dict[str, float]:
    """By way, the rate of RATES with which it is best on classes that are not those it is tested on."""
    return {way: max(RATES, key=lambda rate: told_apart(way, known, parts, rate, settings, seed)) for way in WAYS}


def learned(
    figure: str,
    x: float,
    known: nn.Sequential,
    parts: tuple[Examples, Examples],
    rates: dict[str, float],
    settings: Settings,
    seed: int,
) -> Iterator[Row]:
    for way in WAYS:
        yield Row(figure, way, x, told_apart(way, known, parts, rates[way], settings, seed))
    yield Row(figure, CHANCE, x, 1 / (int(parts[0][1].max()) + 1))
