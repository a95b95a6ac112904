"""Siamese networks: features that were learned for matching, tested on classes that they have not seen."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from torch import nn

from priorlab.scripts.lecture.claim import CHANCE, Row
from priorlab.scripts.lecture.learning import (
    BATCH,
    NEW,
    WIDTH,
    eye,
    flat,
    frozen,
    known_objects,
    new_objects,
    object_eye,
)
from priorlab.scripts.lecture.objects import MOST, SIDE
from priorlab.transfer.fewshot.episodes import episode_accuracies
from priorlab.transfer.fewshot.neighbours import by_neighbours
from priorlab.transfer.fewshot.siamese import Siamese, train_siamese

WAYS, SHOTS = (2, 5, 10, 20, 50), (1, 2, 5, 10)


@dataclass(frozen=True)
class Settings:
    classes: Annotated[int, "drawings that both networks learned from", MOST, 2] = 128
    steps: Annotated[int, "minibatches that both learned from"] = 600
    ways: Annotated[int, "new drawings to tell apart, in the second figure", NEW, 2] = 20
    episodes: Annotated[int, "tests of each kind"] = 100


SMALL = {"classes": 18, "steps": 20, "episodes": 5}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    new, of_new = new_objects(seed)
    known, of_known = known_objects(settings.classes, seed)
    siamese = Siamese(eye(SIDE, 3, seed), WIDTH)
    train_siamese(siamese, known, of_known, settings.steps, seed, BATCH // 2)  # pairs: as many pictures
    told = object_eye(settings.classes, settings.steps, seed)
    matcher = Siamese(nn.Identity(), WIDTH)  # of features that are found once for all tests
    matcher.weigh = siamese.weigh
    kinds = {
        "learned to match": (frozen(siamese.features)(new), matcher.classify),
        "learned to classify": (frozen(told)(new), by_neighbours(flat)),
        "pixels": (flat(new), by_neighbours(flat)),
    }
    tests = [("ways", ways, ways, 1) for ways in WAYS] + [("shots", shots, settings.ways, shots) for shots in SHOTS]
    for figure, x, ways, shots in tests:
        for kind, (inputs, answer) in kinds.items():
            found = episode_accuracies(answer, inputs, of_new, ways, shots, episodes=settings.episodes, seed=seed)
            yield Row(figure, kind, x, found.mean())
        yield Row(figure, CHANCE, x, 1 / ways)
