"""The results format: rows that a run appends while it plays. ``load`` joins them with those of people's plays.

``runs/<experiment>/<version>/<method>/seed_<n>/`` holds

- ``config.json``      the run's settings, and the software that produced it
- ``episodes.csv``     one row per episode: episode, inputs (raw, of the complete run, at its end), length (raw inputs),
  outcome (win, death, limit or quit), deaths (so far in the run)
- ``exploration.csv``  inputs, unique_states (different (x, y) positions since the run began), about 20 rows per decade
- ``visits.csv``       x, y (left and top of a 7 px cell), visits
- ``progress.csv``     inputs, remaining (the inputs of the shortest way still to go, the least over all lanes so far;
  ``envs/plays/progress.py``); one row at the start, and one each time that it falls
- ``reached.csv``      when a lane first reached each object and ladder (``envs/plays/tracks.py``): thing, kind, row,
  column, inputs, order
- ``deaths.csv``       inputs, deaths (of all lanes so far, also those that end no episode); one row at the start, and
  one each time that it rises
- ``tracks.csv``       where lane 0 went in some of its lives (``agents/runs/way_log.py``): inputs, life, x, y
- ``done``             exists once the run is finished

The inputs of all files are raw, of the complete run. Runs of several levels, and of Atari's games, have no progress,
reached and tracks; nor do runs made before these files, which may also have no deaths. A level without a solution has
no progress. In Atari's games a game over counts as a death.

A play of a person or of a simulated player, from a session's log or a ``*.play`` file, is replayed into the same rows:
player and method are "person" or "simulated", and the seed is its name. In Atari's games the version is the mask.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from priorlab.envs.base.files import read_json, to_disk, whole_lines, write_whole
from priorlab.envs.base.locks import hold, release
from priorlab.envs.base.provenance import git_commit, software
from priorlab.envs.plays.tracks import REACHED

CELL = 7  # pixels per side of a cell of visits: one walking step, so that no cell is skipped
ROWS_A_DECADE = 20
OUTCOMES = ("win", "death", "limit", "quit")
EPISODES = ("episode", "inputs", "length", "outcome", "deaths")
EXPLORATION = ("inputs", "unique_states")
VISITS = ("x", "y", "visits")
DEATHS = ("inputs", "deaths")
CONFIGS = ("finished", "folder", "frame_skip", "level", "inputs", "settings")
FRONT = ("experiment", "game", "version", "method", "player", "privileged", "seed")
REQUIRED = {"game": str, "version": str, "method": str, "player": str, "privileged": bool, "seed": int, "level": str}


class RunWriter:
    """Appends one run's rows to its folder; each row is written when the call returns.

    ``config`` has at least game, version, method, player, privileged, seed and level (its text), and every setting that
    can change the rows. An unfinished folder with the same settings is continued after its last row or, with
    ``resume_at`` (raw inputs, of a checkpoint), after the last row of at most that many inputs; later rows, which the
    resumed run writes again, are cut off. Raises ValueError for a finished folder, or one with other settings.
    """

    def __init__(self, folder: str | Path, config: Mapping[str, Any], resume_at: int | None = None):
        self.folder = Path(folder)
        check_config(config, self.folder)
        if is_finished(self.folder):
            raise ValueError(f"{self.folder} holds a finished run: expected a new or an unfinished folder")
        self.folder.mkdir(parents=True, exist_ok=True)
        described = self.folder / "config.json"
        if described.exists():
            check_same(read_json(described), config, self.folder)
        else:
            text = json.dumps({**config, "software": software(), "git_commit": git_commit()}, indent=2)
            write_whole(described, text + "\n")
        self.lock = hold(self.folder / "run.lock", f"{self.folder}: another process is writing this run: expected one")
        self.episodes, last_episode = reopen(self.folder / "episodes.csv", EPISODES, resume_at)
        self.explored, last_explored = reopen(self.folder / "exploration.csv", EXPLORATION, resume_at)
        self.resume_at, self.added = resume_at, dict[str, IO[str]]()
        self.number = int(last_episode["episode"]) + 1 if last_episode else 0
        self.deaths = int(last_episode["deaths"]) if last_episode else 0
        self.last_ended = int(last_episode["inputs"]) if last_episode else 0
        self.last_explored = int(last_explored["inputs"]) if last_explored else 0
        self.latest: tuple[int, int] | None = None  # latest count, not yet due

    @property
    def inputs(self) -> int:
        """Raw inputs of the complete run at its last row."""
        return max(self.last_ended, self.last_explored)

    def episode(self, inputs: int, length: int, outcome: str) -> None:
        """Writes an episode: raw inputs of the complete run so far, raw inputs of the episode, and how it ended."""
        if outcome not in OUTCOMES:
            raise ValueError(f"{self.folder}: outcome {outcome!r}: expected one of {', '.join(OUTCOMES)}")
        if inputs < self.last_ended:
            raise ValueError(f"{self.folder}: episode ended at {inputs} inputs: expected {self.last_ended} or more")
        self.deaths += outcome == "death"
        self.episodes.write(f"{self.number},{inputs},{length},{outcome},{self.deaths}\n")
        self.number, self.last_ended = self.number + 1, inputs

    def exploration(self, inputs: int, unique_states: int) -> None:
        """Records the unique states of the run so far. Call it as often as you like: it keeps about 20 rows per decade
        of inputs."""
        self.latest = (int(inputs), int(unique_states))
        if inputs >= self.last_explored * 10 ** (1 / ROWS_A_DECADE) and inputs > self.last_explored:
            self.write_latest()

    def visits(self, counts: np.ndarray) -> None:
        """Replaces the table of visits; ``counts``: int (rows, columns) of 7 px cells, as from ``count_visits``."""
        ys, xs = np.nonzero(counts)
        rows = [f"{CELL * x},{CELL * y},{counts[y, x]}" for x, y in zip(xs.tolist(), ys.tolist())]
        write_whole(self.folder / "visits.csv", "\n".join([",".join(VISITS), *rows]) + "\n")

    def add_file(self, name: str, columns: tuple[str, ...]) -> bool:
        """Opens a further file of rows, for ``add``; inputs is one of its columns. Rows after ``resume_at`` are cut
        off; returns whether any remain."""
        self.added[name], last = reopen(self.folder / name, columns, self.resume_at)
        return bool(last)

    def add(self, name: str, rows: Iterable[tuple]) -> None:
        """Appends rows of numbers to a file that ``add_file`` opened."""
        self.added[name].writelines(",".join(f"{value:.15g}" for value in row) + "\n" for row in rows)

    def reached(self, rows: Iterable[tuple]) -> None:
        """Replaces the table of when things were first reached; rows of REACHED, None where a thing was not."""
        lines = [",".join("" if value is None else str(value) for value in row) for row in rows]
        write_whole(self.folder / "reached.csv", "\n".join([",".join(REACHED), *lines]) + "\n")

    def sync(self) -> None:
        """Makes the rows so far survive a power cut, and not only the end of this process."""
        for file in (self.episodes, self.explored, *self.added.values()):
            to_disk(file)

    def finish(self) -> None:
        """Writes the last exploration row and marks the run as finished; nothing can be written after it."""
        self.write_latest()
        self.sync()
        self.close()
        write_whole(self.folder / "done", f"{self.inputs}\n")

    def close(self) -> None:
        """Stops writing; the run stays unfinished and can be continued."""
        self.write_latest()
        for file in (self.episodes, self.explored, *self.added.values()):
            file.close()
        release(self.lock)

    def write_latest(self) -> None:
        if self.latest and self.latest[0] > self.last_explored:
            self.explored.write(f"{self.latest[0]},{self.latest[1]}\n")
            self.last_explored = self.latest[0]
        self.latest = None


def reopen(path: Path, columns: tuple[str, ...], resume_at: int | None) -> tuple[IO[str], dict[str, str]]:
    """The file, open for appending after its complete rows of at most ``resume_at`` inputs, and the last of these."""
    lines = whole_lines(path).splitlines() or [",".join(columns)]
    if lines[0] != ",".join(columns):
        raise ValueError(f"{path}: first line {lines[0]!r}: expected {','.join(columns)!r}")
    rows = [dict(zip(columns, line.split(","))) for line in lines[1:]]
    if resume_at is not None:
        rows = [row for row in rows if int(row["inputs"]) <= resume_at]
    text = "".join(line + "\n" for line in lines[: 1 + len(rows)])
    if not path.exists() or path.read_bytes() != text.encode():
        write_whole(path, text)
    return path.open("a", encoding="utf-8", buffering=1, newline="\n"), rows[-1] if rows else {}


def is_finished(folder: str | Path) -> bool:
    return (Path(folder) / "done").exists()


def inputs_done(folder: str | Path) -> int:
    """Raw inputs of the run in ``folder`` so far, by its last rows; 0 if there is none."""
    last = [0]
    for name, column in (("episodes.csv", 1), ("exploration.csv", 0)):
        lines = whole_lines(Path(folder) / name).splitlines()
        if len(lines) > 1:
            last.append(int(lines[-1].split(",")[column]))
    return max(last)


def count_visits(x: np.ndarray, y: np.ndarray, side: int) -> np.ndarray:
    """int64 (cells, cells): how many of the positions (pixels) are in each cell; those outside are left out."""
    cells = -(-side // CELL)
    x, y = np.asarray(x), np.asarray(y)
    inside = (x >= 0) & (x < side) & (y >= 0) & (y < side)
    columns, rows = (np.floor(values[inside] / CELL).astype(np.int64) for values in (x, y))
    return np.bincount(rows * cells + columns, minlength=cells * cells).reshape(cells, cells)


def thinned(inputs: int) -> np.ndarray:
    """int64: the numbers of inputs up to ``inputs`` at which an exploration row is kept, including the last."""
    if inputs == 0:
        return np.zeros(0, np.int64)
    steps = np.arange(np.ceil(ROWS_A_DECADE * np.log10(inputs)) + 1) / ROWS_A_DECADE
    return np.unique(np.append(np.minimum(10**steps, inputs), inputs).astype(np.int64))


def check_config(config: Mapping[str, Any], where: Path) -> None:
    for name, kind in REQUIRED.items():
        if type(config.get(name)) is not kind:
            raise ValueError(f"{where}: config has {name} = {config.get(name)!r}: expected a {kind.__name__}")


def check_same(before: Any, now: Mapping[str, Any], folder: Path) -> None:
    """Rows made with different settings never share a folder. ``before``: the content of its config.json."""
    if not isinstance(before, Mapping):
        raise ValueError(f"{folder / 'config.json'}: expected the settings of a run by their names")
    plain = json.loads(json.dumps(dict(now)))  # tuples become lists, as in the file
    changed = [name for name in {**before, **plain} if before.get(name) != plain.get(name)]
    changed = [name for name in changed if name not in ("software", "git_commit")]
    if changed:
        name = changed[0]
        raise ValueError(
            f"{folder} holds a run with {name} = {before.get(name)!r}, not {plain.get(name)!r}: "
            "expected the same settings, or another folder"
        )
