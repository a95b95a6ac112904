"""Random levels, each solved: a layout is drawn, its states are searched, and the goal put where a solution of the wanted
length and direction leads. So every level is proven solvable, and its shortest solution is known, by one search.

A level follows from its split, seed and number alone. Numbers go through DIRECTIONS and LENGTHS, so no direction from
the start to the goal is more common than another, and the quartiles of the shortest solutions are at least 50, 90, 150.
"""

from typing import NamedTuple

import numpy as np

from envs.dials import SPLITS
from envs.level import GOAL_SIZE, Level
from envs.rules import TILE
from envs.solver import Solver
from envs.versions import find_rules

GAME = "princess"  # whose rules random levels are played by
DIRECTIONS = ((0, -1), (1, 0), (0, 1), (-1, 0))  # (right, down) of the goal from the start, the larger of the two
LENGTHS = ((25, 70), (55, 110), (95, 175), (155, 400))  # least and most inputs of a shortest solution
SIDES = ((10, 12), (10, 14), (12, 15), (13, 16))  # least and most tiles a side, for each of LENGTHS
KEY_SHARE = 0.25  # of the levels have a key and a door
SPACINGS = (3, 4, 5)  # rows from floor to floor
CEILING = 3  # rows above the highest floor
PATROL_SHARE, PERIODS = 0.15, (12, 14, 16)  # of monsters in small levels that patrol, and in how many steps
MOST_PATROLLED = 144  # tiles of a level in which a monster may patrol: the search takes a period's times as long
LADDER = 2  # tiles wide: walking in steps of 7 px nobody fits a narrower hole
ATTEMPTS = 1000


class Solved(NamedTuple):
    """A level and a shortest solution, uint8 (n,) raw inputs."""

    level: Level
    solution: np.ndarray


