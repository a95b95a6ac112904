"""A game as tiles instead of a picture, for planning and fast experiments: the kind of each cell, the player's state.

Each cell of a square of tiles holds CHANNELS numbers. The first is what the cell contains (KINDS). The others are 0
except where something that moves has its centre: ACROSS and DOWN say where in the cell, in half pixels, 0 to 29. Where
the player is, HERE is 1 and the rest is its state, SPEED_UP in pixels per step plus 8. Outside the frame there is no
cell.
"""

import numpy as np

from priorlab.envs.base.compile import function
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import (
    CLOCK,
    HAS_KEY,
    JUMPING,
    KEYS,
    MONSTER_COUNT,
    MONSTER_Y,
    ON_LADDER,
    PERIOD,
    SIDE,
    SPEED,
    TILE,
    TURNED,
    X,
    Y,
    patrolled,
)

KINDS = ("nothing", "boundary", "platform", "ladder", "fire", "spikes", "goal", "door", "monster", "key")
MONSTER, KEY = KINDS.index("monster"), KINDS.index("key")
STILL = {"|": "boundary", "#": "platform", "H": "ladder", "*": "fire", "^": "spikes"}
KIND, HERE, ACROSS, DOWN, SPEED_UP, IN_JUMP, AT_LADDER, WITH_KEY = range(8)
CHANNELS = 8
UNSPEED = 8  # added to speeds, which are -8 to 7


def still_kinds(level: Level, tiles: int, turned: bool) -> np.ndarray:
    """uint8 (tiles, tiles): what never moves in each cell, as a kind; rotated 90 degrees clockwise as pictures are."""
    kinds = np.zeros((tiles, tiles), np.uint8)
    for r, row in enumerate(level.rows):
        for c, character in enumerate(row):
            kinds[r, c] = KINDS.index(STILL.get(character, "nothing"))
    column, row = (min(max(int(v // TILE), 0), tiles - 1) for v in level.goal)
    kinds[row, column] = KINDS.index("door" if level.key else "goal")
    side = level.side // TILE
    if turned:
        kinds[:side, :side] = np.rot90(kinds[:side, :side], -1)
    return kinds


@function
def cell(level, x, y):
    """(row, column, half pixels down, half pixels across) of a point of the level on the screen; row -1 outside."""
    side = 2 * int(level[SIDE])
    if x < 0 or y < 0 or x >= side or y >= side:
        return -1, 0, 0, 0
    if level[TURNED]:
        x, y = side - 1 - y, x
    return y // (2 * TILE), x // (2 * TILE), y % (2 * TILE), x % (2 * TILE)


@function
def clear_cell(level, kinds, x, y, cells):
    row, column, _, _ = cell(level, x, y)
    if row >= 0:
        at = CHANNELS * column
        for channel in range(CHANNELS):
            cells[row, at + channel] = 0
        cells[row, at + KIND] = kinds[row, column]


@function
def put_mover(level, kind, x, y, cells):
    row, column, down, across = cell(level, x, y)
    if row >= 0:
        at = CHANNELS * column
        cells[row, at + KIND], cells[row, at + DOWN], cells[row, at + ACROSS] = kind, down, across


@function
def put_player(level, state, cells):
    row, column, down, across = cell(level, int(state[X]), int(state[Y]))
    if row >= 0:
        at = CHANNELS * column
        cells[row, at + HERE], cells[row, at + DOWN], cells[row, at + ACROSS] = 1, down, across
        cells[row, at + SPEED_UP], cells[row, at + IN_JUMP] = int(state[SPEED]) + UNSPEED, state[JUMPING]
        cells[row, at + AT_LADDER], cells[row, at + WITH_KEY] = state[ON_LADDER], state[HAS_KEY]


@function
def show_tiles(level, monsters, kinds, state, there, drawn, cells):
    """Updates cells, uint8 (T, T * CHANNELS), from what ``drawn`` records to the state; ``there``: what shows, bits."""
    count, period = level[MONSTER_COUNT] + level[KEYS], level[PERIOD]
    for i in range(-1, count):  # the player, the others
        x, y = int(drawn[0]), int(drawn[1])
        if i >= 0:
            x, y = patrolled(monsters, i, int(drawn[3]), period), int(monsters[i, MONSTER_Y])
        clear_cell(level, kinds, x, y, cells)
    for i in range(count):
        if there >> i & 1:
            kind = MONSTER if i < level[MONSTER_COUNT] else KEY
            x = patrolled(monsters, i, int(state[CLOCK]), period)
            put_mover(level, kind, x, int(monsters[i, MONSTER_Y]), cells)
    put_player(level, state, cells)


@function
def show_all_tiles(level, monsters, kinds, state, there, drawn, cells):
    """Fills all cells, regardless of what they showed."""
    for row in range(kinds.shape[0]):
        for column in range(kinds.shape[1]):
            for channel in range(CHANNELS):
                cells[row, CHANNELS * column + channel] = 0
            cells[row, CHANNELS * column + KIND] = kinds[row, column]
    show_tiles(level, monsters, kinds, state, there, drawn, cells)
