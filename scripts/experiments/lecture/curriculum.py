"""Simple pictures first, or all at once: does it keep a network from learning the background?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from scripts.experiments.lecture.backed import LIE, NOTHING, learn_backed, tested
from scripts.experiments.lecture.claim import CHANCE, Row

AGREEMENTS = (0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True)
class Settings:
    steps: Annotated[int, "minibatches in all"] = 300
    simple: Annotated[float, "share of them that is simple: on gray, which tells nothing", 0.99] = 0.5
    units: Annotated[int, "width of the network: of its first layer"] = 16


SMALL = {"steps": 10}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    simple = round(settings.simple * settings.steps)
    rest = settings.steps - simple
    for agreement in AGREEMENTS:
        orders = {
            "simple first": ((None, simple), (agreement, rest)),
            "simple last": ((agreement, rest), (None, simple)),
            "no simple ones": ((agreement, simple), (agreement, rest)),
        }
        for order, parts in orders.items():

            def learn(module, rng, generator, parts=parts) -> None:
                for own, steps in parts:
                    learn_backed(module, rng, generator, own, steps)

            found = tested(learn, agreement, seed, settings.units)
            yield Row("nothing", order, agreement, found[NOTHING])
            yield Row("lie", order, agreement, found[LIE])
        for figure in ("nothing", "lie"):
            yield Row(figure, CHANCE, agreement, 0.5)
