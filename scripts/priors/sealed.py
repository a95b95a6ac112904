"""Rows of lives, sealed: each holds a check of itself and of all rows before it.

``check``: the first 16 hexadecimal digits of the SHA-256 of the check before and the row without its check, as text;
before the first row, of the SHA-256 of fixed.json. So no row, and nothing that was fixed, can be changed, dropped or
moved unseen, but for rows cut off at the end: of these only the history of the repository tells.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from priorlab.envs.base.files import read_text, to_disk, whole_lines, write_whole
from priorlab.scripts.priors.plan import Life

LIVES, PERCEPTION, RAISED = "lives.csv", "perception.csv", "raised.csv"
COLUMNS = (
    "player", "seed", "place", "version", "life", "drawing", "inputs", "solved", "deaths", "unique_states", "progress",
    "plans", "surprises", "contradictions", "lost", "seconds", "weights", "commit", "check",
)  # fmt: skip
DIGITS = 16


def check_of(before: str, row: str) -> str:
    """The check of a row's text, without it, after a row with the check ``before``."""
    return hashlib.sha256((before + row).encode()).hexdigest()[:DIGITS]


def sealed_rows(folder: Path, root: str) -> Iterator[dict[str, str]]:
    """The rows of lives as text, by column; ``root``: the hash of what was fixed.

    Raises ValueError, one line that names the row, where one was changed, dropped or moved.
    """
    path, before = folder / LIVES, root[:DIGITS]
    for number, line in enumerate(lines_of(path, COLUMNS), start=2):
        row, _, check = line.rpartition(",")
        if check_of(before, row) != check:
            cause = "fixed.json was changed" if number == 2 else "one was added"
            raise ValueError(
                f"{path}, line {number}: its check is {check!r}, expected {check_of(before, row)!r}: this row was "
                f"changed, rows before it were dropped or moved, or {cause}"
            )
        before = check
        yield dict(zip(COLUMNS, line.split(",")))


def lines_of(path: Path, columns: tuple[str, ...]) -> list[str]:
    """The whole lines of a table, without its header. ValueError for another header."""
    header, *lines = whole_lines(path).splitlines() or [",".join(columns)]
    if header != ",".join(columns):
        raise ValueError(f"{path}: its first line is {header[:80]!r}: expected {','.join(columns)!r}")
    return lines


def life_of(row: dict[str, str]) -> Life:
    """What names the life of a row."""
    return Life(row["player"], int(row["seed"]), row["place"], row["version"], int(row["life"]))


class Table:
    """A CSV file to which rows are appended; a line that a killed process did not finish is cut off, and lines that
    are not ``kept``."""

    def __init__(self, path: Path, columns: tuple[str, ...], kept: Callable[[str], bool] = lambda line: True):
        lines = filter(kept, lines_of(path, columns))
        text = "".join(f"{line}\n" for line in [",".join(columns), *lines])
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
        super().__init__(folder / LIVES, COLUMNS)
        self.check = self.rows[-1]["check"] if self.rows else root[:DIGITS]

    def seal(self, row: tuple) -> None:
        """Appends a row of all columns but its check."""
        text = text_of(row)
        self.check = check_of(self.check, text)
        self.file.write(f"{text},{self.check}\n")
        to_disk(self.file)


def text_of(row: tuple) -> str:
    """A row as CSV. No value holds a comma."""
    return ",".join(f"{value:.6g}" if isinstance(value, float) else str(value) for value in row)
