"""State + scene -> picture, at any size: the native picture averaged over areas, redrawn only where something moved.

A picture of S x S pixels is the native picture of side x side pixels (15 a tile) averaged as OpenCV's INTER_AREA does:
pixel i covers the native pixels from i * side / S to (i + 1) * side / S. In units of 1 / (S / gcd) of a native pixel
these overlaps are whole numbers, so the average is exact, rounded halves up.
"""

from math import gcd
from typing import NamedTuple

import numpy as np

from envs.compile import COMPILED, function, kernel
from envs.level import Level
from envs.paint import Scene
from envs.rules import (
    FIELDS,
    GOAL_HEIGHT,
    GOAL_LEFT,
    GOAL_TOP,
    GOAL_WIDTH,
    GRID,
    MAX_INPUTS,
    MONSTER_COUNT,
    MONSTERS,
    NUMBERS,
    PATCH_REACH,
    SIDE,
    START_X,
    START_Y,
    TILE,
    WALK,
    X,
    Y,
    begin,
    pixel,
)  # fmt: skip

BLOCK = 16  # columns handled together, so that the compiler makes vectors of them; rows and sprites are padded to it
MARGIN = 16  # room around what is composed, so that sprites that stick out need no clipping
ROUND = 50  # bits of the fixed-point reciprocal that divides by the area, exact for every side up to 960
PLAYER = 0  # first of a scene's sprites; monster i is sprite i + 1
PATCH_MEMORY = 64 << 20  # bytes; with more scenes than fit, what moves is drawn anew each time
GRAY = np.array([4899, 9617, 1868])  # weights of red, green, blue in 2**14, as OpenCV's RGB to gray


class Scenes(NamedTuple):
    """What is drawn and played where, K scenes padded to common shapes; C channels, M monsters, S x S pictures."""

    numbers: np.ndarray  # int64 (K, NUMBERS): fields of the rules
    tiles: np.ndarray  # uint8 (K, rows, columns): bits of the rules
    monsters: np.ndarray  # int32 (K, M, 2): half pixels
    native: np.ndarray  # uint8 (K, side + taps, (side + taps + BLOCK) * C): what never moves
    sprites: np.ndarray  # uint8 (K, 1 + M, TILE, BLOCK * C): 0 where transparent
    holes: np.ndarray  # uint8 (K, 1 + M, TILE, BLOCK * C): 255 where transparent, else 0
    first: np.ndarray  # int32 (K, S): the first native pixel that a pixel covers
    weights: np.ndarray  # int32 (K, S, taps): how much of each native pixel from there on it covers
    inverse: np.ndarray  # int64 (K,): 2**ROUND / the sum of weights over an area, rounded up
    starts: np.ndarray  # uint8 (K, S, S, C): the picture of the first state
    empty: np.ndarray  # uint8 (K, S, S * C): the picture of what never moves
    patches: np.ndarray  # uint8 (K, columns, side + 1, P, B): what P x B bytes show around the player at each position
    patch_row: np.ndarray  # int32 (K, side + 1): the patch's first row for the player's y in whole pixels
    patch_byte: np.ndarray  # int32 (K, side + 1): the patch's first byte in a row for the player's x


class Scratch(NamedTuple):
    """Room for one thread to draw in."""

    composed: np.ndarray  # uint8 (side + taps + 2 MARGIN, (side + taps + BLOCK + 2 MARGIN) * C)
    sums: np.ndarray  # int32 (S, (side + taps + BLOCK) * C)


