"""State + scene -> picture, at any size: the native picture averaged over areas, redrawn only where something moved.

A picture of S x S pixels is the native picture, side x side pixels (15 per tile), averaged as OpenCV's INTER_AREA does:
pixel i covers the native pixels from i * side / S to (i + 1) * side / S. In units of 1 / (S / gcd) of a native pixel
these overlaps are whole numbers, so the average is exact, rounded halves up.

Here a picture is rows of bytes, (S, S * C): a pixel's channels side by side.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from priorlab.envs.base.compile import function, kernel
from priorlab.envs.engine.tiles import show_all_tiles, show_tiles
from priorlab.envs.game.rules import (
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
)

BLOCK = 16  # columns processed together, so that the compiler vectorises; rows and sprites are padded to it
MARGIN = 16  # margin around what is composed, so that sprites that stick out need no clipping
ROUND = 50  # bits of the fixed-point reciprocal that divides by the area, exact for every side up to 960
PLAYER = 0  # the first of a scene's sprites; monster i is sprite i + 1, and a key, where there is one, is the last


class Scenes(NamedTuple):
    """What is played and drawn: K scenes, padded to common shapes; C channels, M monsters and keys, S x S pixels."""

    numbers: np.ndarray  # int64 (K, NUMBERS): fields of the rules
    tiles: np.ndarray  # uint8 (K, rows, columns): bits of the rules
    monsters: np.ndarray  # int32 (K, M, 4): fields of the rules
    native: np.ndarray  # uint8 (K, side + taps, (side + taps + BLOCK) * C): what never moves
    sprites: np.ndarray  # uint8 (K, 1 + M, TILE, BLOCK * C): 0 where transparent
    holes: np.ndarray  # uint8 (K, 1 + M, TILE, BLOCK * C): 255 where transparent, else 0
    first: np.ndarray  # int32 (K, S): the first native pixel that a pixel covers
    weights: np.ndarray  # int32 (K, S, taps): how much of each native pixel, from there on, it covers
    inverse: np.ndarray  # int64 (K,): 2**ROUND / the sum of weights over an area, rounded up
    starts: np.ndarray  # uint8 (K, S, S, C): the picture of the first state
    empty: np.ndarray  # uint8 (K, S, S * C): the picture of what never moves
    patches: np.ndarray  # uint8 (K, columns, side + 1, P, B): the P x B bytes around the player at each position
    patrols: np.ndarray  # uint8 (K, M, steps, P, B): the bytes around each monster at each step of its patrol
    patch_row: np.ndarray  # int32 (K, side + TILE): a patch's first row, by the top of what is in it plus GRID
    patch_byte: np.ndarray  # int32 (K, side + TILE): its first byte in a row, by the left plus GRID
    kinds: np.ndarray  # uint8 (K, T, T): kinds of tiles; T = 0 where pictures are drawn
    chances: np.ndarray  # float64 (K,): cumulative probabilities with which an episode draws its scene


class Scratch(NamedTuple):
    """Scratch memory in which one thread draws."""

    composed: np.ndarray  # uint8 (side + taps + 2 MARGIN, (side + taps + BLOCK + 2 MARGIN) * C)
    sums: np.ndarray  # int32 (S, (side + taps + BLOCK) * C)


@function
def compose(level, monsters, native, sprites, holes, state, left, top, right, bottom, channels, composed):
    """Composes the native picture from (left, top) to (right, bottom) in ``composed``, inside its margin."""
    first, columns = left * channels, (right - left) * channels
    margin = MARGIN * channels
    for row in range(bottom - top):
        for block in range(0, columns, BLOCK):
            for c in range(block, block + BLOCK):
                composed[row + MARGIN, margin + c] = native[row + top, first + c]
    there = shown(level, state)
    count = level[MONSTER_COUNT] + level[KEYS] + 1
    for k in range(1, count + 1):
        thing = k if k < count else PLAYER  # the player last
        if thing == PLAYER or there >> (thing - 1) & 1:
            at_x, at_y = corner_of(level, monsters, thing, int(state[X]), int(state[Y]), int(state[CLOCK]))
            if left - TILE < at_x < right and top - TILE < at_y < bottom:
                blit(sprites[thing], holes[thing], composed, at_x - left + MARGIN, at_y - top + MARGIN, channels)


@function
def shown(level, state):
    """A bit for each monster alive, and above them one for a key that was not taken."""
    key = level[KEYS] and not state[HAS_KEY]
    return int(state[MONSTERS]) | int(key) << level[MONSTER_COUNT]


@function
def corner(level, left, top):
    """(left, top) on the screen, in native pixels, of the tile-sized square at (left, top) in the level."""
    if level[TURNED]:
        return int(level[SIDE]) - TILE - top, left
    return left, top


@function
def player_corner(level, x, y):
    """(left, top) on the screen, in native pixels. Everything is drawn on the grid, one pixel before a tile's rectangle
    starts; the player, drawn one pixel lower, stands on the floor without a gap."""
    return corner(level, pixel(x) - GRID, pixel(y) - GRID + 1)


@function
def monster_corner(level, monsters, i, clock):
    """(left, top) on the screen, in native pixels, at that step of its patrol."""
    x = patrolled(monsters, i, clock, level[PERIOD])
    return corner(level, pixel(x) - GRID, pixel(int(monsters[i, MONSTER_Y])) - GRID)


@function
def blit(colours, holes, composed, column, row, channels):
    for r in range(TILE):
        for block in range(0, BLOCK * channels, BLOCK):
            for c in range(block, block + BLOCK):
                at = column * channels + c
                composed[row + r, at] = composed[row + r, at] & holes[r, c] | colours[r, c]


@function
def redraw(scenes, scene, state, picture, left, top, right, bottom, scratch):
    """Draws every pixel of ``picture`` that shows part of the native rectangle (left, top) to (right, bottom)."""
    side, size, channels = int(scenes.numbers[scene, SIDE]), picture.shape[0], scenes.starts.shape[3]
    out_left, out_top, out_right, out_bottom = pixels_of(side, size, left, top, right, bottom)
    if out_left == out_right:
        return
    first, weights = scenes.first[scene], scenes.weights[scene]
    taps = weights.shape[1]
    # the native pixels that they cover
    left, right = int(first[out_left]), int(first[out_right - 1]) + taps
    top, bottom = int(first[out_top]), int(first[out_bottom - 1]) + taps
    composed, sums = scratch.composed, scratch.sums
    layers = scenes.native[scene], scenes.sprites[scene], scenes.holes[scene]
    level, monsters = scenes.numbers[scene], scenes.monsters[scene]
    compose(level, monsters, *layers, state, left, top, right, bottom, channels, composed)
    columns = (right - left) * channels
    for out in range(out_top, out_bottom):
        row = int(first[out]) - top + MARGIN
        for block in range(0, columns, BLOCK):
            for c in range(block, block + BLOCK):
                sums[0, c] = weights[out, 0] * composed[row, MARGIN * channels + c]
            for tap in range(1, taps):
                for c in range(block, block + BLOCK):
                    sums[0, c] += weights[out, tap] * composed[row + tap, MARGIN * channels + c]
        inverse = int(scenes.inverse[scene])
        average_columns(first, weights, inverse, sums[0], left, out_left, out_right, channels, picture[out])


@function
def pixels_of(side, size, left, top, right, bottom):
    """(left, top, right, bottom) of the pixels that show part of a native rectangle; all 0 if none does."""
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, side), min(bottom, side)
    if left >= right or top >= bottom:
        return 0, 0, 0, 0
    right, bottom = (right * size + side - 1) // side, (bottom * size + side - 1) // side
    return left * size // side, top * size // side, right, bottom


@function
def mean(total, inverse):
    """A weighted sum over an area divided by the sum of its weights, rounded halves up."""
    return (2 * total * inverse + (1 << ROUND)) >> (ROUND + 1)


@function
def average_columns(first, weights, inverse, sums, left, out_left, out_right, channels, pixels):
    """One row of pixels from the sums of its native columns; ``pixels``: uint8 (S * C,)."""
    for out in range(out_left, out_right):
        for channel in range(channels):
            total = 0
            for tap in range(weights.shape[1]):
                total += int(weights[out, tap]) * int(sums[(int(first[out]) - left + tap) * channels + channel])
            pixels[out * channels + channel] = mean(total, inverse)


@function
def patch_place(patch_row, patch_byte, left, top):
    """(row, byte) in the picture of the patch for what is at that corner, from the scene's tables."""
    last = patch_row.shape[0] - 1
    return int(patch_row[min(max(top + GRID, 0), last)]), int(patch_byte[min(max(left + GRID, 0), last)])


