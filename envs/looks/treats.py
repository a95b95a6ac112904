"""Random drawings of treats: gems, fruit, sweets, coins, hearts. Only looks that are asked for treats show them.

Inks and helpers are those of ``envs/looks/drawings.py``.
"""

import numpy as np

from priorlab.envs.game.rules import TILE
from priorlab.envs.looks.drawings import (
    LINE,
    WHITE,
    A,
    B,
    D,
    Drawing,
    blank,
    box,
    ellipse,
    mould,
    outline,
    pick,
    stroke,
)
from priorlab.envs.looks.textures import X, Y


def treat(rng: np.random.Generator) -> Drawing:
    """A gem, a fruit, a sweet, a coin or a heart."""
    return outline(pick(rng, (gem, fruit, fruit, sweet, sweet, coin, heart))(rng))


def gem(rng: np.random.Generator) -> Drawing:
    """A cut stone: a flat or pointed crown over a point, in facets."""
    art, wide, girdle, foot = blank(), rng.uniform(4.5, 6.2), rng.uniform(4.5, 7), rng.uniform(11.5, 13)
    table = rng.uniform(0.0, 0.75) * wide
    aside = np.abs(X - 7)
    crown = (Y >= 2) & (girdle >= Y) & (aside <= table + (wide - table) * (Y - 2) / (girdle - 2))
    point = (girdle <= Y) & (foot >= Y) & (aside <= wide * (foot - Y) / (foot - girdle))
    art[crown] = A + 2
    art[point] = A + 1
    art[point & (X > 7)] = A
    cut = rng.uniform(0.25, 0.55)
    art[point & (aside <= cut * wide * (foot - Y) / (foot - girdle))] = pick(rng, (A + 2, A + 1))
    art[crown & (7 + 0.4 * wide < X)] = A + 1
    art[int(rng.integers(3, 6)), int(rng.integers(4, 8))] = WHITE
    return art


def fruit(rng: np.random.Generator) -> Drawing:
    """An apple, a pear, cherries, a citrus fruit or a berry, on a stalk with a leaf."""
    art = blank()
    kind = pick(rng, ("apple", "pear", "cherries", "citrus", "berry"))
    size = rng.uniform(3.8, 5)
    if kind == "apple":
        mould(art, ellipse(5.2, 8.5, 0.75 * size, size) | ellipse(8.8, 8.5, 0.75 * size, size), A)
    elif kind == "pear":
        mould(art, ellipse(7, 9.5, size, 0.8 * size) | ellipse(7, 6, 0.55 * size, 0.7 * size), A)
    elif kind == "cherries":
        apart = rng.uniform(2.6, 3.4)
        for x in (7 - apart, 7 + apart):
            art[stroke(x, 9, 7.5, 2, 0.6)] = B
            mould(art, ellipse(x, 10, 2.7, 2.7), A)
    elif kind == "citrus":
        mould(art, ellipse(7, 8, size, size), A)
        art[ellipse(7, 8, size - 1.4, size - 1.4)] = A + 2
        turn = np.arctan2(Y - 8, X - 7) / (2 * np.pi) * int(rng.integers(5, 9)) + rng.random()
        art[ellipse(7, 8, size - 1.4, size - 1.4) & (turn % 1 < 0.3)] = WHITE
    else:
        mould(art, ellipse(7, 6.5, size, 3) | ((np.abs(X - 7) <= size * (13 - Y) / 6) & (Y >= 7)), A)
        art[(art > 0) & ((X + 2 * Y) % int(rng.integers(4, 6)) == 0)] = D + 2
    if kind != "citrus":
        art[stroke(7, 4.5, 7 + rng.uniform(-1, 1), 1.5, 0.6)] = LINE
        leaf = ellipse(7 + pick(rng, (-1, 1)) * rng.uniform(1.5, 3), 2.5, rng.uniform(1.5, 2.4), 1.1)
        art[leaf] = B + 1
    art[ellipse(5, 7.5, 0.8, 1.2) & (art >= A)] = WHITE
    return art


def sweet(rng: np.random.Generator) -> Drawing:
    """A wrapped sweet, a lollipop, a cake or ice cream."""
    art = blank()
    kind = pick(rng, ("wrapped", "lollipop", "cake", "ice"))
    if kind == "wrapped":
        size = rng.uniform(2.8, 3.8)
        wrap = (np.abs(Y - 7) <= 0.8 * (np.abs(X - 7) - size + 1.6)) & (np.abs(X - 7) < 6.5)
        mould(art, wrap, B)
        mould(art, ellipse(7, 7, size, size), A)
        art[ellipse(7, 7, size, size) & ((X + Y * pick(rng, (1, -1))) % int(rng.integers(3, 5)) == 0)] = B + 2
    elif kind == "lollipop":
        size = rng.uniform(3.6, 4.6)
        art[box(7, 8, 7.5, 13)] = WHITE
        mould(art, ellipse(7, 5.5, size, size), A)
        far, turn = np.hypot(X - 7, Y - 5.5), np.arctan2(Y - 5.5, X - 7) / (2 * np.pi)
        art[(far < size - 0.8) & ((far / rng.uniform(1.8, 3) + turn * pick(rng, (1, -1, 2))) % 1 < 0.5)] = B + 2
    elif kind == "cake":
        mould(art, (np.abs(X - 7) <= 3 + 0.25 * (13 - Y)) & box(0, 9, TILE, 13), B)
        art[(art > 0) & (X % int(rng.integers(2, 4)) == 0)] = B
        mould(art, ellipse(7, 8, 5.4, rng.uniform(2, 3)) | ellipse(7, 5.5, 3.4, 2.4), A)
        mould(art, ellipse(7, 2.8, 1.3, 1.3), D)
    else:
        mould(art, (np.abs(X - 7) <= 0.55 * (13.5 - Y)) & (Y >= 7), D)
        for x, y in ((4.8, 6.5), (9.2, 6.5), (7, 3.8))[: int(rng.integers(2, 4))]:
            mould(art, ellipse(x, y, 2.7, 2.4), pick(rng, (A, B)))
    return art


def coin(rng: np.random.Generator) -> Drawing:
    """A coin seen from the front or aslant, with a rim and a mark."""
    art, wide, high = blank(), rng.uniform(3.2, 5.8), rng.uniform(5, 5.9)
    mould(art, ellipse(7, 7, wide, high), D)
    art[ellipse(7, 7, wide - 1.3, high - 1.3)] = D + 2
    kind = pick(rng, ("bar", "star", "square", "nothing"))
    half = 0.4 * wide
    mark = {
        "bar": box(7 - 0.4, 4.5, 7 + 0.4, 9.5),
        "star": np.abs(X - 7) + np.abs(Y - 7) <= half + 0.6,
        "square": box(7 - half, 7 - half, 7 + half, 7 + half),
        "nothing": np.zeros_like(art, bool),
    }[kind]
    art[mark & (art > 0)] = D
    return art


def heart(rng: np.random.Generator) -> Drawing:
    art, size = blank(), rng.uniform(2.6, 3.4)
    lobes = ellipse(7 - size + 0.3, 5, size, size) | ellipse(7 + size - 0.3, 5, size, size)
    point = (np.abs(X - 7) <= (12.8 - Y) * 2 * size / 7.8) & (Y >= 5.5)
    mould(art, lobes | point, A)
    art[ellipse(4.6, 4.4, 1, 1)] = WHITE
    return art
