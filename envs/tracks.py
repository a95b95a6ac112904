"""Where a play went: its track, thinned, and when it first came near each object of its level.

*Near* is within ``NEAR`` pixels, one tile, of an object's tiles, from the player's centre: closer than the player is
wide, and too close to come by chance from another floor, whose platform keeps the player's centre more than 20 px away.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from envs.level import Level
from envs.rules import TILE

if TYPE_CHECKING:
    import pandas as pd

    from envs.play import Measures

NEAR = TILE  # pixels
EVERY = 6  # inputs between the places of a track: five a second, as people play
TRACKS = ("inputs", "life", "x", "y")
APPROACHES = ("object", "row", "column", "inputs")
RUNS = {"fire": r"\*+", "spikes": r"\^+"}  # tiles side by side are one object
ONES = {"m": "monster", "k": "key"}


@dataclass(frozen=True)
class Thing:
    """An object of a level: its kind, its first tile, and its area in pixels; a monster's is all of its patrol."""

    kind: str
    row: int
    column: int
    left: float
    top: float
    right: float
    bottom: float


def things_of(level: Level) -> list[Thing]:
    """Monsters, fire, spikes, key, and the goal, which is a door where there is a key."""
    found = []
    for character, kind in ONES.items():
        for row, column in level.places(character):
            first, last = level.patrols.get((row, column), (column, column))
            found.append(thing(kind, row, column, first, last))
    for kind, pattern in RUNS.items():
        for row, tiles in enumerate(level.rows):
            found += [thing(kind, row, run.start(), run.start(), run.end() - 1) for run in re.finditer(pattern, tiles)]
    (x, y), (width, height) = level.goal, level.goal_size
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return [*found, Thing("door" if level.key else "goal", int(y // TILE), int(x // TILE), *box)]


def thing(kind: str, row: int, column: int, first: int, last: int) -> Thing:
    return Thing(kind, row, column, TILE * first, TILE * row, TILE * (last + 1), TILE * (row + 1))


def track(measures: "Measures") -> "pd.DataFrame":
    """Places every ``EVERY`` inputs and at the end of each life: inputs so far, life (from 0), x, y in pixels.

    The input of a death has no place here: the rules leave the player where it died, or back at the start.
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


def approaches(level: Level, measures: "Measures") -> "pd.DataFrame":
    """When each object was first approached, in that order: its kind, its first tile, inputs by then.

    An object beside the start counts once the player comes back to it. One that was never near has no row.
    """
    import pandas as pd

    x, y = (np.concatenate([[start], values]) for start, values in zip(level.start, (measures.x, measures.y)))
    rows = []
    for one in things_of(level):
        across = np.maximum(np.maximum(one.left - x, x - one.right), 0)
        down = np.maximum(np.maximum(one.top - y, y - one.bottom), 0)
        near = across**2 + down**2 <= NEAR**2
        came = np.flatnonzero(near[1:] & ~near[:-1])
        if len(came):
            rows.append((one.kind, one.row, one.column, int(came[0]) + 1))
    return pd.DataFrame(sorted(rows, key=lambda row: row[3]), columns=list(APPROACHES))