@function
def compose(scenes, scene, state, left, top, right, bottom, channels, composed):
    """The native picture from (left, top) to (right, bottom), into ``composed`` behind its margin."""
    first, columns = left * channels, (right - left) * channels
    margin, native = MARGIN * channels, scenes.native[scene]
    for row in range(bottom - top):
        for block in range(0, columns, BLOCK):
            for c in range(block, block + BLOCK):
                composed[row + MARGIN, margin + c] = native[row + top, first + c]
    for i in range(int(scenes.numbers[scene, MONSTER_COUNT])):
        if int(state[MONSTERS]) >> i & 1:
            at_x, at_y = monster_corner(scenes, scene, i)
            if left - TILE < at_x < right and top - TILE < at_y < bottom:
                blit(scenes, scene, i + 1, composed, at_x - left + MARGIN, at_y - top + MARGIN, channels)
    at_x, at_y = player_corner(int(state[X]), int(state[Y]))
    if left - TILE < at_x < right and top - TILE < at_y < bottom:
        blit(scenes, scene, PLAYER, composed, at_x - left + MARGIN, at_y - top + MARGIN, channels)


@function
def player_corner(x, y):
    """(left, top) in native pixels. A tile's rectangle starts one pixel after its place on the grid, on which
    everything is drawn; the player, drawn one pixel lower than that, stands on the floor without a gap."""
    return pixel(x) - GRID, pixel(y) - GRID + 1


@function
def monster_corner(scenes, scene, i):
    """(left, top) in native pixels."""
    return pixel(int(scenes.monsters[scene, i, 0])) - GRID, pixel(int(scenes.monsters[scene, i, 1])) - GRID


@function
def blit(scenes, scene, sprite, composed, column, row, channels):
    colours, holes = scenes.sprites[scene, sprite], scenes.holes[scene, sprite]
    for r in range(TILE):
        for block in range(0, BLOCK * channels, BLOCK):
            for c in range(block, block + BLOCK):
                at = column * channels + c
                composed[row + r, at] = composed[row + r, at] & holes[r, c] | colours[r, c]


@function
def redraw(scenes, scene, state, picture, left, top, right, bottom, scratch):
    """Draws every pixel of ``picture`` that shows part of the native rectangle (left, top) to (right, bottom)."""
    side, size, channels = int(scenes.numbers[scene, SIDE]), picture.shape[0], picture.shape[2]
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, side), min(bottom, side)
    if left >= right or top >= bottom:
        return
    first, weights = scenes.first[scene], scenes.weights[scene]
    taps = weights.shape[1]
    # the pixels to draw, and the native pixels that they cover
    out_left, out_right = left * size // side, (right * size + side - 1) // side
    out_top, out_bottom = top * size // side, (bottom * size + side - 1) // side
    left, right = int(first[out_left]), int(first[out_right - 1]) + taps
    top, bottom = int(first[out_top]), int(first[out_bottom - 1]) + taps
    composed, sums = scratch.composed, scratch.sums
    compose(scenes, scene, state, left, top, right, bottom, channels, composed)
    columns = (right - left) * channels
    for out in range(out_top, out_bottom):
        row = int(first[out]) - top + MARGIN
        for block in range(0, columns, BLOCK):
            for c in range(block, block + BLOCK):
                sums[0, c] = weights[out, 0] * composed[row, MARGIN * channels + c]
            for tap in range(1, taps):
                for c in range(block, block + BLOCK):
                    sums[0, c] += weights[out, tap] * composed[row + tap, MARGIN * channels + c]
        average_columns(first, weights, int(scenes.inverse[scene]), sums[0], left, out_left, out_right, picture[out])


@function
def average_columns(first, weights, inverse, sums, left, out_left, out_right, pixels):
    """One row of pixels from the sums of its native columns; ``pixels``: uint8 (S, C)."""
    channels = pixels.shape[1]
    for out in range(out_left, out_right):
        for channel in range(channels):
            total = 0
            for tap in range(weights.shape[1]):
                total += int(weights[out, tap]) * int(sums[(int(first[out]) - left + tap) * channels + channel])
            pixels[out, channel] = (2 * total * inverse + (1 << ROUND)) >> (ROUND + 1)


