"""Large random levels, like the study's second game: small steps, one-wide ladders, a return to the start after death.

A layout has at least four floors with gaps, steps and walls, ladders between them, and ladders that lead nowhere;
fire and spikes in floors, and blocks in them that do nothing; monsters on patrol. The costs of ``routes`` choose where
start, key and goal stand, and its plan, replayed through the exact rules, proves that the level can be won. The length
of that plan is an upper bound on the shortest solution, which takes a search of a minute and gigabytes. From wherever
the player gets, it can still win or die (``traps.py``).
"""

import numpy as np

from priorlab.envs.game.level import GOAL_SIZE, Level
from priorlab.envs.game.replaying import replayed
from priorlab.envs.game.routes import Routes, routes, routes_of
from priorlab.envs.game.rules import DEATHS, GRID, SOLVED, TILE, X, Y, pixel
from priorlab.envs.game.versions import find_rules
from priorlab.envs.random_games.layouts import Layout, Solved, ahead_of, level_from, split_of
from priorlab.envs.random_games.traps import has_trap

GAME = "key_door"  # whose rules large levels use
BOUNDS = ((300, 420), (400, 550), (500, 700), (600, 800), (700, 900))  # least and most inputs of the plan, in turn
SIDE = (16, 22)  # least and most tiles per side
FLOORS, CEILING, SPACINGS = 4, 3, (3, 4, 4, 4, 5)  # at least; rows above the highest floor; rows from floor to floor
WITHOUT_KEY = 2  # of BOUNDS, the shortest: every other time there is no key
TALL_GOALS = 0.5  # share of goals as tall as the study's; the others are as large as a tile
PERIODS = (24, 30, 40, 60)  # of patrols, in steps
MONSTERS, PATROL_SHARE, LONGEST_PATROL = (2, 5), 0.75, 5  # how many; in tiles
STARTS, KEYS_TRIED = 1, 3  # places that are tried in a layout
GOALS_TRIED = 8  # to find one with which the level is in the split
NEAREST_KEY = 0.3  # of the least length: how far a key is at least
NOWHERE = (-1e6, -1e6)  # pixels
EXIT = 2  # free rows above a floor that let the player pass


