"""Facts of contact: which roles a cell can't have, by what happened to a player who touched it.

Each fact follows from the rules, without exception: the true role of a cell is never ruled out. What one input shows
is often that *one* of several cells has a role (a step into spikes touches up to four cells); such a clause is kept
until all but one of its cells are excluded, and then that cell is known.

Assumed of a level: its goal is at least as large as a tile, and everything else is as large as its tile.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from priorlab.agents.priors.roles import BOUNDARY, DANGER, GOAL, KEY, LADDERS, MONSTER, PLATFORM, ROLES
from priorlab.envs.game.rules import (
    ALTERNATING,
    BOTTOM,
    CLIMB,
    DOWN,
    FALL_SPEED,
    GRID,
    HAS_KEY,
    JUMP,
    JUMP_SPEED,
    JUMPING,
    LADDER_DROP,
    LEFT,
    NONE,
    ON_LADDER,
    REACH,
    RIGHT,
    SPEED,
    STAND,
    TILE,
    TURNED,
    UP,
    WALK,
    X,
    Y,
    pixel,
    turned,
)

Cell = tuple[int, int]  # row, column
ANY = (1 << len(ROLES)) - 1
WALLS = 1 << BOUNDARY | 1 << PLATFORM
CLIMBED = 1 << LADDERS
HOLDS = WALLS | CLIMBED  # what a player stands on
LADDER_UNKNOWN = 2  # a state's ON_LADDER where it is not known
MOTION_UNKNOWN = 2  # a state's JUMPING where it is not known; then its ON_LADDER is not, either


@lru_cache(1 << 16)
def overlapped(x: int, y: int) -> tuple[Cell, ...]:
    """The cells, at most four, that the player's rectangle overlaps with its centre at (x, y) half pixels."""
    left, top = pixel(x) - GRID, pixel(y) - GRID
    rows, columns = {top // TILE, (top + TILE - 1) // TILE}, {left // TILE, (left + TILE - 1) // TILE}
    return tuple((row, column) for row in sorted(rows) for column in sorted(columns))


def centre_of(row: int) -> int:
    """The y of a row's centre, in half pixels."""
    return 2 * TILE * row + TILE


class Facts:
    """What contact proved so far, on a grid of ``side`` x ``side`` cells.

    ``count`` grows with each fact; ``contradictions`` counts facts that would have left a cell without a role, and
    were ignored. With exact states it stays 0.
    """

    def __init__(self, side: int):
        self.side, self.count, self.contradictions = side, 0, 0
        self.possible = [[ANY] * side for _ in range(side)]  # bits of roles
        self.grid = np.full((side, side), ANY, np.uint8)  # the same
        self.clauses: list[tuple[tuple[Cell, ...], int]] = []  # at least one of the cells has one of the roles
        self.closed: set[Cell] = set()  # touched without a key, and nothing happened: no goal, or a locked door
        self.brushed: set[Cell] = set()  # taken for the goal, touched at the edge, and nothing happened
        self.failed: Counter[Cell] = Counter()  # how often a way to what was taken for the goal or the key failed there
        self.suspected: Counter[Cell] = Counter()  # how often a death may have been due to it that proved nothing new
        self.monsters_known = False

    @property
    def ruled_out(self) -> np.ndarray:
        """bool (R, R, 8): the roles that each cell can't have."""
        return (self.grid[..., None] >> np.arange(len(ROLES)) & 1) == 0

    def is_inside(self, cell: Cell) -> bool:
        return 0 <= cell[0] < self.side and 0 <= cell[1] < self.side

    def known(self, cell: Cell) -> int | None:
        """The role of a cell of which all others are ruled out, else None."""
        bits = self.possible[cell[0]][cell[1]]
        return bits.bit_length() - 1 if bits & (bits - 1) == 0 else None

    def may_be(self, cell: Cell, roles: int) -> bool:
        """Whether a cell can have one of the roles, bits; outside the picture there is nothing."""
        return self.is_inside(cell) and bool(self.possible[cell[0]][cell[1]] & roles)

    def is_wall(self, cell: Cell) -> bool:
        """Whether a cell is known to be solid."""
        return self.is_inside(cell) and not self.possible[cell[0]][cell[1]] & ~WALLS

    def rule_out(self, cells: Iterable[Cell], roles: int) -> None:
        """None of the cells has any of the roles, bits."""
        changed, possible, side = False, self.possible, self.side
        for row, column in cells:
            if not (0 <= row < side and 0 <= column < side and possible[row][column] & roles):
                continue
            left = possible[row][column] & ~roles
            if not left:
                self.contradictions += 1
                continue
            possible[row][column] = self.grid[row, column] = left
            self.count += 1
            changed = True
        if changed and self.clauses:
            self.propagate()

    def require(self, cells: Iterable[Cell], roles: int) -> None:
        """At least one of the cells has one of the roles, bits."""
        possible, side = self.possible, self.side
        inside = [cell for cell in cells if 0 <= cell[0] < side and 0 <= cell[1] < side]
        open_cells = tuple([cell for cell in inside if possible[cell[0]][cell[1]] & roles])
        for row, column in open_cells:
            if not possible[row][column] & ~roles:
                return  # it is known to have it
        if not open_cells:
            self.contradictions += 1
        elif len(open_cells) == 1:
            self.rule_out(open_cells, ANY & ~roles)
        elif (open_cells, roles) not in self.clauses:
            self.clauses.append((open_cells, roles))
            self.count += 1

    def propagate(self) -> None:
        """Concludes from each clause what the facts have made certain since."""
        clauses, self.clauses = self.clauses, []
        for cells, roles in clauses:
            self.require(cells, roles)

    def know_monsters(self, cells: Iterable[Cell]) -> None:
        """Only these cells hold monsters at the start, as a player knows who was told, or who watched what moves."""
        them, self.monsters_known = set(cells), True
        self.rule_out(them, ANY & ~(1 << MONSTER))
        grid = ((row, column) for row in range(self.side) for column in range(self.side))
        self.rule_out([cell for cell in grid if cell not in them], 1 << MONSTER)

    def lived(self, level: np.ndarray, before: np.ndarray, action: int, after: np.ndarray) -> None:
        """Learns from an input, 0 to 5, that neither won nor killed.

        level: int64 (NUMBERS,); before, after: int32 (FIELDS,), the states around it, which must be exact; but
        ON_LADDER may be LADDER_UNKNOWN, and JUMPING with it MOTION_UNKNOWN.
        """
        x, y, new_x, new_y = int(before[X]), int(before[Y]), int(after[X]), int(after[Y])
        jumping, speed, new_jumping = int(before[JUMPING]), int(before[SPEED]), int(after[JUMPING])
        new_speed, climbs = int(after[SPEED]), bool(after[ON_LADDER])
        action = turned(action) if level[TURNED] else action
        self.touched(before, after)
        if after[ON_LADDER] == LADDER_UNKNOWN:
            self.stayed(level, before, action, after)
            return

        below = overlapped(x, y + REACH)
        if climbs:
            self.rule_out(below, WALLS)
            # who hangs on already stays on a ladder that ends above its centre
            self.require([cell for cell in below if before[ON_LADDER] or centre_of(cell[0]) >= y], CLIMBED)
            if new_y < y:
                self.rule_out(overlapped(new_x, new_y), WALLS)
                self.require(overlapped(new_x, new_y), CLIMBED)
        elif not any(self.may_be(cell, WALLS) for cell in below):
            self.rule_out([cell for cell in below if centre_of(cell[0]) >= y], CLIMBED)

        walked_at = new_y if climbs else y
        if new_x != x:
            self.rule_out(overlapped(new_x, walked_at), WALLS)
        elif action in (LEFT, RIGHT) and not (level[ALTERNATING] and climbs):
            aside = x + int(level[WALK]) * (1 if action == RIGHT else -1)
            self.require(overlapped(aside, walked_at), WALLS)
        if climbs:
            return
        leaps = not jumping and action in (JUMP, UP) and new_y != y  # up, or back onto the floor into which it sank
        if leaps:
            jumping, speed = 1, JUMP_SPEED
            self.require(below, WALLS)
            if action == UP:
                self.require(overlapped(x, y), CLIMBED)
        if jumping:
            self.flew(new_x, y, speed, new_y, new_jumping, new_speed)
        elif not new_jumping and new_y == y and action not in (JUMP, UP):
            self.require(overlapped(new_x, y + REACH), HOLDS)
        elif new_jumping and action not in (JUMP, UP):
            self.rule_out(overlapped(new_x, y + REACH), HOLDS)
        elif action == UP and not new_jumping and any(self.is_wall(cell) for cell in below):
            self.rule_out(overlapped(x, y), CLIMBED)  # or else it had jumped

    def stayed(self, level: np.ndarray, before: np.ndarray, action: int, after: np.ndarray) -> None:
        """What is certain where a ladder may hold the player, or not."""
        x, y, new_x = int(before[X]), int(before[Y]), int(after[X])
        if after[Y] != y:
            return
        if new_x != x:
            self.rule_out(overlapped(new_x, y), WALLS)
        elif action in (LEFT, RIGHT) and not level[ALTERNATING]:
            self.require(overlapped(x + int(level[WALK]) * (1 if action == RIGHT else -1), y), WALLS)
        if not before[JUMPING] and not after[JUMPING]:
            self.require(sorted({*overlapped(new_x, y + REACH), *overlapped(x, y + REACH)}), HOLDS)

    def touched(self, before: np.ndarray, after: np.ndarray) -> None:
        """What the cells inside which a player survived are not."""
        x, y = int(after[X]), int(after[Y])
        inside = overlapped(x, y)
        self.rule_out(inside, 1 << DANGER)
        if not before[HAS_KEY]:
            if after[HAS_KEY]:
                self.took_key(inside)
            else:
                self.rule_out(inside, 1 << KEY)
        column, row = pixel(x) // TILE, pixel(y) // TILE
        if pixel(x) % TILE and pixel(y) % TILE:  # then a goal with its centre anywhere in this cell is touched
            if after[HAS_KEY]:
                self.rule_out([(row, column)], 1 << GOAL)
            else:
                self.closed.add((row, column))

    def took_key(self, inside: Sequence[Cell]) -> None:
        """The key was in one of these cells, and there is only one."""
        self.require(inside, 1 << KEY)
        grid = ((row, column) for row in range(self.side) for column in range(self.side))
        self.rule_out([cell for cell in grid if cell not in inside], 1 << KEY)

    def flew(self, x: int, y: int, speed: int, new_y: int, still_flies: int, new_speed: int) -> None:
        """What a step in the air shows, which begins at (x, y) half pixels and ``speed`` pixels per step upwards."""
        inside = overlapped(x, y)
        rows = sorted({row for row, _ in inside})
        if not still_flies:
            self.stopped_by((new_y + STAND - TILE) // (2 * TILE), inside, rows)
        elif new_y == y - 2 * speed and new_speed == max(speed - 1, FALL_SPEED):
            self.rule_out([cell for cell in inside if centre_of(cell[0]) != y], WALLS)
        elif new_speed == -1:
            self.stopped_by((new_y - STAND - TILE) // (2 * TILE), inside, rows)

    def stopped_by(self, row: int, inside: Sequence[Cell], rows: list[int]) -> None:
        """A wall in that row is the first of the cells inside, row by row."""
        self.rule_out([cell for cell in inside if cell[0] < row], WALLS)
        self.require([cell for cell in inside if cell[0] == row], WALLS)

    def died(self, level: np.ndarray, before: Sequence[np.ndarray], action: int, may_be_monster: bool = False) -> None:
        """Learns from an input that killed: one of the cells that it can have led into is deadly.

        ``before``: the states that may have been the player's, each int32 (FIELDS,). ``may_be_monster``: whether a
        monster that moves can have been the cause; then nothing is certain.
        """
        ways = [self.reachable(level, state, action) for state in before]
        cells = {cell for reached, _ in ways for cell in reached}
        if cells and not may_be_monster and all(lowest < level[BOTTOM] for _, lowest in ways):
            known = self.count
            self.require(sorted(cells), 1 << DANGER | (0 if self.monsters_known else 1 << MONSTER))
            if self.count == known:
                self.suspected.update(cell for cell in cells if self.may_be(cell, 1 << DANGER))

    def reachable(self, level: np.ndarray, before: np.ndarray, action: int) -> tuple[set[Cell], int]:
        """(the cells that the player can overlap after that input, the lowest y in half pixels), by what is known."""
        x, y, jumping, speed = (int(before[k]) for k in (X, Y, JUMPING, SPEED))
        action = turned(action) if level[TURNED] else action
        places = {x}
        if action in (LEFT, RIGHT):
            places.add(x + int(level[WALK]) * (1 if action == RIGHT else -1))
        heights = {y - 2 * speed} if jumping else {y}
        if not jumping and action in (JUMP, UP):
            heights.add(y - 2 * JUMP_SPEED)
        if jumping or action in (JUMP, UP):
            for row in {row for row, _ in overlapped(x, y)}:
                heights |= {y, centre_of(row) - STAND if centre_of(row) > y else centre_of(row) + STAND}
        if any(self.may_be(cell, CLIMBED) for cell in overlapped(x, y + REACH)):
            moves = {NONE: 0, UP: -CLIMB, DOWN: CLIMB}
            moved = {0, -CLIMB} if level[ALTERNATING] else {0, moves.get(action, 0)}
            heights |= {y + push + move for push in (0, LADDER_DROP, 2 * LADDER_DROP) for move in moved}
        cells = {cell for place in places for height in heights for cell in overlapped(place, height)}
        return {cell for cell in cells if self.is_inside(cell)}, max(heights)
