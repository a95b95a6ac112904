"""Where a random look of the second edition has things that do nothing: inlays, scenery, distractors.

All of them are where things of the game could be, so that a place alone says little: inlays are let into floors as
dangers are, scenery and distractors stand on floors as objects do. Grids are (rows, columns), characters of level.py.
"""

import numpy as np

from priorlab.envs.game.grids import runs

IN_FLOORS = ("*", "^")
SOLID = ("#", *IN_FLOORS)
HEADROOM = 2  # free tiles above an inlay, at least
APART = 2  # columns between scenery and other things in its row, at least
MOST_WIDE = 3  # tiles of an inlay
SCENERY = 2.5  # per 100 tiles
PATCHES = 2.0  # of distractors, per 100 tiles
PATCH_WIDE, PATCH_HIGH = (2, 5), (1, 3)  # tiles, least and most


def standing_places(kinds: np.ndarray, free: np.ndarray) -> np.ndarray:
    """bool: the free tiles above a floor."""
    above = np.zeros(kinds.shape, bool)
    above[:-1] = np.isin(kinds[1:], SOLID)
    return above & free


def inlays(kinds: np.ndarray, free: np.ndarray, rng: np.random.Generator, per_tile: float) -> list[np.ndarray]:
    """int (n, 2) each, the tiles of floors that could hold a danger: one to three in a row, with floor on both sides
    and nothing above. ``per_tile``: attempts per tile of floor."""
    roomy = np.ones(kinds.shape, bool)
    for up in range(1, HEADROOM + 1):
        roomy[up:] &= free[:-up]
    roomy[0] = False
    found: list[np.ndarray] = []
    for row, column, length in runs(kinds == "#"):
        left = np.ones(length, bool)  # tiles that are not taken yet, nor next to one that is
        for _ in range(rng.poisson(per_tile * length)):
            wide, chance = int(rng.integers(1, MOST_WIDE + 1)), rng.random()
            if length < wide + 2:
                continue
            first = 1 + int(chance * (length - wide - 1))
            here = slice(column + first, column + first + wide)
            if left[first : first + wide].all() and roomy[row, here].all():
                left[first - 1 : first + wide + 1] = False
                found.append(np.array([(row, c) for c in range(here.start, here.stop)]))
    return found


def scenery(kinds: np.ndarray, free: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """int (n, 2): places to stand on floors, apart from objects and from each other."""
    above_floor = np.zeros(kinds.shape, bool)
    above_floor[:-1] = kinds[1:] == "#"
    taken = {(int(r), int(c)) for r, c in np.argwhere(np.isin(kinds, list("mkGDS")))}
    wanted, found = rng.poisson(SCENERY * kinds.size / 100), []
    for row, column in rng.permutation(np.argwhere(above_floor & free)).tolist():
        if len(found) == wanted:
            break
        if not taken & {(row, column + aside) for aside in range(-APART, APART + 1)}:
            taken.add((row, column))
            found.append((row, column))
    return np.array(found, int).reshape(-1, 2)


def patches(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """bool: rectangles anywhere."""
    covered = np.zeros(shape, bool)
    for _ in range(rng.poisson(PATCHES * covered.size / 100)):
        row, column = (int(rng.integers(n)) for n in shape)
        wide, high = (int(rng.integers(low, most + 1)) for low, most in (PATCH_WIDE, PATCH_HIGH))
        covered[row : row + high, column : column + wide] = True
    return covered
