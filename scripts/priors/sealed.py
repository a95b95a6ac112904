"""The tables of the experiment. Rows of lives are sealed: each holds a check of itself and of all rows before it.

``check``: the first 16 hexadecimal digits of the SHA-256 of the check before and the row without its check, as text;
before the first row, of the SHA-256 of fixed.json. So a row, or what was fixed, that is changed, dropped or moved by
itself is found. Who seals all rows again leaves no trace in them: of that, and of rows cut off at the end, the history
of the repository tells.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

import pandas as pd

from priorlab.envs.base.files import read_bytes, read_text, to_disk, whole_lines, write_whole
from priorlab.envs.base.tables import kinds, parse_table

FIXED, LIVES, PERCEPTION = "fixed.json", "lives.csv", "perception.csv"
RAISED, SOFTWARE = "raised.csv", "software.csv"
COUNTS = ("inputs", "deaths", "unique_states", "plans", "surprises", "contradictions", "lost")
COLUMNS = {  # of each table, with their types; `solved` is read as bool
    LIVES: kinds(
        ("player", "seed", "place", "version", "life", "drawing", "inputs", "solved", "deaths", "unique_states",
         "progress", "plans", "surprises", "contradictions", "lost", "seconds", "weights", "commit", "check"),
        **dict.fromkeys(("seed", "life", "drawing", *COUNTS), int), progress=float, seconds=float,
    ),
    PERCEPTION: kinds(
        ("player", "seed", "place", "version", "drawing", "role", "cells", "probability", "recall", "nll"),
        **dict.fromkeys(("seed", "drawing", "cells"), int), **dict.fromkeys(("probability", "recall", "nll"), float),
    ),
    RAISED: kinds(
        ("player", "seed", "pictures", "seconds", "loss", "weights"), seed=int, pictures=int, seconds=float, loss=float
    ),
    SOFTWARE: kinds(("commit", "software")),
}  # fmt: skip
DIGITS = 16


def root_of(folder: Path) -> str:
    """The SHA-256 of what was fixed in the folder, with which the chain of checks begins. ValueError, one line, if
    nothing was."""
    path = folder / FIXED
    if not path.exists():
        raise ValueError(f"{path}: no such file: expected `priorlab priors --fix` before the first life")
    return hashlib.sha256(read_bytes(path).replace(b"\r\n", b"\n")).hexdigest()


def read_lives(folder: Path, missing_ok: bool = False) -> pd.DataFrame:
    """The rows of lives in the folder, typed as in COLUMNS but for ``solved``, bool; NaN where progress is unknown.

    Their chain of checks is checked, also where this code no longer has the settings that were fixed. ``missing_ok``:
    no rows where there is no file of them. Raises ValueError, one line, where there is none otherwise, or for rows that
    are not as they were sealed.
    """
    path = folder / LIVES
    if not missing_ok and not path.exists():
        raise ValueError(f"{path}: no such file: expected a folder in which `priorlab priors` has played")
    lives = as_table(path, sealed_lines(folder, root_of(folder)) if path.exists() else ())
    return lives.assign(solved=lives["solved"] == str(True))


def read_rows(path: Path) -> pd.DataFrame:
    """The rows of another table, typed; none where there is no file. ValueError, one line, for other columns."""
    return as_table(path, lines_of(path))


def as_table(path: Path, lines: Iterable[str]) -> pd.DataFrame:
    return parse_table("\n".join([header_of(path), *lines]), COLUMNS[path.name], path)


def check_of(before: str, row: str) -> str:
    """The check of a row's text, without it, after a row with the check ``before``."""
    return hashlib.sha256((before + row).encode()).hexdigest()[:DIGITS]


def sealed_lines(folder: Path, root: str) -> Iterator[str]:
    """The rows of lives as text; ``root``: the hash of what was fixed.

    Raises ValueError, one line that names the row, where one was changed, dropped or moved.
    """
    path, before = folder / LIVES, root[:DIGITS]
    for number, line in enumerate(lines_of(path), start=2):
        row, _, check = line.rpartition(",")
        if check_of(before, row) != check:
            cause = "fixed.json was changed" if number == 2 else "one was added"
            raise ValueError(
                f"{path}, line {number}: its check is {check!r}, expected {check_of(before, row)!r}: this row was "
                f"changed, rows before it were dropped or moved, or {cause}"
            )
        before = check
        yield line


def sealed_rows(folder: Path, root: str) -> Iterator[dict[str, str]]:
    """As ``sealed_lines``, by column."""
    return (dict(zip(COLUMNS[LIVES], line.split(","))) for line in sealed_lines(folder, root))


def header_of(path: Path) -> str:
    return ",".join(COLUMNS[path.name])


def lines_of(path: Path) -> list[str]:
    """The whole lines of a table, without its header. ValueError for another header."""
    expected = header_of(path)
    header, *lines = whole_lines(path).splitlines() or [expected]
    if header != expected:
        raise ValueError(f"{path}: its first line is {header[:80]!r}: expected {expected!r}")
    return lines


class Table:
    """A file of COLUMNS to which rows are appended; a line that a killed process did not finish is cut off, and lines
    that are not ``kept``."""

    def __init__(self, path: Path, kept: Callable[[str], bool] = lambda line: True):
        lines = filter(kept, lines_of(path))
        text = "".join(f"{line}\n" for line in [header_of(path), *lines])
        if not path.exists() or read_text(path) != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text)
        self.file: IO[str] = path.open("a", encoding="utf-8", newline="\n")

    def append(self, *rows: tuple) -> None:
        """Rows that get to the disk together."""
        self.file.write("".join(text_of(row) + "\n" for row in rows))
        to_disk(self.file)

    def close(self) -> None:
        self.file.close()


class SealedTable(Table):
    """The table of lives. Opening it checks all its rows, as ``sealed_rows`` does."""

    def __init__(self, folder: Path, root: str):
        self.rows = list(sealed_rows(folder, root))
        super().__init__(folder / LIVES)
        self.check = self.rows[-1]["check"] if self.rows else root[:DIGITS]

    def seal(self, *rows: tuple) -> None:
        """Appends rows of all columns but their check, which get to the disk together."""
        for text in map(text_of, rows):
            self.check = check_of(self.check, text)
            self.file.write(f"{text},{self.check}\n")
        to_disk(self.file)


def text_of(row: tuple) -> str:
    """A row as CSV. No value holds a comma."""
    return ",".join(f"{value:.6g}" if isinstance(value, float) else str(value) for value in row)
