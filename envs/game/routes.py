"""Plans on any map: the cheapest ways from a state to everything a player can reach, in milliseconds.

``Solver`` searches all states and proves a shortest solution. This searches most ways (``route_search.py`` names those
that it leaves out): each can be replayed exactly, and the length of a win is an upper bound on the shortest.
"""

import math
import threading
from dataclasses import dataclass

import numpy as np

from priorlab.envs.base.compile import kernel
from priorlab.envs.game.level import Level
from priorlab.envs.game.movement import Movement, move
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.playing import copy
from priorlab.envs.game.route_search import (
    CLOSED,
    COUNTERS,
    ENTRIES,
    FULL,
    RESTS,
    ROOM,
    TABLE_BITS,
    TOOK_KEY,
    WON,
    Search,
    explore,
)
from priorlab.envs.game.rules import (
    DEATH,
    FIELDS,
    JUMPING,
    KEYS,
    LADDER,
    LEFT,
    MONSTER_COUNT,
    NONE,
    NUMBERS,
    REACH,
    RIGHT,
    TILE,
    WALL,
    X,
    Y,
    pixel,
    pressed,
    put_at_start,
    touched,
)
from priorlab.envs.game.versions import Rules, find_rules

LONGEST_LANDING = 120  # steps
NO_WAY = -1
MEMORY = threading.local()  # each thread's search, used again and again


@dataclass(frozen=True)
class Routes:
    """What can be reached, n nodes, and the cheapest way found to each; node 0 is where the player is.

    ``costs`` count inputs and prices, ``lengths`` inputs alone. Where the search stopped early, only ``closed`` nodes
    have their final cost. ``full``: there was no more room, so something that can be reached may be missing.
    """

    tiles: np.ndarray  # uint8 (R, C), the map
    level: np.ndarray  # int64 (NUMBERS,)
    monsters: np.ndarray  # int32 (m, 4)
    states: np.ndarray  # int32 (n, FIELDS), on arrival
    costs: np.ndarray  # float64 (n,)
    lengths: np.ndarray  # int32 (n,)
    parents: np.ndarray  # int32 (n,), -1 for node 0
    inputs: np.ndarray  # uint8 (n,), the input by which a node is reached from its parent
    repeats: np.ndarray  # uint8 (n,), and how often it is pressed
    known: np.ndarray  # uint8 (n,), bits of ``route_search``
    full: bool
    movement: Movement | None = None  # by which each step was taken; None for the rules

    @property
    def closed(self) -> np.ndarray:
        """bool (n,): whether the cheapest way was found."""
        return (self.known & CLOSED) > 0

    @property
    def resting(self) -> np.ndarray:
        """int64: the nodes at which the player stands or hangs on a ladder, cheapest first."""
        return self._ordered(self.closed & ((self.known & RESTS) > 0))

    @property
    def wins(self) -> np.ndarray:
        """int64: the nodes that win, cheapest first."""
        return self._ordered((self.known & WON) > 0)

    @property
    def key_taken(self) -> np.ndarray:
        """int64: the nodes at which the player takes the key, cheapest first."""
        return self._ordered(self.closed & ((self.known & TOOK_KEY) > 0))

    def touching(self, row: int, column: int) -> np.ndarray:
        """int64: the nodes at which the player's rectangle overlaps that cell, cheapest first.

        It may be in the air there; ``landing`` says whether and how it survives.
        """
        across = np.abs(pixel(self.states[:, X]) - pixel(2 * TILE * column + TILE)) < TILE
        along = np.abs(pixel(self.states[:, Y]) - pixel(2 * TILE * row + TILE)) < TILE
        return self._ordered(self.closed & across & along)

    def inputs_to(self, node: int) -> np.ndarray:
        """uint8 (n,): the inputs from node 0 to that node."""
        return inputs_to(self, node)

    def landing(self, node: int) -> np.ndarray | None:
        """uint8 (n,): the inputs after which a player at that node, in the air, rests; empty where it rests already.

        None if it dies holding left, right or nothing.
        """
        state, inputs = np.zeros(FIELDS, np.int32), np.zeros(LONGEST_LANDING, np.uint8)
        taken = land(self.tiles, self.level, self.monsters, self.movement, self.states[node], state, inputs)
        return None if taken == NO_WAY else inputs[:taken]

    def _ordered(self, chosen: np.ndarray) -> np.ndarray:
        nodes = np.flatnonzero(chosen)
        return nodes[np.argsort(self.costs[nodes], kind="stable")]


