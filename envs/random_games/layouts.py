"""What all random levels share: a layout being drawn, the level that it becomes, and the split of that level."""

import hashlib
from typing import NamedTuple

import numpy as np

from priorlab.envs.game.level import GOAL_SIZE, Level
from priorlab.envs.game.rules import TILE
from priorlab.envs.looks.dials import SPLITS

GAME = "princess"  # whose rules small levels use
DIRECTIONS = ((0, -1), (1, 0), (0, 1), (-1, 0))  # (right, down) from the start to the goal, by the larger of the two
HEADROOM = 3  # free tiles above the floor, in which monsters and dangers can be jumped over


class Solved(NamedTuple):
    """A level and raw inputs that win it, uint8 (n,): in small levels a shortest solution, in large ones a plan whose
    length is an upper bound on the shortest."""

    level: Level
    solution: np.ndarray


class Layout:
    """A layout being drawn: ``cells``, str (height, width), characters of level.py; ``period``, that of its patrols."""

    def __init__(self, rng: np.random.Generator, height: int, width: int):
        self.rng, self.height, self.width = rng, height, width
        self.cells = np.full((height, width), " ")
        self.cells[:, [0, -1]] = "|"
        if rng.random() < 0.5:
            self.cells[0] = "|"
        self.period = 2

    def standable(self) -> list[tuple[int, int]]:
        """(row, column) of the empty cells on top of a platform."""
        free = (self.cells[:-1] == " ") & (self.cells[1:] == "#")
        return [(int(row), int(column)) for row, column in np.argwhere(free)]

    def roomy(self, headroom: int = HEADROOM) -> list[tuple[int, int]]:
        """The standable cells with room to jump high."""
        return [(r, c) for r, c in self.standable() if (self.cells[max(r - headroom + 1, 0) : r + 1, c] == " ").all()]

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

    def rows_with(self, start: tuple[int, int], goal: tuple[int, int]) -> tuple[str, ...]:
        """The level's rows with start and goal at these (row, column)."""
        cells = self.cells.copy()
        cells[start] = "S"
        cells[goal] = "D" if "k" in cells else "G"
        return tuple("".join(row) for row in cells)


def split_of(rows: tuple[str, ...]) -> str:
    """The split of a level with these rows, training or held_out: it depends on the layout, so no level is in both."""
    return SPLITS[hashlib.sha256("\n".join(rows).encode()).digest()[0] % len(SPLITS)]


def ahead_of(spots: list[tuple[int, int]], direction: tuple[int, int]) -> np.ndarray:
    """bool (n, n), (start, goal): whether the goal is in that direction from the start, for all pairs of n spots."""
    rows, columns = np.array(spots).T
    right, down = columns - columns[:, None], rows - rows[:, None]
    ahead, aside = right * direction[0] + down * direction[1], right * direction[1] + down * direction[0]
    return ahead > np.abs(aside)


def level_from(
    rows: tuple[str, ...], name: str, period: int, game: str = GAME, goal_size: tuple[int, int] = GOAL_SIZE["D"]
) -> Level:
    """The level with these rows, in which everything is in the middle of its tile, and the goal on its tile's floor."""
    goal = "D" if any("k" in row for row in rows) else "G"
    start, end = (
        next((TILE * (row.index(character) + 0.5), TILE * (r + 1.0)) for r, row in enumerate(rows) if character in row)
        for character in ("S", goal)
    )
    return Level(
        name, game, rows, (start[0], start[1] - TILE / 2), (end[0], end[1] - goal_size[1] / 2), goal_size, period
    )
