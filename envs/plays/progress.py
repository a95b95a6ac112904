"""How far a play has come: the share of the shortest way to the win that it has covered so far.

A position's *distance* is the least number of inputs from there to the win, in any reachable state of the player at
that position with, or without, the key. So in a level with a key the way leads to the key first, and then to the door.
Distances are exact: they come from the complete search of ``envs/game/solver.py``, of the level without its monsters,
since where a monster is depends on the time. Where a death puts the player back, the shortest way may lead through one.

The share covered is 1 - (least distance so far) / (distance at first). The distance at first is the least that a player
who does nothing comes to: in Princess, the player falls from the start to the floor. A player who stands still has
covered nothing. The share never falls, whatever the player does next; it is 1 at the win, and not before.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import (
    FIELDS,
    HAS_KEY,
    NONE,
    ONGOING,
    SIDE,
    SOLVED,
    WALK,
    X,
    Y,
    put_at_start,
    step,
)
from priorlab.envs.game.solver import ABOVE, COUNT, HEAD, Solver, grid_of
from priorlab.envs.game.versions import Rules, find_rules

if TYPE_CHECKING:
    import pandas as pd

    from priorlab.envs.plays.play import Play

PROGRESS = ("inputs", "remaining")
UNKNOWN = np.iinfo(np.int32).max  # the distance of a position from which no win was found
MOST_STATES = 2_000_000  # of a search, about ten seconds and half a GiB; Key and Door has 319,000
LONGEST_FALL = 1000  # steps; a player who falls out of the frame falls on without end
MONSTERS_AWAY = str.maketrans("m~", "  ")


@dataclass(frozen=True)
class Positions:
    """The positions that a search tells apart, numbered: one per walking step across, one per half pixel down. All
    positions further outside the frame, from where nobody comes back, share the numbers of a border."""

    first_x: int  # half pixels
    walk: int
    columns: int
    rows: int

    @staticmethod
    def of(numbers: np.ndarray) -> "Positions":
        """Those of a level's numbers, int64 (NUMBERS,)."""
        first_x, columns = grid_of(numbers)
        return Positions(first_x, int(numbers[WALK]), columns + 2, 2 * int(numbers[SIDE]) + ABOVE + 2)

    @property
    def count(self) -> int:
        return self.columns * self.rows

    def number(self, states: np.ndarray) -> np.ndarray:
        """int32 (...), from 0, of states, int32 (..., FIELDS)."""
        column = np.clip((states[..., X] - self.first_x) // self.walk + 1, 0, self.columns - 1)
        return column * self.rows + np.clip(states[..., Y] + ABOVE + 1, 0, self.rows - 1)


@dataclass(frozen=True, eq=False)
class Distances:
    """The distances of a level's positions; ``first`` is the least that a player comes to who does nothing."""

    table: np.ndarray  # int32 (2, positions): without and with the key, by number
    positions: Positions
    first: int

    def of(self, states: np.ndarray) -> np.ndarray:
        """int32 (...): the distances of states, int32 (..., FIELDS): 0 where the game is won, UNKNOWN where no way
        leads from."""
        return self.at(states, self.positions.number(states))

    def at(self, states: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """As ``of``, where the numbers of the states' positions are known."""
        distances = self.table[states[..., HAS_KEY], numbers]
        return np.where(states[..., SOLVED] != 0, 0, distances)


def find_distances(level: Level, rules: Rules) -> Distances:
    """The distances of the level by these rules, computed once per process; Princess takes 0.1 s, Key and Door 0.5 s.

    Raises ValueError, one line, for a level without a solution, or with too many states to search.
    """
    found = search(
        replace(level, name="", rows=tuple(row.translate(MONSTERS_AWAY) for row in level.rows)), alike(rules)
    )
    if isinstance(found, str):
        raise ValueError(f"level {level.name!r}: {found}")
    return found


def alike(rules: Rules) -> Rules:
    """Rules with the same distances: turning the picture, and the inputs with it, changes no position."""
    return replace(rules, turned=False, max_inputs=1)


@lru_cache(maxsize=64)
def search(level: Level, rules: Rules) -> "Distances | str":
    """The distances of a level without monsters, or why there are none."""
    try:
        solver = Solver(level, rules)
    except ValueError:
        return "too many states to search for the shortest way"
    found = solver.run(most_states=MOST_STATES)
    if solver.search.kept[HEAD] < solver.search.kept[COUNT]:
        return "too many states to search for the shortest way"
    if found.inputs is None:
        return "no solution"
    labels = solver.labels()
    known, positions = labels.distances >= 0, Positions.of(solver.numbers)
    states, table = labels.states[known], np.full((2, positions.count), UNKNOWN, np.int32)
    np.minimum.at(table, (states[:, HAS_KEY], positions.number(states)), labels.distances[known])
    made = Distances(table, positions, 0)
    return replace(made, first=int(made.of(idle(level, solver.numbers)).min()))


def idle(level: Level, numbers: np.ndarray) -> np.ndarray:
    """int32 (n, FIELDS): the states of a player who does nothing, until nothing changes or the player dies or wins."""
    state = np.zeros(FIELDS, np.int32)
    put_at_start(numbers, state)
    states = [state.copy()]
    while step(level.tiles, numbers, level.monsters.reshape(-1, 4), state, NONE) == ONGOING:
        if len(states) > LONGEST_FALL or np.array_equal(state, states[-1]):
            break
        states.append(state.copy())
    return np.array(states)


def progress(play: "Play") -> "pd.DataFrame":
    """The least distance to the win so far: one row at the start (0 inputs), and one each time that it falls.

    Columns: inputs so far, and remaining, the inputs of the shortest way still to go: 0 at the win. Empty for a level
    without distances.
    """
    import pandas as pd

    try:
        distances = find_distances(play.level, find_rules(play.rules))
    except ValueError:
        return pd.DataFrame({name: np.zeros(0, np.int64) for name in PROGRESS})
    least = np.minimum.accumulate(np.minimum(distances.first, distances.of(play.states)))
    fell = np.append(0, 1 + np.flatnonzero(np.diff(least)))
    return pd.DataFrame({"inputs": fell, "remaining": least[fell].astype(np.int64)})


def covered(inputs: np.ndarray, remaining: np.ndarray) -> np.ndarray:
    """float64 (2, k): rows of ``progress`` as inputs and the share of the shortest way covered by then, from (0, 0)."""
    return np.array([inputs, 1 - remaining / remaining[0]] if len(remaining) else np.zeros((2, 0)), float)
