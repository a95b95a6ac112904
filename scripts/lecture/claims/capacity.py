"""How many tasks in a row does a network hold? A small and a larger network, with every way of keeping tasks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from priorlab.scripts.lecture.claim import CHANCE, Row
from priorlab.scripts.lecture.learning import one_after_another
from priorlab.transfer import digits

METHODS = {
    "fine-tuning": "finetune", "EWC": "online-ewc:strength=10", "superposition": "psp", "separate networks": "separate",
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    tasks: Annotated[int, "permutations of the pixels, learned one after another"] = 16
    steps: Annotated[int, "minibatches per task"] = 150
    small: Annotated[int, "units of each of the two hidden layers of the small network"] = 16
    large: Annotated[int, "the same for the large network"] = 64
    held: Annotated[float, "smallest accuracy at which a task counts as held", 1.0] = 0.9


SMALL = {"tasks": 3, "steps": 15}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    problems = digits.permuted_digits(settings.tasks, seed)
    for size in ("small", "large"):
        for line, method in METHODS.items():
            accuracies = one_after_another(method, problems, getattr(settings, size), settings.steps, seed)
            for learned in range(settings.tasks):
                so_far = [accuracies[learned, task] for task in range(learned + 1)]
                yield Row(f"held_{size}", line, learned + 1, sum(each >= settings.held for each in so_far))
                yield Row(f"accuracy_{size}", line, learned + 1, sum(so_far) / len(so_far))
        for learned in range(settings.tasks):
            yield Row(f"accuracy_{size}", CHANCE, learned + 1, 1 / digits.CLASSES)
