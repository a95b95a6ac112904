"""Where a random look of the second edition has things that do nothing: inlays, scenery, distractors.

All of them are where things of the game could be, so that a place alone says little: inlays are let into floors as
dangers are, scenery and distractors stand on floors as objects do. Grids are (rows, columns), characters of level.py.
"""

import numpy as np

from priorlab.envs.game.grids import runs

IN_FLOORS = ("*", "^")
SOLID = ("#", *IN_FLOORS)
HEADROOM = 2  # rows above an inlay and the tile on either side without anything solid; one more over a wide one
WIDTHS = (1, 1, 1, 1, 2, 2, 3)  # tiles of an inlay, each as likely, in a level without dangers
SCENERY = 2.5  # per 100 tiles
PATCHES = 2.0  # of distractors, per 100 tiles
PATCH_WIDE, PATCH_HIGH = (2, 5), (1, 3)  # tiles, least and most


def standing_places(kinds: np.ndarray, free: np.ndarray) -> np.ndarray:
    """bool: the free tiles above a floor."""
    above = np.zeros(kinds.shape, bool)
    above[:-1] = np.isin(kinds[1:], SOLID)
    return above & free


def inlays(kinds: np.ndarray, free: np.ndarray, rng: np.random.Generator, per_tile: float) -> list[np.ndarray]:
    """int (n, 2) each, the tiles of floors that could hold a danger: in rows as long as the level's, with floor on both
    sides and room above. ``per_tile``: attempts per tile of floor."""
    widths = [length for _, _, length in runs(np.isin(kinds, IN_FLOORS))] or WIDTHS
    low, high = room_above(kinds, free, HEADROOM), room_above(kinds, free, HEADROOM + 1)
    found: list[np.ndarray] = []
    for row, column, length in runs(kinds == "#"):
        left = np.ones(length, bool)  # tiles that are not taken yet, nor next to one that is
        for _ in range(rng.poisson(per_tile * length)):
            wide, chance = widths[int(rng.integers(len(widths)))], rng.random()
            if length < wide + 2:
                continue
            first = 1 + int(chance * (length - wide - 1))
            here = slice(column + first, column + first + wide)
            roomy = low if wide == 1 else high
            if left[first : first + wide].all() and roomy[row, here].all():
                left[first - 1 : first + wide + 1] = False
                found.append(np.array([(row, c) for c in range(here.start, here.stop)]))
    return found


def room_above(kinds: np.ndarray, free: np.ndarray, rows: int) -> np.ndarray:
    """bool: the tiles with a free one above, and nothing solid in so many rows above them and their neighbours."""
    solid = np.isin(kinds, ("|", "H", *SOLID))
    wide = solid.copy()
    wide[:, 1:] |= solid[:, :-1]
    wide[:, :-1] |= solid[:, 1:]
    roomy = np.zeros(kinds.shape, bool)
    roomy[rows:] = free[rows - 1 : -1]
    for up in range(1, rows + 1):
        roomy[rows:] &= ~wide[rows - up : len(kinds) - up]
    return roomy


def run_of(tiles: np.ndarray) -> np.ndarray:
    """int (n,): for each of n tiles, row by row, the number of the first in its row up to it with none missing."""
    begins = np.ones(len(tiles), bool)
    begins[1:] = (np.diff(tiles, axis=0) != (0, 1)).any(axis=1)
    return np.maximum.accumulate(np.where(begins, np.arange(len(tiles)), 0))


def scenery(kinds: np.ndarray, free: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """int (n, 2): places to stand on floors; beside monsters too, or else being alone would give them away."""
    place = np.zeros(kinds.shape, bool)
    place[:-1] = kinds[1:] == "#"
    places = np.argwhere(place & free)
    return rng.permutation(places)[: rng.poisson(SCENERY * kinds.size / 100)]


def patches(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """bool: rectangles anywhere."""
    covered = np.zeros(shape, bool)
    for _ in range(rng.poisson(PATCHES * covered.size / 100)):
        row, column = (int(rng.integers(n)) for n in shape)
        wide, high = (int(rng.integers(low, most + 1)) for low, most in (PATCH_WIDE, PATCH_HIGH))
        covered[row : row + high, column : column + wide] = True
    return covered
