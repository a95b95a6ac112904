"""The way on which a player would gather most for its cost, of all that a search for routes finds.

Cells are worth something when the player comes to touch them, once on each way. A way relies on what it does with
cells: it passes, stands on, climbs. Each use has a chance; cells of a group stand or fall together, so a group's chance
counts once for each use.
"""

import math
import threading
from typing import NamedTuple

import numpy as np

from priorlab.envs.base.compile import function, inlined, kernel
from priorlab.envs.game.movement import Movement, move
from priorlab.envs.game.playing import copy
from priorlab.envs.game.route_search import (
    CLOSED,
    FULL,
    HEAD,
    HEAPED,
    RESTS,
    ROOM,
    TAIL,
    Search,
    begin,
    close,
    pop,
)
from priorlab.envs.game.routes import checked, inputs_to, own_search
from priorlab.envs.game.rules import (
    FIELDS,
    GRID,
    JUMPING,
    LADDER,
    ON_LADDER,
    REACH,
    TILE,
    WALL,
    X,
    Y,
    cell_of,
    pixel,
)

PASSED, STOOD_ON, CLIMBED = range(3)  # uses of a cell, rows of chances
USES = 3
WORD = 64  # bits
CHECKED = 256  # nodes after which it is asked whether any other way can still be better
ROUNDING = 1 + 1e-9  # more than rounding can add to a sum of worth
MEMORY = threading.local()  # each thread's gathering, used again and again


class Way(NamedTuple):
    """The way with the highest rate, what it gathers for what it costs."""

    rate: float
    cost: float
    inputs: np.ndarray  # uint8 (n,)
    end: np.ndarray  # int32 (FIELDS,)


class Gathering(NamedTuple):
    """What is gathered on the ways to the nodes of a search."""

    gains: np.ndarray  # float64 (ROOM,), as is to be expected
    holds: np.ndarray  # float64 (ROOM,), the chance that the way holds
    left: np.ndarray  # float64 (ROOM,), the worth of what was not touched
    rows: np.ndarray  # int32 (ROOM,), of marks; nodes that mark nothing share their parents'
    marks: np.ndarray  # uint64 (ROOM, (2 + USES) words), bits of cells touched, been in, and of groups used
    owners: np.ndarray  # int32 (ROOM,), the first node of each row
    marked: np.ndarray  # int64 (1,), how many rows there are
    scratch: np.ndarray  # int32 (FIELDS,)


def richest(
    tiles: np.ndarray,
    level: np.ndarray,
    monsters: np.ndarray,
    state: np.ndarray,
    prices: np.ndarray,
    worth: np.ndarray,
    chances: np.ndarray,
    groups: np.ndarray,
    *,
    aims: np.ndarray | None = None,
    limit: float = math.inf,
    ahead: float = 0.0,
    landing: float = 0.0,
    above: float = 0.0,
    movement: Movement | None = None,
) -> Way | None:
    """The way with the highest rate among the cheapest ways to all that can be reached; None unless it is ``above``.

    The rate is what a way gathers, as is to be expected, for its cost, ``ahead``, and ``landing`` where it ends in the
    air. worth: float64 (2, R, C), of touching a cell, and of being in it with one's centre; chances: float64 (3, R, C),
    that a cell can be passed, stood on, climbed; groups: int (R, C), from 0 on, below R C. The others, and errors, are
    those of ``routes``.
    """
    prices, aims = checked(tiles, level, monsters, state, prices, aims)
    for name, array, uses in (("worth", worth, (2,)), ("chances", chances, (USES,)), ("groups", groups, ())):
        if array.shape != (*uses, *tiles.shape):
            raise ValueError(f"{name} has shape {array.shape}: expected {(*uses, *tiles.shape)}")
    if groups.min() < 0 or groups.max() >= tiles.size:
        raise ValueError(f"groups has {groups.min()} to {groups.max()}: expected 0 to {tiles.size - 1}")
    search, gathering = own_search(tiles.shape), own_gathering(tiles.size)
    node = int(gather(
        tiles, level, monsters, movement, np.ascontiguousarray(state, np.int32), prices, aims, float(limit), worth,
        chances, groups, float(ahead), float(landing), float(above), search, gathering,
    ))  # fmt: skip
    if node < 0:
        return None
    cost = float(search.costs[node])
    rate = float(gathering.gains[node]) / (cost + ahead + (0.0 if search.known[node] & RESTS else landing))
    return Way(rate, cost, inputs_to(search, node), search.states[node].copy())


