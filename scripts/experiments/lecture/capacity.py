"""How many tasks a network holds as they come: the same small network, with each way of keeping them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from scripts.experiments.lecture.claim import CHANCE, Row
from transfer import digits
from transfer.methods import keep, parse
from transfer.network import Network
from transfer.supervised import Training, learn_all

METHODS = {
    "fine-tuning": "finetune", "EWC": "online-ewc:strength=10", "superposition": "psp", "separate networks": "separate",
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    tasks: Annotated[int, "permutations of the pixels that are learned, one after another"] = 16
    steps: Annotated[int, "minibatches of each"] = 150
    units: Annotated[int, "of each of the two hidden layers"] = 16
    held: Annotated[float, "least accuracy at which a task counts as held", 1.0] = 0.9


SMALL = {"tasks": 3, "steps": 15}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    problems = digits.permuted(settings.tasks, seed)
    for line, method in METHODS.items():
        network = Network(digits.network(settings.units, seed), example=problems[0].inputs[:1])
        kept = keep(network, parse(method, heads=False), settings.tasks, seed)
        points = learn_all(kept, problems, Training(steps=settings.steps), seed)
        last = {(point.learning, point.task): point.performance for point in points if point.share == 1}
        for learned in range(settings.tasks):
            own = [last[learned, task] for task in range(learned + 1)]
            yield Row("held", line, learned + 1, sum(each >= settings.held for each in own))
            yield Row("accuracy", line, learned + 1, sum(own) / len(own))
    for learned in range(settings.tasks):
        yield Row("accuracy", CHANCE, learned + 1, 1 / digits.CLASSES)
