"""Free space cut into things that are not there: floors and ladders like the level's, between them, and pieces."""

from itertools import pairwise

import numpy as np

from priorlab.envs.game.grids import groups, runs
from priorlab.envs.looks.textures import pieces

CUTS = 1  # of what is left to choose from: more would take longer than everything else
SPACINGS = (2, 3, 4, 5)  # rows from one decoy floor to the next
GAP_SHARE, GAPS = 0.4, (2, 5)  # share of decoy floors with a gap; its tiles, least and most
SHORTEST = 2  # tiles of a decoy floor or ladder
LADDERS = (1, 3)  # from one decoy floor to the next, least and most attempts

Part = np.ndarray  # int (n, 2): rows and columns


def decoys(
    free: np.ndarray, platforms: np.ndarray, ladders: np.ndarray, rng: np.random.Generator
) -> tuple[list[Part], np.ndarray, np.ndarray]:
    """Cuts free space, bool (rows, columns), into parts; bool (n,) whether each is like a ladder, and whether it is a
    floor or ladder of the decoy level.

    As large a share of all tiles is like ladders as in the level.
    """
    left = free.copy()
    made = decoy_level(left, ladders, rng)
    cut = pieces(left, platforms, ladders, rng, CUTS) if left.any() else []
    lengths, upright = np.array([(len(piece), piece[0, 0] < piece[-1, 0]) for piece in cut], int).reshape(-1, 2).T
    order = np.lexsort((rng.random(len(cut)), -upright))
    share = ladders.sum() / max(1, ladders.sum() + platforms.sum())
    climbed = np.zeros(len(cut), bool)
    climbed[order] = np.cumsum(lengths[order]) - lengths[order] / 2 < share * lengths.sum()
    kinds = np.array([climbs for _, climbs in made], bool)
    whole = np.repeat([True, False], [len(made), len(cut)])
    return [part for part, _ in made] + cut, np.concatenate([kinds, climbed]), whole


def decoy_level(left: np.ndarray, ladders: np.ndarray, rng: np.random.Generator) -> list[tuple[Part, bool]]:
    """Floors and, True, ladders between them; takes their tiles from ``left``."""
    height, width = left.shape
    rows, row = [], height - int(rng.integers(1, 5))
    while row > 0:
        rows.append(row)
        row -= SPACINGS[int(rng.integers(len(SPACINGS)))]
    wide = [int(np.ptp(block[:, 1])) + 1 for block in groups(ladders)] or [1, 2]
    made: list[tuple[Part, bool]] = []
    for low, high in pairwise(rows):
        for _ in range(int(rng.integers(LADDERS[0], LADDERS[1] + 1))):
            across = wide[int(rng.integers(len(wide)))]
            column = int(rng.integers(0, max(width - across, 1)))
            span = np.all(left[max(high - 1, 0) : low, column : column + across], axis=1, keepdims=True)
            for _, first, length in runs(span.T):
                if length >= SHORTEST:
                    made.append((taken(left, max(high - 1, 0) + first, length, column, across), True))
    for row in rows:
        if rng.random() < GAP_SHARE:
            gap, at = int(rng.integers(GAPS[0], GAPS[1] + 1)), int(rng.integers(width))
            parts = [part for part in runs(left[row : row + 1]) if part[1] + part[2] <= at or part[1] >= at + gap]
        else:
            parts = runs(left[row : row + 1])
        made += [(taken(left, row, 1, first, length), False) for _, first, length in parts if length >= SHORTEST]
    return made


def taken(left: np.ndarray, row: int, high: int, column: int, wide: int) -> Part:
    """The tiles of that rectangle, taken from ``left``."""
    left[row : row + high, column : column + wide] = False
    return np.argwhere(np.ones((high, wide), bool)) + (row, column)
