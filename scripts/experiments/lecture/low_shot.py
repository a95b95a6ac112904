"""Recognising new classes from few examples, with others made up."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from torch.nn import functional

from scripts.experiments.lecture.claim import CHANCE, Row
from scripts.experiments.lecture.learning import WIDTH, flat, frozen, known_objects, object_eye
from scripts.experiments.lecture.objects import MOST, labelled, some_classes
from transfer.fewshot.episodes import accuracies
from transfer.fewshot.lowshot import Hallucinator, analogies, by_regression
from transfer.fewshot.neighbours import by_means

SHOTS = (1, 2, 5, 10, 20)
NEW = 64  # drawings from which those of a test are drawn


@dataclass(frozen=True)
class Settings:
    classes: Annotated[int, "drawings that features and analogies were learned from", MOST] = 96
    steps: Annotated[int, "minibatches that the features, and who makes up examples, learned from"] = 600
    ways: Annotated[int, "new drawings to tell apart", NEW] = 20
    enough: Annotated[int, "examples up to which a class is filled with those made up"] = 40
    episodes: Annotated[int, "tests of each kind"] = 20


SMALL = {"classes": 18, "steps": 20, "ways": 5, "episodes": 3}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    rng = np.random.default_rng([seed, 1])
    new, of_new = labelled(some_classes(NEW, rng), 40, "held_out", rng)
    known, of_known = known_objects(settings.classes, seed)
    seen = frozen(object_eye(settings.classes, settings.steps, seed))
    new, known = (functional.normalize(seen(pictures), dim=1) for pictures in (new, known))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        maker = Hallucinator(WIDTH)
    maker.learn(analogies(known, of_known, seed), settings.steps, seed)
    kinds = {
        "regression, examples made up": by_regression(flat, maker, settings.enough, seed),
        "regression": by_regression(flat),
        "class means": by_means(flat),
    }
    for shots in SHOTS:
        for kind, answer in kinds.items():
            found = accuracies(answer, new, of_new, settings.ways, shots, episodes=settings.episodes, seed=seed)
            yield Row("shots", kind, shots, found.mean())
        yield Row("shots", CHANCE, shots, 1 / settings.ways)
