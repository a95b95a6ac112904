"""What a network makes of backgrounds that nearly give the class away, by its width."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from scripts.experiments.lecture.backed import learn_backed, tested
from scripts.experiments.lecture.claim import CHANCE, Row

UNITS = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True)
class Settings:
    agreement: Annotated[float, "share of the pictures whose background tells the class, in training", 1.0] = 0.95
    steps: Annotated[int, "minibatches to learn from"] = 300


SMALL = {"steps": 15}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    for units in UNITS:
        found = tested(
            lambda module, rng, generator: learn_backed(module, rng, generator, settings.agreement, settings.steps),
            settings.agreement, seed, units,
        )  # fmt: skip
        for name, share in found.items():
            yield Row("width", name, units, share)
        yield Row("width", CHANCE, units, 0.5)
