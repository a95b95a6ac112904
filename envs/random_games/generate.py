"""Random levels, each solved: draw a layout, put start and goal where a way of the desired length is likely, and search
the exact states. So every level is proven solvable, and its shortest solution is known.

A level depends only on its split, seed and number. Numbers cycle through DIRECTIONS and CLASSES, so all directions from
the start to the goal are equally common, and the quartiles of the shortest solutions are at least 50, 90, 150.
"""

import hashlib
from typing import NamedTuple

import numpy as np

from priorlab.envs.game.level import BITS, GOAL_SIZE, Level
from priorlab.envs.game.rules import TILE
from priorlab.envs.game.solver import Solver
from priorlab.envs.game.versions import find_rules
from priorlab.envs.looks.dials import SPLITS, check_split
from priorlab.envs.random_games.estimate import FAR, estimates

GAME = "princess"  # whose rules random levels use
DIRECTIONS = ((0, -1), (1, 0), (0, 1), (-1, 0))  # (right, down) from the start to the goal, by the larger of the two
LENGTHS = ((25, 60), (55, 100), (95, 160), (150, 220), (180, 400))  # least and most inputs of a shortest solution
CLASSES = (0, 1, 2, 3, 0, 2, 1, 4, 2, 3, 1)  # which of LENGTHS is desired, in turn
SIDES = ((9, 11), (10, 13), (11, 14), (13, 15), (13, 16))  # least and most tiles per side, for each of LENGTHS
KEY_SHARES = (0.1, 0.1, 0.2, 1, 1)  # share of layouts with a key and a door, for each of LENGTHS
SPACINGS = ((3, 4, 5), (3, 4, 5), (3, 4, 4), (3, 3, 4), (3, 3, 4))  # rows from floor to floor, for each of LENGTHS
CEILING = 3  # rows above the highest floor
PATROL_SHARE, PERIODS = 0.6, (6, 8)  # share of monsters in small levels that patrol, and the steps of a patrol
MOST_PATROLLED = 121  # tiles, at most, of a level with patrols: the search takes as many times as long as a period
SHORTEST, LONGEST = 0.92, 1.15  # factors on the estimate between which most solutions are
HEADROOM = 3  # free tiles above the floor, in which monsters and dangers can be jumped over
MOST_STATES = 1 << 17  # at most, in the search of a layout
MOST_MONSTERS = (2, 1, 1, 1, 1)  # at most, for each of LENGTHS: each one doubles the states
LADDER = 2  # tiles wide: walking in steps of 7 px, a player does not fit a narrower hole
ENDS = 16  # pairs of start and goal that are tried to find one in the split
ATTEMPTS = 10_000


class Solved(NamedTuple):
    """A level and a shortest solution, uint8 (n,), raw inputs."""

    level: Level
    solution: np.ndarray


