"""Cells of a native picture, each one tile, and which of them show the same pixels."""

import numpy as np

from priorlab.envs.game.rules import TILE


def as_cells(picture: np.ndarray) -> np.ndarray:
    """uint8 (TILE R, TILE R, 3) -> (R, R, TILE, TILE, 3)."""
    side = len(picture) // TILE
    return picture.reshape(side, TILE, side, TILE, 3).swapaxes(1, 2)


def as_picture(cells: np.ndarray) -> np.ndarray:
    """The inverse of ``as_cells``."""
    side = len(cells)
    return np.ascontiguousarray(cells.swapaxes(1, 2)).reshape(side * TILE, side * TILE, 3)


def same_pixels(picture: np.ndarray) -> np.ndarray:
    """int (R, R): the same number for cells of the same pixels, and practically never for others; from 0 on.

    picture: uint8 (TILE R, TILE R, 3).
    """
    cells = as_cells(picture).reshape((len(picture) // TILE) ** 2, -1).astype(float)
    weights = np.random.default_rng(0).integers(0, 1 << 30, cells.shape[1]).astype(float)
    # sums of whole numbers below 2**53 are exact
    return np.unique(cells @ weights, return_inverse=True)[1].reshape(len(picture) // TILE, -1)
