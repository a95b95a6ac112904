"""Whether what was learned on N classes helps with new ones, and what fine-tuning makes of few labels."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from torch import nn

from scripts.experiments.lecture.claim import Row
from scripts.experiments.lecture.learning import (
    CHANCE,
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
from scripts.experiments.lecture.objects import labelled, some_classes
from transfer.digits import Data

NEW, LABELS, TESTED = 10, (1, 3, 10, 30, 100), 50  # new classes, labels of each to learn from, and to be tested with
CLASSES = (2, 8, 32, 128)
SCRATCH, TUNED, FROZEN = "from scratch", "fine-tuned", "features kept"


@dataclass(frozen=True)
class Settings:
    classes: Annotated[int, "drawings that the features were learned from, in the first figure"] = 128
    steps: Annotated[int, "minibatches that they were learned from"] = 400
    tuning: Annotated[int, "steps of learning the new classes"] = 80
    labels: Annotated[int, "labels of each new class in the last figure"] = 3
    data: Annotated[Data, "the second set of pictures; all but digits from torchvision, in the folder data"] = "digits"


SMALL = {"classes": 18, "steps": 10, "tuning": 4}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    rng = np.random.default_rng([seed, 1])
    new = labelled(some_classes(NEW, rng), LABELS[-1] + TESTED, "held_out", rng)
    known = object_eye(settings.classes, 60, settings.steps, seed)
    for labels in LABELS:
        yield from learned("objects", labels, known, split(new, labels), settings, seed)
    known = sign_eye(settings.data, settings.steps // 2, seed)
    for labels in LABELS:
        yield from learned("digits", labels, known, split(signs(settings.data)[1], labels), settings, seed)
    for classes in CLASSES:
        known = object_eye(classes, 60, settings.steps, seed)
        yield from learned("classes", classes, known, split(new, settings.labels), settings, seed)


def split(examples: Examples, labels: int) -> tuple[Examples, Examples]:
    """The first ``labels`` examples of each class to learn from, and its last ``TESTED`` to be tested with."""
    inputs, classes = examples
    own = [torch.nonzero(classes == each)[:, 0] for each in classes.unique()]
    first, last = torch.cat([each[:labels] for each in own]), torch.cat([each[-TESTED:] for each in own])
    return (inputs[first], classes[first]), (inputs[last], classes[last])


def learned(
    figure: str, x: float, known: nn.Sequential, parts: tuple[Examples, Examples], settings: Settings, seed: int
) -> Iterator[Row]:
    """How well new classes are told apart after learning them in three ways."""
    (inputs, labels), tests = parts
    classes = int(labels.max()) + 1
    unknown = eye(inputs.shape[-1], inputs.shape[1], seed + 1000)
    for way, seen in ((SCRATCH, unknown), (TUNED, deepcopy(known))):
        module = classifier(seen, classes, seed)
        fit(module, inputs, labels, settings.tuning, torch.Generator().manual_seed(seed))
        yield Row(figure, way, x, accuracy(module, *tests))
    features, asked = frozen(known)(inputs), frozen(known)(tests[0])
    head = classifier(nn.Identity(), classes, seed)
    fit(head, features, labels, settings.tuning, torch.Generator().manual_seed(seed), 1e-2)
    yield Row(figure, FROZEN, x, accuracy(head, asked, tests[1]))
    yield Row(figure, CHANCE, x, 1 / classes)