def generate(number: int, seed: int = 0, split: str = "training", again: int = 0) -> Solved:
    """The random level with that number in a split; ``again`` = 1, 2, ... gives others, where it equals an earlier one.

    Raises ValueError for an unknown split or a number or seed below 0.
    """
    check_split(split)
    for name, value in (("number", number), ("seed", seed)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
            raise ValueError(f"{name} is {value!r}: expected a whole number, 0 or more")
    rng = np.random.default_rng([SPLITS.index(split), seed, number, again])
    direction, size = DIRECTIONS[number % len(DIRECTIONS)], CLASSES[number // len(DIRECTIONS) % len(CLASSES)]
    for _ in range(ATTEMPTS):
        sketch = Sketch(rng, size)
        solved = finish(sketch, direction, size, split, f"{split}_{seed}_{number}")
        if solved:
            return solved
    raise RuntimeError(f"level {number} of seed {seed}: no layout with such a solution in {ATTEMPTS} attempts")


class Sketch:
    """A layout with everything except the goal: ``cells``, str (height, width), characters of level.py."""

    def __init__(self, rng: np.random.Generator, size: int):
        self.rng = rng
        least, most = SIDES[size]
        self.height, self.width = (int(n) for n in rng.integers(least, most + 1, 2))
        self.cells = np.full((self.height, self.width), " ")
        self.cells[:, [0, -1]] = "|"
        if rng.random() < 0.5:
            self.cells[0] = "|"
        self.floors = self.draw_floors(size)
        self.draw_ladders(alternating=size >= 2)
        self.draw_steps()
        self.draw_dangers()
        self.period = int(rng.choice(PERIODS))
        self.draw_monsters(size)

    def draw_floors(self, size: int) -> list[int]:
        """Draws the floors; their rows, from the lowest up. The lowest has no gaps."""
        rng, row, floors = self.rng, self.height - 1, []
        while row >= CEILING:
            self.cells[row, 1:-1] = "#"
            if floors and rng.random() < 0.4:
                for _ in range(rng.integers(1, 3)):
                    gap = int(rng.integers(2, 5))
                    left = int(rng.integers(1, max(2, self.width - 1 - gap)))
                    self.cells[row, left : min(left + gap, self.width - 1)] = " "
            floors.append(row)
            row -= int(rng.choice(SPACINGS[size]))
        return floors

    def draw_ladders(self, alternating: bool) -> None:
        """Draws one or two ladders from each floor to the next; ``alternating``: at alternate ends, for long ways."""
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
        """Draws blocks on floors, to be jumped over."""
        for row, column in self.roomy():
            if self.rng.random() < 0.05 and "H" not in self.cells[row - 1 : row + 1, column - 1 : column + 2]:
                self.cells[row, column] = "#"

    def draw_dangers(self) -> None:
        """Draws fire or spikes set into floors, one to three tiles wide, with ground on both sides."""
        rng, cells = self.rng, self.cells
        for row in self.floors:
            for _ in range(rng.integers(0, 3)):
                width = int(rng.integers(1, 4))
                left = int(rng.integers(2, max(3, self.width - 2 - width)))
                part = cells[row, left - 1 : left + width + 1]
                free = (cells[row - HEADROOM : row, left - 2 : left + width + 2] == " ").all()
                if len(part) == width + 2 and (part == "#").all() and free:
                    part[1:-1] = rng.choice(["*", "^"])

    def draw_monsters(self, size: int) -> None:
        rng = self.rng
        for _ in range(rng.integers(0, MOST_MONSTERS[size] + 1)):
            spots = self.clear_spots()
            if not (roomy := [at for at in self.roomy() if at in spots]):
                return
            row, column = self.choose("m", roomy)
            if self.cells.size <= MOST_PATROLLED and rng.random() < PATROL_SHARE:
                for beside in (column - 1, column + 1):
                    if (row, beside) in spots:
                        self.cells[row, beside] = "~"

    def standable(self) -> list[tuple[int, int]]:
        """(row, column) of the empty cells on top of a platform."""
        free = (self.cells[:-1] == " ") & (self.cells[1:] == "#")
        return [(int(row), int(column)) for row, column in np.argwhere(free)]

    def roomy(self) -> list[tuple[int, int]]:
        """The standable cells with room to jump high."""
        return [(r, c) for r, c in self.standable() if (self.cells[max(r - HEADROOM + 1, 0) : r + 1, c] == " ").all()]

    def choose(self, character: str, spots: list[tuple[int, int]]) -> tuple[int, int]:
        """Puts a thing on a random one of the spots, and returns its (row, column)."""
        spot = spots[int(self.rng.integers(len(spots)))]
        self.cells[spot] = character
        return spot

    def clear_spots(self) -> list[tuple[int, int]]:
        """Where something can stand with no monster within two cells to either side."""
        monsters = {(row, column) for row, column in np.argwhere(np.isin(self.cells, ["m", "~"])).tolist()}
        return [
            (row, column)
            for row, column in self.standable()
            if not monsters & {(row, column + aside) for aside in range(-2, 3)}
        ]


def split_of(rows: tuple[str, ...]) -> str:
    """The split of a level with these rows, training or held_out: it depends on the layout, so no level is in both."""
    return SPLITS[hashlib.sha256("\n".join(rows).encode()).digest()[0] % len(SPLITS)]


def finish(sketch: Sketch, direction: tuple[int, int], number: int, split: str, name: str) -> Solved | None:
    """Completes the sketch with start, goal and perhaps a key, for a shortest solution within ``LENGTHS[number]``.

    None if there are no such places. A rough estimate chooses them, an exact search proves them.
    """
    least, most = LENGTHS[number]
    spots = sketch.clear_spots()
    if len(spots) < 3:
        return None
    about = estimates(np.vectorize(BITS.get)(sketch.cells, 0).astype(np.uint8), spots)
    rows, columns = np.array(spots).T
    right, down = columns - columns[:, None], rows - rows[:, None]  # (start, goal)
    ahead, aside = right * direction[0] + down * direction[1], right * direction[1] + down * direction[0]
    towards = ahead > np.abs(aside)
    steps, fits = about, towards & (about * SHORTEST >= least) & (about <= most)
    if sketch.rng.random() < KEY_SHARES[number]:
        for key in sketch.rng.permutation(len(spots)):
            steps = about[:, [key]] + about[key]  # (start, goal)
            steps[key] = steps[:, key] = FAR
            fits = towards & (steps * SHORTEST >= least) & (steps <= most)
            if fits.any():
                sketch.cells[spots[key]] = "k"
                break
    if not fits.any():
        return None
    ends = sketch.rng.permutation(np.argwhere(fits))[:ENDS]
    levels = (level_of(sketch, spots[start], spots[goal], name) for start, goal in ends)
    level, (start, goal) = next(
        ((each, pair) for each, pair in zip(levels, ends) if split_of(each.rows) == split), (None, (0, 0))
    )
    if level is None:
        return None
    deepest = min(most, int(steps[start, goal] * LONGEST))
    way = Solver(level, find_rules(GAME)).run(exhaustive=False, deepest=deepest, most_states=MOST_STATES).inputs
    return None if way is None or len(way) < least else Solved(level, way)


def level_of(sketch: Sketch, start: tuple[int, int], goal: tuple[int, int], name: str) -> Level:
    """The level with start and goal at these (row, column)."""
    cells = sketch.cells.copy()
    cells[start] = "S"
    cells[goal] = "D" if "k" in cells else "G"
    return level_from(tuple("".join(row) for row in cells), name, sketch.period)


def level_from(rows: tuple[str, ...], name: str, period: int) -> Level:
    """The level with these rows, in which everything is as large as its tile."""
    goal = "D" if any("k" in row for row in rows) else "G"
    start, end = (
        next((TILE * (row.index(character) + 0.5), TILE * (r + 0.5)) for r, row in enumerate(rows) if character in row)
        for character in ("S", goal)
    )
    return Level(name, GAME, rows, start, end, GOAL_SIZE["D"], period)
