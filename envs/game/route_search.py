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

from priorlab.envs.base.compile import function, inlined, kernel
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
    cell_of,
    hangs,
    pixel,
    pressed,
    touched,
)

SLOTS = 6  # parts of a patrol's period
BESIDE, ABOVE_MONSTER, BELOW_MONSTER = 60, 90, 40  # half pixels around a patrol, within which time matters
HIGH = 128  # half pixels above the frame that are searched
FINE = 8  # half pixels: with shorter steps the player climbs only in the middle of a ladder
MOST_REPEATS = 255
JUMP_STEPS = 17  # about as long as a jump on level ground
NODE_BITS = 17
ROOM = 1 << NODE_BITS  # nodes at most
FIRST_BITS, TABLE_BITS = 12, NODE_BITS + 1  # of the sizes of the first and the last table: small ones stay in the cache
ENTRIES = 2 * ROOM  # at most, in each queue
# what is known of a node, as bits
CLOSED, RESTS, WON, TOOK_KEY, HANGS = 1, 2, 4, 8, 16
# counters: nodes, the first and the last in the queue, entries of the heap, whether there was no more room, bits of the
# table's size
COUNT, HEAD, TAIL, HEAPED, FULL, BITS = range(6)
COUNTERS = 6
IN_REACH, AIM_IN_REACH, PRICE_IN_REACH = 2, 4, 8  # what differs near a cell in its row, as bits of ``Search.jumps``


