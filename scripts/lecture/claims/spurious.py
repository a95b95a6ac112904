"""What a network makes of backgrounds that nearly give the class away, by its width."""

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
    agreement: Annotated[float, "share of the pictures whose background tells the class, in training", 1.0] = 0.95
    steps: Annotated[int, "minibatches to learn from"] = 300


SMALL = {"steps": 15}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    def learn(module: nn.Module, rng: np.random.Generator, generator: torch.Generator) -> None:
        learn_backed(module, rng, generator, {settings.agreement: 1}, settings.steps)

    for units in UNITS:
        for name, share in tested(learn, settings.agreement, seed, units).items():
            yield Row("width", name, units, share)
        yield Row("width", CHANCE, units, 0.5)
