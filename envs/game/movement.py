"""A step by what was learned of how a player moves, in place of the rules' (``agents/priors/moving.py`` learns it).

What decides where an input leads is a *situation*: the kinds of the tiles that the player's left and right edge are
over, from the row above its centre to two rows below, here and a walking step ahead; the height of its centre in its
row; whether it flies and how fast; whether a ladder holds it; the input, and the last side where that matters. A
decision tree asks about one of these after the other and tells the *end*: whether the player goes ahead, how far it
rises or falls or else at which height it comes to be, how it moves on and whether a ladder holds it then.

Still the rules' own: how far a walking step goes, the last side, patrols, what is met, the key, the win, and falls
below the level.
"""

from typing import NamedTuple

import numpy as np

from priorlab.envs.base.compile import function, kernel
from priorlab.envs.game.rules import (
    ALTERNATING,
    DEADLY,
    DEATH,
    FALL_SPEED,
    GRID,
    JUMPING,
    LADDER,
    LAST_SIDE,
    LEFT,
    ON_LADDER,
    RIGHT,
    SPEED,
    TILE,
    TURNED,
    WALK,
    WALL,
    X,
    Y,
    cell_of,
    conclude,
    pixel,
    step,
    tile_at,
    touched,
    turned,
)

ROWS, COLUMNS = 4, 4  # of a situation's tiles; columns: left and right edge here, left and right edge ahead
CELLS = ROWS * COLUMNS
HEIGHT = 2 * TILE  # half pixels of a row
# Parts of a situation after its cells: the height of the centre in its row; 0 where the player does not fly, else 1
# more than its speed above FALL_SPEED; whether both edges are over one column, here and ahead; whether a ladder holds
# it; the input; 0 where the last side does not matter, else 1 more than it
ALTITUDE, MOTION, ONE_COLUMN, ONE_AHEAD, HELD, INPUT, SIDE_BEFORE = range(CELLS, CELLS + 7)
PARTS = CELLS + 7
BITS = np.array([*[2] * CELLS, 5, 5, 1, 1, 1, 3, 2])
SHIFTS = np.concatenate([[0], np.cumsum(BITS)[:-1]])  # from where on each part's bits are in a situation's number
MASKS = (1 << BITS) - 1
ORDERED = np.isin(np.arange(PARTS), [ALTITUDE, MOTION])  # parts of which the tree asks whether they are at most a value
MOST_RISE = 64  # half pixels up or down that an end can tell
ABSOLUTE = 1 << 20  # in an end: it tells the height instead of the rise


class Movement(NamedTuple):
    """A decision tree of n nodes, node 0 its root, and what kills."""

    parts: np.ndarray  # uint8 (n,), the part of the situation that a node asks about
    values: np.ndarray  # uint8 (n,), whether that is, or is at most, this
    children: np.ndarray  # int32 (n,), the node if so; the next one if not; 0 at a leaf
    ends: np.ndarray  # int32 (n,), at a leaf
    kills: np.ndarray  # bool (8,), whether the player dies by the union of the bits of what it touches


@function
def situation_of(tiles, level, state, action):
    """The number of a player's situation; ``action``: the input of an upright picture."""
    x, y, walk = int(state[X]), int(state[Y]), int(level[WALK])
    ahead = x + walk if action == RIGHT else (x - walk if action == LEFT else x)
    left, left_ahead = pixel(x) - GRID, pixel(ahead) - GRID
    first, last = cell_of(left), cell_of(left + TILE - 1)
    first_ahead, last_ahead = cell_of(left_ahead), cell_of(left_ahead + TILE - 1)
    number, shift, top = 0, 0, y // HEIGHT - 1
    for row in range(top, top + ROWS):
        for column in (first, last, first_ahead, last_ahead):
            bits = tile_at(tiles, row, column)
            kind = 3 if bits & DEADLY else (2 if bits & LADDER else (1 if bits & WALL else 0))
            number |= kind << shift
            shift += 2
    same = (1 if first == last else 0) + (2 if first_ahead == last_ahead else 0)
    side = 1 + int(state[LAST_SIDE]) if level[ALTERNATING] else 0
    rest = y % HEIGHT | motion_of(state) << 5 | same << 10 | int(state[ON_LADDER]) << 12 | action << 13 | side << 16
    return number | rest << shift