class Search(NamedTuple):
    """The nodes in the order in which they were found, and what finds and orders them."""

    states: np.ndarray  # int32 (ROOM, FIELDS)
    costs: np.ndarray  # float64 (ROOM,)
    lengths: np.ndarray  # int32 (ROOM,), inputs from the first node
    parents: np.ndarray  # int32 (ROOM,), -1 for the first
    inputs: np.ndarray  # uint8 (ROOM,), by which it was reached from its parent
    repeats: np.ndarray  # uint8 (ROOM,), and how often that was pressed
    held: np.ndarray  # uint8 (ROOM,), 0, or 1 + the input that is held until the player lands
    known: np.ndarray  # uint8 (ROOM,), bits CLOSED, RESTS, WON, TOOK_KEY, HANGS
    table: np.ndarray  # int64 (2 << TABLE_BITS,), the tables, each of 1 << bits entries from place 1 << bits on:
    # key << NODE_BITS | node by the hash of the key, -1 where none is
    queue: np.ndarray  # int32 (ENTRIES,), nodes one unpriced input after their parents, cheapest first
    heap_costs: np.ndarray  # float64 (ENTRIES,)
    heap: np.ndarray  # int32 (ENTRIES,), all others
    jumps: np.ndarray  # uint8 (rows, columns), bit 1 where a jump can matter to a player whose centre is there
    scratch: np.ndarray  # int32 (FIELDS,)
    kept: np.ndarray  # int64 (COUNTERS,)


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
def key_of(tiles, level, monsters, state, below, held):
    """The number of the node to which a state belongs. ``below``: what is within reach below the player."""
    x, y = int(state[X]), int(state[Y])
    rests = not state[JUMPING]
    between = rests and hangs(below) and touched(tiles, x, y - CLIMB) & LADDER
    key = (x * 4096 + (y + HIGH) // CLIMB * CLIMB if between else x * 4096 + y + HIGH) * 2 + (1 if between else 0)
    key = (key * 16 + (0 if rests else int(state[SPEED]) + 8)) * 2 + int(state[JUMPING])
    key = (key * 4 + held) * 2 + int(state[HAS_KEY])
    key = key * 4 + (int(state[LAST_SIDE]) if level[ALTERNATING] else 0)
    return key * (SLOTS + 2) + slot_of(level, monsters, state)


@inlined
def find(search: Search, key):
    """The place in the table where the node with that key is, or would be."""
    table, bits = search.table, int(search.kept[BITS])
    size = 1 << bits
    at = (key * 0x9E3779B1 & (1 << 44) - 1) >> 44 - bits
    while table[size + at] != -1 and table[size + at] >> NODE_BITS != key:
        at = at + 1 & size - 1
    return size + at


@inlined
def enter(search: Search, at, key, node):
    """Enters a node into the table at that free place; when half of it is full, the next one takes over."""
    table, kept = search.table, search.kept
    table[at] = key << NODE_BITS | node
    size = 1 << int(kept[BITS])
    if 2 * kept[COUNT] > size and kept[BITS] < TABLE_BITS:
        kept[BITS] += 1
        table[2 * size : 4 * size] = -1
        for old in range(size, 2 * size):
            if table[old] != -1:
                table[find(search, table[old] >> NODE_BITS)] = table[old]


@inlined
def push(search: Search, node, cost):
    """Puts a node into the heap."""
    costs, heap, at = search.heap_costs, search.heap, int(search.kept[HEAPED])
    search.kept[HEAPED] += 1
    while at and costs[at - 1 >> 1] > cost:
        costs[at], heap[at] = costs[at - 1 >> 1], heap[at - 1 >> 1]
        at = at - 1 >> 1
    costs[at], heap[at] = cost, node


@inlined
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


@inlined
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
def entered(prices, old_x, old_y, x, y):
    """The sum of the prices of all cells that the player's rectangle overlaps at (x, y), and did not before."""
    left, top, old_left, old_top = pixel(x) - GRID, pixel(y) - GRID, pixel(old_x) - GRID, pixel(old_y) - GRID
    total = 0.0
    if left == old_left and top == old_top:
        return total
    first, upper, last, lower = cell_of(left), cell_of(top), cell_of(left + TILE - 1), cell_of(top + TILE - 1)
    old_first, old_upper = cell_of(old_left), cell_of(old_top)
    old_last, old_lower = cell_of(old_left + TILE - 1), cell_of(old_top + TILE - 1)
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
    for row in range(rows):
        for column in range(columns):
            jumps[row, column] = in_reach(tiles, prices, aims, row, column, far)
    for row in range(rows):
        for column in range(columns):
            for above in range(max(row - 2, 0), min(row + 2, rows)):
                differs = IN_REACH | (AIM_IN_REACH if above < row else 0) | (PRICE_IN_REACH if above <= row else 0)
                if jumps[above, column] & differs:
                    jumps[row, column] |= 1
    for i in range(level[MONSTER_COUNT] + level[KEYS]):
        first, last = int(monsters[i, MONSTER_X]), int(monsters[i, MONSTER_X]) + int(monsters[i, SPAN])
        mark_box(jumps, first, last, int(monsters[i, MONSTER_Y]), far)
    left, right = 2 * int(level[GOAL_LEFT]), 2 * int(level[GOAL_LEFT] + level[GOAL_WIDTH])
    mark_box(jumps, left, right, 2 * int(level[GOAL_TOP]), far)


@function
def in_reach(tiles, prices, aims, row, column, far):
    """What differs from a cell in its row, so many columns around."""
    differs = 0
    for beside in range(max(column - far, 0), min(column + far + 1, tiles.shape[1])):
        bits = tiles[row, beside]
        if bits != tiles[row, column] or bits & ~WALL:
            differs |= IN_REACH
        if aims[row, beside]:
            differs |= AIM_IN_REACH
        if abs(prices[row, beside] - prices[row, column]) > 1:
            differs |= PRICE_IN_REACH
    return differs


@function
def mark_box(jumps, first, last, y, far):
    """Marks the cells from which something at that height, from ``first`` to ``last``, is within reach of a jump."""
    row = y // (2 * TILE)
    for r in range(max(row - 2, 0), min(row + 5, jumps.shape[0])):
        for c in range(max(first // (2 * TILE) - far, 0), min(last // (2 * TILE) + far + 1, jumps.shape[1])):
            jumps[r, c] |= 1


@function
def can_jump(jumps, x, y):
    left, row = pixel(x) - GRID, y // (2 * TILE)
    if row < 0 or row >= jumps.shape[0]:
        return True
    first, last = max(cell_of(left), 0), min(cell_of(left + TILE - 1), jumps.shape[1] - 1)
    return (jumps[row, first] | jumps[row, last]) & 1


@inlined
def add(tiles, level, monsters, search: Search, state, cost, length, parent, action, repeats, held, outcome):
    """Adds the state, int32 (FIELDS,), as a node, or as a cheaper way to one."""
    kept, below = search.kept, touched(tiles, int(state[X]), int(state[Y]) + REACH)
    key = key_of(tiles, level, monsters, state, below, held)
    if outcome == WIN:
        key += SLOTS + 1 - key % (SLOTS + 2)
    at = find(search, key)
    entry = search.table[at]
    node = entry & ROOM - 1 if entry != -1 else kept[COUNT]
    if entry != -1 and search.costs[node] <= cost:  # as that of every node that is closed
        return
    if entry == -1:
        if node >= ROOM:
            kept[FULL] = 1
            return
        kept[COUNT] += 1
        enter(search, at, key, node)
    if kept[TAIL] >= search.queue.shape[0] or kept[HEAPED] >= search.heap.shape[0]:
        kept[FULL] = 1
        return
    copy(state, search.states[node])
    search.costs[node], search.lengths[node], search.parents[node] = cost, length, parent
    search.inputs[node], search.repeats[node], search.held[node] = action, repeats, held
    search.known[node] = RESTS if below & (WALL | LADDER) and not state[JUMPING] else 0
    search.known[node] |= HANGS if hangs(below) else 0  # the next step finds the player on a ladder
    search.known[node] |= WON if outcome == WIN else 0
    if parent >= 0 and state[HAS_KEY] and not search.states[parent, HAS_KEY]:
        search.known[node] |= TOOK_KEY
    if parent >= 0 and cost == search.costs[parent] + 1:
        search.queue[kept[TAIL]] = node
        kept[TAIL] += 1
    else:
        push(search, node, cost)


@inlined
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


@inlined
def follow(tiles, level, monsters, movement, prices, search: Search, node, action, hung, slot):
    """Adds the nodes to which an input leads: one, or two where the player leaves a ladder into the air."""
    here, state = search.states[node], search.scratch
    rests = search.known[node] & RESTS
    waits, input_, price, taken = action == NONE and rests and slot, pressed(level, action), 0.0, 0
    copy(here, state)
    while True:
        x, y = int(state[X]), int(state[Y])
        outcome = move(tiles, level, monsters, state, input_, movement)
        price += entered(prices, x, y, int(state[X]), int(state[Y]))
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


@inlined
def begin(tiles, level, monsters, state, prices, aims, search: Search):
    """Empties the search, but for the state where it begins."""
    mark_jumps(tiles, level, monsters, prices, aims, search.jumps)
    search.kept[:] = 0
    search.kept[BITS] = FIRST_BITS
    search.table[1 << FIRST_BITS : 2 << FIRST_BITS] = -1
    add(tiles, level, monsters, search, state, 0.0, 0, -1, NONE, 0, 0, ONGOING)


@inlined
def close(tiles, level, monsters, movement, prices, search: Search, node):
    """The way to a node is the cheapest; finds ways on from there."""
    search.known[node] |= CLOSED
    if search.known[node] & WON:
        return
    hung, slot = search.known[node] & HANGS, slot_of(level, monsters, search.states[node])
    for action in range(INPUT_COUNT):
        if matters(search, node, action, hung, slot):
            follow(tiles, level, monsters, movement, prices, search, node, action, hung, slot)


@kernel
def explore(tiles, level, monsters, movement, state, prices, aims, limit, until_won, search: Search):
    """Finds the cheapest way from the state to all nodes at most ``limit`` away, or until one wins."""
    begin(tiles, level, monsters, state, prices, aims, search)
    while not search.kept[FULL]:
        node = pop(search)
        if node < 0 or search.costs[node] > limit:
            break
        close(tiles, level, monsters, movement, prices, search, node)
        if until_won and search.known[node] & WON:
            break
