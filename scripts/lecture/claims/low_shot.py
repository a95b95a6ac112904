"""Recognising new classes from few examples, with others made up."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch

from priorlab.scripts.lecture.claim import CHANCE, Row
from priorlab.scripts.lecture.learning import NEW, WIDTH, flat, known_objects, new_objects, object_classifier
from priorlab.scripts.lecture.objects import MOST
from priorlab.transfer.fewshot.episodes import episode_accuracies
from priorlab.transfer.fewshot.lowshot import Hallucinator, analogies, by_regression
from priorlab.transfer.fewshot.neighbours import by_means

SHOTS = (1, 2, 5, 20)


@dataclass(frozen=True)
class Settings:
    classes: Annotated[int, "drawings that features and analogies were learned from", MOST, 2] = 96
    steps: Annotated[int, "minibatches that the features, and who makes up examples, learned from"] = 600
    ways: Annotated[int, "new drawings to tell apart", NEW, 2] = 20
    enough: Annotated[int, "examples up to which a class is filled with those made up"] = 40
    episodes: Annotated[int, "tests of each kind"] = 20


SMALL = {"classes": 18, "steps": 20, "ways": 5, "episodes": 3}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    new, of_new = new_objects(seed)
    known, of_known = known_objects(settings.classes, seed)
    seen, judge = object_classifier(settings.classes, settings.steps, seed).requires_grad_(False)
    new, known = (seen(pictures) for pictures in (new, known))
    size = known.square().mean().sqrt()  # of a feature, so that errors and regression have a scale
    new, known = new / size, known / size
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        maker = Hallucinator(WIDTH)
    maker.learn(analogies(known, of_known, seed), lambda made: judge(size * made), settings.steps, seed)
    kinds = {
        "regression, examples made up": by_regression(flat, maker, settings.enough, seed),
        "regression": by_regression(flat),
        "class means": by_means(flat),
    }
    for shots in SHOTS:
        for kind, answer in kinds.items():
            found = episode_accuracies(answer, new, of_new, settings.ways, shots, episodes=settings.episodes, seed=seed)
            yield Row("shots", kind, shots, found.mean())
        yield Row("shots", CHANCE, shots, 1 / settings.ways)
