"""Places -> scenes: the arrays that the games' kernels play and draw, made once per level, rules and look."""

from math import gcd
from typing import NamedTuple

import numpy as np

from priorlab.envs.base.compile import COMPILED
from priorlab.envs.engine.draw import BLOCK, MARGIN, ROUND, Scenes, Scratch, draw_whole
from priorlab.envs.engine.places import Place
from priorlab.envs.engine.stills import fill_still_pictures
from priorlab.envs.engine.tiles import CHANNELS, still_kinds
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.rules import (
    FIELDS,
    GRID,
    PERIOD,
    SIDE,
    TILE,
    WALK,
    begin,
)

PATCH_MEMORY = 64 << 20  # bytes; with more scenes than fit, what moves is redrawn each time
GRAY = np.array([4899, 9617, 1868])  # weights of red, green, blue, of 2**14, as in OpenCV's RGB to gray


def area_weights(side: int, size: int) -> tuple[np.ndarray, np.ndarray, int]:
    """(first int32 (size,), weights int32 (size, taps), sum of a pixel's weights) that average side to size pixels."""
    common = gcd(side, size)
    native, out = side // common, size // common  # a native pixel is `out` units wide, a pixel `native` units
    begin = np.arange(size) * native
    first = begin // out
    taps = int(((begin + native - 1) // out - first).max()) + 1
    edges = (first[:, None] + np.arange(taps)) * out
    overlap = np.minimum(edges + out, begin[:, None] + native) - np.maximum(edges, begin[:, None])
    return first.astype(np.int32), np.maximum(overlap, 0).astype(np.int32), native


def shared_arrays(places: list[Place], max_inputs: int | None) -> dict[str, np.ndarray]:
    """What the rules need for every scene, and equal probabilities of being drawn."""
    count = len(places)
    rows, width = (max(getattr(place.level, name) for place in places) for name in ("height", "width"))
    tiles = np.zeros((count, rows, width), np.uint8)
    monsters = np.zeros((count, max(1, *(len(place.level.monsters) for place in places)), 4), np.int32)
    for k, place in enumerate(places):
        tiles[k, : place.level.height, : place.level.width] = place.level.tiles
        monsters[k, : len(place.level.monsters)] = place.level.monsters
    numbers = np.stack([level_numbers(place.level, place.rules, max_inputs) for place in places])
    return {"numbers": numbers, "tiles": tiles, "monsters": monsters, "chances": np.arange(1, count + 1) / count}


def build_scenes(
    places: list[Place], size: int | None, grayscale: bool, max_inputs: int | None, still: bool = True
) -> Scenes:
    """The arrays of all scenes, for pictures of size x size pixels (None: the native side of the first level).

    ``still``: draw the pictures that make steps fast, once and for all; they cost more than a thousand steps.
    """
    size = size or places[0].level.side
    side = max(place.level.side for place in places)
    channels, count = (1 if grayscale else 3), len(places)
    averages = [area_weights(place.level.side, size) for place in places]
    taps = max(weights.shape[1] for _, weights, _ in averages)
    shared = shared_arrays(places, max_inputs)
    numbers, most = shared["numbers"], shared["monsters"].shape[1]
    patch_rows, patch_bytes = patch_shape(min(place.level.side for place in places), size, channels)
    columns = int((2 * numbers[:, SIDE] // numbers[:, WALK]).max()) + 1
    fits = still and COMPILED and patch_rows <= size and patch_bytes <= size * channels
    patch_rows, patch_bytes = (patch_rows, patch_bytes) if fits else (0, 0)
    patched = fits and count * columns * (side + 1) * patch_rows * patch_bytes <= PATCH_MEMORY
    steps = int(numbers[:, PERIOD].max()) if fits and any(place.level.patrols for place in places) else 0
    scenes = Scenes(
        **shared,
        native=np.zeros((count, side + taps, (side + taps + BLOCK) * channels), np.uint8),
        sprites=np.zeros((count, 1 + most, TILE, BLOCK * channels), np.uint8),
        holes=np.full((count, 1 + most, TILE, BLOCK * channels), 255, np.uint8),
        first=np.stack([first for first, _, _ in averages]),
        weights=np.zeros((count, size, taps), np.int32),
        inverse=np.array([-(-(1 << ROUND) // total**2) for _, _, total in averages], np.int64),
        starts=np.zeros((count, size, size, channels), np.uint8),
        empty=np.zeros((count, size, size * channels), np.uint8),
        patches=np.zeros((count, columns * patched, side + 1, patch_rows, patch_bytes), np.uint8),
        patrols=np.zeros((count, most, steps, patch_rows, patch_bytes), np.uint8),
        patch_row=np.zeros((count, side + TILE), np.int32),
        patch_byte=np.zeros((count, side + TILE), np.int32),
        kinds=np.zeros((count, 0, 0), np.uint8),
    )
    scratch = build_scratch(scenes)
    for k, (place, (_, weights, _)) in enumerate(zip(places, averages)):
        scenes.weights[k, :, : weights.shape[1]] = weights
        fill_scene(scenes, k, place, scratch)
    return scenes


def build_tiles(places: list[Place], max_inputs: int | None) -> Scenes:
    """The arrays of all scenes, as tiles instead of pictures (``envs/engine/tiles.py``)."""
    count, side = len(places), max(place.level.side for place in places) // TILE
    kinds = [still_kinds(place.level, side, place.rules.turned) for place in places]
    shared = shared_arrays(places, max_inputs)
    dimensions = {
        "native": 3, "sprites": 4, "holes": 4, "empty": 3, "patches": 5, "patrols": 5
    }  # fmt: skip
    numbers = {"first": 2, "weights": 3, "patch_row": 2, "patch_byte": 2}
    scenes = Scenes(
        **shared,
        **{name: np.zeros((count, *[0] * (n - 1)), np.uint8) for name, n in dimensions.items()},
        **{name: np.zeros((count, *[0] * (n - 1)), np.int32) for name, n in numbers.items()},
        inverse=np.zeros(count, np.int64),
        starts=np.zeros((count, side, side, CHANNELS), np.uint8),
        kinds=np.stack(kinds),
    )
    scratch, drawn, state = build_scratch(scenes), np.zeros(4, np.int32), np.zeros(FIELDS, np.int32)
    for k in range(count):
        begin(scenes.numbers[k], state)
        cells = scenes.starts[k].reshape(side, -1)  # (T, T, CHANNELS) -> (T, T * CHANNELS)
        draw_whole(scenes, k, state, drawn, cells, scratch)
    return scenes


def fill_scene(scenes: Scenes, k: int, place: Place, scratch: Scratch) -> None:
    """Draws a place as scene k, whose numbers and weights are already set."""
    level = place.level
    (size, _, channels), (patch_rows, patch_bytes) = scenes.starts.shape[1:], scenes.patches.shape[3:]
    painted = paint_layers(place)
    # (side, side, C) -> (side, side * C): a row's channels stay side by side
    scenes.native[k, : level.side, : level.side * channels] = shades(painted.background, channels == 1).reshape(
        level.side, -1
    )
    for i, (rgb, opaque) in enumerate(zip(painted.sprites, painted.opaque)):
        opaque = np.repeat(opaque, channels, axis=1)
        # (TILE, TILE, C) -> (TILE, TILE * C)
        colours = shades(rgb, channels == 1).reshape(TILE, -1)
        scenes.sprites[k, i, :, : TILE * channels] = np.where(opaque, colours, 0)
        scenes.holes[k, i, :, : TILE * channels] = np.where(opaque, 0, 255)
    corners = np.clip(np.arange(scenes.patch_row.shape[1]) - GRID, 0, level.side - 1)
    scenes.patch_byte[k] = np.minimum(corners * size // level.side * channels, size * channels - patch_bytes)
    scenes.patch_row[k] = np.minimum(corners * size // level.side, size - patch_rows)
    fill_still_pictures(scenes, k, scratch)


class Layers(NamedTuple):
    """What a place's picture is made of, as it is on the screen. M: monsters and the key."""

    background: np.ndarray  # uint8 (side, side, 3): what never moves
    sprites: np.ndarray  # uint8 (1 + M, TILE, TILE, 3): the player, the monsters, the key
    opaque: np.ndarray  # bool (1 + M, TILE, TILE)


def paint_layers(place: Place) -> Layers:
    """The layers of a place, turned by 90 degrees clockwise where its rules turn the picture."""
    scene, turns = place.paint(), -int(place.rules.turned)
    sprites = [scene.player, *scene.monsters]
    return Layers(
        background=np.rot90(scene.background, turns),
        sprites=np.stack([np.rot90(sprite.rgb, turns) for sprite in sprites]),
        opaque=np.stack([np.rot90(sprite.opaque, turns) for sprite in sprites]),
    )


def patch_shape(side: int, size: int, channels: int) -> tuple[int, int]:
    """(rows, bytes per row) that contain every pixel showing part of the player, at any position."""
    pixels = -(-TILE * size // side) + 1
    return pixels, -(-pixels * channels // 8) * 8


def shades(rgb: np.ndarray, grayscale: bool) -> np.ndarray:
    """uint8 (..., 3), unchanged, or (..., 1) in gray."""
    if not grayscale:
        return rgb
    return ((rgb.astype(np.int64) @ GRAY + (1 << 13)) >> 14).astype(np.uint8)[..., None]


def build_scratch(scenes: Scenes) -> Scratch:
    channels, rows, width = scenes.starts.shape[3], scenes.native.shape[1], scenes.native.shape[2]
    return Scratch(
        composed=np.zeros((rows + 2 * MARGIN, width + 2 * MARGIN * channels), np.uint8),
        sums=np.zeros((1, width), np.int32),
    )
