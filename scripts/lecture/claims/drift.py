"""Training is IID, the world isn't: digits that turn while they are learned, and what is kept of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch

from priorlab.scripts.lecture.claim import CHANCE, Row
from priorlab.scripts.lecture.learning import one_after_another
from priorlab.transfer import digits
from priorlab.transfer.supervised import Problem

SHUFFLED, DRIFTING = "shuffled", "drifting"
METHODS = {  # in the order of the last figure's ticks
    DRIFTING: "finetune", "drifting, L2": "l2:strength=0.1", "drifting, EWC": "online-ewc:strength=10",
    "drifting, superposition": "psp", "drifting, packing": "packing", "drifting, progressive": "progressive",
    "drifting, separate": "separate",
}  # fmt: skip
SHOWN = (SHUFFLED, DRIFTING, "drifting, EWC", "drifting, superposition", "drifting, separate")  # as curves
FOLLOWED = {"the first": 0, "a quarter turn": 1 / 4, "half a turn": 2 / 4, "three quarters": 3 / 4}  # over time


@dataclass(frozen=True)
class Settings:
    angles: Annotated[int, "into which the full turn is divided", 72, 4] = 8
    steps: Annotated[int, "minibatches at each angle"] = 100
    units: Annotated[int, "of each of the two hidden layers"] = 128


SMALL = {"angles": 4, "steps": 15}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    problems = digits.rotating_digits(settings.angles, seed)
    inputs, labels = (torch.cat(parts) for parts in zip(*((each.view(each.inputs), each.labels) for each in problems)))
    mixed = [Problem(inputs, labels, each.view(each.test_inputs), each.test_labels) for each in problems]
    degrees, last = [360 * angle / settings.angles for angle in range(settings.angles)], settings.angles - 1
    for line, method in {SHUFFLED: "finetune", **METHODS}.items():
        own = mixed if line == SHUFFLED else problems
        found = one_after_another(method, own, settings.units, settings.steps, seed)
        for angle, turned in enumerate(degrees) if line in SHOWN else ():
            met = range(settings.angles if line == SHUFFLED else angle + 1)
            yield Row("time", line, turned, float(np.mean([found[angle, other] for other in met])))
            yield Row("angles", line, turned, found[last, angle])
        for followed, share in FOLLOWED.items() if line == DRIFTING else ():
            task = round(share * settings.angles)
            yield from (Row("each", followed, turned, found[angle, task]) for angle, turned in enumerate(degrees))
        kept = float(np.mean([found[last, angle] for angle in range(settings.angles)]))
        if line == SHUFFLED:
            yield from (Row("methods", line, x, kept) for x in range(len(METHODS)))
        else:
            yield Row("methods", DRIFTING, list(METHODS).index(line), kept)
    for figure in ("time", "angles", "each"):
        yield from (Row(figure, CHANCE, turned, 1 / digits.CLASSES) for turned in degrees)
    yield from (Row("methods", CHANCE, x, 1 / digits.CLASSES) for x in range(len(METHODS)))
