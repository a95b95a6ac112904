"""An atlas of a level: what a player who sees the screen can go for, and the way there from anywhere.

The player's movement does not depend on monsters or the key, so it is a graph small enough to be computed completely: a
node is a position, speed, jump and ladder. Each target (goal, key, monster, danger, ladder, or a meaningless spot) has
a shortest way from every node, found by breadth-first search backwards, once for each set of ladders that a player may
know how to climb, and once more in the belief that deadly tiles are floor.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from priorlab.envs.base.compile import function, kernel
from priorlab.envs.game.grids import groups
from priorlab.envs.game.level import Level
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.rules import (
    CLIMB,
    DEATH,
    FIELDS,
    GRID,
    INPUT_COUNT,
    JUMPING,
    KEYS,
    LADDER,
    MONSTER_COUNT,
    ON_LADDER,
    REACH,
    TILE,
    WALL,
    X,
    Y,
    at_goal,
    meets,
    pixel,
    put_at_start,
    step,
    touched,
)
from priorlab.envs.game.solver import LOST, Solver, grid_of, number_of, read_number
from priorlab.envs.game.versions import Rules

GOAL, KEY, MONSTER, DANGER, LADDER_TO_CLIMB, SPOT = range(6)  # kinds of targets
ARRIVED = 1 << INPUT_COUNT  # the bit of a way's end; the bits below it are the inputs of a shortest way
EXACT, NAIVE = range(2)  # by the rules, or as if deadly tiles were floor
LADDERS_APART = 6  # further ladders count as the last of these
SPOTS = 12
NEAR = 2.5 * TILE  # pixels to a danger within which the player takes it into account
FAR = 1 << 20
NO_WAY = -1


class Atlas(NamedTuple):
    """n nodes, m of them near a danger, T targets, L ladders, K sets of ladders; lengths in half pixels."""

    tiles: np.ndarray  # uint8 (rows, columns), as the rules need it
    level: np.ndarray  # int64 (NUMBERS,)
    monsters: np.ndarray  # int32 (monsters, 4)
    start: int  # the node
    place: np.ndarray  # int32 (n, 2): x, y
    grounded: np.ndarray  # bool (n,): whether the player stands, or hangs on a ladder
    near: np.ndarray  # int32 (n, 2): number of the danger nearby, or -1; which of the m this node is, or -1
    leads: np.ndarray  # int32 (n, 6): the node to which an input leads, or NO_WAY: a death, or out of the frame
    climbs: np.ndarray  # int8 (n, 6): number of the ladder that the input climbs, up or down, or -1
    row_of: np.ndarray  # int64 (2**L,): which of the K rows is for a set of ladders, one bit each
    ways: np.ndarray  # uint8 (K, T, n): bits of the inputs of a shortest way, ARRIVED at its end, 0 where there is none
    naive: np.ndarray  # uint8 (K, T, m): the same, where deadly tiles are taken for floor
    targets: np.ndarray  # int64 (T, 4): kind, number within its kind, and x, y in half pixels
    counts: np.ndarray  # int64 (6,): how many targets of each kind


@function
def label_at(labels, x, y):
    """The greatest label, int8 (rows, columns), of the tiles that the player's rectangle overlaps; -1 for none."""
    left, top, greatest = pixel(x) - GRID, pixel(y) - GRID, -1
    for row in range(top // TILE, (top + TILE - 1) // TILE + 1):
        for column in range(left // TILE, (left + TILE - 1) // TILE + 1):
            if 0 <= row < labels.shape[0] and 0 <= column < labels.shape[1]:
                greatest = max(greatest, int(labels[row, column]))
    return greatest


@function
def index_of(number, ordered):
    """The index of ``number`` in a sorted array that holds it."""
    low, high = 0, ordered.shape[0] - 1
    while low < high:
        middle = (low + high) // 2
        if ordered[middle] < number:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def connect(tiles, level, monsters, labels, numbers, state, place, grounded, ladder_at, leads, climbs):
    """Fills a graph's nodes and edges; numbers: int64 (n,), ascending, as the solver numbers states.

    labels: int8 (rows, columns), of ladders; ladder_at: int8 (n,), the one that the player touches, or -1.
    """
    grid = grid_of(level)
    for i in range(numbers.shape[0]):
        state[:] = 0
        read_number(level, grid, numbers[i], state)
        x, y = int(state[X]), int(state[Y])
        place[i, 0], place[i, 1] = x, y
        below = touched(tiles, x, y + REACH) & (WALL | LADDER)
        grounded[i] = state[ON_LADDER] or (below and not state[JUMPING])
        ladder_at[i] = label_at(labels, x, y)
        ladder = max(ladder_at[i], label_at(labels, x, y + REACH))
        for action in range(INPUT_COUNT):
            state[:] = 0
            read_number(level, grid, numbers[i], state)
            outcome = step(tiles, level, monsters, state, action)
            number = number_of(level, grid, state) if outcome != DEATH else LOST
            node = index_of(number, numbers) if number != LOST else 0
            there = number != LOST and numbers[node] == number
            leads[i, action] = node if there else NO_WAY
            climbed = there and state[ON_LADDER] and abs(int(state[Y]) - y) == CLIMB
            climbs[i, action] = ladder if climbed else -1


@kernel
def touch(level, monsters, place, goal, key):
    """Where the player touches the goal and the key, bool (n,) each."""
    for i in range(place.shape[0]):
        goal[i] = at_goal(level, int(place[i, 0]), int(place[i, 1]))
        if level[KEYS]:
            key[i] = meets(monsters, level[MONSTER_COUNT], 0, 1, int(place[i, 0]), int(place[i, 1]))


@kernel
def find_ways(first, edges, leads, climbs, known, ends, distances, queue, ways):
    """Fills ways, uint8 (n,), to the nodes where ``ends``, bool (n,), by the ladders of the bits ``known``.

    edges: int32 (e,), 6 * node + input, those that lead to node i from first[i] on; distances, queue: int32 (n,).
    """
    count, head = 0, 0
    for i in range(ends.shape[0]):
        distances[i] = 0 if ends[i] else -1
        if ends[i]:
            queue[count] = i
            count += 1
    while head < count:
        node = queue[head]
        head += 1
        for k in range(first[node], first[node + 1]):
            source, action = edges[k] // INPUT_COUNT, edges[k] % INPUT_COUNT
            ladder = climbs[source, action]
            if distances[source] < 0 and (ladder < 0 or known >> ladder & 1):
                distances[source] = distances[node] + 1
                queue[count] = source
                count += 1
    for i in range(ends.shape[0]):
        bits = ARRIVED if ends[i] else 0
        for action in range(INPUT_COUNT):
            to, ladder = leads[i, action], climbs[i, action]
            if distances[i] > 0 and to >= 0 and (ladder < 0 or known >> ladder & 1):
                bits |= (distances[to] == distances[i] - 1) << action
        ways[i] = bits


@kernel
def reach(leads, climbs, known, start, seen, queue):
    """The bits of the ladders that a player who starts there and knows these can climb; seen: bool (n,), False."""
    count, head, used = 1, 0, 0
    queue[0], seen[start] = start, True
    while head < count:
        node = queue[head]
        head += 1
        for action in range(INPUT_COUNT):
            to, ladder = leads[node, action], climbs[node, action]
            if to < 0 or (ladder >= 0 and not known >> ladder & 1):
                continue
            if ladder >= 0:
                used |= 1 << ladder
            if not seen[to]:
                seen[to] = True
                queue[count] = to
                count += 1
    return used


def labelled(level: Level, characters: str, most: int) -> np.ndarray:
    """int8 (rows, columns): the number of the connected group of such tiles, 0 to ``most`` - 1; -1 for none."""
    labels = np.full((level.height, level.width), -1, np.int8)
    blocks = groups(np.isin([list(row) for row in level.rows], list(characters)))
    for number, group in enumerate(blocks):
        for row, column in group:
            labels[row, column] = min(number, most - 1)
    return labels


def bare(level: Level, floor: str) -> Level:
    """The level with only what decides the player's movement; ``floor``: the tiles taken for floor."""
    drawn = str.maketrans({"m": " ", "~": " ", "k": " ", "D": " ", "G": " "} | dict.fromkeys(floor, "#"))
    rows = tuple(row.translate(drawn) for row in level.rows)
    return Level(level.name, level.game, rows, level.start, (-FAR, -FAR), (1, 1), 2)


def spots_of(level: Level) -> list[tuple[int, int]]:
    """(row, column) of SPOTS meaningless places on floors, evenly spread."""
    free = [
        (r, c)
        for r, row in enumerate(level.rows[:-1])
        for c, tile in enumerate(row)
        if tile in " ~" and level.rows[r + 1][c] in "#|"
    ]
    chosen = np.linspace(0, len(free) - 1, min(SPOTS, len(free))).round().astype(int)
    return [free[k] for k in chosen]


@lru_cache(maxsize=8)
def atlas_of(level: Level, rules: Rules) -> Atlas:
    """The atlas of a level and its rules; takes a few seconds for Key and Door, cached while the program runs."""
    numbers = [Solver(bare(level, floor), rules) for floor in ("", "*^")]
    for solver in numbers:
        solver.run()
    nodes = np.union1d(*(solver.search.numbers[: solver.search.kept[1]] for solver in numbers))
    count = len(nodes)
    place, grounded, ladder_at = np.zeros((count, 2), np.int32), np.zeros(count, np.bool_), np.zeros(count, np.int8)
    leads, climbs = np.zeros((2, count, INPUT_COUNT), np.int32), np.zeros((2, count, INPUT_COUNT), np.int8)
    ladders, dangers = labelled(level, "H", LADDERS_APART), labelled(level, "*^", 127)
    state = np.zeros(FIELDS, np.int32)
    for layer, solver in reversed(list(enumerate(numbers))):  # the exact one last: its values for nodes remain
        rest = ladders, nodes, state, place, grounded, ladder_at, leads[layer], climbs[layer]
        connect(solver.tiles, solver.numbers, solver.monsters, *rest)
    put_at_start(numbers[0].numbers, state := np.zeros(FIELDS, np.int32))
    start = int(np.searchsorted(nodes, number_of(numbers[0].numbers, grid_of(numbers[0].numbers), state)))

    played = level_numbers(level, rules)
    near = near_dangers(place, dangers)
    targets, ends = gather_targets(level, played, place, grounded, ladder_at, ladders, dangers, near[:, 0])
    reverse = [reversed_edges(leads[layer]) for layer in (EXACT, NAIVE)]
    rooms = np.zeros((2, count), np.int32)
    total = int(ladders.max()) + 1
    used = [
        reach(leads[EXACT], climbs[EXACT], known, start, np.zeros(count, np.bool_), rooms[0])
        for known in range(1 << total)
    ]
    rows = sorted(set(used))
    ways = np.zeros((len(rows), len(targets), count), np.uint8)
    naive = np.zeros((len(rows), len(targets), int(near[:, 1].max()) + 1), np.uint8)
    whole, is_near = np.zeros(count, np.uint8), near[:, 1] >= 0
    for k, known in enumerate(rows):
        for t, (exact_ends, naive_ends) in enumerate(ends):
            for layer, reached, room in ((EXACT, exact_ends, ways[k, t]), (NAIVE, naive_ends, whole)):
                graph = *reverse[layer], leads[layer], climbs[layer]
                find_ways(*graph, known, reached, rooms[0], rooms[1], room)
            naive[k, t] = whole[is_near]
    return Atlas(
        tiles=level.tiles, level=played, monsters=level.monsters, start=start, place=place, grounded=grounded,
        near=near, leads=leads[EXACT], climbs=climbs[EXACT],
        row_of=np.array([rows.index(found) for found in used], np.int64), ways=ways, naive=naive, targets=targets,
        counts=np.bincount(targets[:, 0], minlength=6).astype(np.int64),
    )  # fmt: skip


def reversed_edges(leads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(first int64 (n + 1,), edges int32): all edges, in the order of the node to which they lead."""
    order = np.argsort(leads, axis=None, kind="stable")  # (n, 6) -> (6n,), sorted by where they lead
    first = np.searchsorted(leads.ravel()[order], np.arange(len(leads) + 1))
    return first, order.astype(np.int32)


def near_dangers(place: np.ndarray, dangers: np.ndarray) -> np.ndarray:
    """int32 (n, 2), as in ``Atlas.near``."""
    near = np.full((len(place), 2), -1, np.int32)
    for row, column in np.argwhere(dangers >= 0):
        beside = np.abs(place[:, 0] / 2 - TILE * (column + 0.5)) < TILE / 2 + NEAR
        above = place[:, 1] / 2 - TILE * (row + 0.5)
        near[beside & (above <= TILE) & (above > -4 * TILE), 0] = dangers[row, column]
    is_near = near[:, 0] >= 0
    near[is_near, 1] = np.arange(is_near.sum())
    return near


def gather_targets(level, played, place, grounded, ladder_at, ladders, dangers, near) -> tuple[np.ndarray, list]:
    """(Atlas.targets, and for each the nodes where it is reached, bool (n,), by the rules and in naive belief)."""
    x, y = place.T / 2
    targets, ends = [], []

    def add(kind: int, number: int, at: tuple[float, float], exact: np.ndarray, naive: np.ndarray | None = None):
        targets.append((kind, number, round(2 * at[0]), round(2 * at[1])))
        ends.append((exact, exact if naive is None else naive))

    def standing(column: float, row: float, width: float = 0.5) -> np.ndarray:
        return grounded & (np.abs(x - TILE * (column + 0.5)) < TILE * width) & (np.abs(y - TILE * (row + 0.5)) < TILE)

    goal, key = np.zeros((2, len(place)), np.bool_)
    touch(played, level.monsters, place, goal, key)
    add(GOAL, 0, level.goal, goal)
    if level.key:
        add(KEY, 0, (TILE * (level.key[1] + 0.5), TILE * (level.key[0] + 0.5)), key)
    for number, (r, c) in enumerate(level.tiles_of("m")):
        first, last = level.patrols.get((r, c), (c, c))
        centre = (first + last) / 2
        add(MONSTER, number, (TILE * (centre + 0.5), TILE * (r + 0.5)), standing(centre, r, (last - first) / 2 + 0.5))
    for number in range(int(dangers.max()) + 1):
        (r, c), *_ = np.argwhere(dangers == number)
        add(DANGER, number, (TILE * (c + 0.5), TILE * (r + 0.5)), near == number, standing(c, r - 1, 0.25))
    for number in range(int(ladders.max()) + 1):
        r, c = np.argwhere(ladders == number).mean(axis=0)
        add(LADDER_TO_CLIMB, number, (TILE * (c + 0.5), TILE * (r + 0.5)), grounded & (ladder_at == number))
    for number, (r, c) in enumerate(spots_of(level)):
        add(SPOT, number, (TILE * (c + 0.5), TILE * (r + 0.5)), standing(c, r))
    return np.array(targets, np.int64), ends
