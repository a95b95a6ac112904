"""The search behind ``routes``: the cheapest ways over the player's movement, every step by the one copy of the
rules, or by what the player learned of how it moves.

A node is what decides the player's movement: position, speed, jump, ladder, key, and the last side where it matters.
Its state is the one of the cheapest way there, with that way's clock and monsters, so every step is exact in time. Four
things keep it small, and make it a search over most ways instead of all:

- On a ladder, heights less than a climb apart are one node, and with small steps the player climbs only in the middle.
- A player who leaves a ladder into the air holds that direction, or nothing, until it lands.
- Jumps begin only where something within reach differs from a bare floor (``mark_jumps``).
- Only near a living monster on patrol, nodes are apart by the time of the patrol, in SLOTS parts, and only there it
  waits for the next part.
"""

from typing import NamedTuple

import numpy as np

from priorlab.envs.base.compile import function, kernel
from priorlab.envs.game.movement import move
from priorlab.envs.game.playing import copy
from priorlab.envs.game.rules import (
    ALTERNATING,
    CLIMB,
    CLOCK,
    DEATH,
    DOWN,
    GOAL_LEFT,
    GOAL_TOP,
    GOAL_WIDTH,
    GRID,
    HAS_KEY,
    INPUT_COUNT,
    JUMP,
    JUMPING,
    KEYS,
    LADDER,
    LAST_SIDE,
    LEFT,
    MONSTER_COUNT,
    MONSTER_X,
    MONSTER_Y,
    MONSTERS,
    NONE,
    ONGOING,
    PERIOD,
    REACH,
    RIGHT,
    SIDE,
    SPAN,
    SPEED,
    TILE,
    UP,
    WALK,
    WALL,
    WIN,
    X,
    Y,
    pixel,
    pressed,
    tile_at,
    touched,
)

SLOTS = 6  # parts of a patrol's period
BESIDE, ABOVE_MONSTER, BELOW_MONSTER = 60, 90, 40  # half pixels around a patrol, within which time matters
HIGH = 128  # half pixels above the frame that are searched
FINE = 8  # half pixels: with shorter steps the player climbs only in the middle of a ladder
MOST_REPEATS = 255
JUMP_STEPS = 17  # about as long as a jump on level ground
TABLE_BITS, ROOM = 18, 1 << 17  # nodes are found by a hash; at most so many nodes
ENTRIES = 2 * ROOM  # at most, in each queue
# what is known of a node, as bits
CLOSED, RESTS, WON, TOOK_KEY = 1, 2, 4, 8
# counters: nodes, the first and the last in the queue, entries of the heap, whether there was no more room
COUNT, HEAD, TAIL, HEAPED, FULL = range(5)


class Search(NamedTuple):
    """The nodes in the order in which they were found, and what finds and orders them."""

    states: np.ndarray  # int32 (ROOM, FIELDS)
    costs: np.ndarray  # float64 (ROOM,)
    lengths: np.ndarray  # int32 (ROOM,), inputs from the first node
    parents: np.ndarray  # int32 (ROOM,), -1 for the first
    inputs: np.ndarray  # uint8 (ROOM,), by which it was reached from its parent
    repeats: np.ndarray  # uint8 (ROOM,), and how often that was pressed
    held: np.ndarray  # uint8 (ROOM,), 0, or 1 + the input that is held until the player lands
    known: np.ndarray  # uint8 (ROOM,), bits CLOSED, RESTS, WON, TOOK_KEY
    keys: np.ndarray  # int64 (ROOM,)
    table: np.ndarray  # int32 (2**TABLE_BITS,), nodes by the hash of their keys, -1 where none is
    queue: np.ndarray  # int32 (ENTRIES,), nodes one unpriced input after their parents, cheapest first
    heap_costs: np.ndarray  # float64 (ENTRIES,)
    heap: np.ndarray  # int32 (ENTRIES,), all others
    jumps: np.ndarray  # uint8 (rows, columns), where a jump can matter to a player whose centre is there
    scratch: np.ndarray  # int32 (2, FIELDS)
    kept: np.ndarray  # int64 (5,)


