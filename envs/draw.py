"""State + scene -> picture, at any size: the native picture averaged over areas, redrawn only where something moved.

A picture of S x S pixels is the native picture of side x side pixels (15 a tile) averaged as OpenCV's INTER_AREA does:
pixel i covers the native pixels from i * side / S to (i + 1) * side / S. In units of 1 / (S / gcd) of a native pixel
these overlaps are whole numbers, so the average is exact, rounded halves up.
"""

from typing import NamedTuple

import numpy as np

from envs.compile import function, kernel
from envs.rules import (
    CLOCK,
    GRID,
    HAS_KEY,
    KEYS,
    MONSTER_COUNT,
    MONSTER_Y,
    MONSTERS,
    PERIOD,
    SIDE,
    START_X,
    TILE,
    TURNED,
    WALK,
    X,
    Y,
    patrolled,
    pixel,
)  # fmt: skip
from envs.tiles import show_all_tiles, show_tiles

BLOCK = 16  # columns handled together, so that the compiler makes vectors of them; rows and sprites are padded to it
MARGIN = 16  # room around what is composed, so that sprites that stick out need no clipping
ROUND = 50  # bits of the fixed-point reciprocal that divides by the area, exact for every side up to 960
PLAYER = 0  # first of a scene's sprites; monster i is sprite i + 1, and the last is a key where there is one


class Scenes(NamedTuple):
    """What is drawn and played where, K scenes padded to common shapes; C channels, M monsters and keys, S x S."""

    numbers: np.ndarray  # int64 (K, NUMBERS): fields of the rules
    tiles: np.ndarray  # uint8 (K, rows, columns): bits of the rules
    monsters: np.ndarray  # int32 (K, M, 4): fields of the rules
    native: np.ndarray  # uint8 (K, side + taps, (side + taps + BLOCK) * C): what never moves
    sprites: np.ndarray  # uint8 (K, 1 + M, TILE, BLOCK * C): 0 where transparent
    holes: np.ndarray  # uint8 (K, 1 + M, TILE, BLOCK * C): 255 where transparent, else 0
    first: np.ndarray  # int32 (K, S): the first native pixel that a pixel covers
    weights: np.ndarray  # int32 (K, S, taps): how much of each native pixel from there on it covers
    inverse: np.ndarray  # int64 (K,): 2**ROUND / the sum of weights over an area, rounded up
    starts: np.ndarray  # uint8 (K, S, S, C): the picture of the first state
    empty: np.ndarray  # uint8 (K, S, S * C): the picture of what never moves
    patches: np.ndarray  # uint8 (K, columns, side + 1, P, B): what P x B bytes show around the player at each position
    patrols: np.ndarray  # uint8 (K, M, steps, P, B): what they show around each monster at each step of its patrol
    patch_row: np.ndarray  # int32 (K, side + TILE): a patch's first row for the top of what is in it, plus GRID
    patch_byte: np.ndarray  # int32 (K, side + TILE): its first byte in a row for the left, plus GRID
    kinds: np.ndarray  # uint8 (K, T, T): of tiles; T = 0 where pictures are drawn
    chances: (
        np.ndarray
    )  # float64 (K,): of each scene and all before it, that an episode that draws its scene plays them


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
    level, there, clock = scenes.numbers[scene], shown(scenes.numbers[scene], state), int(state[CLOCK])
    for i in range(level[MONSTER_COUNT] + level[KEYS]):
        if there >> i & 1:
            at_x, at_y = monster_corner(scenes, scene, i, clock)
            if left - TILE < at_x < right and top - TILE < at_y < bottom:
                blit(scenes, scene, i + 1, composed, at_x - left + MARGIN, at_y - top + MARGIN, channels)
    at_x, at_y = player_corner(level, int(state[X]), int(state[Y]))
    if left - TILE < at_x < right and top - TILE < at_y < bottom:
        blit(scenes, scene, PLAYER, composed, at_x - left + MARGIN, at_y - top + MARGIN, channels)


@function
def shown(level, state):
    """A bit for each monster that lives, and above them one for a key that lies there."""
    key = level[KEYS] and not state[HAS_KEY]
    return int(state[MONSTERS]) | int(key) << level[MONSTER_COUNT]


@function
def corner(level, left, top):
    """(left, top) on the screen, in native pixels, of a tile's square that is there in the level."""
    if level[TURNED]:
        return int(level[SIDE]) - TILE - top, left
    return left, top


@function
def player_corner(level, x, y):
    """(left, top) on the screen, in native pixels. A tile's rectangle starts one pixel after its place on the grid, on
    which everything is drawn; the player, drawn one pixel lower than that, stands on the floor without a gap."""
    return corner(level, pixel(x) - GRID, pixel(y) - GRID + 1)