@function
def motion_of(state):
    return int(state[SPEED]) - FALL_SPEED + 1 if state[JUMPING] else 0


@function
def packed(ahead, down, motion, ladder):
    """The number of an end: whether it went ahead, half pixels down, motion, whether on a ladder."""
    return (((ahead << 7) + down + MOST_RISE << 5) + motion << 1) + ladder


@function
def unpacked(end):
    """(whether it went ahead, half pixels down, motion, whether on a ladder) of an end that tells the rise."""
    return end >> 13, (end >> 6 & 127) - MOST_RISE, end >> 1 & 31, end & 1


@function
def told(movement: Movement, situation):
    """The end that the tree tells."""
    node = 0
    while movement.children[node]:
        part, value = int(movement.parts[node]), int(movement.values[node])
        asked = situation >> SHIFTS[part] & MASKS[part]
        yes = asked <= value if ORDERED[part] else asked == value
        node = movement.children[node] + (0 if yes else 1)
    return relative(int(movement.ends[node]), situation)


@function
def relative(end, situation):
    """An end that tells the rise; one that tells the height is told anew."""
    return end - ABSOLUTE - ((situation >> SHIFTS[ALTITUDE] & MASKS[ALTITUDE]) << 6) if end & ABSOLUTE else end


@function
def absolute(end, situation):
    """An end that tells the height, from one that tells the rise."""
    return end + ABSOLUTE + ((situation >> SHIFTS[ALTITUDE] & MASKS[ALTITUDE]) << 6)


@function
def move(tiles, level, monsters, state, action, movement):
    """A step as ``rules.step`` takes it, by the rules where ``movement`` is None: numba compiles only that then."""
    if movement is None:
        return step(tiles, level, monsters, state, action)
    return move_as_learned(tiles, level, monsters, state, action, movement)


@function
def move_as_learned(tiles, level, monsters, state, action, movement):
    if level[TURNED]:
        action = turned(action)
    ahead, down, motion, held = unpacked(told(movement, situation_of(tiles, level, state, action)))
    state[Y] += down
    if ahead:
        state[X] += level[WALK] if action == RIGHT else (-level[WALK] if action == LEFT else 0)
    state[ON_LADDER], state[JUMPING] = held, motion > 0
    if motion:
        state[SPEED] = motion - 1 + FALL_SPEED
    if level[ALTERNATING] and (action == LEFT or action == RIGHT):
        state[LAST_SIDE] = action
    return conclude(level, monsters, state, movement.kills[touched(tiles, int(state[X]), int(state[Y]))])


@kernel
def play_freely(tiles, level, monsters, starts, actions, situations, ends, touches, dies):
    """How many inputs were taken, by the rules, from each start, int32 (n, FIELDS), which is changed; a play ends by
    death, or where it leaves the level.

    actions: uint8 (n, t). Filled for each input taken: situations, int64 (n t,); ends, int32 (n t,), which tell the
    rise; touches, uint8 (n t,), the bits of what the player touches then; and dies, bool (n t,).
    """
    taken, height, width = 0, HEIGHT * tiles.shape[0], HEIGHT * tiles.shape[1]
    for play in range(starts.shape[0]):
        state = starts[play]
        for t in range(actions.shape[1]):
            x, y, action = int(state[X]), int(state[Y]), int(actions[play, t])
            situations[taken] = situation_of(tiles, level, state, action)
            dies[taken] = step(tiles, level, monsters, state, action) == DEATH
            touches[taken] = touched(tiles, int(state[X]), int(state[Y]))
            moved = 1 if state[X] != x else 0
            ends[taken] = packed(moved, int(state[Y]) - y, motion_of(state), int(state[ON_LADDER]))
            taken += 1
            if dies[taken - 1] or not (0 <= state[X] < width and 0 <= state[Y] < height):
                break
    return taken


@kernel
def tell(movement: Movement, situations, ends):
    """Fills ends, int32 (n,), with what the tree tells of situations, int64 (n,)."""
    for i in range(situations.shape[0]):
        ends[i] = told(movement, situations[i])
