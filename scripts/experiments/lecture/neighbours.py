"""Nearest neighbours in three kinds of features, on classes that none of them has seen."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch

from scripts.experiments.lecture.claim import Row
from scripts.experiments.lecture.learning import CHANCE, digit_eye, digit_halves, eye, flat, frozen, object_eye
from scripts.experiments.lecture.objects import labelled, some_classes
from transfer.fewshot.episodes import accuracies
from transfer.fewshot.neighbours import Features, by_neighbours

SHOTS = (1, 2, 5, 10)


@dataclass(frozen=True)
class Settings:
    classes: Annotated[int, "drawings that the trained features learned to tell apart"] = 128
    steps: Annotated[int, "minibatches that they learned from"] = 600
    ways: Annotated[int, "new drawings to tell apart"] = 5
    k: Annotated[int, "nearest neighbours that vote"] = 1
    episodes: Annotated[int, "tests of each kind"] = 100


SMALL = {"classes": 18, "steps": 20, "episodes": 10}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    rng = np.random.default_rng([seed, 1])
    objects = labelled(some_classes(64, rng), 40, "held_out", rng)
    seen = object_eye(settings.classes, 60, settings.steps, seed)
    yield from compared("objects", objects, frozen(seen), settings.ways, settings, seed)
    numerals = digit_halves()[1]
    yield from compared("digits", numerals, frozen(digit_eye(settings.steps // 2, seed)), 5, settings, seed)


def compared(
    figure: str,
    examples: tuple[torch.Tensor, torch.Tensor],
    learned: Features,
    ways: int,
    settings: Settings,
    seed: int,
) -> Iterator[Row]:
    pictures, labels = examples
    untrained = eye(pictures.shape[-1], pictures.shape[1], seed)
    kinds = {"pixels": flat, "random features": frozen(untrained), "trained features": learned}
    seen = {kind: features(pictures) for kind, features in kinds.items()}
    for shots in SHOTS:
        for kind, inputs in seen.items():
            answer = by_neighbours(flat, settings.k)
            found = accuracies(answer, inputs, labels, ways, shots, episodes=settings.episodes, seed=seed)
            yield Row(figure, kind, shots, found.mean())
        yield Row(figure, CHANCE, shots, 1 / ways)
