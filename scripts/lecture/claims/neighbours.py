"""Nearest neighbours in three kinds of features, on classes that none of them has seen."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from priorlab.scripts.lecture.claim import CHANCE, Row
from priorlab.scripts.lecture.learning import (
    NEW,
    Examples,
    Signs,
    eye,
    flat,
    frozen,
    new_objects,
    object_eye,
    sign_eye,
    signs,
)
from priorlab.scripts.lecture.objects import MOST
from priorlab.transfer.fewshot.episodes import episode_accuracies
from priorlab.transfer.fewshot.neighbours import Features, by_neighbours

SHOTS, QUERIES, WAYS = (1, 2, 5, 10), 10, 5  # examples, and questions, of each class; digits to tell apart


@dataclass(frozen=True)
class Settings:
    classes: Annotated[int, "drawings that the trained features learned to tell apart", MOST] = 128
    steps: Annotated[int, "minibatches that they learned from"] = 600
    ways: Annotated[int, "new drawings to tell apart", NEW, 2] = 5
    k: Annotated[int, "nearest neighbours that vote, at most all examples"] = 1
    episodes: Annotated[int, "tests of each kind"] = 100
    data: Annotated[Signs, "the second set of pictures; all but digits from torchvision, in the folder data"] = "digits"


SMALL = {"classes": 18, "steps": 20, "episodes": 10}


def check(settings: Settings) -> None:
    signs(settings.data)


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    objects = new_objects(seed)
    seen = object_eye(settings.classes, settings.steps, seed)
    yield from compared("objects", objects, frozen(seen), settings.ways, settings, seed)
    seen = sign_eye(settings.data, settings.steps // 2, seed)
    yield from compared("digits", signs(settings.data)[1], frozen(seen), WAYS, settings, seed)


def compared(
    figure: str,
    examples: Examples,
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
            found = episode_accuracies(
                answer, inputs, labels, ways, shots, queries=QUERIES, episodes=settings.episodes, seed=seed
            )
            yield Row(figure, kind, shots, found.mean())
        yield Row(figure, CHANCE, shots, 1 / ways)
