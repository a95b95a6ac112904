"""Where a play went: its thinned track, and when it first reached each object and ladder of its level.

The player *reaches*

- a **ladder** when its picture overlaps one of the ladder's tiles, or stands on one, from where the ladder can be
  climbed. A connected block of ladder tiles is one ladder;
- a **monster**, **key**, **door** or **goal** when its centre comes within ``NEAR`` pixels, one tile, of the thing's
  box; a monster's box moves with it, and a monster that is gone cannot be reached;
- **fire** or **spikes** (tiles side by side are one thing) in the same way, but not from below: they are in a floor,
  and a jump on the floor underneath comes as close.

At one tile, at most half a tile separates the two pictures; and no player on another floor is that close, as its
platform keeps the player's centre 22.5 pixels away. Touching would be too strict: it kills, so a player who knows the
danger never would.

A player is put at the start and did not go there: what is within reach of the start counts once the player has left and
comes back, in the first life and in every later one.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from priorlab.envs.game.grids import groups
from priorlab.envs.game.level import Level
from priorlab.envs.game.replaying import overlaps
from priorlab.envs.game.rules import (
    CLOCK,
    DEATHS,
    LADDER,
    MONSTERS,
    PERIOD,
    RESTARTS,
    TILE,
    X,
    Y,
    patrolled,
    step,
)
from priorlab.envs.game.versions import find_rules

if TYPE_CHECKING:
    import pandas as pd

    from priorlab.envs.plays.play import Measures, Play

NEAR = TILE  # pixels
EVERY = 6  # inputs between positions of a track: five per second, as people play
TRACKS = ("inputs", "life", "x", "y")
REACHED = ("thing", "kind", "row", "column", "inputs", "order")
BITS = 63  # ladders that are looked for together, one bit of an int64 for each
RUNS = {"fire": r"\*+", "spikes": r"\^+"}
SINGLE = ("key", "door", "goal")  # of which a level has at most one
Places = tuple[np.ndarray, np.ndarray, np.ndarray]  # x and y in pixels, float64 (n,), and the clock, int32 (n,)


@dataclass(frozen=True)
class Thing:
    """A ladder or an object of a level. ``tiles`` are (row, column), in reading order; numbers count within a kind."""

    kind: str  # ladder, monster, fire, spikes, key, door or goal
    number: int  # from 1, in the reading order of first tiles
    tiles: tuple[tuple[int, int], ...]  # a monster's: where it starts; a goal's: the tile of its centre
    box: tuple[float, float, float, float]  # left, top, right, bottom in pixels

    @property
    def name(self) -> str:
        return self.kind if self.kind in SINGLE else f"{self.kind} {self.number}"

    @property
    def short(self) -> str:
        """The name in figures: L2, M1, K."""
        return self.kind[0].upper() + ("" if self.kind in SINGLE else str(self.number))


@lru_cache(maxsize=64)
def things_of(level: Level) -> list[Thing]:
    """Ladders, monsters, fire, spikes, key, and the goal, which is a door where there is a key."""
    places = {"ladder": [[(int(r), int(c)) for r, c in block] for block in groups(np.array(level.tiles) & LADDER > 0)]}
    places["monster"] = [[place] for place in level.tiles_of("m")]
    for kind, pattern in RUNS.items():
        runs = [(row, *run.span()) for row, tiles in enumerate(level.rows) for run in re.finditer(pattern, tiles)]
        places[kind] = [[(row, column) for column in range(first, end)] for row, first, end in runs]
    places["key"] = [[place] for place in level.tiles_of("k")]
    things = [
        Thing(kind, number, tuple(tiles), box_of(tiles))
        for kind, every in places.items()
        for number, tiles in enumerate(every, 1)
    ]
    (x, y), (width, height) = level.goal, level.goal_size
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return [*things, Thing("door" if level.key else "goal", 1, ((int(y // TILE), int(x // TILE)),), box)]


def box_of(tiles: list[tuple[int, int]]) -> tuple[float, float, float, float]:
    (top, left), (bottom, right) = np.min(tiles, axis=0), np.max(tiles, axis=0)
    return float(TILE * left), float(TILE * top), float(TILE * (right + 1)), float(TILE * (bottom + 1))


def track(measures: "Measures") -> "pd.DataFrame":
    """Positions every ``EVERY`` inputs and at the end of each life: inputs so far, life (from 0), x, y in pixels.

    The input of a death has no position here: the rules leave the player where it died, or back at the start.
    """
    import pandas as pd

    alive = ~measures.events
    kept = np.zeros(measures.inputs, bool)
    kept[EVERY - 1 :: EVERY] = True
    kept[:-1] |= measures.events[1:]
    kept[-1:] = True
    at = np.flatnonzero(kept & alive)
    rows = (at + 1, measures.deaths[at], measures.x[at], measures.y[at])
    return pd.DataFrame(dict(zip(TRACKS, rows)))


def reached(play: "Play") -> "pd.DataFrame":
    """One row per thing of the level: its name, kind and first tile, the inputs after which it was first reached, and
    its rank in the order of reaching, from 1; both are NaN if it never was. Things reached by the same input share a
    rank."""
    import pandas as pd

    things, states, died = things_of(play.level), before_restarts(play), died_at(play)
    ladders = [thing for thing in things if thing.kind == "ladder"]
    near = [*on_ladders(states, play.level, ladders).T]  # ladders are the first of the things
    places = states[:, X] / 2, states[:, Y] / 2, states[:, CLOCK].copy()
    near += [within_reach(play, places, died, thing) for thing in things[len(ladders) :]]
    first = np.array([first_entry(each, died) for each in near])
    rows, columns = np.transpose([thing.tiles[0] for thing in things])
    names, kinds = [thing.name for thing in things], [thing.kind for thing in things]
    return pd.DataFrame(dict(zip(REACHED, (names, kinds, rows, columns, first, order_of(first)))))


def order_of(first: np.ndarray) -> list[float]:
    """The rank of each time of reaching, from 1, NaN for NaN; equal times share a rank."""
    return [float(1 + (first < inputs).sum()) if np.isfinite(inputs) else np.nan for inputs in first]


def died_at(play: "Play") -> np.ndarray:
    """bool (n + 1,): whether a new life begins at the start after each state."""
    return np.diff(play.states[:, DEATHS], prepend=0) > 0


def first_entry(near: np.ndarray, died: np.ndarray) -> float:
    """The first input that led from out of reach to within reach, from 1; NaN if none did.

    near: bool (n + 1,), at the start and after each input; died: as ``died_at``. Every life begins where the first did.
    """
    before = np.where(died[:-1], near[0], near[:-1])
    came = np.flatnonzero(near[1:] & ~before)
    return float(came[0] + 1) if len(came) else np.nan


def within_reach(play: "Play", places: Places, died: np.ndarray, thing: Thing) -> np.ndarray:
    """bool (n + 1,): whether the thing, not a ladder, was within reach in each of the states of ``before_restarts``,
    where the player was at ``places``; died: as ``died_at``."""
    near = is_close_at(places, thing, play.level, int(numbers_of(play)[PERIOD]))
    if thing.kind == "monster":  # one that is met disappears with the same input
        lived = np.where(died[:-1], play.states[0, MONSTERS], play.states[:-1, MONSTERS])
        near[1:] &= lives(lived, thing)
    return near


def is_close(states: np.ndarray, thing: Thing, level: Level, period: int) -> np.ndarray:
    """bool (n,): whether the thing, not a ladder, is within reach in each state, int32 (n, FIELDS). A monster need not
    be alive; ``period``: of its patrol, in steps."""
    return is_close_at((states[:, X] / 2, states[:, Y] / 2, states[:, CLOCK]), thing, level, period)


def is_close_at(places: Places, thing: Thing, level: Level, period: int) -> np.ndarray:
    """As ``is_close``, of players at these places."""
    x, y, clock = places
    left, top, right, bottom = thing.box
    if thing.kind == "monster":
        left = centres_of(level, thing.number - 1, period)[clock] - TILE / 2
        right = left + TILE
    across, down = x - np.clip(x, left, right), y - np.clip(y, top, bottom)
    near = across**2 + down**2 <= NEAR**2
    return near & (y <= bottom) if thing.kind in RUNS else near


@lru_cache(maxsize=64)
def centres_of(level: Level, number: int, period: int) -> np.ndarray:
    """float64 (period,): the x of that monster's centre, in pixels, at each step of its patrol."""
    return np.array([patrolled(level.monsters, number, clock, period) for clock in range(period)]) / 2


