"""Simple pictures first, or all at once: does it keep a network from learning the background?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from priorlab.scripts.lecture.backed import LIE, NOTHING, Mix, learn_backed, tested
from priorlab.scripts.lecture.claim import CHANCE, Row

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
        orders: dict[str, Sequence[tuple[Mix, int]]] = {  # what is learned from, and for how many minibatches
            "simple first": (({None: 1}, simple), ({agreement: 1}, rest)),
            "all at once": (({None: settings.simple, agreement: 1 - settings.simple}, settings.steps),),
            "simple last": (({agreement: 1}, rest), ({None: 1}, simple)),
            "no simple ones": (({agreement: 1}, settings.steps),),
        }
        for order, parts in orders.items():

            def learn(module, rng, generator, parts=parts) -> None:
                for mix, steps in parts:
                    learn_backed(module, rng, generator, mix, steps)

            found = tested(learn, agreement, seed, settings.units)
            yield Row("nothing", order, agreement, found[NOTHING])
            yield Row("lie", order, agreement, found[LIE])
        for figure in ("nothing", "lie"):
            yield Row(figure, CHANCE, agreement, 0.5)