@function
def has_patch(scenes, scene, x, y, alive):
    """Whether what surrounds the player at (x, y) half pixels is known: within the frame, and no monster near."""
    side = int(scenes.numbers[scene, SIDE])
    if scenes.patches.shape[1] == 0 or x < 0 or y < 0 or x >= 2 * side or y >= 2 * side:
        return False
    reach = int(scenes.numbers[scene, PATCH_REACH])
    for i in range(int(scenes.numbers[scene, MONSTER_COUNT])):
        near = abs(int(scenes.monsters[scene, i, 0]) - x) < reach and abs(int(scenes.monsters[scene, i, 1]) - y) < reach
        if near and alive >> i & 1:
            return False
    return True


@function
def paste(source, source_row, source_byte, picture, row, byte, rows, width):
    """Copies ``rows`` rows of ``width`` bytes, a multiple of 8, between two-dimensional arrays."""
    for r in range(rows):
        for block in range(0, width, 8):
            for b in range(block, block + 8):
                picture[row + r, byte + b] = source[source_row + r, source_byte + b]


@function
def redraw_moved(scenes, scene, state, drawn, picture, scratch):
    """Draws what changed since ``drawn``, an int32 row: the player's x and y and the monsters then alive.

    Where nothing else moves nearby, two copies do: what is behind the player, and the player at its new place.
    """
    alive = int(state[MONSTERS])
    gone = int(drawn[2]) ^ alive
    if gone:
        for i in range(int(scenes.numbers[scene, MONSTER_COUNT])):
            if gone >> i & 1:
                left, top = monster_corner(scenes, scene, i)
                redraw(scenes, scene, state, picture, left, top, left + TILE, top + TILE, scratch)
    x, y, old_x, old_y = int(state[X]), int(state[Y]), int(drawn[0]), int(drawn[1])
    remember(state, drawn)
    if x == old_x and y == old_y:
        return
    if has_patch(scenes, scene, old_x, old_y, alive) and has_patch(scenes, scene, x, y, alive):
        # (S, S, C) -> (S, S * C)
        bytes_of = picture.reshape(picture.shape[0], -1)
        patch = scenes.patches[scene, (x - int(scenes.numbers[scene, START_X]) % WALK) // WALK, pixel(y)]
        rows, width = patch.shape
        row, byte = int(scenes.patch_row[scene, pixel(old_y)]), int(scenes.patch_byte[scene, pixel(old_x)])
        paste(scenes.empty[scene], row, byte, bytes_of, row, byte, rows, width)
        row, byte = int(scenes.patch_row[scene, pixel(y)]), int(scenes.patch_byte[scene, pixel(x)])
        paste(patch, 0, 0, bytes_of, row, byte, rows, width)
        return
    (left, top), (old_left, old_top) = player_corner(x, y), player_corner(old_x, old_y)
    if abs(left - old_left) > TILE or abs(top - old_top) > TILE:
        redraw(scenes, scene, state, picture, old_left, old_top, old_left + TILE, old_top + TILE, scratch)
        redraw(scenes, scene, state, picture, left, top, left + TILE, top + TILE, scratch)
    else:
        right, bottom = max(left, old_left) + TILE, max(top, old_top) + TILE
        redraw(scenes, scene, state, picture, min(left, old_left), min(top, old_top), right, bottom, scratch)


@function
def remember(state, drawn):
    """That ``state`` is what the picture shows now."""
    drawn[0], drawn[1], drawn[2] = state[X], state[Y], state[MONSTERS]


@kernel
def draw_whole(scenes, scene, state, picture, scratch):
    """All of a picture (S, S, C), from the state alone."""
    side = int(scenes.numbers[scene, SIDE])
    redraw(scenes, scene, state, picture, 0, 0, side, side, scratch)


@kernel
def draw_still_pictures(scenes, scene, state, picture, scratch):
    """Fills a scene's pictures: of the first state, of what never moves, and around the player.

    state: int32 (FIELDS,), the first; picture: uint8 (S, S, C), room to draw in. Both are changed.
    """
    side, offset = int(scenes.numbers[scene, SIDE]), int(scenes.numbers[scene, START_X]) % WALK
    redraw(scenes, scene, state, scenes.starts[scene], 0, 0, side, side, scratch)
    state[MONSTERS], state[X] = 0, -4 * TILE  # nothing alive, the player out of sight
    redraw(scenes, scene, state, picture, 0, 0, side, side, scratch)
    bytes_of, empty = picture.reshape(picture.shape[0], -1), scenes.empty[scene]  # (S, S, C) -> (S, S * C)
    for row in range(bytes_of.shape[0]):
        for byte in range(bytes_of.shape[1]):
            empty[row, byte] = bytes_of[row, byte]
    patches = scenes.patches[scene]
    rows, width = patches.shape[2], patches.shape[3]
    for column in range(patches.shape[0]):
        x = offset + column * WALK
        if x >= 2 * side:
            break
        for at_y in range(side + 1):
            row, byte = int(scenes.patch_row[scene, at_y]), int(scenes.patch_byte[scene, pixel(x)])
            state[X], state[Y] = x, 2 * at_y
            left, top = player_corner(x, 2 * at_y)
            redraw(scenes, scene, state, picture, left, top, left + TILE, top + TILE, scratch)
            paste(bytes_of, row, byte, patches[column, at_y], 0, 0, rows, width)
            paste(empty, row, byte, bytes_of, row, byte, rows, width)


def area_weights(side: int, size: int) -> tuple[np.ndarray, np.ndarray, int]:
    """(first int32 (size,), weights int32 (size, taps), sum of a pixel's weights) of averaging side to size pixels."""
    common = gcd(side, size)
    native, out = side // common, size // common  # a native pixel is `out` units long, a pixel `native` units
    begin = np.arange(size) * native
    first = begin // out
    taps = int(((begin + native - 1) // out - first).max()) + 1
    edges = (first[:, None] + np.arange(taps)) * out
    overlap = np.minimum(edges + out, begin[:, None] + native) - np.maximum(edges, begin[:, None])
    return first.astype(np.int32), np.maximum(overlap, 0).astype(np.int32), native


def level_numbers(level: Level, max_inputs: int) -> np.ndarray:
    """int64 (NUMBERS,) of the rules."""
    numbers = np.zeros(NUMBERS, np.int64)
    width, height = level.goal_size
    numbers[[START_X, START_Y]] = [int(2 * v) for v in level.start]
    numbers[[GOAL_LEFT, GOAL_TOP]] = [pixel(int(2 * v)) - size // 2 for v, size in zip(level.goal, level.goal_size)]
    numbers[[GOAL_WIDTH, GOAL_HEIGHT]] = width, height
    numbers[[MONSTER_COUNT, MAX_INPUTS, SIDE]] = len(level.monsters), max_inputs, level.side
    return numbers


def build_scenes(places: list[tuple[Level, Scene]], size: int | None, grayscale: bool, max_inputs: int) -> Scenes:
    """Arrays of all scenes, for pictures of size x size pixels (None: the first level's native side)."""
    size = size or places[0][0].side
    side = max(level.side for level, _ in places)
    channels, count = (1 if grayscale else 3), len(places)
    averages = [area_weights(level.side, size) for level, _ in places]
    taps = max(weights.shape[1] for _, weights, _ in averages)
    most = max(len(level.monsters) for level, _ in places)
    patch_rows, patch_bytes = patch_shape(min(level.side for level, _ in places), size, channels)
    columns = 2 * side // WALK + 1
    patched = patch_rows <= size and patch_bytes <= size * channels
    patched = COMPILED and patched and count * columns * (side + 1) * patch_rows * patch_bytes <= PATCH_MEMORY
    scenes = Scenes(
        numbers=np.stack([level_numbers(level, max_inputs) for level, _ in places]),
        tiles=np.zeros((count, max(at.height for at, _ in places), max(at.width for at, _ in places)), np.uint8),
        monsters=np.zeros((count, max(most, 1), 2), np.int32),
        native=np.zeros((count, side + taps, (side + taps + BLOCK) * channels), np.uint8),
        sprites=np.zeros((count, 1 + most, TILE, BLOCK * channels), np.uint8),
        holes=np.full((count, 1 + most, TILE, BLOCK * channels), 255, np.uint8),
        first=np.stack([first for first, _, _ in averages]),
        weights=np.zeros((count, size, taps), np.int32),
        inverse=np.array([-(-(1 << ROUND) // total**2) for _, _, total in averages], np.int64),
        starts=np.zeros((count, size, size, channels), np.uint8),
        empty=np.zeros((count, size, size * channels), np.uint8),
        patches=np.zeros((count, columns * patched, side + 1, patch_rows, patch_bytes), np.uint8),
        patch_row=np.zeros((count, side + 1), np.int32),
        patch_byte=np.zeros((count, side + 1), np.int32),
    )
    for k, ((level, scene), (_, weights, _)) in enumerate(zip(places, averages)):
        scenes.numbers[k, PATCH_REACH] = 2 * (
            2 * TILE + -(-max(patch_rows, patch_bytes // channels) * level.side // size)
        )
        scenes.tiles[k, : level.height, : level.width] = level.tiles
        scenes.monsters[k, : len(level.monsters)] = level.monsters
        scenes.weights[k, :, : weights.shape[1]] = weights
        # (side, side, C) -> (side, side * C): a row's channels stay side by side
        scenes.native[k, : level.side, : level.side * channels] = shades(scene.background, grayscale).reshape(
            level.side, -1
        )
        for i, sprite in enumerate((scene.player, *scene.monsters)):
            opaque = np.repeat(sprite.opaque, channels, axis=1)
            # (TILE, TILE, C) -> (TILE, TILE * C)
            colours = shades(sprite.rgb, grayscale).reshape(TILE, -1)
            scenes.sprites[k, i, :, : TILE * channels] = np.where(opaque, colours, 0)
            scenes.holes[k, i, :, : TILE * channels] = np.where(opaque, 0, 255)
        corners = np.clip(np.arange(side + 1) - GRID, 0, level.side - 1)
        lowered = np.clip(np.arange(side + 1) - GRID + 1, 0, level.side - 1)
        scenes.patch_byte[k] = np.minimum(corners * size // level.side * channels, size * channels - patch_bytes)
        scenes.patch_row[k] = np.minimum(lowered * size // level.side, size - patch_rows)
        state = np.zeros(FIELDS, np.int32)
        begin(scenes.numbers[k], state)
        draw_still_pictures(scenes, k, state, np.zeros_like(scenes.starts[k]), build_scratch(scenes))
    return scenes


def patch_shape(side: int, size: int, channels: int) -> tuple[int, int]:
    """(rows, bytes a row) that surely hold every pixel showing part of the player, wherever it is."""
    pixels = -(-TILE * size // side) + 1
    return pixels, -(-pixels * channels // 8) * 8


def shades(rgb: np.ndarray, grayscale: bool) -> np.ndarray:
    """uint8 (..., 3) -> itself, or (..., 1) in gray."""
    if not grayscale:
        return rgb
    return ((rgb.astype(np.int64) @ GRAY + (1 << 13)) >> 14).astype(np.uint8)[..., None]


def build_scratch(scenes: Scenes) -> Scratch:
    channels, rows, width = scenes.starts.shape[3], scenes.native.shape[1], scenes.native.shape[2]
    return Scratch(
        composed=np.zeros((rows + 2 * MARGIN, width + 2 * MARGIN * channels), np.uint8),
        sums=np.zeros((1, width), np.int32),
    )