def lives(monsters: np.ndarray, thing: Thing) -> np.ndarray:
    """bool (n,): whether the thing, a monster, is alive by the field MONSTERS of n states."""
    return (monsters >> (thing.number - 1) & 1).astype(bool)


def on_ladders(states: np.ndarray, level: Level, ladders: list[Thing]) -> np.ndarray:
    """bool (n, ladders): whether the player overlaps a tile of each ladder, or stands on it, by ``touched`` of the
    rules."""
    met = np.zeros((len(states), len(ladders)), bool)
    for first in range(0, len(ladders), BITS):
        some = ladders[first : first + BITS]
        tiles, bits = np.zeros(np.shape(level.tiles), np.int64), np.zeros(len(states), np.int64)
        for number, ladder in enumerate(some):
            tiles[tuple(np.transpose(ladder.tiles))] = 1 << number
        overlaps(tiles, states, bits)
        met[:, first : first + BITS] = bits[:, None] >> np.arange(len(some)) & 1
    return met


def before_restarts(play: "Play") -> np.ndarray:
    """int32 (n + 1, FIELDS): the play's states; at a death the state in which the player died, even if the rules then
    put the player back at the start with the same input."""
    from priorlab.envs.plays.play import CHARACTERS

    numbers = numbers_of(play)
    if not numbers[RESTARTS]:
        return play.states
    states = play.states.copy()
    for at in np.flatnonzero(died_at(play)):
        states[at] = play.states[at - 1]
        step(play.level.tiles, numbers, play.level.monsters, states[at], CHARACTERS.index(play.inputs[at - 1]))
    return states


def numbers_of(play: "Play") -> np.ndarray:
    """The rules' numbers of the play's level."""
    from priorlab.envs.game.numbers import level_numbers

    return level_numbers(play.level, find_rules(play.rules))