@function
def monster_corner(scenes, scene, i, clock):
    """(left, top) on the screen, in native pixels, at that step of its patrol."""
    level, monsters = scenes.numbers[scene], scenes.monsters[scene]
    x = patrolled(monsters, i, clock, level[PERIOD])
    return corner(level, pixel(x) - GRID, pixel(int(monsters[i, MONSTER_Y])) - GRID)


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
def patch_place(scenes, scene, left, top):
    """(row, byte) in the picture of the patch that shows what is at that corner."""
    last = scenes.patch_row.shape[1] - 1
    top, left = min(max(top + GRID, 0), last), min(max(left + GRID, 0), last)
    return int(scenes.patch_row[scene, top]), int(scenes.patch_byte[scene, left])


@function
def is_free(scenes, scene, thing, left, top, there, x, y, clock):
    """Whether a thing's patch at that corner would show nothing else: sprite ``thing`` is not looked at, the player is
    at (x, y) half pixels, the monsters where they are at that clock."""
    level = scenes.numbers[scene]
    rows, width = scenes.patches.shape[3:]
    if not rows:
        return False
    row, byte = patch_place(scenes, scene, left, top)
    if thing != PLAYER:
        other_left, other_top = player_corner(level, x, y)
        other_row, other_byte = patch_place(scenes, scene, other_left, other_top)
        if abs(row - other_row) < rows and abs(byte - other_byte) < width:
            return False
    for i in range(level[MONSTER_COUNT] + level[KEYS]):
        if there >> i & 1 and i + 1 != thing:
            other_left, other_top = monster_corner(scenes, scene, i, clock)
            other_row, other_byte = patch_place(scenes, scene, other_left, other_top)
            if abs(row - other_row) < rows and abs(byte - other_byte) < width:
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
def is_alone(scenes, scene, i, left, top, there, state, drawn):
    """Whether nothing else is or was near that corner of monster i."""
    now = is_free(scenes, scene, i + 1, left, top, there, int(state[X]), int(state[Y]), int(state[CLOCK]))
    return now and is_free(scenes, scene, i + 1, left, top, there, int(drawn[0]), int(drawn[1]), int(drawn[3]))


@function
def redraw_others(scenes, scene, state, drawn, picture, scratch):
    """Draws the monsters and the key that moved, vanished or came back since ``drawn``."""
    level, clock, was = scenes.numbers[scene], int(state[CLOCK]), int(drawn[2])
    there = shown(level, state)
    for i in range(level[MONSTER_COUNT] + level[KEYS]):
        if not (there | was) >> i & 1:
            continue
        left, top = monster_corner(scenes, scene, i, clock)
        old_left, old_top = monster_corner(scenes, scene, i, int(drawn[3]))
        if not (there ^ was) >> i & 1:
            if left == old_left and top == old_top:
                continue
            if is_alone(scenes, scene, i, old_left, old_top, there | was, state, drawn):
                erase(scenes, scene, old_left, old_top, picture)
                if scenes.patrols.shape[2] and is_alone(scenes, scene, i, left, top, there | was, state, drawn):
                    put_patch(scenes, scene, scenes.patrols[scene, i, clock], left, top, picture)
                else:
                    redraw(scenes, scene, state, picture, left, top, left + TILE, top + TILE, scratch)
                continue
        redraw_between(scenes, scene, state, picture, left, top, old_left, old_top, scratch)


@function
def put_patch(scenes, scene, patch, left, top, picture):
    """Shows a patch at that corner."""
    rows, width = patch.shape
    row, byte = patch_place(scenes, scene, left, top)
    paste(patch, 0, 0, picture.reshape(picture.shape[0], -1), row, byte, rows, width)  # (S, S, C) -> (S, S * C)


@function
def erase(scenes, scene, left, top, picture):
    """Shows what is behind a thing at that corner, as far as a patch reaches."""
    rows, width = scenes.patches.shape[3:]
    row, byte = patch_place(scenes, scene, left, top)
    bytes_of = picture.reshape(picture.shape[0], -1)  # (S, S, C) -> (S, S * C)
    paste(scenes.empty[scene], row, byte, bytes_of, row, byte, rows, width)


@function
def redraw_between(scenes, scene, state, picture, left, top, old_left, old_top, scratch):
    """Draws the two places of something as large as a tile."""
    if abs(left - old_left) > TILE or abs(top - old_top) > TILE:
        redraw(scenes, scene, state, picture, old_left, old_top, old_left + TILE, old_top + TILE, scratch)
        redraw(scenes, scene, state, picture, left, top, left + TILE, top + TILE, scratch)
    else:
        right, bottom = max(left, old_left) + TILE, max(top, old_top) + TILE
        redraw(scenes, scene, state, picture, min(left, old_left), min(top, old_top), right, bottom, scratch)


@function
def show(scenes, scene, state, drawn, picture, scratch):
    """Brings a lane's picture or tiles from what ``drawn`` tells to the state; see ``redraw_moved``."""
    if scenes.kinds.shape[1]:
        show_tiles(scenes, scene, state, shown(scenes.numbers[scene], state), drawn, picture)
        remember(scenes.numbers[scene], state, drawn)
    else:
        redraw_moved(scenes, scene, state, drawn, picture, scratch)


