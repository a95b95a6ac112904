"""Random levels, each solved: draw a layout, put start and goal where a way of the desired length is likely, prove it.

A level depends only on its size, split, seed and number. Numbers cycle through DIRECTIONS and classes of lengths, so
all directions from the start to the goal are equally common. An exact search solves the small levels, drawn here: their
shortest solutions are known, and the quartiles are at least 50, 90, 150. ``large.py`` draws the large ones.
"""

import numpy as np

from priorlab.envs.game.level import BITS
from priorlab.envs.game.solver import Solver
from priorlab.envs.game.versions import find_rules
from priorlab.envs.looks.dials import SPLITS, check_split
from priorlab.envs.random_games.estimate import FAR, estimates
from priorlab.envs.random_games.large import large_level
from priorlab.envs.random_games.layouts import (
    DIRECTIONS,
    GAME,
    HEADROOM,
    Layout,
    Solved,
    ahead_of,
    level_from,
    split_of,
)

SIZES = ("small", "large")
LENGTHS = ((25, 60), (55, 100), (95, 160), (150, 220), (180, 400))  # least and most inputs of a shortest solution
CLASSES = (0, 1, 2, 3, 0, 2, 1, 4, 2, 3, 1)  # which of LENGTHS is desired, in turn
SIDES = ((9, 11), (10, 13), (11, 14), (13, 15), (13, 16))  # least and most tiles per side, for each of LENGTHS
KEY_SHARES = (0.1, 0.1, 0.2, 1, 1)  # share of layouts with a key and a door, for each of LENGTHS
SPACINGS = ((3, 4, 5), (3, 4, 5), (3, 4, 4), (3, 3, 4), (3, 3, 4))  # rows from floor to floor, for each of LENGTHS
CEILING = 3  # rows above the highest floor
PATROL_SHARE, PERIODS = 0.6, (6, 8)  # share of monsters in small levels that patrol, and the steps of a patrol
MOST_PATROLLED = 121  # tiles, at most, of a level with patrols: the search takes as many times as long as a period
SHORTEST, LONGEST = 0.92, 1.15  # factors on the estimate between which most solutions are
MOST_STATES = 1 << 17  # at most, in the search of a layout
MOST_MONSTERS = (2, 1, 1, 1, 1)  # at most, for each of LENGTHS: each one doubles the states
LADDER = 2  # tiles wide: walking in steps of 7 px, a player does not fit a narrower hole
ENDS = 16  # pairs of start and goal that are tried to find one in the split
ATTEMPTS = 10_000


def generate(number: int, seed: int = 0, split: str = "training", again: int = 0, size: str = "small") -> Solved:
    """The random level with that number in a split; ``again`` = 1, 2, ... gives others, where it equals an earlier one.

    ``size``: small, or large for levels like the study's second game. Raises ValueError for an unknown split or size,
    or a number, seed or ``again`` below 0.
    """
    check_split(split)
    check_size(size)
    for name, value in (("number", number), ("seed", seed), ("again", again)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
            raise ValueError(f"{name} is {value!r}: expected a whole number, 0 or more")
    large = size == "large"
    rng = np.random.default_rng([SPLITS.index(split), seed, number, again] + [1] * large)
    draw = large_level if large else small_level
    turn, direction = divmod(int(number), len(DIRECTIONS))
    for _ in range(ATTEMPTS):
        solved = draw(rng, turn, DIRECTIONS[direction], split, f"{split}_{seed}_{number}")
        if solved:
            return solved
    raise RuntimeError(f"level {number} of seed {seed}: no layout with such a solution in {ATTEMPTS} attempts")


def check_size(size: str) -> None:
    """Raises ValueError for any other size than small or large."""
    if size not in SIZES:
        raise ValueError(f"size is {size!r}: expected one of {', '.join(SIZES)}")


class Sketch(Layout):
    """A small layout with everything except the goal."""

    def __init__(self, rng: np.random.Generator, size: int):
        least, most = SIDES[size]
        super().__init__(rng, *(int(n) for n in rng.integers(least, most + 1, 2)))
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


def small_level(
    rng: np.random.Generator, turn: int, direction: tuple[int, int], split: str, name: str
) -> Solved | None:
    """Draws a layout with start, goal and perhaps a key, for a shortest solution within LENGTHS.

    None if there are no such places. A rough estimate chooses them, an exact search proves them.
    """
    number = CLASSES[turn % len(CLASSES)]
    sketch, (least, most) = Sketch(rng, number), LENGTHS[number]
    spots = sketch.clear_spots()
    if len(spots) < 3:
        return None
    about = estimates(np.vectorize(BITS.get)(sketch.cells, 0).astype(np.uint8), spots)
    towards = ahead_of(spots, direction)
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
    levels = (level_from(sketch.rows_with(spots[start], spots[goal]), name, sketch.period) for start, goal in ends)
    level, (start, goal) = next(
        ((each, pair) for each, pair in zip(levels, ends) if split_of(each.rows) == split), (None, (0, 0))
    )
    if level is None:
        return None
    deepest = min(most, int(steps[start, goal] * LONGEST))
    way = Solver(level, find_rules(GAME)).run(exhaustive=False, deepest=deepest, most_states=MOST_STATES).inputs
    return None if way is None or len(way) < least else Solved(level, way)