def own_gathering(cells: int) -> Gathering:
    """This thread's gathering for maps of so many cells."""
    gathering: Gathering | None = getattr(MEMORY, "gathering", None)
    words = (2 + USES) * -(-cells // WORD)
    if gathering is None or gathering.marks.shape[1] != words:
        MEMORY.gathering = gathering = Gathering(
            gains=np.zeros(ROOM), holds=np.zeros(ROOM), left=np.zeros(ROOM), rows=np.zeros(ROOM, np.int32),
            marks=np.zeros((ROOM, words), np.uint64), owners=np.zeros(ROOM, np.int32), marked=np.zeros(1, np.int64),
            scratch=np.zeros(FIELDS, np.int32),
        )  # fmt: skip
    return gathering


@kernel
def gather(
    tiles, level, monsters, movement, state, prices, aims, limit, worth, chances, groups, ahead, landing, above,
    search: Search, gathering: Gathering,
):  # fmt: skip
    """Explores until no other way can have a higher rate; the node of the highest above ``above``, or -1."""
    begin(tiles, level, monsters, state, prices, aims, search)
    best, rate, closed = -1, above, 0
    while not search.kept[FULL]:
        node = pop(search)
        if node < 0 or search.costs[node] > limit:
            break
        close(tiles, level, monsters, movement, prices, search, node)
        collect(tiles, level, monsters, movement, worth, chances, groups, search, gathering, node)
        costs = search.costs[node] + ahead + (0.0 if search.known[node] & RESTS else landing)
        reached = gathering.gains[node] / costs
        if reached > rate or (reached == rate and node < best):
            best, rate = node, reached
        closed += 1
        if closed % CHECKED == 0 and not can_rise(search, gathering, ahead, rate):
            break
    return best


@inlined
def can_rise(search: Search, gathering: Gathering, ahead, rate):
    """Whether a way over any node that is not closed may have at least that rate."""
    first, last = int(search.kept[HEAD]), int(search.kept[TAIL])
    for at in range(first, last + int(search.kept[HEAPED])):
        node = search.queue[at] if at < last else search.heap[at - last]
        if promises(search, gathering, node, ahead, rate):
            return True
    return False


@inlined
def promises(search: Search, gathering: Gathering, node, ahead, rate):
    """Whether that would be so if all that is left were touched there."""
    parent = search.parents[node]
    most = gathering.gains[parent] + gathering.holds[parent] * gathering.left[parent]
    return not search.known[node] & CLOSED and most * ROUNDING >= rate * (search.costs[node] + ahead)


@inlined
def collect(tiles, level, monsters, movement, worth, chances, groups, search: Search, gathering: Gathering, node):
    """Adds what the last inputs of the way to a node touch to what its parent has."""
    parent, state, (rows, columns) = search.parents[node], gathering.scratch, tiles.shape
    if parent < 0:
        gathering.gains[node], gathering.holds[node], gathering.left[node] = 0.0, 1.0, total(worth)
        gathering.rows[node], gathering.owners[0], gathering.marked[0] = 0, 0, 1
        gathering.marks[0, :] = 0
        return
    gathering.rows[node] = gathering.rows[parent]
    gain, hold, left = gathering.gains[parent], gathering.holds[parent], gathering.left[parent]
    words, fresh = gathering.marks.shape[1] // (2 + USES), search.parents[parent] < 0
    copy(search.states[parent], state)
    for _ in range(search.repeats[node]):
        before_x, before_y = int(state[X]), int(state[Y])
        flew, climbed = state[JUMPING], state[ON_LADDER]
        if search.repeats[node] == 1:
            copy(search.states[node], state)
        else:
            move(tiles, level, monsters, state, int(search.inputs[node]), movement)
        x, y = int(state[X]), int(state[Y])
        # cells that it touched in the same way before are marked already; those where the search begins are not
        stays = same_cells(before_x, before_y, x, y) and not fresh
        if not stays:
            hold *= use(tiles, x, y, PASSED, chances, groups, 2 * words, gathering, node)
        if state[ON_LADDER] and not (stays and climbed):
            hold *= use(tiles, x, y, CLIMBED, chances, groups, 4 * words, gathering, node)
        stands = same_cells(before_x, before_y + REACH, x, y + REACH) and not flew and not fresh
        if not state[JUMPING] and not stands:
            hold *= use(tiles, x, y + REACH, STOOD_ON, chances, groups, 3 * words, gathering, node)
        fresh = False
        if not stays:
            left_side, top = pixel(x) - GRID, pixel(y) - GRID
            for row in range(max(cell_of(top), 0), min(cell_of(top + TILE - 1), rows - 1) + 1):
                for column in range(max(cell_of(left_side), 0), min(cell_of(left_side + TILE - 1), columns - 1) + 1):
                    found = worth[0, row, column]
                    if found > 0 and is_new(gathering, node, 0, row * columns + column):
                        gain, left = gain + hold * found, left - found
        row, column = cell_of(pixel(y)), cell_of(pixel(x))
        within = 0 <= row < rows and 0 <= column < columns and pixel(x) != TILE * column and pixel(y) != TILE * row
        if within and worth[1, row, column] > 0 and is_new(gathering, node, words, row * columns + column):
            gain, left = gain + hold * worth[1, row, column], left - worth[1, row, column]
    gathering.gains[node], gathering.holds[node], gathering.left[node] = gain, hold, left


@function
def total(worth):
    """The sum of an array of three dimensions."""
    result = 0.0
    for kind in range(worth.shape[0]):
        for row in range(worth.shape[1]):
            for column in range(worth.shape[2]):
                result += worth[kind, row, column]
    return result


@function
def same_cells(x, y, other_x, other_y):
    """Whether the player's rectangle overlaps the same cells at both places."""
    left, top, other_left, other_top = pixel(x) - GRID, pixel(y) - GRID, pixel(other_x) - GRID, pixel(other_y) - GRID
    first = cell_of(left) == cell_of(other_left) and cell_of(top) == cell_of(other_top)
    last_column, last_row = cell_of(left + TILE - 1), cell_of(top + TILE - 1)
    return first and last_column == cell_of(other_left + TILE - 1) and last_row == cell_of(other_top + TILE - 1)


@inlined
def use(tiles, x, y, kind, chances, groups, first, gathering: Gathering, node):
    """The chance that the cells at (x, y) half pixels can be so used, of groups of which that was not assumed yet."""
    left, top, chance = pixel(x) - GRID, pixel(y) - GRID, 1.0
    for row in range(max(cell_of(top), 0), min(cell_of(top + TILE - 1), tiles.shape[0] - 1) + 1):
        for column in range(max(cell_of(left), 0), min(cell_of(left + TILE - 1), tiles.shape[1] - 1) + 1):
            bits = int(tiles[row, column])
            fits = (kind == PASSED and not bits & WALL) or (kind == STOOD_ON and bits & (WALL | LADDER))
            fits = fits or (kind == CLIMBED and bits & LADDER)
            if fits and chances[kind, row, column] < 1 and is_new(gathering, node, first, int(groups[row, column])):
                chance *= chances[kind, row, column]
    return chance


@inlined
def is_new(gathering: Gathering, node, first, at):
    """Marks bit ``at`` from word ``first`` on; whether it was not marked."""
    marks, rows, word = gathering.marks, gathering.rows, first + at // WORD
    bit, row = np.uint64(1) << np.uint64(at % WORD), int(rows[node])
    if marks[row, word] & bit:
        return False
    if gathering.owners[row] != node:
        gathering.marked[0] += 1
        rows[node] = gathering.marked[0] - 1
        copy(marks[row], marks[rows[node]])
        gathering.owners[rows[node]] = node
    marks[rows[node], word] |= bit
    return True
