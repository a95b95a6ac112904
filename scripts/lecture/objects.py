"""Pictures of objects to learn from: a class is one drawing of the lab's own looks, in whatever colours and place.

The drawings of the two splits differ (``envs/looks/exemplars.py``), so that classes of ``held_out`` are new to whoever
learned from ``training``.
"""

from functools import cache

import numpy as np
import torch

from priorlab.envs.game.rules import TILE
from priorlab.envs.looks.exemplars import CHANCES, DRAWINGS, ROLES, exemplars, ground, unpack

SHIFT = 2  # pixels, at most, from the middle
SIDE = TILE + 2 * SHIFT
GROUNDS = 512  # backgrounds to choose from
FAMILIES = len(ROLES)
MOST = FAMILIES * DRAWINGS  # classes of a split


def some_classes(number: int, rng: np.random.Generator) -> np.ndarray:
    """int64 (number,): different classes, the families in turn."""
    if not 1 <= number <= MOST:
        raise ValueError(f"classes is {number}: expected 1 to {MOST}, as there are no more drawings")
    of_family = [rng.permutation(DRAWINGS) for _ in ROLES]
    numbers = np.arange(number)
    chosen = [of_family[one % FAMILIES][one // FAMILIES] for one in numbers]
    return (numbers % FAMILIES) * DRAWINGS + np.array(chosen)


def pictures(
    classes: np.ndarray, split: str, rng: np.random.Generator, grounds: np.ndarray | None = None
) -> torch.Tensor:
    """float32 (n, 3, SIDE, SIDE), -1 to 1: an example of each of n classes; ``grounds``, uint8 (n, SIDE, SIDE, 3), is
    what they stand on, at random where it is None."""
    number = len(classes)
    chances = rng.random((number, CHANCES))
    chances[:, 0] = (classes % DRAWINGS + 0.5) / DRAWINGS
    drawn = unpack(exemplars(classes // DRAWINGS, split, chances))  # (n, TILE, TILE, 4)
    found = (backgrounds()[rng.integers(GROUNDS, size=number)] if grounds is None else grounds).copy()
    rows, columns = rng.integers(2 * SHIFT + 1, size=(2, number))
    for picture, thing, row, column in zip(found, drawn, rows, columns):
        place = picture[row : row + TILE, column : column + TILE]
        np.copyto(place, thing[..., :3], where=thing[..., 3:] > 0)
    return as_inputs(found)


def as_inputs(found: np.ndarray) -> torch.Tensor:
    """float32 (n, 3, S, S), -1 to 1, of uint8 (n, S, S, 3)."""
    return torch.from_numpy(found).permute(0, 3, 1, 2).float() / 127.5 - 1


@cache
def backgrounds() -> np.ndarray:
    """uint8 (GROUNDS, SIDE, SIDE, 3): dim ones, in one colour or with a faint pattern."""
    rng = np.random.default_rng(0)
    tiles = np.stack([unpack(ground(rng))[..., :3] for _ in range(GROUNDS)])
    return np.tile(tiles, (1, 2, 2, 1))[:, :SIDE, :SIDE]


def labelled(classes: np.ndarray, each: int, split: str, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """``each`` pictures of each class, (n, 3, SIDE, SIDE), and int64 (n,): which of ``classes``, class after class."""
    return (
        pictures(classes.repeat(each), split, rng),
        torch.arange(len(classes)).repeat_interleave(each),
    )