def generate(number: int, seed: int = 0, split: str = "training") -> Solved:
    """The random level of that number; other splits, seeds and numbers give others. ValueError for a bad split or seed."""
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}: expected one of {', '.join(SPLITS)}")
    for name, value in (("number", number), ("seed", seed)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
            raise ValueError(f"{name} is {value!r}: expected a whole number, 0 or more")
    rng = np.random.default_rng([SPLITS.index(split), seed, number])
    direction, size = DIRECTIONS[number % len(DIRECTIONS)], number // len(DIRECTIONS) % len(LENGTHS)
    for _ in range(ATTEMPTS):
        sketch = Sketch(rng, size)
        solved = finish(sketch, direction, LENGTHS[size], f"{split}_{seed}_{number}")
        if solved:
            return solved
    raise RuntimeError(f"level {number} of seed {seed}: no layout with such a solution in {ATTEMPTS} attempts")


class Sketch:
    """A layout with everything but the goal: characters of level.py, str (height, width)."""

    def __init__(self, rng: np.random.Generator, size: int):
        self.rng = rng
        least, most = SIDES[size]
        self.height, self.width = (int(n) for n in rng.integers(least, most + 1, 2))
        self.cells = np.full((self.height, self.width), " ")
        self.cells[:, [0, -1]] = "|"
        if rng.random() < 0.5:
            self.cells[0] = "|"
        self.floors = self.draw_floors()
        self.draw_ladders(alternating=size >= 2)
        self.draw_steps()
        self.draw_dangers()
        self.period = int(rng.choice(PERIODS))
        self.draw_monsters()
        self.key = rng.random() < KEY_SHARE and self.put("k")
        self.put("S")

    def draw_floors(self) -> list[int]:
        """Rows of the floors, from the lowest up; the lowest has no gaps."""
        rng, row, floors = self.rng, self.height - 1, []
        while row >= CEILING:
            self.cells[row, 1:-1] = "#"
            if floors and rng.random() < 0.4:
                for _ in range(rng.integers(1, 3)):
                    gap = int(rng.integers(2, 5))
                    left = int(rng.integers(1, max(2, self.width - 1 - gap)))
                    self.cells[row, left : min(left + gap, self.width - 1)] = " "
            floors.append(row)
            row -= int(rng.choice(SPACINGS))
        return floors

    def draw_ladders(self, alternating: bool) -> None:
        """One or two from each floor to the next; ``alternating``: from end to end, which makes long ways."""
        rng, cells, last = self.rng, self.cells, self.width - 1 - LADDER
        at_left = bool(rng.integers(2))
        for low, high in zip(self.floors, self.floors[1:]):
            columns = [int(rng.integers(1, last + 1)) for _ in range(1 if alternating or rng.random() < 0.7 else 2)]
            if alternating:
                near = int(rng.integers(1, 3))
                columns, at_left = [near if at_left else last + 1 - near], not at_left
            for column in columns:
                span = slice(column, column + LADDER)
                cells[high - 1 : low, span] = "H"
                cells[low, span] = np.where(cells[low, span] == " ", "#", cells[low, span])
                beside = column - 1 if column > 1 and (column == last or rng.random() < 0.5) else column + LADDER
                cells[high, beside] = "#" if cells[high, beside] == " " else cells[high, beside]

    def draw_steps(self) -> None:
        """Blocks on floors, to be jumped over."""
        for row, column in self.standable():
            if self.rng.random() < 0.03 and "H" not in self.cells[row - 1 : row + 1, column - 1 : column + 2]:
                self.cells[row, column] = "#"

    def draw_dangers(self) -> None:
        """Fire or spikes let into floors, one to three tiles wide, with ground on both sides."""
        rng, cells = self.rng, self.cells
        for row in self.floors:
            for _ in range(rng.integers(0, 3)):
                width = int(rng.integers(1, 4))
                left = int(rng.integers(2, max(3, self.width - 2 - width)))
                part = cells[row, left - 1 : left + width + 1]
                free = np.isin(cells[row - 1, left - 1 : left + width + 1], [" "]).all()
                if len(part) == width + 2 and (part == "#").all() and free:
                    part[1:-1] = rng.choice(["*", "^"])

    def draw_monsters(self) -> None:
        rng = self.rng
        for _ in range(rng.integers(0, 3)):
            self.put("m")
        if self.cells.size > MOST_PATROLLED:
            return
        for row, column in np.argwhere(self.cells == "m"):
            if rng.random() < PATROL_SHARE:
                room = np.array(
                    [tuple(spot) in {*map(tuple, self.standable())} for spot in ((row, column - 1), (row, column + 1))]
                )
                for aside in np.flatnonzero(room):
                    self.cells[row, column + 2 * aside - 1] = "~"

    def standable(self) -> list[tuple[int, int]]:
        """(row, column) of the empty cells on top of a platform."""
        free = (self.cells[:-1] == " ") & (self.cells[1:] == "#")
        return [(int(row), int(column)) for row, column in np.argwhere(free)]

    def put(self, character: str) -> bool:
        """Puts a thing on a platform, away from monsters; whether there is room."""
        spots = [at for at in self.standable() if not np.isin(self.around(*at), ["m", "~", "S"]).any()]
        if spots:
            self.cells[spots[int(self.rng.integers(len(spots)))]] = character
        return bool(spots)

    def around(self, row: int, column: int) -> np.ndarray:
        """The cells up to two to the left and right."""
        return self.cells[row, max(column - 2, 0) : column + 3]


def finish(sketch: Sketch, direction: tuple[int, int], lengths: tuple[int, int], name: str) -> Solved | None:
    """The sketch with the goal where its shortest solution is as long as wanted, or None where there is no such place."""
    starts = np.argwhere(sketch.cells == "S")
    if len(starts) != 1:
        return None
    row, column = starts[0]
    spots = []
    for r, c in sketch.standable():
        right, down = c - column, r - row
        ahead, aside = right * direction[0] + down * direction[1], right * direction[1] + down * direction[0]
        if ahead > abs(aside):
            spots.append((r, c))
    if not spots:
        return None
    solver = Solver(level_of(sketch, spots[0], name), find_rules(GAME))
    ways = solver.ways_to(spots)
    fitting = [
        (spot, way) for spot, way in zip(spots, ways) if way is not None and lengths[0] <= len(way) <= lengths[1]
    ]
    if not fitting:
        return None
    spot, way = fitting[int(sketch.rng.integers(len(fitting)))]
    return Solved(level_of(sketch, spot, name), way)


def level_of(sketch: Sketch, goal: tuple[int, int], name: str) -> Level:
    """The level with the goal in that (row, column)."""
    cells = sketch.cells.copy()
    character = "D" if sketch.key else "G"
    cells[goal] = character
    start = np.argwhere(cells == "S")[0][::-1] * TILE + TILE / 2
    x, y = goal[1] * TILE + TILE / 2, goal[0] * TILE + TILE / 2
    return Level(
        name, GAME, tuple("".join(row) for row in cells), (float(start[0]), float(start[1])), (x, y), GOAL_SIZE["D"],
        sketch.period,
    )  # fmt: skip
