"""Sizes and places of pictures: some fill their cell, some are smaller and stand or hang in it, some are larger."""

import numpy as np

from priorlab.envs.game.rules import TILE

CHANCES = 8  # random numbers per picture
FULL, STANDING, LARGE = 0.6, 0.7, 0.2  # shares: as large as the cell; on its floor, if smaller; larger, where allowed
LEAST = 10  # pixels of a side
LARGE_WIDTH, LARGE_HEIGHT = (15, 20), (18, 26)  # least and most


def within_cells(pictures: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """uint32 (n, TILE, TILE): the pictures, some of them made smaller; ``chances``: float (n, CHANCES), 0 to 1."""
    full = chances[:, 0] < FULL
    high = LEAST + (chances[:, 1] * (TILE - LEAST)).astype(int)
    wide = np.clip(high - 1 + (chances[:, 2] * 3).astype(int), LEAST, TILE)
    high[full] = wide[full] = TILE
    top = np.where(chances[:, 3] < STANDING, TILE - high, (TILE - high) // 2)
    left = (chances[:, 4] * (TILE - wide + 1)).astype(int)
    rows, columns = (nearest(size, start) for size, start in ((high, top), (wide, left)))
    flat = pictures.reshape(-1, TILE * TILE)
    at = np.where(
        (rows < 0)[:, :, None] | (columns < 0)[:, None], TILE * TILE, rows[:, :, None] * TILE + columns[:, None]
    )
    padded = np.pad(flat, ((0, 0), (0, 1)))  # the last one is transparent
    return np.take_along_axis(padded, at.reshape(-1, TILE * TILE), axis=1).reshape(-1, TILE, TILE)


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


def is_large(chances: np.ndarray) -> np.ndarray:
    """bool (n,): which pictures are larger than a cell, where that is allowed."""
    return chances[:, 5] < LARGE
