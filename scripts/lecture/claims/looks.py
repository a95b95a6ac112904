"""How good features are on other pictures of the same things: families of drawings, and digits that are shifted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from torch.nn import functional

from priorlab.envs.game.rules import TILE
from priorlab.envs.looks.exemplars import DRAWINGS, rgb_of
from priorlab.envs.looks.textures import PATTERNS, X, Y
from priorlab.scripts.lecture.claim import CHANCE, Row
from priorlab.scripts.lecture.learning import accuracy, classifier, eye, fit
from priorlab.scripts.lecture.objects import FAMILIES, SHIFT, SIDE, as_inputs, backgrounds, pictures
from priorlab.transfer import digits

LOOKS = (1, 8, 64, 256)  # drawings of each family to learn from
PICTURES, TESTED = 4608, 900
SHIFTS, FARTHEST = (0, 1, 2, 3, 4, 5, 6), 8  # pixels
COPIES = 4  # of each digit to learn from, each shifted anew


@dataclass(frozen=True)
class Settings:
    steps: Annotated[int, "minibatches to learn the families from"] = 400
    digit_steps: Annotated[int, "minibatches to learn the digits from"] = 200
    shifted: Annotated[int, "pixels by which digits are shifted, at most, where they are", FARTHEST] = 4


SMALL = {"steps": 15, "digit_steps": 5}


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    for looks in LOOKS:
        yield from families(looks, settings.steps, seed)
    yield from shifted_digits(settings, seed)


def families(looks: int, steps: int, seed: int) -> Iterator[Row]:
    """Learns which of nine families a picture shows, from ``looks`` drawings of each, and is tested."""
    rng = np.random.default_rng([seed, looks])
    chosen = np.array([rng.permutation(DRAWINGS)[:looks] for _ in range(FAMILIES)])
    labels = np.arange(PICTURES) % FAMILIES
    inputs = pictures(classes_of(chosen, labels, rng), "training", rng)
    module = classifier(eye(SIDE, 3, seed), FAMILIES, seed)
    fit(module, inputs, torch.from_numpy(labels), steps, torch.Generator().manual_seed(seed))
    asked = np.arange(TESTED) % FAMILIES
    every = np.tile(np.arange(DRAWINGS), (FAMILIES, 1))
    tests = {
        "other pictures of the same drawings": pictures(classes_of(chosen, asked, rng), "training", rng),
        "drawings never seen": pictures(classes_of(every, asked, rng), "held_out", rng),
        "alien looks": aliens(TESTED, rng),
    }
    for name, found in tests.items():
        yield Row("looks", name, looks, accuracy(module, found, torch.from_numpy(asked)))
    yield Row("looks", CHANCE, looks, 1 / FAMILIES)


def classes_of(drawings: np.ndarray, families: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """int64 (n,): a class for each of n families, one of its drawings (FAMILIES, m) at random."""
    return families * DRAWINGS + drawings[families, rng.integers(drawings.shape[1], size=len(families))]


def aliens(number: int, rng: np.random.Generator) -> torch.Tensor:
    """Pictures in which a texture in random colours stands for the thing, whatever it is."""
    patterns = list(PATTERNS.values())
    found = backgrounds()[rng.integers(len(backgrounds()), size=number)].copy()
    for picture in found:
        colours = np.rint(255 * rgb_of(rng.random((3, 3)) * [1, 0.8, 1])).astype(np.uint8)
        row, column = rng.integers(2 * SHIFT + 1, size=2)
        texture = colours[patterns[int(rng.integers(len(patterns)))](rng, X, Y)]
        picture[row : row + TILE, column : column + TILE] = texture
    return as_inputs(found)


def shifted_digits(settings: Settings, seed: int) -> Iterator[Row]:
    every = digits.read_digits()
    inputs, tests = (each.reshape(-1, 1, digits.SIDE, digits.SIDE) for each in (every.inputs, every.test_inputs))
    rng = np.random.default_rng([seed, 2])
    for name, most in (("learned in the middle", 0), ("learned shifted", settings.shifted)):
        seen, labels = inputs.repeat(COPIES, 1, 1, 1), every.labels.repeat(COPIES)
        moves = rng.integers(-most, most + 1, size=(2, len(seen)))
        module = classifier(eye(digits.SIDE, 1, seed), digits.CLASSES, seed)
        fit(module, shifted(seen, *moves), labels, settings.digit_steps, torch.Generator().manual_seed(seed))
        for far in SHIFTS:
            sides = [
                shifted(tests, *np.full((len(tests), 2), move).T) for move in ((far, 0), (-far, 0), (0, far), (0, -far))
            ]
            yield Row("shifted", name, far, accuracy(module, torch.cat(sides), every.test_labels.repeat(4)))
    for far in SHIFTS:
        yield Row("shifted", CHANCE, far, 1 / digits.CLASSES)


def shifted(pictures: torch.Tensor, down: np.ndarray, right: np.ndarray) -> torch.Tensor:
    """Pictures (n, 1, S, S), each moved by its own pixels, int (n,), at most FARTHEST; what comes in is paper."""
    wide = functional.pad(pictures, (FARTHEST,) * 4, value=float(pictures.min()))
    at = np.arange(digits.SIDE) + FARTHEST
    rows, columns = (torch.from_numpy(at - move[:, None]) for move in (down, right))  # (n, S)
    numbers = torch.arange(len(pictures))[:, None, None]
    return wide[numbers, 0, rows[:, :, None], columns[:, None, :]][:, None]
