"""Where the lanes of a run went: how far they came, what they reached first, and the tracks of some lives.

The definitions are those of people's plays (``envs/plays/progress.py`` and ``tracks.py``), over all lanes: the least
distance so far, and the earliest time that a thing was reached. A run is seen once per decision, so what happens only
during a frame skip or a random start stays hidden, and inputs are those at the end of the decision. If the rules put
the player back at the start, the position of the death itself is not seen either.

Tracks are of lane 0: its first two lives, and then always the first life to begin once the run has twice the inputs
that it had when the last one kept began; of each at most ``MOST_INPUTS``. So there is about one per doubling.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from priorlab.envs.engine.places import Place
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.rules import (
    CLOCK,
    DEATHS,
    FIELDS,
    MONSTERS,
    PERIOD,
    PLAY_INPUTS,
    RESTARTS,
    X,
    Y,
    put_at_start,
)
from priorlab.envs.plays.progress import PROGRESS, Distances, Positions, find_distances
from priorlab.envs.plays.tracks import EVERY, TRACKS, is_close, lives, on_ladders, order_of, things_of
from priorlab.envs.results.rows import RunWriter

MOST_INPUTS = 2000  # of lane 0 in a track: a little more than a minute, as people play
PROGRESS_FILE, TRACKS_FILE = "progress.csv", "tracks.csv"


class Steps(NamedTuple):
    """T steps of N lanes. Where a lane ended, ``before`` of its next step is where it then started."""

    inputs: np.ndarray  # int64 (T,): raw inputs of the complete run after each step
    before: np.ndarray  # int32 (T, N, FIELDS)
    after: np.ndarray  # int32 (T, N, FIELDS): of a lane that ended, its last
    ended: np.ndarray  # bool (T, N)


class WayLog:
    """Follows the lanes of a run on one level by one set of rules; writes progress.csv, reached.csv and tracks.csv."""

    def __init__(self, place: Place, writer: RunWriter):
        self.writer = writer
        self.restarts = bool(level_numbers(place.level, place.rules)[RESTARTS])
        self.reached, self.tracks = FirstReached(place), LaneTracks()
        self.distances: Distances | None = None
        with suppress(ValueError):  # there is no way, or it can't be searched
            self.distances = find_distances(place.level, place.rules)
        self.least = self.distances.first if self.distances else 0
        if self.distances and not writer.add_file(PROGRESS_FILE, PROGRESS):
            writer.add(PROGRESS_FILE, [(0, self.least)])
        writer.add_file(TRACKS_FILE, TRACKS)

    def add(self, steps: Steps) -> None:
        died = (steps.after[..., DEATHS] > steps.before[..., DEATHS]) & self.restarts
        numbers = self.reached.positions.number(steps.after)
        if self.distances:
            self.come_closer(steps, self.distances.at(steps.after, numbers))
        self.reached.add(steps, died, numbers)
        self.writer.add(TRACKS_FILE, self.tracks.rows(steps, steps.ended[:, 0] | died[:, 0]))

    def come_closer(self, steps: Steps, distances: np.ndarray) -> None:
        """distances, int32 (T, N): after each step."""
        least = np.minimum.accumulate(np.append(self.least, distances.min(axis=1)))
        fell = np.flatnonzero(np.diff(least))
        self.writer.add(PROGRESS_FILE, zip(steps.inputs[fell].tolist(), least[fell + 1].tolist()))
        self.least = int(least[-1])

    def flush(self) -> None:
        self.writer.reached(self.reached.rows())

    def state(self) -> dict[str, Any]:
        return {"least": self.least, "first": self.reached.first.copy(), "tracks": dict(vars(self.tracks))}

    def restore(self, state: dict[str, Any]) -> None:
        self.least = state["least"]
        self.reached.put(state["first"])
        vars(self.tracks).update(state["tracks"])


class FirstReached:
    """The inputs at which any lane first reached each thing of the level: ``first``, float64 (things,), NaN before.

    What can be within reach of a position is worked out once, when a lane first comes there, so that a step costs one
    look-up per lane. Where a monster is, and whether it lives, is asked only where one could be.
    """

    def __init__(self, place: Place):
        self.level, numbers = place.level, level_numbers(place.level, place.rules)
        self.period, self.things = int(numbers[PERIOD]), things_of(place.level)
        self.ladders = [thing for thing in self.things if thing.kind == "ladder"]  # the first of the things
        self.first = np.full(len(self.things), np.nan)
        self.start = np.zeros(FIELDS, np.int32)
        put_at_start(numbers, self.start)
        self.positions = Positions.of(numbers)
        self.table = np.zeros((self.positions.count, len(self.things)), np.bool_)
        inside = np.zeros((self.positions.columns - 2, self.positions.rows - 2), np.bool_)
        # bool (positions,): whether the table has it, and whether something not yet reached is within reach of it
        self.known = np.pad(inside, 1, constant_values=True).flatten()  # nothing is within reach of the border
        self.wanted = np.zeros(self.positions.count, np.bool_)

    def add(self, steps: Steps, died: np.ndarray, numbers: np.ndarray) -> None:
        """died, bool (T, N): where the rules put a lane back at the start, at which its next life begins; numbers, int
        (T, N): of the positions after each step."""
        self.learn(steps.after, numbers)
        step, lane = np.nonzero(self.wanted[numbers])  # in order of time
        met = self.table[numbers[step, lane]] & np.isnan(self.first)  # (k, things)
        before = np.where(died[step, lane][:, None], self.start, steps.before[step, lane])
        for at in np.flatnonzero(met.any(axis=0)).tolist():
            rows = np.flatnonzero(met[:, at])
            entered = ~self.near(before[rows], at)
            if self.things[at].kind == "monster":
                there = self.near(steps.after[step[rows], lane[rows]], at)
                entered &= there & lives(before[rows, MONSTERS], self.things[at])
            if entered.any():
                self.first[at] = steps.inputs[step[rows[entered.argmax()]]]
        if np.isfinite(self.first[met.any(axis=0)]).any():
            self.wanted[:] = (self.table & np.isnan(self.first)).any(axis=1)

    def near(self, states: np.ndarray, at: int) -> np.ndarray:
        """bool (n,): whether the thing number ``at`` is within reach in each state, int32 (n, FIELDS); alive or not."""
        if self.things[at].kind == "monster":
            return is_close(states, self.things[at], self.level, self.period)
        numbers = self.positions.number(states)
        self.learn(states, numbers)
        return self.table[numbers, at]

    def learn(self, states: np.ndarray, numbers: np.ndarray) -> None:
        """Works out what is within reach of positions where no lane was before."""
        known = self.known[numbers]
        if not known.all():
            new, where = np.unique(numbers[~known], return_index=True)
            self.table[new], self.known[new] = self.around(states[~known][where]), True
            self.wanted[new] = (self.table[new] & np.isnan(self.first)).any(axis=1)

    def around(self, states: np.ndarray) -> np.ndarray:
        """bool (n, things): what is within reach of the position of each state, a monster at any step of its patrol."""
        columns = [*on_ladders(states, self.level, self.ladders).T]
        for thing in self.things[len(self.ladders) :]:
            moments = range(self.period) if thing.kind == "monster" else [0]
            close = [is_close(at_clock(states, clock), thing, self.level, self.period) for clock in moments]
            columns.append(np.any(close, axis=0))
        return np.stack(columns, axis=1)

    def put(self, first: np.ndarray) -> None:
        """Continues from the times of a stopped run."""
        self.first[:] = first
        self.wanted[:] = (self.table & np.isnan(self.first)).any(axis=1)

    def rows(self) -> Iterator[tuple]:
        """Rows of REACHED."""
        for thing, inputs, order in zip(self.things, self.first.tolist(), order_of(self.first)):
            when = (int(inputs), int(order)) if inputs == inputs else (None, None)
            yield (thing.name, thing.kind, *thing.tiles[0], *when)


def at_clock(states: np.ndarray, clock: int) -> np.ndarray:
    """The states, int32 (n, FIELDS), at that step of the patrols."""
    states = states.copy()
    states[:, CLOCK] = clock
    return states


class LaneTracks:
    """The tracks of lane 0, row by row: which life it is in, and whether that is kept."""

    def __init__(self) -> None:
        self.life, self.taken = 0, 0  # lives before this one, and its inputs so far
        self.kept, self.due = True, 0  # whether this life is kept, and the inputs of the run from which the next one is
        self.inputs, self.written = 0, 0  # of the run so far, and at the last row

    def rows(self, steps: Steps, over: np.ndarray) -> list[tuple]:
        """Rows of TRACKS for these steps; over, bool (T,): whether a life of lane 0 ended with each."""
        rows, start, ends = [], 0, np.flatnonzero(over) + 1
        for end in np.unique(np.append(ends, len(over))).tolist():
            part = Steps(
                steps.inputs[start:end], steps.before[start:end, 0], steps.after[start:end, 0], over[start:end]
            )
            each = (part.after[:, PLAY_INPUTS] - part.before[:, PLAY_INPUTS]).astype(np.int64)
            if self.kept:
                rows += self.thinned(part, self.taken + np.cumsum(each))
            self.taken, self.inputs, start = self.taken + int(each.sum()), int(part.inputs[-1]), end
            if part.ended[-1]:
                self.life, self.taken, self.kept = self.life + 1, 0, self.inputs >= self.due
                self.due = 2 * self.inputs if self.kept else self.due
        return rows

    def thinned(self, part: Steps, taken: np.ndarray) -> list[tuple]:
        """Rows of a part of one life, (n,) steps of lane 0; taken, int64 (n,): its inputs of this life by then."""
        earlier = np.append(self.taken, taken[:-1])
        died = part.after[-1, DEATHS] > part.before[-1, DEATHS]
        kept = part.after[:, PLAY_INPUTS] // EVERY > part.before[:, PLAY_INPUTS] // EVERY
        kept[-1] = (kept[-1] or part.ended[-1]) and not died
        chosen = np.flatnonzero(kept & (taken <= MOST_INPUTS))
        columns = part.inputs[chosen], part.after[chosen, X] / 2, part.after[chosen, Y] / 2
        rows = [(inputs, self.life, x, y) for inputs, x, y in zip(*(column.tolist() for column in columns))]
        self.written = rows[-1][0] if rows else self.written
        last = int(part.inputs[-2]) if len(taken) > 1 else self.inputs  # before the input that led to the death
        if died and self.written < last and 0 < earlier[-1] <= MOST_INPUTS:
            rows.append((last, self.life, *(part.before[-1, [X, Y]] / 2).tolist()))
        return rows
