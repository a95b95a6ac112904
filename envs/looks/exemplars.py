"""Families of pictures, one per role, with endless exemplars: a random drawing in random colours.

The two splits share no drawings: held-out ones come from other seeds, and those that training also has, in any colours,
are left out. Customary colours (warm flames, grey blades) are only as likely as all others together, so colour alone
reveals little.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from zlib import crc32

import numpy as np

from priorlab.envs.game.rules import TILE
from priorlab.envs.looks.dials import SPLITS
from priorlab.envs.looks.drawings import INKS, LINE, WHITE, A, Draw, door, fire, key, ladder, platform, spikes
from priorlab.envs.looks.figures import goal, monster, player
from priorlab.envs.looks.textures import PATTERNS, X, Y

FAMILIES: dict[str, Draw] = {
    draw.__name__: draw for draw in (platform, ladder, fire, spikes, monster, goal, key, door, player)
}
DRAWINGS = 256  # of each family in each split; every exemplar draws its colours
CUSTOM = 0.5  # share of exemplars whose colours A and B are the customary ones of their family
SHADE, LIGHT, LINE_VALUE = 0.62, 0.5, 0.12  # factor on a colour; part of the way to white; factor on A, for outlines
CHANCES = 14  # random numbers per exemplar: its drawing, whether in customary colours, four colours
SKIN, METAL = ((0.02, 0.1), (0.15, 0.55), (0.55, 1.0)), ((0.09, 0.16), (0.1, 0.85), (0.75, 0.95))
# Least and most: customary hues of A and of B; saturation and value of both in any hue
COLOURS = {
    "platform": ((0.0, 0.14), (0.2, 0.45), (0.15, 0.6), (0.25, 0.46)),
    "ladder": ((0.04, 0.13), (0.08, 0.4), (0.25, 0.8), (0.4, 0.65)),
    "fire": ((-0.03, 0.06), (0.1, 0.16), (0.7, 1.0), (0.8, 1.0)),
    "spikes": ((0.5, 0.7), (0.05, 0.35), (0.0, 0.4), (0.6, 0.9)),
    "monster": ((0.7, 1.0), (0.2, 0.5), (0.4, 0.85), (0.65, 1.0)),
    "goal": ((0.8, 1.0), (0.05, 0.15), (0.35, 0.85), (0.65, 1.0)),
    "key": ((0.1, 0.16), (0.1, 0.16), (0.5, 0.9), (0.75, 1.0)),
    "door": ((0.03, 0.1), (0.0, 0.15), (0.3, 0.75), (0.45, 0.8)),
    "player": ((0.45, 0.65), (0.5, 0.7), (0.3, 0.8), (0.7, 1.0)),
}
FAINT, FAINTNESS = ("bricks", "stones", "planks", "studs", "slants", "waves"), 0.3  # of backgrounds: patterns, contrast
ROLES = tuple(FAMILIES)


def colour_ranges(families: Iterable[Sequence[tuple[float, float]]]) -> np.ndarray:
    """float (families, colours A to D, least and width, hsv), from rows as in COLOURS."""
    ranges = np.array([[(a, *tones), (b, *tones), SKIN, METAL] for a, b, *tones in families])
    # (families, colours, hsv, least and most) -> (families, colours, least and width, hsv)
    return np.stack([ranges[..., 0], ranges[..., 1] - ranges[..., 0]], axis=2)


RANGES = colour_ranges(COLOURS[role] for role in ROLES)


@lru_cache
def drawings(split: str) -> np.ndarray:
    """uint8 (families, DRAWINGS, TILE, TILE): inks, as in ``envs/looks/drawings.py``."""
    training = drawings("training") if split == "held_out" else np.zeros((0, 0, TILE, TILE), np.uint8)
    return draw_pool(FAMILIES, split, training)


def draw_pool(families: dict[str, Draw], split: str, training: np.ndarray) -> np.ndarray:
    """uint8 (families, DRAWINGS, TILE, TILE): random drawings, none of which is among those of ``training``."""
    taken = {drawing.tobytes() for family in training for drawing in family}
    pool = np.zeros((len(families), DRAWINGS, TILE, TILE), np.uint8)
    for family, (name, draw) in enumerate(families.items()):
        rng = np.random.default_rng([SPLITS.index(split), crc32(name.encode())])
        kept = 0
        while kept < DRAWINGS:
            drawing = draw(rng)
            if drawing.tobytes() not in taken:
                pool[family, kept] = drawing
                kept += 1
    return pool


def exemplars(families: np.ndarray, split: str, chances: np.ndarray) -> np.ndarray:
    """uint32 (n, TILE, TILE): a picture of each of n families, a pixel's bytes being red, green, blue, and 255 where
    opaque; transparent pixels are 0 (``unpack`` splits them).

    ``families``: int (n,), indices into ROLES; ``chances``: float (n, CHANCES), random numbers from 0 to 1, one row
    per exemplar.
    """
    return coloured(drawings(split), RANGES, families, chances)


def coloured(pool: np.ndarray, ranges: np.ndarray, families: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """``exemplars`` from any pool of drawings, with the colours of ``ranges``, float (families, colours, 2, hsv)."""
    drawn = pool[families, (chances[:, 0] * DRAWINGS).astype(int)]
    # (n, TILE, TILE) -> (n, TILE * TILE), and back
    packed = np.take_along_axis(palettes(ranges[families], chances[:, 1:]), drawn.reshape(-1, TILE * TILE), axis=1)
    return packed.reshape(-1, TILE, TILE)


def unpack(pictures: np.ndarray) -> np.ndarray:
    """uint32 (...) -> uint8 (..., 4): red, green, blue, and 255 where opaque."""
    return np.ascontiguousarray(pictures)[..., None].view(np.uint8)


def palettes(ranges: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """uint32 (n, INKS): the packed colour of each ink, from ``chances``, float (n, 13), 0 to 1.

    ``ranges``: float (n, colours A to D, least and width, hsv)."""
    count = len(ranges)
    chance = chances[:, 1:].reshape(-1, 4, 3)  # (n, 12) -> (n, colours, hsv)
    hsv = ranges[:, :, 0] + ranges[:, :, 1] * chance
    free = chances[:, 0] >= CUSTOM
    hsv[free, :2, 0] = chance[free, :2, 0]
    plain = rgb_of(hsv)
    colours = np.zeros((count, INKS, 4))
    # (n, colours, tones, rgb) -> (n, inks, rgb)
    colours[:, A:, :3] = np.stack([plain * SHADE, plain, plain + (1 - plain) * LIGHT], axis=2).reshape(
        count, INKS - A, 3
    )
    colours[:, LINE, :3] = plain[:, 0] * LINE_VALUE
    colours[:, WHITE, :3] = 0.96
    colours[:, 1:, 3] = 1
    return (255 * colours + 0.5).astype(np.uint8).view(np.uint32)[..., 0]


def ground(rng: np.random.Generator) -> np.ndarray:
    """uint32 (TILE, TILE), packed: a dim background in one colour, plain or with a faint pattern."""
    hue, saturation, value, depth = rng.random(4)
    tones = PATTERNS[FAINT[int(rng.integers(len(FAINT)))]](rng, X, Y)
    plain = rgb_of(np.array([hue, 0.15 + 0.4 * saturation, 0.07 + 0.09 * value]))
    rgb = 255 * plain * (1 + FAINTNESS * max(0.0, 2 * depth - 1) * (tones[..., None] - 1))
    return np.dstack([np.rint(rgb), np.full((TILE, TILE), 255)]).astype(np.uint8).view(np.uint32)[..., 0]


def rgb_of(hsv: np.ndarray) -> np.ndarray:
    """Hue (turns), saturation and value (0 to 1), any shape (..., 3) -> red, green, blue, float (..., 3), 0 to 1."""
    hue, saturation, value = (hsv[..., i, None] for i in range(3))
    sector = (np.array([5.0, 3.0, 1.0]) + 6 * hue) % 6
    return value * (1 - saturation * np.clip(np.minimum(sector, 4 - sector), 0, 1))