@function
def hangs(tiles, x, y):
    """Whether the next step finds the player on a ladder."""
    below = touched(tiles, x, y + REACH)
    return below & LADDER and not below & WALL


@function
def in_the_middle(level, x):
    """Whether the player is as close to the middle of a column as its steps allow."""
    return level[WALK] >= FINE or 2 * abs(x % (2 * TILE) - TILE) <= level[WALK]


@function
def slot_of(level, monsters, state):
    """The part of the patrols' period, from 1, where that matters; else 0."""
    if level[PERIOD] == 1:
        return 0
    x, y = int(state[X]), int(state[Y])
    for i in range(level[MONSTER_COUNT]):
        span, left, top = int(monsters[i, SPAN]), int(monsters[i, MONSTER_X]), int(monsters[i, MONSTER_Y])
        close = left - BESIDE <= x <= left + span + BESIDE and top - ABOVE_MONSTER <= y <= top + BELOW_MONSTER
        if span and close and state[MONSTERS] >> i & 1:
            return 1 + int(state[CLOCK]) * SLOTS // int(level[PERIOD])
    return 0


@function
def key_of(tiles, level, monsters, state, held):
    """The number of the node to which a state belongs."""
    x, y = int(state[X]), int(state[Y])
    rests = not state[JUMPING]
    between = rests and hangs(tiles, x, y) and touched(tiles, x, y - CLIMB) & LADDER
    key = (x * 4096 + (y + HIGH) // CLIMB * CLIMB if between else x * 4096 + y + HIGH) * 2 + (1 if between else 0)
    key = (key * 16 + (0 if rests else int(state[SPEED]) + 8)) * 2 + int(state[JUMPING])
    key = (key * 4 + held) * 2 + int(state[HAS_KEY])
    key = key * 4 + (int(state[LAST_SIDE]) if level[ALTERNATING] else 0)
    return key * (SLOTS + 2) + slot_of(level, monsters, state)


@function
def find(search: Search, key):
    """The place in the table where the node with that key is, or would be."""
    mask = search.table.shape[0] - 1
    at = (key * 0x9E3779B1 & (1 << 44) - 1) >> 44 - TABLE_BITS
    while search.table[at] >= 0 and search.keys[search.table[at]] != key:
        at = at + 1 & mask
    return at


@function
def push(search: Search, node, cost):
    """Puts a node into the heap."""
    costs, heap, at = search.heap_costs, search.heap, int(search.kept[HEAPED])
    search.kept[HEAPED] += 1
    while at and costs[at - 1 >> 1] > cost:
        costs[at], heap[at] = costs[at - 1 >> 1], heap[at - 1 >> 1]
        at = at - 1 >> 1
    costs[at], heap[at] = cost, node


@function
def pop_heap(search: Search):
    """Takes the cheapest node from the heap."""
    costs, heap, kept = search.heap_costs, search.heap, search.kept
    kept[HEAPED] -= 1
    node, last, at = heap[0], int(kept[HEAPED]), 0
    cost, moved = costs[last], heap[last]
    while 2 * at + 1 < last:
        child = 2 * at + 1
        if child + 1 < last and costs[child + 1] < costs[child]:
            child += 1
        if costs[child] >= cost:
            break
        costs[at], heap[at] = costs[child], heap[child]
        at = child
    costs[at], heap[at] = cost, moved
    return node


@function
def pop(search: Search):
    """Takes the cheapest node that is not closed; -1 if there is none."""
    kept = search.kept
    while kept[HEAD] < kept[TAIL] or kept[HEAPED]:
        waits = kept[HEAD] < kept[TAIL]
        # an entry for a node that was since reached more cheaply comes after that, so it is closed by then
        if kept[HEAPED] and not (waits and search.costs[search.queue[kept[HEAD]]] <= search.heap_costs[0]):
            node = pop_heap(search)
        else:
            node = search.queue[kept[HEAD]]
            kept[HEAD] += 1
        if not search.known[node] & CLOSED:
            return node
    return -1


@function
def entered(prices, before, state):
    """The sum of the prices of all cells that the player's rectangle overlaps now and did not before."""
    left, top = pixel(int(state[X])) - GRID, pixel(int(state[Y])) - GRID
    first, upper = left // TILE, top // TILE
    last, lower = (left + TILE - 1) // TILE, (top + TILE - 1) // TILE
    left, top = pixel(int(before[X])) - GRID, pixel(int(before[Y])) - GRID
    old_first, old_upper = left // TILE, top // TILE
    old_last, old_lower = (left + TILE - 1) // TILE, (top + TILE - 1) // TILE
    total = 0.0
    if first == old_first and last == old_last and upper == old_upper and lower == old_lower:
        return total
    for row in range(upper, lower + 1):
        for column in range(first, last + 1):
            was = old_upper <= row <= old_lower and old_first <= column <= old_last
            if not was and 0 <= row < prices.shape[0] and 0 <= column < prices.shape[1]:
                total += prices[row, column]
    return total


@function
def mark_jumps(tiles, level, monsters, prices, aims, jumps):
    """Marks where a jump can matter: where within reach tiles, prices, monsters or what may be touched differ."""
    far = JUMP_STEPS * int(level[WALK]) // (2 * TILE) + 2
    rows, columns = tiles.shape
    jumps[:] = 0
    for row in range(rows):
        for column in range(columns):
            for beside in range(max(column - far, 0), min(column + far + 1, columns)):
                for above in range(row - 2, row + 2):
                    bits = tile_at(tiles, above, beside)
                    if bits != tile_at(tiles, above, column) or bits & ~WALL:
                        jumps[row, column] = 1
                    if 0 <= above < row and aims[above, beside]:
                        jumps[row, column] = 1
                    if 0 <= above <= row and abs(prices[above, beside] - prices[above, column]) > 1:
                        jumps[row, column] = 1
    for i in range(level[MONSTER_COUNT] + level[KEYS]):
        first, last = int(monsters[i, MONSTER_X]), int(monsters[i, MONSTER_X]) + int(monsters[i, SPAN])
        mark_box(jumps, first, last, int(monsters[i, MONSTER_Y]), far)
    left, right = 2 * int(level[GOAL_LEFT]), 2 * int(level[GOAL_LEFT] + level[GOAL_WIDTH])
    mark_box(jumps, left, right, 2 * int(level[GOAL_TOP]), far)


@function
def mark_box(jumps, first, last, y, far):
    """Marks the cells from which something at that height, from ``first`` to ``last``, is within reach of a jump."""
    row = y // (2 * TILE)
    for r in range(max(row - 2, 0), min(row + 5, jumps.shape[0])):
        for c in range(max(first // (2 * TILE) - far, 0), min(last // (2 * TILE) + far + 1, jumps.shape[1])):
            jumps[r, c] = 1


@function
def can_jump(jumps, x, y):
    left, row = pixel(x) - GRID, y // (2 * TILE)
    if row < 0 or row >= jumps.shape[0]:
        return True
    first, last = max(left // TILE, 0), min((left + TILE - 1) // TILE, jumps.shape[1] - 1)
    return jumps[row, first] or jumps[row, last]


@function
def add(tiles, level, monsters, search: Search, state, cost, length, parent, action, repeats, held, outcome):
    """Adds the state, int32 (FIELDS,), as a node, or as a cheaper way to one."""
    key, kept = key_of(tiles, level, monsters, state, held), search.kept
    if outcome == WIN:
        key += SLOTS + 1 - key % (SLOTS + 2)
    at = find(search, key)
    node = search.table[at]
    if node >= 0 and (search.known[node] & CLOSED or search.costs[node] <= cost):
        return
    if node < 0:
        if kept[COUNT] >= search.costs.shape[0] or kept[COUNT] * 4 >= search.table.shape[0] * 3:
            kept[FULL] = 1
            return
        node = kept[COUNT]
        kept[COUNT] += 1
        search.table[at], search.keys[node] = node, key
    if kept[TAIL] >= search.queue.shape[0] or kept[HEAPED] >= search.heap.shape[0]:
        kept[FULL] = 1
        return
    copy(state, search.states[node])
    search.costs[node], search.lengths[node], search.parents[node] = cost, length, parent
    search.inputs[node], search.repeats[node], search.held[node] = action, repeats, held
    supported = touched(tiles, int(state[X]), int(state[Y]) + REACH) & (WALL | LADDER)
    search.known[node] = RESTS if supported and not state[JUMPING] else 0
    if outcome == WIN:
        search.known[node] |= WON
    if parent >= 0 and state[HAS_KEY] and not search.states[parent, HAS_KEY]:
        search.known[node] |= TOOK_KEY
    if parent >= 0 and cost == search.costs[parent] + 1:
        search.queue[kept[TAIL]] = node
        kept[TAIL] += 1
    else:
        push(search, node, cost)


@function
def matters(search: Search, node, action, hung, slot):
    """Whether an input is worth a step from a node."""
    state, held = search.states[node], int(search.held[node])
    if held:
        return action == held - 1
    if action == UP or action == DOWN:
        return hung
    if action == NONE:
        return state[JUMPING] or slot or not search.known[node] & RESTS
    if action == JUMP:
        return not hung and not state[JUMPING] and can_jump(search.jumps, int(state[X]), int(state[Y]))
    return True


@function
def follow(tiles, level, monsters, movement, prices, search: Search, node, action, hung, slot):
    """Adds the nodes to which an input leads: one, or two where the player leaves a ladder into the air."""
    here, state, before = search.states[node], search.scratch[0], search.scratch[1]
    rests = search.known[node] & RESTS
    waits, input_, price, taken = action == NONE and rests and slot, pressed(level, action), 0.0, 0
    copy(here, state)
    while True:
        copy(state, before)
        outcome = move(tiles, level, monsters, state, input_, movement)
        price += entered(prices, before, state)
        taken += 1
        if outcome != ONGOING or not waits or taken == MOST_REPEATS or slot_of(level, monsters, state) != slot:
            break
    x, y, side = int(state[X]), int(state[Y]), 2 * int(level[SIDE])
    if outcome == DEATH or not price < np.inf or not 0 <= x < side or not -HIGH <= y < side:
        return
    stands = not state[JUMPING] and not here[JUMPING]
    if stands and outcome == ONGOING and not waits:
        if x == here[X] and y == here[Y] and state[LAST_SIDE] == here[LAST_SIDE]:
            return
        if hung and y != here[Y] and not in_the_middle(level, x):
            return
    cost, length = search.costs[node] + taken + price, int(search.lengths[node]) + taken
    held = int(search.held[node]) if state[JUMPING] else 0
    if state[JUMPING] and not here[JUMPING] and not rests:  # it has just left a ladder
        held = 1 + (action if action == LEFT or action == RIGHT else NONE)
        add(tiles, level, monsters, search, state, cost, length, node, input_, taken, 1 + NONE, outcome)
    add(tiles, level, monsters, search, state, cost, length, node, input_, taken, held, outcome)


@kernel
def explore(tiles, level, monsters, movement, state, prices, aims, limit, until_won, search: Search):
    """Finds the cheapest way from the state to all nodes at most ``limit`` away, or until one wins."""
    mark_jumps(tiles, level, monsters, prices, aims, search.jumps)
    search.table[:] = -1
    search.kept[:] = 0
    add(tiles, level, monsters, search, state, 0.0, 0, -1, NONE, 0, 0, ONGOING)
    while not search.kept[FULL]:
        node = pop(search)
        if node < 0 or search.costs[node] > limit:
            break
        search.known[node] |= CLOSED
        if search.known[node] & WON:
            if until_won:
                break
            continue
        here = search.states[node]
        hung, slot = hangs(tiles, int(here[X]), int(here[Y])), slot_of(level, monsters, here)
        for action in range(INPUT_COUNT):
            if matters(search, node, action, hung, slot):
                follow(tiles, level, monsters, movement, prices, search, node, action, hung, slot)
