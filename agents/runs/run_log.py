"""The log of a run, counted from the games themselves, in raw inputs; its rows are those of envs/results/rows.py."""

from collections import deque

import numpy as np

from priorlab.envs.engine.engine import on_cpu
from priorlab.envs.engine.games import Games
from priorlab.envs.game.rules import PLAY_INPUTS, X, Y
from priorlab.envs.results.rows import ROWS_A_DECADE, RunWriter, count_visits

BUFFERED = 1000  # steps whose positions are counted together, which is faster than one by one


class RunLog:
    """Follows a batch of games step by step, and writes its rows.

    ``inputs`` counts raw inputs of all games, random starts included; ``episodes`` those that ended. ``wins`` holds the
    outcomes of the last 100 episodes; ``first_win`` and ``learned`` are the inputs at the first win and when 90 of
    those 100 were won, None before.
    """

    def __init__(self, games: Games, writer: RunWriter):
        self.games, self.writer = games, writer
        self.inputs, self.episodes, self.due = 0, 0, 0.0
        self.first_win: int | None = None
        self.learned: int | None = None
        self.wins: deque[bool] = deque(maxlen=100)
        self.counted = np.zeros(games.num_games, np.int64)  # inputs of each game's play so far
        self.began = np.zeros(games.num_games, np.int64)  # of those, the inputs before its episode
        self.positions: list[tuple[np.ndarray, np.ndarray]] = []
        self.visits = count_visits(np.zeros(0), np.zeros(0), games.places[0].level.side)

    def begin(self) -> None:
        """Call it after the games' reset."""
        self.counted[:] = on_cpu(self.games.state)[:, PLAY_INPUTS]
        self.inputs = int(self.counted.sum())

    def step(self) -> None:
        """Call it after each step of the games."""
        games, ended, state = self.games, on_cpu(self.games.ended), on_cpu(self.games.state)
        now = state[:, PLAY_INPUTS].astype(np.int64)
        x, y = state[:, X] / 2, state[:, Y] / 2
        if len(ended):
            last, truncated = games.final_info, on_cpu(games.lanes.truncated)[ended]
            played = last["inputs"].astype(np.int64)
            opening = now[ended] - np.where(last["solved"] | truncated, 0, played)
            self.inputs += int((now - self.counted).sum() + (played + opening - now[ended]).sum())
            lengths = played - self.began[ended]
            self.began[ended] = now[ended] - opening
            x[ended], y[ended] = last["x"], last["y"]
            for length, won, late in zip(lengths.tolist(), last["solved"], truncated):
                self.end(length, "win" if won else "limit" if late else "death")
        else:
            self.inputs += int((now - self.counted).sum())
        self.counted = now
        self.positions.append((x, y))
        if len(self.positions) >= BUFFERED:
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
        """Counts the visits of the buffered steps."""
        if self.positions:
            x, y = (np.concatenate(values) for values in zip(*self.positions))
            self.visits += count_visits(x, y, self.games.places[0].level.side)
            self.positions.clear()

    def flush(self) -> None:
        """Writes the table of visits, and brings all rows so far safely to disk."""
        self.count()
        self.writer.visits(self.visits)
        self.writer.sync()

    def finish(self) -> None:
        """Writes the last rows and marks the run as finished."""
        self.explore()
        self.flush()
        self.writer.finish()

    def state(self) -> dict:
        """Everything that a resumed run needs to continue; call ``flush`` first."""
        names = ("inputs", "episodes", "due", "first_win", "learned", "wins", "counted", "began", "visits")
        return {name: getattr(self, name) for name in names}

    def restore(self, state: dict) -> None:
        for name, value in state.items():
            setattr(self, name, value)
