"""The masks of Atari games: the arrays from which they are drawn."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from priorlab.envs.atari.masked_draw import TAPS, WIDTH, Areas, Canvas, MaskPaint
from priorlab.envs.atari.table import table
from priorlab.envs.engine.draw import ROUND
from priorlab.envs.engine.scenes import area_weights, shades
from priorlab.envs.game.rules import TILE
from priorlab.envs.looks.textures import PATTERNS, Colour, Family, Textures, pieces

MASKS = {name: tuple(parts) for name, parts in table()["masks"].items()}
COLOURS = 256  # palette indices; the odd ones are the grays to which a PAL screen falls back
PAL_HEIGHT = 250  # rows of the screen of a PAL game, which has another palette
CLUTTER_TILES = 17  # tiles per side of the clutter, which is no smaller than any screen


def masks_of(mask: str | Sequence[str]) -> tuple[str, ...]:
    """The single masks in a setting, each once; ValueError for a mask that does not exist."""
    names = (mask,) if isinstance(mask, str) else tuple(mask)
    for name in names:
        if name not in MASKS:
            raise ValueError(f"mask is {name!r}: expected one or several of {', '.join(MASKS)}")
    return tuple(sorted({single for name in names for single in MASKS[name]}))


def palette(height: int) -> np.ndarray:
    """uint8 (256, 3): the colour that ALE shows for each palette index on a screen of that height."""
    name = "pal" if height == PAL_HEIGHT else "ntsc"
    even = np.frombuffer(bytes.fromhex("".join(table()["palettes"][name])), np.uint8).reshape(
        -1, 3
    )  # (384,) -> (128, 3)
    gray = np.repeat(shades(even, True), 3, axis=1)
    return np.stack([even, gray], axis=1).reshape(COLOURS, 3)  # (128, 2, 3) -> (256, 3)


@lru_cache(maxsize=32)
def paint_masks(masks: tuple[str, ...], mask_seed: int, height: int, grayscale: bool) -> MaskPaint:
    """How the masks paint. Each draws from a separate generator, so that it looks the same alone and with others."""
    generators = np.random.default_rng(mask_seed).spawn(3)
    colours = palette(height)
    if "colours" in masks:
        order = generators[0].permutation(COLOURS // 2)
        colours = colours.reshape(-1, 2, 3)[order].reshape(COLOURS, 3)  # an index moves with its gray
    tiles = colours[:, None, None, :]
    if "textures" in masks:
        textures = Textures(generators[1])
        tiles = np.stack([textures.draw(family(family_of(int(shades(each, True)[0])))) for each in colours])
    fills, blocks = "background" in masks, "objects" in masks
    rng = generators[2]
    block = colour(rng.choice(table()["blocks"]["colours"]))
    side = CLUTTER_TILES * TILE
    clutter = paint_clutter(rng) if fills else np.zeros((1, 1, 3), np.uint8)
    return MaskPaint(
        rows=as_rows(across(tiles, WIDTH), grayscale),
        clutter=as_rows(across(clutter, side + WIDTH), grayscale),
        shifts=rng.integers(side, size=(COLOURS, 2)).astype(np.int32),
        block=as_rows(np.tile(np.array(block, np.uint8), (WIDTH, 1)), grayscale),
        fills_ground=fills,
        blocks_objects=blocks,
    )


def paint_clutter(rng: np.random.Generator) -> np.ndarray:
    """uint8 (Q, Q, 3): runs and blocks of tiles like platforms and ladders, each in a different dark texture."""
    everywhere = np.ones((CLUTTER_TILES, CLUTTER_TILES), bool)
    textures, picture = Textures(rng), np.zeros((CLUTTER_TILES * TILE,) * 2 + (3,), np.uint8)
    for piece in pieces(everywhere, ~everywhere, ~everywhere, rng):
        texture = textures.draw(family("masonry"))
        for row, column in piece * TILE:
            picture[row : row + TILE, column : column + TILE] = texture
    return picture


def family_of(brightness: int) -> str:
    """The name of the family of textures for a colour of that brightness, so that what stands out by brightness still
    does."""
    return [name for name, least in table()["textures"].items() if brightness >= least][-1]


def family(name: str) -> Family:
    settings = table()["families"][name]
    return Family(tuple(PATTERNS), tuple(colour(each) for each in settings["colours"]), settings["depth"])


def colour(text: str) -> Colour:
    """(red, green, blue) of #rrggbb."""
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue


def across(tiles: np.ndarray, width: int) -> np.ndarray:
    """uint8 (..., columns, 3), repeated to ``width`` columns."""
    return np.take(tiles, np.arange(width) % tiles.shape[-2], axis=-2)


def as_rows(pixels: np.ndarray, grayscale: bool) -> np.ndarray:
    """uint8 (..., width, 3) -> (..., width * C): a row's channels stay side by side."""
    shown = shades(pixels, grayscale)
    return np.ascontiguousarray(shown.reshape(*shown.shape[:-2], -1))  # (..., width, C) -> (..., width * C)


def build_areas(height: int, screen_size: int | None, grayscale: bool) -> Areas:
    """How screens are averaged to pictures of screen_size x screen_size pixels; None: in the size of the screen."""
    channels = 1 if grayscale else 3
    down_first, down_weights, down_total = area_weights(height, screen_size or height)
    across_first, across_weights, across_total = area_weights(WIDTH, screen_size or WIDTH)
    first = across_first[:, None] * channels + np.arange(channels)  # (S, C)
    return Areas(
        down_first=down_first,
        down_weights=at_least_taps(down_weights),
        across_first=first.ravel().astype(np.int64),
        across_weights=np.repeat(at_least_taps(across_weights), channels, axis=0).astype(np.int64),
        inverse=-(-(1 << ROUND) // (down_total * across_total)),
    )


def at_least_taps(weights: np.ndarray) -> np.ndarray:
    """int32 (size, taps), padded with zeros to at least TAPS."""
    return np.pad(weights, ((0, 0), (0, max(0, TAPS - weights.shape[1]))))


def build_canvas(height: int, areas: Areas, grayscale: bool) -> Canvas:
    channels, most = 1 if grayscale else 3, height * WIDTH
    return Canvas(
        tops=np.zeros(height + 1, np.int32),
        first=np.zeros(height + 1, np.int32),
        runs=np.zeros((most, 4), np.int16),
        parents=np.zeros(most, np.int32),
        sizes=np.zeros(most, np.int32),
        bounds=np.zeros((most, 4), np.int16),
        shares=np.zeros(COLOURS, np.int32),
        screens=np.zeros((2, height + areas.down_weights.shape[1], WIDTH * channels), np.uint8),
        sums=np.zeros((WIDTH + areas.across_weights.shape[1]) * channels, np.uint16),
        picture=np.zeros((len(areas.down_first), len(areas.across_first) // channels, channels), np.uint8),
    )