@function
def redraw_moved(scenes, scene, state, drawn, picture, scratch):
    """Draws what changed since ``drawn``, an int32 row: the player's x and y, what was shown, the clock.

    Where nothing else is nearby, two copies do: what is behind the player, and the player at its new place.
    """
    level, clock = scenes.numbers[scene], int(state[CLOCK])
    there = shown(level, state)
    if there != drawn[2] or clock != drawn[3]:
        redraw_others(scenes, scene, state, drawn, picture, scratch)
    x, y, old_x, old_y = int(state[X]), int(state[Y]), int(drawn[0]), int(drawn[1])
    remember(level, state, drawn)
    if x == old_x and y == old_y:
        return
    (left, top), (old_left, old_top) = player_corner(level, x, y), player_corner(level, old_x, old_y)
    if not in_frame(level, old_x, old_y) or not is_free(scenes, scene, PLAYER, old_left, old_top, there, x, y, clock):
        redraw_between(scenes, scene, state, picture, left, top, old_left, old_top, scratch)
        return
    erase(scenes, scene, old_left, old_top, picture)
    patched = scenes.patches.shape[1] and in_frame(level, x, y)
    if patched and is_free(scenes, scene, PLAYER, left, top, there, x, y, clock):
        walk = int(level[WALK])
        patch = scenes.patches[scene, (x - int(level[START_X]) % walk) // walk, pixel(y)]
        put_patch(scenes, scene, patch, left, top, picture)
    else:
        redraw(scenes, scene, state, picture, left, top, left + TILE, top + TILE, scratch)


@function
def in_frame(level, x, y):
    side = 2 * int(level[SIDE])
    return 0 <= x < side and 0 <= y < side


@function
def remember(level, state, drawn):
    """That ``state`` is what the picture shows now."""
    drawn[0], drawn[1], drawn[2], drawn[3] = state[X], state[Y], shown(level, state), state[CLOCK]


@kernel
def draw_whole(scenes, scene, state, drawn, picture, scratch):
    """All of a picture (S, S, C), or of tiles, from the state alone; ``drawn`` then tells so."""
    level = scenes.numbers[scene]
    remember(level, state, drawn)
    if scenes.kinds.shape[1]:
        show_all_tiles(scenes, scene, state, shown(level, state), drawn, picture)
    else:
        redraw(scenes, scene, state, picture, 0, 0, level[SIDE], level[SIDE], scratch)


@kernel
def draw_still_pictures(scenes, scene, state, picture, scratch):
    """Fills a scene's pictures: of the first state, of what never moves, and around the player.

    state: int32 (FIELDS,), the first; picture: uint8 (S, S, C), room to draw in. Both are changed.
    """
    level = scenes.numbers[scene]
    side, walk = int(level[SIDE]), int(level[WALK])
    redraw(scenes, scene, state, scenes.starts[scene], 0, 0, side, side, scratch)
    state[MONSTERS], state[HAS_KEY], state[X] = 0, 1, -4 * TILE  # nothing there, the player out of sight
    redraw(scenes, scene, state, picture, 0, 0, side, side, scratch)
    bytes_of, empty = picture.reshape(picture.shape[0], -1), scenes.empty[scene]  # (S, S, C) -> (S, S * C)
    for row in range(bytes_of.shape[0]):
        for byte in range(bytes_of.shape[1]):
            empty[row, byte] = bytes_of[row, byte]
    for i in range(scenes.patrols.shape[1]):
        for clock in range(min(scenes.patrols.shape[2], int(level[PERIOD])) if i < level[MONSTER_COUNT] else 0):
            state[MONSTERS], state[CLOCK] = 1 << i, clock
            left, top = monster_corner(scenes, scene, i, clock)
            draw_patch(scenes, scene, state, left, top, picture, scenes.patrols[scene, i, clock], scratch)
    state[MONSTERS] = 0
    for column in range(scenes.patches.shape[1]):
        x = int(level[START_X]) % walk + column * walk
        if x >= 2 * side:
            break
        for at_y in range(side + 1):
            state[X], state[Y] = x, 2 * at_y
            left, top = player_corner(level, x, 2 * at_y)
            draw_patch(scenes, scene, state, left, top, picture, scenes.patches[scene, column, at_y], scratch)


@function
def draw_patch(scenes, scene, state, left, top, picture, patch, scratch):
    """Fills a patch with what is there around a corner; ``picture`` is the empty one before and afterwards."""
    rows, width = patch.shape
    bytes_of = picture.reshape(picture.shape[0], -1)  # (S, S, C) -> (S, S * C)
    row, byte = patch_place(scenes, scene, left, top)
    redraw(scenes, scene, state, picture, left, top, left + TILE, top + TILE, scratch)
    paste(bytes_of, row, byte, patch, 0, 0, rows, width)
    paste(scenes.empty[scene], row, byte, bytes_of, row, byte, rows, width)
