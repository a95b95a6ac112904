"""How many tasks a network holds as they come: the same network, small and larger, with each way of keeping them."""

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
    tasks: Annotated[int, "permutations of the pixels that are learned, one after another"] = 16
    steps: Annotated[int, "minibatches of each"] = 150
    small: Annotated[int, "units of each of the two hidden layers of the small network"] = 16
    large: Annotated[int, "the same of the larger one"] = 64
    held: Annotated[float, "least accuracy at which a task counts as held", 1.0] = 0.9


SMALL = {"tasks": 3, "steps": 15}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    problems = digits.permuted_digits(settings.tasks, seed)
    for size in ("small", "large"):
        for line, method in METHODS.items():
            found = one_after_another(method, problems, getattr(settings, size), settings.steps, seed)
            for learned in range(settings.tasks):
                own = [found[learned, task] for task in range(learned + 1)]
                yield Row(f"held_{size}", line, learned + 1, sum(each >= settings.held for each in own))
                yield Row(f"accuracy_{size}", line, learned + 1, sum(own) / len(own))
        for learned in range(settings.tasks):
            yield Row(f"accuracy_{size}", CHANCE, learned + 1, 1 / digits.CLASSES)