def routes(
    tiles: np.ndarray,
    level: np.ndarray,
    monsters: np.ndarray,
    state: np.ndarray,
    prices: np.ndarray | None = None,
    *,
    aims: np.ndarray | None = None,
    limit: float = math.inf,
    until_won: bool = False,
    movement: Movement | None = None,
) -> Routes:
    """The cheapest ways that were found from ``state`` to all that can be reached alive.

    tiles: uint8 (R, C), bits of the rules; level: int64 (NUMBERS,); monsters: int32 (m, 4), the key after the last;
    state: int32 (FIELDS,). A way costs 1 per input, and the price of a cell each time the player's rectangle comes to
    overlap it: after a step, where before that step it did not. ``prices``: float32 (R, C), 0 or more, infinite where
    the player must not go; by default all 0. ``aims``: bool (R, C), cells above the floor that the caller wants to
    touch, so that jumps at them are tried; the level's key and goal are among them without that. The search ends at
    ways that cost more than ``limit``, or, with ``until_won``, at the cheapest win. ``movement``: what takes each step
    in place of the rules.

    Raises ValueError for arrays of other shapes or prices below 0.
    """
    prices, aims = checked(tiles, level, monsters, state, prices, aims)
    search = own_search(tiles.shape)
    state = np.ascontiguousarray(state, np.int32)
    explore(tiles, level, monsters, movement, state, prices, aims, float(limit), until_won, search)
    count = int(search.kept[0])
    return Routes(
        tiles, level, monsters, search.states[:count].copy(), search.costs[:count].copy(),
        search.lengths[:count].copy(), search.parents[:count].copy(), search.inputs[:count].copy(),
        search.repeats[:count].copy(), search.known[:count].copy(), bool(search.kept[FULL]), movement,
    )  # fmt: skip


def checked(
    tiles: np.ndarray, level: np.ndarray, monsters: np.ndarray, state: np.ndarray, prices: np.ndarray | None,
    aims: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """The prices, float32, and aims, bool, of a search; ValueError, one line, for arrays that do not fit."""
    if tiles.ndim != 2:
        raise ValueError(f"tiles has shape {tiles.shape}: expected (rows, columns)")
    prices = np.zeros(tiles.shape, np.float32) if prices is None else np.asarray(prices, np.float32)
    aims = np.zeros(tiles.shape, np.bool_) if aims is None else np.asarray(aims, np.bool_)
    for name, array, shape in (
        ("level", level, (NUMBERS,)), ("state", state, (FIELDS,)), ("prices", prices, tiles.shape),
        ("aims", aims, tiles.shape), ("monsters", monsters, (len(monsters), 4)),
    ):  # fmt: skip
        if array.shape != shape:
            raise ValueError(f"{name} has shape {array.shape}: expected {shape}")
    if len(monsters) < (needed := int(level[MONSTER_COUNT] + level[KEYS])):
        raise ValueError(f"monsters has {len(monsters)} rows: expected {needed}, as the level has, its key included")
    if not (prices >= 0).all():
        raise ValueError(f"a price is {prices[~(prices >= 0)][0]}: expected 0 or more")
    return prices, aims


def routes_of(level: Level, rules: Rules | None = None, *, limit: float = math.inf, until_won: bool = False) -> Routes:
    """``routes`` from the start of a level, by the given rules or by those of its game."""
    numbers, state = level_numbers(level, rules or find_rules(level.game)), np.zeros(FIELDS, np.int32)
    put_at_start(numbers, state)
    return routes(level.tiles, numbers, level.monsters, state, limit=limit, until_won=until_won)


def own_search(shape: tuple[int, ...]) -> Search:
    """This thread's search for maps of that shape."""
    search: Search | None = getattr(MEMORY, "search", None)
    if search is None:
        search = Search(
            states=np.zeros((ROOM, FIELDS), np.int32), costs=np.zeros(ROOM), lengths=np.zeros(ROOM, np.int32),
            parents=np.zeros(ROOM, np.int32), inputs=np.zeros(ROOM, np.uint8), repeats=np.zeros(ROOM, np.uint8),
            held=np.zeros(ROOM, np.uint8), known=np.zeros(ROOM, np.uint8),
            table=np.zeros(2 << TABLE_BITS, np.int64), queue=np.zeros(ENTRIES, np.int32),
            heap_costs=np.zeros(ENTRIES), heap=np.zeros(ENTRIES, np.int32), jumps=np.zeros(shape, np.uint8),
            scratch=np.zeros(FIELDS, np.int32), kept=np.zeros(COUNTERS, np.int64),
        )  # fmt: skip
    if search.jumps.shape != shape:
        search = search._replace(jumps=np.zeros(shape, np.uint8))
    MEMORY.search = search
    return search


def inputs_to(nodes: Routes | Search, node: int) -> np.ndarray:
    """uint8 (n,): the inputs from node 0 to that node."""
    taken = []
    while nodes.parents[node] >= 0:
        taken.append(node)
        node = int(nodes.parents[node])
    return np.repeat(nodes.inputs[taken[::-1]], nodes.repeats[taken[::-1]])


@kernel
def land(tiles, level, monsters, movement, begin, state, inputs):
    """Holds nothing, left or right from a state until the player rests; how many inputs that takes, or NO_WAY.

    begin, state: int32 (FIELDS,); inputs: uint8 (LONGEST_LANDING,), filled.
    """
    for action in (NONE, LEFT, RIGHT):
        copy(begin, state)
        for taken in range(inputs.shape[0]):
            supported = touched(tiles, int(state[X]), int(state[Y]) + REACH) & (WALL | LADDER)
            if supported and not state[JUMPING]:
                return taken
            inputs[taken] = pressed(level, action)
            if move(tiles, level, monsters, state, int(inputs[taken]), movement) == DEATH:
                break
    return NO_WAY