class LargeSketch(Layout):
    """A large layout with everything except start, key and goal."""

    def __init__(self, rng: np.random.Generator):
        super().__init__(rng, *(int(n) for n in rng.integers(SIDE[0], SIDE[1] + 1, 2)))
        self.period = int(rng.choice(PERIODS))
        self.floors = self.draw_floors()  # row of each floor in each column, from the lowest up, int (floors, width)
        self.draw_gaps()
        self.draw_walls()
        self.draw_ladders()
        self.draw_decoys()
        self.draw_steps()
        self.draw_inlays()
        self.draw_monsters()

    def draw_floors(self) -> np.ndarray:
        """Draws the floors; a stretch of one may be a tile higher or lower than the rest."""
        rng, rows = self.rng, []
        while len(rows) < FLOORS:
            rows, row = [], self.height - 1
            while row >= CEILING:
                rows.append(row)
                row -= int(rng.choice(SPACINGS))
        floors = np.repeat(np.array(rows)[:, None], self.width, axis=1)
        for number in range(1, len(rows)):
            if rng.random() < 0.35:
                first, length = rng.integers(1, self.width - 4), rng.integers(3, self.width // 2)
                shifted = floors[number, first : first + length] + rng.choice([-1, 1])
                if (floors[number - 1, first : first + length] - shifted > EXIT).all() and shifted.min() >= CEILING:
                    floors[number, first : first + length] = shifted
        for above, floor in zip(floors[1:], floors):  # pushed down again where the one below was raised
            np.minimum(above, floor - EXIT - 1, out=above)
        for floor in floors:
            self.cells[floor[1:-1], np.arange(1, self.width - 1)] = "#"
        return floors

    def draw_gaps(self) -> None:
        """Draws holes in floors; those of the lowest are deadly."""
        rng = self.rng
        for number, floor in enumerate(self.floors):
            for _ in range(rng.integers(0, 3) if rng.random() < 0.6 else 0):
                width = int(rng.integers(1, 3 if number == 0 else 5))
                left = int(rng.integers(1, self.width - 1 - width))
                for column in range(left, left + width):
                    self.cells[floor[column], column] = " "

    def draw_walls(self) -> None:
        """Draws walls from a floor to the next, so that some rooms are reached only by a ladder or a gap."""
        for low, high in zip(self.floors, self.floors[1:]):
            if self.rng.random() < 0.4:
                column = int(self.rng.integers(4, self.width - 4))
                self.cells[high[column] : low[column] + 1, column] = self.rng.choice(["#", "#", "#", "|"])

    def draw_ladders(self) -> None:
        """Draws one to three ladders from each floor to the next; in some layouts at alternate ends, for long ways."""
        rng, alternating, at_left = self.rng, self.rng.random() < 0.6, bool(self.rng.integers(2))
        for number in range(len(self.floors) - 1):
            columns = rng.integers(1, self.width - 1, 1 if rng.random() < 0.6 else 2).tolist()
            if alternating:
                near = int(rng.integers(1, 4))
                columns[0], at_left = near if at_left else self.width - 1 - near, not at_left
            for column in columns:
                self.draw_ladder(number, column)

    def draw_ladder(self, number: int, column: int) -> None:
        """Draws a ladder from a floor through a hole in the next, with ground beside its top and at its foot."""
        cells, low, high = self.cells, self.floors[number][column], self.floors[number + 1][column]
        if "|" in cells[high:low, column] or "H" in cells[high : low + 1, max(column - 1, 0) : column + 2]:
            return
        cells[high - 1 : low, column] = "H"
        cells[low, column] = "#"
        sides = [beside for beside in (column - 1, column + 1) if 0 < beside < self.width - 1]
        cells[high, sides[int(self.rng.integers(len(sides)))]] = "#"

    def draw_decoys(self) -> None:
        """Draws ladders that end below a ceiling, in the air, or at a small shelf, and some that hang from a floor."""
        rng, cells = self.rng, self.cells
        for _ in range(rng.integers(0, 10)):
            number, column = int(rng.integers(len(self.floors) - 1)), int(rng.integers(2, self.width - 2))
            low, high = self.floors[number][column], self.floors[number + 1][column]
            if (cells[high + 1 : low, column - 1 : column + 2] != " ").any() or cells[high, column] != "#":
                continue
            if cells[low, column] == "#" and rng.random() < 0.7:
                top = int(rng.integers(high + 1, low))
                cells[top:low, column] = "H"
                if high + EXIT < top < low - 1:
                    cells[top + 1, column + rng.choice([-1, 1])] = "#"
            elif low - high > 3 and cells[high - 1, column] == " ":
                cells[high - 1 : high + 2, column] = "H"

    def draw_steps(self) -> None:
        """Draws blocks on floors, to be jumped onto."""
        for row, column in self.roomy():
            if self.rng.random() < 0.04 and "H" not in self.cells[row - 1 : row + 1, column - 1 : column + 2]:
                self.cells[row, column] = "#"

    def draw_inlays(self) -> None:
        """Draws fire or spikes into floors, one or two tiles wide with ground on both sides; and blocks as harmless as
        the floor."""
        rng, cells = self.rng, self.cells
        for floor in self.floors:
            for _ in range(rng.integers(1, 5)):
                width = 1 if rng.random() < 0.7 else 2
                left = int(rng.integers(2, self.width - 2 - width))
                row, span = floor[left], slice(left - 1, left + width + 1)
                room = slice(row - EXIT - (width > 1), row)
                if (cells[row, span] == "#").all() and (cells[room, span] == " ").all():
                    cells[row, left : left + width] = rng.choice(["*", "^"])
        if rng.random() < 0.4:
            ground = np.argwhere((cells[1:] == "#") & (cells[:-1] == " "))
            for row, column in rng.permutation(ground)[: rng.integers(1, 6)]:
                cells[row + 1, column] = "|"

    def draw_monsters(self) -> None:
        """Draws monsters; most patrol a few tiles."""
        rng = self.rng
        for _ in range(rng.integers(MONSTERS[0], MONSTERS[1] + 1)):
            spots = set(self.clear_spots())
            if not (roomy := [at for at in self.roomy(EXIT) if at in spots]):
                return
            row, column = self.choose("m", roomy)
            first = last = column
            for _ in range(rng.integers(1, LONGEST_PATROL) if rng.random() < PATROL_SHARE else 0):
                beside = last + 1 if rng.random() < 0.5 else first - 1
                if (row, beside) in spots:
                    first, last = min(first, beside), max(last, beside)
            self.cells[row, [c for c in range(first, last + 1) if c != column]] = "~"


def large_level(
    rng: np.random.Generator, turn: int, direction: tuple[int, int], split: str, name: str
) -> Solved | None:
    """Draws a layout with start, goal and mostly a key, and a plan that wins it, as long as BOUNDS want.

    None if there are no such places.
    """
    again, number = divmod(turn, len(BOUNDS))
    sketch, (least, most) = LargeSketch(rng), BOUNDS[number]
    spots = sketch.clear_spots()
    if len(spots) < 3:
        return None
    wants_key, tall = number >= WITHOUT_KEY or again % 2, rng.random() < TALL_GOALS
    towards = ahead_of(spots, direction)
    for start in rng.permutation(len(spots))[:STARTS]:
        ways = ways_from(sketch, spots[start], most)
        direct = costs_at(ways, spots)
        far = np.flatnonzero((direct > least * NEAREST_KEY) & (direct < most))
        for key in rng.permutation(far)[:KEYS_TRIED] if wants_key else [None]:
            costs = direct if key is None else costs_after(ways, spots[key], spots, most)
            fits = towards[start] & (costs >= least) & (costs <= most)
            fits[[start] if key is None else [start, key]] = False
            if not fits.any():
                continue
            if key is not None:
                sketch.cells[spots[key]] = "k"
            for goal in rng.permutation(np.flatnonzero(fits))[:GOALS_TRIED]:
                rows = sketch.rows_with(spots[start], spots[goal])
                if split_of(rows) == split:
                    level = level_from(rows, name, sketch.period, GAME, GOAL_SIZE["G" if tall else "D"])
                    plan = winning_plan(level, most)
                    if plan is None or len(plan) < least or has_trap(level):
                        return None
                    return Solved(level, plan)
            return None
    return None


def ways_from(sketch: LargeSketch, start: tuple[int, int], limit: float) -> Routes:
    """The ways from that (row, column) to all places in the layout."""
    rows = tuple("".join(row) for row in sketch.cells)
    row, column = start
    level = Level("", GAME, rows, (TILE * (column + 0.5), TILE * (row + 0.5)), NOWHERE, (1, 1), sketch.period)
    return routes_of(level, limit=limit)


def costs_at(ways: Routes, spots: list[tuple[int, int]]) -> np.ndarray:
    """float64 (n,): the cost of the cheapest way to rest where the player touches each of the n cells; infinite where
    there is none."""
    (height, width), resting = ways.tiles.shape, ways.resting
    costs = np.full((height, width), np.inf)
    x, y = ways.states[resting, X], ways.states[resting, Y]
    for right, down in ((0, 0), (TILE - 1, 0), (0, TILE - 1), (TILE - 1, TILE - 1)):  # the rectangle's corners
        columns, rows = (pixel(x) - GRID + right) // TILE, (pixel(y) - GRID + down) // TILE
        inside = (rows >= 0) & (columns >= 0) & (rows < height) & (columns < width)
        np.minimum.at(costs, (rows[inside], columns[inside]), ways.costs[resting[inside]])
    return costs[tuple(np.array(spots).T)]


def costs_after(ways: Routes, key: tuple[int, int], spots: list[tuple[int, int]], limit: float) -> np.ndarray:
    """The same for ways that first touch the key."""
    there = ways.touching(*key)
    if not len(there):
        return np.full(len(spots), np.inf)
    onward = routes(ways.tiles, ways.level, ways.monsters, ways.states[there[0]], limit=limit)
    return ways.costs[there[0]] + costs_at(onward, spots)


def winning_plan(level: Level, limit: float) -> np.ndarray | None:
    """uint8 (n,): the inputs of the shortest plan found that wins, replayed through the exact rules; None if none."""
    found = routes_of(level, limit=limit, until_won=True)
    if not len(found.wins):
        return None
    plan = found.inputs_to(int(found.wins[0]))
    states = replayed(level, find_rules(level.game), plan)
    return plan if states[-1, SOLVED] and not states[-1, DEATHS] else None
