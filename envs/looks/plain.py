"""Random drawings without meaning: textures of any kind, and flat shapes.

Inks and helpers are those of ``envs/looks/drawings.py``.
"""

from collections.abc import Callable

import numpy as np

from priorlab.envs.game.rules import TILE
from priorlab.envs.looks.drawings import LINE, WHITE, A, B, Drawing, blank, box, ellipse, pick
from priorlab.envs.looks.textures import PATTERNS, X, Y

TONES = (A, A + 1, A + 2, B, B + 1, B + 2)  # inks of a texture; rarely LINE or WHITE
MIDDLE = TILE // 2

Shades = Callable[[np.random.Generator], np.ndarray]  # int (TILE, TILE): which of a few inks each pixel has


def texture(rng: np.random.Generator) -> Drawing:
    """An opaque tile of stripes, checks, dots, noise, frames, a repeated motif, or a pattern of masonry and weaving."""
    shades = pick(rng, KINDS)(rng)
    shades = shades.T if rng.random() < 0.5 else shades
    inks = rng.permutation(TONES)[: int(shades.max()) + 1]
    if rng.random() < 0.25:
        inks[int(rng.integers(len(inks)))] = pick(rng, (LINE, WHITE))
    return inks[shades].astype(np.uint8)


def pattern(rng: np.random.Generator) -> np.ndarray:
    return rolled(rng, PATTERNS[pick(rng, tuple(PATTERNS))](rng, X, Y))


def stripes(rng: np.random.Generator) -> np.ndarray:
    period, slope = int(rng.integers(2, TILE + 1)), pick(rng, (0, 0, 0, 1, -1, 2))
    at = (Y + slope * X + int(rng.integers(TILE))) % period
    wide = int(rng.integers(1, period))
    return (at < wide).astype(int) + (at == wide) * pick(rng, (0, 2))


def checks(rng: np.random.Generator) -> np.ndarray:
    wide, high = (int(n) for n in rng.integers(1, 8, 2))
    colours = int(rng.integers(2, 4))
    return ((X + int(rng.integers(TILE))) // wide + (Y + int(rng.integers(TILE))) // high) % colours


def dots(rng: np.random.Generator) -> np.ndarray:
    step, size, shift = pick(rng, (3, 5, 7, 15)), rng.uniform(0.5, 3.5), int(rng.integers(TILE))
    far = np.hypot((X + shift) % step - step // 2, (Y + shift) % step - step // 2)
    return (far < size).astype(int) + (far < size - 1.4)


def noise(rng: np.random.Generator) -> np.ndarray:
    field = rng.standard_normal((TILE, TILE))
    for axis in (0, 1):
        for _ in range(int(rng.integers(0, 4))):
            field = field + np.roll(field, 1, axis)
    return np.digitize(field, np.quantile(field, sorted(rng.uniform(0.1, 0.9, int(rng.integers(1, 4))))))


def motif(rng: np.random.Generator) -> np.ndarray:
    """A random small picture, often symmetrical, repeated 3 or 5 times in each direction."""
    side = pick(rng, (3, 5))
    small = rng.integers(0, int(rng.integers(2, 4)), (side, side))
    if rng.random() < 0.6:
        small = np.minimum(small, small[:, ::-1])
    return np.tile(small, (TILE // side, TILE // side))


def frames(rng: np.random.Generator) -> np.ndarray:
    """Rings around the middle of the tile: squares, diamonds or circles."""
    aside, down = np.abs(X - MIDDLE), np.abs(Y - MIDDLE)
    far = pick(rng, (np.maximum(aside, down), aside + down, np.hypot(aside, down)))
    return np.digitize(far, np.sort(rng.uniform(1, 9, int(rng.integers(1, 4)))))


def crosses(rng: np.random.Generator) -> np.ndarray:
    wide, tilted = rng.uniform(0.5, 4), rng.random() < 0.5
    one, other = (np.abs(X - Y), np.abs(X + Y - TILE + 1)) if tilted else (np.abs(X - MIDDLE), np.abs(Y - MIDDLE))
    return (one < wide).astype(int) + (other < wide)


def bands(rng: np.random.Generator) -> np.ndarray:
    """A few bands of unequal height, as in cut stone or soil."""
    return np.digitize(Y + 0.0 * X, np.sort(rng.uniform(0, TILE, int(rng.integers(1, 5)))))


def rolled(rng: np.random.Generator, shades: np.ndarray) -> np.ndarray:
    return np.roll(shades, tuple(rng.integers(TILE, size=2)), (0, 1))


KINDS: tuple[Shades, ...] = (
    pattern, pattern, pattern, stripes, checks, dots, noise, noise, motif, motif, frames, crosses, bands,
)  # fmt: skip


def block(rng: np.random.Generator) -> Drawing:
    """A flat shape in one colour, sometimes with a second one inside."""
    art, (x, y) = blank(), (MIDDLE + rng.uniform(-0.6, 0.6, 2))
    art[shape(rng, x, y, 1.0)] = A + 1
    if rng.random() < 0.35:
        art[shape(rng, x, y, rng.uniform(0.3, 0.6)) & (art > 0)] = B + 1
    if rng.random() < 0.2:
        art[shape(rng, x, y, 0.35) & (art > 0)] = 0
    return art


def shape(rng: np.random.Generator, x: float, y: float, scale: float) -> np.ndarray:
    """bool (TILE, TILE): a rectangle, ellipse, diamond, triangle or cross around (x, y)."""
    wide, high = scale * rng.uniform(4.0, 7.5, 2)
    aside, down = np.abs(X - x) / wide, (Y - y) / high
    kind = int(rng.integers(6))
    if kind <= 1:
        return box(x - wide, y - high, x + wide, y + high)
    if kind == 2:
        return ellipse(x, y, wide, high)
    if kind == 3:
        return aside + np.abs(down) <= 1
    if kind == 4:
        return (aside <= (1 + down) / 2) & (down <= 1)
    return ((aside <= 0.4) | (np.abs(down) <= 0.4)) & (aside <= 1) & (np.abs(down) <= 1)


def plain(rng: np.random.Generator) -> Drawing:
    """The whole tile in one colour. It has no drawing, so both splits have it."""
    return np.full((TILE, TILE), A + 1, np.uint8)
