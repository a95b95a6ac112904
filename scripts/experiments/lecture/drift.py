"""Training is IID, the world isn't: digits that turn while they are learned, and what is kept of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch

from scripts.experiments.lecture.claim import CHANCE, Row
from transfer import digits
from transfer.methods import keep, parse
from transfer.network import Network
from transfer.supervised import Problem, Training, learn_all

SHUFFLED = "shuffled"
METHODS = {
    "drifting": "finetune", "drifting, EWC": "online-ewc:strength=10", "drifting, superposition": "psp",
    "drifting, separate": "separate",
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    angles: Annotated[int, "into which the full turn is divided"] = 10
    steps: Annotated[int, "minibatches at each angle"] = 100
    units: Annotated[int, "of each of the two hidden layers"] = 128


SMALL = {"angles": 4, "steps": 15}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    problems = digits.rotating(settings.angles, seed)
    for line, method in {SHUFFLED: "finetune", **METHODS}.items():
        network = Network(digits.network(settings.units, seed), example=problems[0].inputs[:1])
        if line == SHUFFLED:
            inputs, labels = (torch.cat([getattr(each, part) for each in problems]) for part in ("inputs", "labels"))
            own = [Problem(inputs, labels, problem.test_inputs, problem.test_labels) for problem in problems]
        else:
            own = problems
        kept = keep(network, parse(method, heads=False), settings.angles, seed)
        points = learn_all(kept, own, Training(steps=settings.steps), seed)
        last = {(point.learning, point.task): point.performance for point in points if point.share == 1}
        for angle in range(settings.angles):
            degrees = 360 * angle / settings.angles
            seen = [last[angle, earlier] for earlier in range(settings.angles if line == SHUFFLED else angle + 1)]
            yield Row("time", line, degrees, float(np.mean(seen)))
            yield Row("angles", line, degrees, last[settings.angles - 1, angle])
    for angle in range(settings.angles):
        for figure in ("time", "angles"):
            yield Row(figure, CHANCE, 360 * angle / settings.angles, 1 / digits.CLASSES)
