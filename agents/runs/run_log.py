"""The log of a run, counted from the games themselves, in raw inputs; its rows are those of envs/results/rows.py."""

from collections import deque

import numpy as np

from priorlab.agents.runs.way_log import Steps, WayLog
from priorlab.envs.engine.engine import on_cpu
from priorlab.envs.engine.games import Games
from priorlab.envs.game.rules import DEATHS, FIELDS, PLAY_INPUTS, SOLVED, X, Y
from priorlab.envs.results.rows import DEATHS as COLUMNS
from priorlab.envs.results.rows import ROWS_A_DECADE, RunWriter, count_visits

DEATHS_FILE = "deaths.csv"

BUFFERED = 1000  # steps whose states are counted together, which is faster than one by one
MOST_BUFFERED = 1 << 20  # their lanes together: 64 MiB


class RunLog:
    """Follows a batch of games step by step, and writes its rows.

    ``inputs`` counts raw inputs of all games, random starts included; ``episodes`` those that ended. ``wins`` holds the
    outcomes of the last 100 episodes; ``first_win`` and ``learned`` are the inputs at the first win and when 90 of
    those 100 were won, None before. ``deaths`` counts those of all lanes, except during random starts; None if the run
    resumes one that did not count them.
    """

    def __init__(self, games: Games, writer: RunWriter):
        self.games, self.writer = games, writer
        self.inputs, self.episodes, self.due = 0, 0, 0.0
        self.first_win: int | None = None
        self.learned: int | None = None
        self.wins: deque[bool] = deque(maxlen=100)
        self.counted = np.zeros(games.num_games, np.int64)  # inputs of each game's play so far
        self.began = np.zeros(games.num_games, np.int64)  # of those, the inputs before its episode
        steps = max(1, min(BUFFERED, MOST_BUFFERED // games.num_games))
        # the states before the buffered steps, and after each; of a lane that ended, its last
        self.states = np.zeros((steps + 1, games.num_games, FIELDS), np.int32)
        self.after: list[int] = []  # inputs after each buffered step
        self.starts: list[tuple[int, np.ndarray, np.ndarray]] = []  # buffered step, lanes that ended, where they start
        self.way: WayLog | None = None
        self.deaths: int | None = None
        self.visits = count_visits(np.zeros(0), np.zeros(0), games.places[0].level.side)

    def begin(self) -> None:
        """Call it after the games' reset."""
        self.states[0] = on_cpu(self.games.state)
        self.counted[:] = self.states[0, :, PLAY_INPUTS]
        self.inputs = int(self.counted.sum())
        self.way = self.way or self.follow()  # a run that was saved before its first input has its way already
        if self.deaths is None:
            self.record_deaths(0)

    def follow(self) -> WayLog | None:
        """The log of the lanes' ways, for one level and its rules."""
        places = self.games.places
        same = len({(place.level, place.rules) for place in places}) == 1
        return WayLog(places[0], self.writer) if same else None

    def record_deaths(self, deaths: int) -> None:
        """Opens deaths.csv; ``deaths``: of all lanes so far."""
        if not self.writer.add_file(DEATHS_FILE, COLUMNS):
            self.writer.add(DEATHS_FILE, [(0, 0)])
        self.deaths = deaths

    def step(self) -> None:
        """Call it after each step of the games."""
        games, ended, state = self.games, on_cpu(self.games.ended), on_cpu(self.games.state)
        now, at = state[:, PLAY_INPUTS].astype(np.int64), len(self.after)
        self.states[at + 1] = state
        if len(ended):
            last, truncated = on_cpu(games.final_states), on_cpu(games.lanes.truncated)[ended]
            self.starts.append((at, ended, state[ended]))
            self.states[at + 1, ended], won = last, last[:, SOLVED] != 0
            played = last[:, PLAY_INPUTS].astype(np.int64)
            opening = now[ended] - np.where(won | truncated, 0, played)
            self.inputs += int((now - self.counted).sum() + (played + opening - now[ended]).sum())
            lengths = played - self.began[ended]
            self.began[ended] = now[ended] - opening
            for length, solved, late in zip(lengths.tolist(), won, truncated):
                self.end(length, "win" if solved else "limit" if late else "death")
        else:
            self.inputs += int((now - self.counted).sum())
        self.counted = now
        self.after.append(self.inputs)
        if len(self.after) + 1 == len(self.states):
            self.count()
        if self.inputs >= self.due:
            self.explore()

    def end(self, length: int, outcome: str) -> None:
        """An episode of this length, in raw inputs, ended as win, limit or death."""
        self.writer.episode(self.inputs, length, outcome)
        self.episodes += 1
        self.wins.append(outcome == "win")
        if outcome == "win" and self.first_win is None:
            self.first_win = self.inputs
        if self.learned is None and len(self.wins) == 100 and sum(self.wins) >= 90:
            self.learned = self.inputs

    def explore(self) -> None:
        """Writes how many positions were visited; counting them costs more than a step, so this is rare."""
        self.writer.exploration(self.inputs, int(self.games.visited().sum()))
        self.due = max(self.inputs, self.writer.last_explored) * 10 ** (1 / ROWS_A_DECADE)

    def count(self) -> None:
        """Counts the visits and deaths of the buffered steps, and follows their ways."""
        count = len(self.after)
        if not count:
            return
        before, after = self.states[: count + 1].copy(), self.states[1 : count + 1]
        ended = np.zeros(after.shape[:2], np.bool_)
        x, y = after[..., X].ravel() / 2, after[..., Y].ravel() / 2
        self.visits += count_visits(x, y, self.games.places[0].level.side)
        for step, lanes, starts in self.starts:
            before[step + 1, lanes], ended[step, lanes] = starts, True
        steps = Steps(np.array(self.after), before[:-1], after, ended)
        if self.way:
            self.way.add(steps)
        if self.deaths is not None:
            self.deaths = self.add_deaths(steps, self.deaths)
        self.states[0] = before[-1]
        self.after.clear()
        self.starts.clear()

    def add_deaths(self, steps: Steps, before: int) -> int:
        """Writes the deaths of these steps, which follow ``before`` others; how many there are then."""
        each = (steps.after[..., DEATHS] - steps.before[..., DEATHS]).sum(axis=1)
        so_far, died = before + np.cumsum(each), np.flatnonzero(each)
        self.writer.add(DEATHS_FILE, zip(steps.inputs[died].tolist(), so_far[died].tolist()))
        return int(so_far[-1])

    def flush(self) -> None:
        """Writes the tables of visits and of things reached, and brings all rows so far safely to disk."""
        self.count()
        self.writer.visits(self.visits)
        if self.way:
            self.way.flush()
        self.writer.sync()

    def finish(self) -> None:
        """Writes the last rows and marks the run as finished."""
        self.explore()
        self.flush()
        self.writer.finish()

    def state(self) -> dict:
        """Everything that a resumed run needs to continue; call ``flush`` first."""
        names = ("inputs", "episodes", "due", "first_win", "learned", "wins", "counted", "began", "visits")
        further = {"way": self.way and self.way.state(), "deaths": self.deaths}
        return {name: getattr(self, name) for name in names} | further

    def restore(self, state: dict) -> None:
        """Call it after the games were restored. A run whose checkpoint lacks its way or its deaths records none from
        here on."""
        for name, value in state.items():
            if name not in ("way", "deaths"):
                setattr(self, name, value)
        self.deaths = None
        if state.get("deaths") is not None:
            self.record_deaths(state["deaths"])
        self.states[0] = on_cpu(self.games.state)
        self.way = self.follow() if state.get("way") else None
        if self.way:
            self.way.restore(state["way"])
