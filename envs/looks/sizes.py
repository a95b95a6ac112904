"""Sizes and places of pictures: some fill their cell, some are smaller and stand or hang in it, some are larger."""

import numpy as np

from priorlab.envs.game.rules import TILE

CHANCES = 8  # random numbers per picture
FULL, STANDING = 0.6, 0.7  # shares: as large as the cell; on its floor, if smaller
LEAST = 10  # pixels of a side
LARGE_WIDTH, LARGE_HEIGHT = (15, 20), (18, 26)  # least and most


def within_cells(pictures: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """uint32 (n, TILE, TILE): the pictures, some of them made smaller; ``chances``: float (n, CHANCES), 0 to 1."""
    sized, small = pictures.copy(), chances[:, 0] >= FULL
    if not small.any():
        return sized
    chances = chances[small]
    high = LEAST + (chances[:, 1] * (TILE - LEAST)).astype(int)
    wide = np.clip(high - 1 + (chances[:, 2] * 3).astype(int), LEAST, TILE)
    top = np.where(chances[:, 3] < STANDING, TILE - high, (TILE - high) // 2)
    left = (chances[:, 4] * (TILE - wide + 1)).astype(int)
    rows, columns = nearest(high, top), nearest(wide, left)
    each = np.arange(len(chances))[:, None, None]
    within = (rows >= 0)[:, :, None] & (columns >= 0)[:, None]
    sized[small] = np.where(within, pictures[small][each, rows[:, :, None], columns[:, None]], 0)
    return sized


def nearest(size: np.ndarray, start: np.ndarray) -> np.ndarray:
    """int (n, TILE): the pixel of the whole picture that each pixel of a cell shows, -1 outside."""
    at = np.arange(TILE) - start[:, None]
    return np.where((at >= 0) & (at < size[:, None]), (2 * at + 1) * TILE // (2 * size[:, None]), -1)


def enlarged(picture: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """uint8 (height, width, 4): the picture, (TILE, TILE, 4), larger than a cell; ``chances``: float (CHANCES,)."""
    high, wide = (
        low + int(chance * (most - low + 1))
        for (low, most), chance in zip((LARGE_HEIGHT, LARGE_WIDTH), (chances[6], chances[7]))
    )
    rows, columns = ((2 * np.arange(n) + 1) * TILE // (2 * n) for n in (high, wide))
    return picture[rows][:, columns]
