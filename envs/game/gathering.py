"""What a player would touch on the ways that ``routes`` found, and how likely each way is to hold.

Cells are worth something when the player comes to touch them, once on each way. A way relies on what it does with
cells: it passes, stands on, climbs. Each use has a chance; cells of a group stand or fall together, so a group's chance
counts once for each use.
"""

import numpy as np

from priorlab.envs.base.compile import function, kernel
from priorlab.envs.game.movement import move
from priorlab.envs.game.playing import copy
from priorlab.envs.game.routes import Routes
from priorlab.envs.game.rules import FIELDS, GRID, JUMPING, LADDER, ON_LADDER, REACH, TILE, WALL, X, Y, pixel

PASSED, STOOD_ON, CLIMBED = range(3)  # uses of a cell, rows of chances
USES = 3
WORD = 64  # bits


def gathered(found: Routes, worth: np.ndarray, chances: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """float64 (n,): what is gathered on the way to each node, as is to be expected; 0 where a node is not closed.

    worth: float64 (2, R, C), of touching a cell, and of being in it with one's centre; chances: float64 (3, R, C), that
    a cell can be passed, stood on, climbed; groups: int (R, C), from 0 on.
    """
    count, cells = len(found.costs), worth[0].size
    order = np.flatnonzero(found.closed)
    order = order[np.argsort(found.costs[order], kind="stable")]
    words = -(-cells // WORD)
    marks = np.zeros((count, (2 + USES) * words), np.uint64)
    gains, holds, scratch = np.zeros(count), np.zeros(count), np.zeros(FIELDS, np.int32)
    gather(
        found.tiles, found.level, found.monsters, found.movement, found.states, found.parents, found.inputs,
        found.repeats, order, worth, chances, groups.astype(np.int64), words, marks, gains, holds, scratch,
    )  # fmt: skip
    return gains


@function
def is_new(marks, node, first, at):
    """Marks bit ``at`` from word ``first`` on; whether it was not marked."""
    word, bit = first + at // 64, np.uint64(1) << np.uint64(at % 64)
    if marks[node, word] & bit:
        return False
    marks[node, word] |= bit
    return True


@function
def use(tiles, x, y, kind, chances, groups, first, marks, node):
    """The chance that the cells at (x, y) half pixels can be so used, of groups of which that was not assumed yet."""
    left, top, chance = pixel(x) - GRID, pixel(y) - GRID, 1.0
    for row in range(max(top // TILE, 0), min((top + TILE - 1) // TILE, tiles.shape[0] - 1) + 1):
        for column in range(max(left // TILE, 0), min((left + TILE - 1) // TILE, tiles.shape[1] - 1) + 1):
            bits = int(tiles[row, column])
            fits = (kind == PASSED and not bits & WALL) or (kind == STOOD_ON and bits & (WALL | LADDER))
            fits = fits or (kind == CLIMBED and bits & LADDER)
            if fits and chances[kind, row, column] < 1 and is_new(marks, node, first, groups[row, column]):
                chance *= chances[kind, row, column]
    return chance


@kernel
def gather(
    tiles, level, monsters, movement, states, parents, inputs, repeats, order, worth, chances, groups, words, marks,
    gains, holds, state,
):  # fmt: skip
    """Fills marks, gains and holds, node by node, parents first."""
    rows, columns = tiles.shape
    for i in range(order.shape[0]):
        node = order[i]
        parent = parents[node]
        if parent < 0:
            holds[node] = 1.0
            continue
        for word in range(marks.shape[1]):
            marks[node, word] = marks[parent, word]
        gain, hold = gains[parent], holds[parent]
        copy(states[parent], state)
        for _ in range(repeats[node]):
            move(tiles, level, monsters, state, int(inputs[node]), movement)
            x, y = int(state[X]), int(state[Y])
            hold *= use(tiles, x, y, PASSED, chances, groups, 2 * words, marks, node)
            if state[ON_LADDER]:
                hold *= use(tiles, x, y, CLIMBED, chances, groups, 4 * words, marks, node)
            if not state[JUMPING]:
                hold *= use(tiles, x, y + REACH, STOOD_ON, chances, groups, 3 * words, marks, node)
            left, top = pixel(x) - GRID, pixel(y) - GRID
            for row in range(max(top // TILE, 0), min((top + TILE - 1) // TILE, rows - 1) + 1):
                for column in range(max(left // TILE, 0), min((left + TILE - 1) // TILE, columns - 1) + 1):
                    if worth[0, row, column] > 0 and is_new(marks, node, 0, row * columns + column):
                        gain += hold * worth[0, row, column]
            row, column = pixel(y) // TILE, pixel(x) // TILE
            within = 0 <= row < rows and 0 <= column < columns and pixel(x) % TILE and pixel(y) % TILE
            if within and worth[1, row, column] > 0 and is_new(marks, node, words, row * columns + column):
                gain += hold * worth[1, row, column]
        gains[node], holds[node] = gain, hold
