"""What the wide probe asks: pictures of random levels in random looks, and what each of their cells is.

The levels' objects are placed again at random, so that only pictures can tell one from another: in the banks, goals are
far from the start and monsters have room. The player is not shown.
"""

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import TILE
from priorlab.envs.looks.dials import Dials
from priorlab.envs.looks.harmless import inlays
from priorlab.envs.looks.paint_dials import cast, paint_dials
from priorlab.envs.random_games.bank import Bank
from priorlab.envs.random_games.generate import level_from
from priorlab.scripts.probe.probe_places import picture

SIDE = 12  # tiles; smaller levels are shown with black around them
ROLES = ("platform", "ladder", "fire", "spikes", "monster", "key", "goal", "inlay", "scenery")
CHARACTERS = {"#": 0, "H": 1, "*": 2, "^": 3, "m": 4, "k": 5, "G": 6, "D": 6}
QUESTIONS = ("stands", "sunk", "structure")
UNASKED = -1
APART = 2  # columns from a monster without other things, at least, as in the banks
DANGERS = 0.15  # attempts per tile of floor to let dangers into it
CHANGED = 0.25  # share of a tile's pixels that a distractor changes, at least


class Asked(NamedTuple):
    """n pictures. ``pictures``: uint8 (n, 3, TILE * SIDE, TILE * SIDE); ``setting``: int (n,), the number of its dials.

    ``roles``: int (n, SIDE, SIDE), indices into ROLES; the rest have two answers, 1 and 0: ``stands``, an object on a
    floor or another place to stand; ``sunk``, a danger or a distractor in a floor; ``structure``, a platform or ladder
    or free space. UNASKED elsewhere.
    """

    pictures: np.ndarray
    setting: np.ndarray
    roles: np.ndarray
    stands: np.ndarray
    sunk: np.ndarray
    structure: np.ndarray


@lru_cache
def small_levels(split: str) -> list[Level]:
    """The levels of the split's bank that fit."""
    bank = Bank.read(split)
    return [level for level in bank.levels(len(bank)) if max(level.width, level.height) <= SIDE]


def ask(levels: list[Level], settings: list[Dials], split: str, count: int, rng: np.random.Generator) -> Asked:
    """``count`` random pictures of the levels, by each of the settings in turn."""
    parts = Asked(
        np.zeros((count, 3, TILE * SIDE, TILE * SIDE), np.uint8), np.arange(count) % len(settings),
        *(np.full((count, SIDE, SIDE), UNASKED, np.int8) for _ in ("roles", *QUESTIONS)),
    )  # fmt: skip
    for i in range(count):
        while (level := rearranged(levels[int(rng.integers(len(levels)))], rng)) is None:
            pass
        dials, seed = settings[i % len(settings)], int(rng.integers(1 << 40))
        shown = picture(level, paint_dials(level, dials, seed, split))
        parts.pictures[i, :, : shown.shape[0], : shown.shape[1]] = shown.transpose(2, 0, 1)
        answer(parts, i, level, dials, seed, split)
    return parts


def answer(parts: Asked, i: int, level: Level, dials: Dials, seed: int, split: str) -> None:
    """Fills in the answers for picture i."""
    kinds = np.array([list(row) for row in level.rows])
    within = (i, slice(level.height), slice(level.width))
    free = np.isin(kinds, list(" ~"))
    above = np.zeros(kinds.shape, bool)
    above[:-1] = kinds[1:] == "#"
    objects, dangers = np.isin(kinds, list("mkGD")), np.isin(kinds, list("*^"))
    roles = parts.roles[within]
    for character, role in CHARACTERS.items():
        roles[kinds == character] = role
    parts.stands[within][above & free] = 0
    parts.stands[within][above & objects] = 1
    parts.structure[within][free] = 0
    parts.structure[within][np.isin(kinds, list("#H"))] = 1
    covered = np.zeros(kinds.shape, bool)
    for thing in cast(level, dials, seed, split) if dials.edition == 2 else ():
        if thing.role in ("inlay", "scenery"):
            covered[tuple(thing.tiles.T)] = True
            roles[tuple(thing.tiles.T)] = ROLES.index(thing.role)
    parts.sunk[within][dangers] = 1
    if dials.objects < 1 and dials.edition == 2:
        parts.sunk[within][(kinds == "#") & changed(level, dials, seed, split)] = 0


def changed(level: Level, dials: Dials, seed: int, split: str) -> np.ndarray:
    """bool (rows, columns): the tiles that look different with and without distractors."""
    one, other = (paint_dials(level, each, seed, split).background for each in (dials, replace(dials, objects=1.0)))
    differ = (one != other).any(axis=2)[: TILE * level.height, : TILE * level.width]
    return differ.reshape(level.height, TILE, level.width, TILE).mean(axis=(1, 3)) > CHANGED


def rearranged(level: Level, rng: np.random.Generator) -> Level | None:
    """The level with its start and goal, a monster and in half of the levels a key at random places on floors, and with
    dangers at random places in floors; None if there is no room."""
    cells = np.array([list(row) for row in level.rows])
    cells[np.isin(cells, list("SGDkm~"))], cells[np.isin(cells, list("*^"))] = " ", "#"
    for part in inlays(cells, cells == " ", rng, DANGERS):
        cells[tuple(part.T)] = "*^"[int(rng.integers(2))]
    things = ["S", "k", "D", "m"] if rng.random() < 0.5 else ["S", "G", "m"]
    for row, column in rng.permutation(np.argwhere((cells[:-1] == " ") & (cells[1:] == "#"))):
        if things and "m" not in cells[row, max(column - APART, 0) : column + APART + 1]:
            cells[row, column] = things.pop()
    return None if things else level_from(tuple("".join(row) for row in cells), level.name, level.period)