@function
def corner_of(level, monsters, thing, x, y, clock):
    """(left, top) on the screen of a sprite, with the player at (x, y) half pixels and the monsters at that clock."""
    if thing == PLAYER:
        return player_corner(level, x, y)
    return monster_corner(level, monsters, thing - 1, clock)


@function
def is_alone(level, monsters, patch_row, patch_byte, rows, width, thing, left, top, there, x, y, clock):
    """Whether a patch of ``rows`` x ``width`` bytes at that corner shows no sprite but ``thing``.

    ``there``: bits of the others that show; the player is at (x, y) half pixels, the monsters at that clock.
    """
    row, byte = patch_place(patch_row, patch_byte, left, top)
    for other in range(level[MONSTER_COUNT] + level[KEYS] + 1):
        if other == thing or (other != PLAYER and not there >> (other - 1) & 1):
            continue
        other_left, other_top = corner_of(level, monsters, other, x, y, clock)
        other_row, other_byte = patch_place(patch_row, patch_byte, other_left, other_top)
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


def showing(paste: Callable, redraw: Callable) -> Callable:
    """Makes ``show`` from a way to copy and a way to redraw: by one thread, or by many that share a picture."""

    @function
    def show(scenes, scene, state, drawn, picture, scratch):
        """Updates a picture, or tiles, from what ``drawn``, an int32 row, records to the state.

        ``drawn``: x, y, what was shown, clock. Where nothing else is nearby, two copies suffice: what is behind a
        thing, and the thing at its new position. Functions called here take few arguments: a call that is not inlined
        would copy every array of the scenes.
        """
        level, monsters = scenes.numbers[scene], scenes.monsters[scene]
        if scenes.kinds.shape[1]:
            show_tiles(level, monsters, scenes.kinds[scene], state, shown(level, state), drawn, picture)
            return
        patch_row, patch_byte, (rows, width) = (
            scenes.patch_row[scene],
            scenes.patch_byte[scene],
            scenes.patches.shape[3:],
        )
        x, y, clock, walk = int(state[X]), int(state[Y]), int(state[CLOCK]), int(level[WALK])
        was_x, was_y, was_clock = int(drawn[0]), int(drawn[1]), int(drawn[3])
        there, was, count = shown(level, state), int(drawn[2]), level[MONSTER_COUNT] + level[KEYS] + 1
        either, still = there | was, there == was and clock == was_clock  # all but the player
        for k in range(count if still else 1, count + 1):
            thing = k if k < count else PLAYER  # the player last
            came = thing != PLAYER and (there ^ was) >> (thing - 1) & 1
            if thing != PLAYER and not either >> (thing - 1) & 1:
                continue
            left, top = corner_of(level, monsters, thing, x, y, clock)
            old_left, old_top = corner_of(level, monsters, thing, was_x, was_y, was_clock)
            if left == old_left and top == old_top and not came:
                continue
            patched, erased = scenes.patrols.shape[2] > 0, rows > 0 and not came
            if thing == PLAYER:  # drawn last, when all others are at their new positions
                was_x, was_y, was_clock = x, y, clock
                patched = scenes.patches.shape[1] > 0 and in_frame(level, x, y)
            for before in range(1 if still or thing == PLAYER else 2):
                at_x, at_y, at = (was_x, was_y, was_clock) if before else (x, y, clock)
                tables = patch_row, patch_byte, rows, width
                erased = erased and is_alone(level, monsters, *tables, thing, old_left, old_top, either, at_x, at_y, at)
                patched = patched and erased
                patched = patched and is_alone(level, monsters, *tables, thing, left, top, either, at_x, at_y, at)
            if erased:
                row, byte = patch_place(patch_row, patch_byte, old_left, old_top)
                paste(scenes.empty[scene], row, byte, picture, row, byte, rows, width)
                old_left, old_top = left, top
            if patched:
                row, byte = patch_place(patch_row, patch_byte, left, top)
                if thing == PLAYER:
                    patch = scenes.patches[scene, (x - int(level[START_X]) % walk) // walk, pixel(y)]
                else:
                    patch = scenes.patrols[scene, thing - 1, clock]
                paste(patch, 0, 0, picture, row, byte, rows, width)
                continue
            far = abs(left - old_left) > TILE or abs(top - old_top) > TILE
            first_left, first_top = (left, top) if far else (min(left, old_left), min(top, old_top))
            right, bottom = (left, top) if far else (max(left, old_left), max(top, old_top))
            for part in range(2 if far else 1):  # a single call, which is inlined
                if part:
                    first_left, first_top, right, bottom = old_left, old_top, old_left, old_top
                redraw(scenes, scene, state, picture, first_left, first_top, right + TILE, bottom + TILE, scratch)

    return show


show = showing(paste, redraw)


@function
def in_frame(level, x, y):
    side = 2 * int(level[SIDE])
    return 0 <= x < side and 0 <= y < side


@function
def remember(level, state, drawn):
    """Records in ``drawn`` that the picture now shows ``state``."""
    drawn[0], drawn[1], drawn[2], drawn[3] = state[X], state[Y], shown(level, state), state[CLOCK]


@kernel
def draw_whole(scenes, scene, state, drawn, picture, scratch):
    """Draws a complete picture, or tiles, from the state alone, and records it in ``drawn``."""
    level = scenes.numbers[scene]
    remember(level, state, drawn)
    if scenes.kinds.shape[1]:
        show_all_tiles(level, scenes.monsters[scene], scenes.kinds[scene], state, shown(level, state), drawn, picture)
    else:
        redraw(scenes, scene, state, picture, 0, 0, level[SIDE], level[SIDE], scratch)


@kernel
def draw_still_pictures(scenes, scene, state, picture, scratch):
    """Fills a scene's pictures: of the first state, of what never moves, and around monsters and the player.

    state: int32 (FIELDS,), the first; picture: uint8 (S, S * C), scratch memory. Both are changed.
    """
    level, side = scenes.numbers[scene], int(scenes.numbers[scene, SIDE])
    empty, starts = scenes.empty[scene], scenes.starts[scene].reshape(picture.shape[0], -1)  # (S, S, C) -> (S, S * C)
    steps = min(scenes.patrols.shape[2], int(level[PERIOD]))
    patrols = level[MONSTER_COUNT] * steps
    walk, rows = int(level[WALK]), side + 1
    columns = min(scenes.patches.shape[1], (2 * side - int(level[START_X]) % walk + walk - 1) // walk)
    for job in range(2 + patrols + columns * rows):  # a single call of redraw, which is inlined
        left, top, right, bottom = 0, 0, side, side
        number, place = job - 2, job - 2 - patrols
        if job:
            state[MONSTERS], state[HAS_KEY], state[X] = 0, 1, -4 * TILE  # nothing shows, the player is out of the frame
        if job >= 2 and place < 0:
            state[MONSTERS], state[CLOCK] = 1 << number // steps, number % steps
            left, top = monster_corner(level, scenes.monsters[scene], number // steps, number % steps)
            right, bottom = left + TILE, top + TILE
        elif place >= 0:
            state[X], state[Y] = int(level[START_X]) % walk + place // rows * walk, 2 * (place % rows)
            left, top = player_corner(level, int(state[X]), int(state[Y]))
            right, bottom = left + TILE, top + TILE
        redraw(scenes, scene, state, picture, left, top, right, bottom, scratch)
        if job < 2:
            target = empty if job else starts
            for row in range(picture.shape[0]):
                for byte in range(picture.shape[1]):
                    target[row, byte] = picture[row, byte]
        else:
            patch = (
                scenes.patrols[scene, number // max(steps, 1), number % max(steps, 1)]
                if place < 0
                else (scenes.patches[scene, place // rows, place % rows])
            )
            row, byte = patch_place(scenes.patch_row[scene], scenes.patch_byte[scene], left, top)
            paste(picture, row, byte, patch, 0, 0, patch.shape[0], patch.shape[1])
            paste(empty, row, byte, picture, row, byte, patch.shape[0], patch.shape[1])
