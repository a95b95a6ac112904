"""What does a network learn from backgrounds that nearly give the class away? By its width."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from torch import nn

from priorlab.scripts.lecture.backed import learn_backed, tested
from priorlab.scripts.lecture.claim import CHANCE, Row

UNITS = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True)
class Settings:
    agreement: Annotated[float, "share of training pictures whose background agrees with the class", 1.0] = 0.95
    steps: Annotated[int, "minibatches of training"] = 300


SMALL = {"steps": 15}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    def learn(module: nn.Module, rng: np.random.Generator, generator: torch.Generator) -> None:
        learn_backed(module, rng, generator, {settings.agreement: 1}, settings.steps)

    for units in UNITS:
        for name, share in tested(learn, settings.agreement, seed, units).items():
            yield Row("width", name, units, share)
        yield Row("width", CHANCE, units, 0.5)
