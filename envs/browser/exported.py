"""What the engine in a browser offers, compiled to WebAssembly: the lab's own functions on arrays in its memory.

``at``, int32, is where in the memory a game file was copied, or the array of a key rule is.
"""

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable
from numba.np.numpy_support import carray

from priorlab.envs.browser.game_files import (
    AT_AFTER,
    AT_COMPOSED,
    AT_HOLES,
    AT_MONSTERS,
    AT_NATIVE,
    AT_NUMBERS,
    AT_PICTURE,
    AT_SPRITES,
    AT_STATE,
    AT_TILES,
    AT_VISITED,
    CHANNELS,
    COLUMNS,
    HEAD,
    MOVERS,
    ROWS,
    SIDE,
    VISITED,
    row_bytes,
)
from priorlab.envs.engine.draw import BLOCK, MARGIN, compose
from priorlab.envs.game.playing import begin_play, continue_play
from priorlab.envs.game.rules import DEATHS, FIELDS, NUMBERS, SOLVED, TILE
from priorlab.envs.interfaces import key_rule

WON, DIED = 1, 2  # bits of what a step returns
register_jitable(row_bytes)


def as_pointer(_typing: Any, at: Any) -> Any:
    """The place in the memory as a pointer."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(at), generate


pointer: Any = intrinsic(as_pointer)


@register_jitable
def game_at(at):
    """(head, numbers, monsters, the state, the state after the last input, the positions visited)."""
    head = carray(pointer(at), (HEAD,), np.int32)
    numbers = carray(pointer(at + head[AT_NUMBERS]), (NUMBERS,), np.int64)
    monsters = carray(pointer(at + head[AT_MONSTERS]), (int(head[MOVERS]), 4), np.int32)
    state = carray(pointer(at + head[AT_STATE]), (FIELDS,), np.int32)
    after = carray(pointer(at + head[AT_AFTER]), (FIELDS,), np.int32)
    visited = carray(pointer(at + head[AT_VISITED]), (int(head[VISITED]),), np.uint8)
    return head, numbers, monsters, state, after, visited


def begin(at):
    """Begins a play."""
    _, numbers, _, state, after, visited = game_at(at)
    for i in range(visited.shape[0]):
        visited[i] = 0
    for i in range(FIELDS):
        state[i] = 0
    begin_play(numbers, state, visited)
    for i in range(FIELDS):
        after[i] = state[i]


def step(at, action):
    """One input of a play that is not won; the bits WON and DIED."""
    head, numbers, monsters, state, after, visited = game_at(at)
    tiles = carray(pointer(at + head[AT_TILES]), (int(head[ROWS]), int(head[COLUMNS])), np.uint8)
    deaths = state[DEATHS]
    continue_play(tiles, numbers, monsters, state, action, visited, after)
    return (WON if after[SOLVED] else 0) | (DIED if after[DEATHS] > deaths else 0)


def state(at):
    """Where the state after the last input is, int32 (FIELDS,)."""
    head = carray(pointer(at), (HEAD,), np.int32)
    return at + head[AT_AFTER]


def draw(at):
    """Draws the picture of now, uint8 (side, side, CHANNELS), and returns where it is."""
    head, numbers, monsters, state, _, _ = game_at(at)
    side, count = int(head[SIDE]), int(head[MOVERS]) + 1
    native = carray(pointer(at + head[AT_NATIVE]), (side, row_bytes(side)), np.uint8)
    sprites = carray(pointer(at + head[AT_SPRITES]), (count, TILE, BLOCK * CHANNELS), np.uint8)
    holes = carray(pointer(at + head[AT_HOLES]), (count, TILE, BLOCK * CHANNELS), np.uint8)
    composed = carray(pointer(at + head[AT_COMPOSED]), (side + 2 * MARGIN, (side + 2 * MARGIN) * CHANNELS), np.uint8)
    picture = carray(pointer(at + head[AT_PICTURE]), (side, side * CHANNELS), np.uint8)
    compose(numbers, monsters, native, sprites, holes, state, 0, 0, side, side, CHANNELS, composed)
    for row in range(side):
        for byte in range(side * CHANNELS):
            picture[row, byte] = composed[row + MARGIN, byte + MARGIN * CHANNELS]
    return at + head[AT_PICTURE]


def fields():
    """How many fields a state has."""
    return FIELDS


def keys_memory():
    """The bytes of a key rule's array, which begins as zeros."""
    return 4 * key_rule.ROOM


@register_jitable
def keys_at(at):
    return carray(pointer(at), (key_rule.ROOM,), np.int32)


def press(at, code, action):
    key_rule.press(keys_at(at), code, action)


def release(at, code):
    key_rule.release(keys_at(at), code)


def release_all(at):
    key_rule.release_all(keys_at(at))


def held(at):
    return keys_at(at)[key_rule.HELD]


def take(at):
    return key_rule.take(keys_at(at))


EXPORTED = {  # by numba's signature
    begin: "void(int32)", step: "int32(int32, int32)", state: "int32(int32)", draw: "int32(int32)",
    fields: "int32()", keys_memory: "int32()", press: "void(int32, int32, int32)", release: "void(int32, int32)",
    release_all: "void(int32)", held: "int32(int32)", take: "int32(int32)",
}  # fmt: skip
