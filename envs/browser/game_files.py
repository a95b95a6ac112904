"""Games as files for the compiled engine: what is played and drawn, laid out as the engine has it in its memory.

A file is little-endian and holds no name. After its head come the arrays of ARRAYS, each at a multiple of ALIGNED
bytes. In memory the arrays of ROOMS follow, which the engine fills.
"""

import numpy as np

from priorlab.envs.browser.shipped import edition
from priorlab.envs.engine.draw import BLOCK, MARGIN
from priorlab.envs.engine.places import gather_places
from priorlab.envs.engine.scenes import paint_layers
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.replaying import positions_room
from priorlab.envs.game.rules import FIELDS, TILE
from priorlab.envs.plays.courses import ChosenGame
from priorlab.envs.plays.play import NO_LIMIT, place_settings

# Fields of the head, int32; engine.js reads the first five. LENGTH, MEMORY and VISITED are in bytes; so is AT_...,
# where an array begins, from the file's first byte on
MAGIC, EDITION, LENGTH, MEMORY, SIDE, ROWS, COLUMNS, MOVERS, VISITED = range(9)
AT_NUMBERS, AT_MONSTERS, AT_TILES, AT_SPRITES, AT_HOLES, AT_NATIVE = range(9, 15)
AT_STATE, AT_AFTER, AT_VISITED, AT_COMPOSED, AT_PICTURE = range(15, 20)
HEAD = 20
ARRAYS = (AT_NUMBERS, AT_MONSTERS, AT_TILES, AT_SPRITES, AT_HOLES, AT_NATIVE)
ROOMS = (AT_STATE, AT_AFTER, AT_VISITED, AT_COMPOSED, AT_PICTURE)

FIRST_BYTES = int.from_bytes(b"play", "little")  # of every game file
CHANNELS = 4  # red, green, blue, opacity, as a canvas takes them
OPAQUE = 255
ALIGNED = 8


def aligned(size: int) -> int:
    return -(-size // ALIGNED) * ALIGNED


def row_bytes(side: int) -> int:
    """Bytes of a row of the native picture: of side pixels, up to a whole block."""
    return -(-side * CHANNELS // BLOCK) * BLOCK


def game_file(game: ChosenGame) -> bytes:
    """The game for the engine in a browser, about 0.3 MB, of which gzip leaves a few kB.

    Raises ValueError, one line, for what ``ChosenGame.open`` refuses, for Atari's games, and as ``shipped.edition``.
    """
    if game.is_atari:
        raise ValueError(f"game is {game.game!r}: expected princess, key_door or random; Atari's don't run in browsers")
    (place,), _ = gather_places(1, **place_settings(*game.drawn_level()))
    level, layers = place.level, paint_layers(place)
    movers, side = len(level.monsters), level.side
    native = np.zeros((side, row_bytes(side)), np.uint8)
    native[:, : side * CHANNELS] = with_opacity(layers.background, OPAQUE).reshape(side, -1)
    sprites = np.zeros((1 + movers, TILE, BLOCK * CHANNELS), np.uint8)
    holes = np.full_like(sprites, 255)
    opaque = layers.opaque[..., None]
    # (n, TILE, TILE, C) -> (n, TILE, TILE * C)
    sprites[..., : TILE * CHANNELS] = (with_opacity(layers.sprites, OPAQUE) * opaque).reshape(1 + movers, TILE, -1)
    holes[..., : TILE * CHANNELS] = np.where(opaque, 0, [255] * CHANNELS).reshape(1 + movers, TILE, -1)
    numbers = level_numbers(level, place.rules, NO_LIMIT)
    return laid_out(numbers, level.monsters, level.tiles, sprites, holes, native)


def with_opacity(rgb: np.ndarray, opacity: int) -> np.ndarray:
    """uint8 (..., 3) -> (..., 4)."""
    return np.concatenate([rgb, np.full_like(rgb[..., :1], opacity)], axis=-1)


def laid_out(
    numbers: np.ndarray, monsters: np.ndarray, tiles: np.ndarray, sprites: np.ndarray, holes: np.ndarray,
    native: np.ndarray,
) -> bytes:  # fmt: skip
    """The file of these arrays."""
    head = np.zeros(HEAD, "<i4")
    side, visited = native.shape[0], positions_room(numbers).size
    head[[MAGIC, EDITION, SIDE]] = FIRST_BYTES, edition(), side
    head[[ROWS, COLUMNS, MOVERS, VISITED]] = *tiles.shape, len(monsters), visited
    content, at = [], head.nbytes
    for field, array in zip(ARRAYS, (numbers, monsters, tiles, sprites, holes, native)):
        head[field] = at
        data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        content.append(data.ljust(aligned(len(data)), b"\0"))
        at += len(content[-1])
    head[LENGTH] = at
    composed = (side + 2 * MARGIN) ** 2 * CHANNELS
    for field, size in zip(ROOMS, (4 * FIELDS, 4 * FIELDS, visited, composed, side * side * CHANNELS)):
        head[field] = at
        at += aligned(size)
    head[MEMORY] = at
    return head.tobytes() + b"".join(content)
