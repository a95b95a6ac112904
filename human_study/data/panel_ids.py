"""Which participant came from a panel under which ids: ``panel.csv``, apart from all recordings, so that it can be
deleted."""

import csv
import io
from contextlib import AbstractContextManager
from pathlib import Path

from priorlab.envs.base.files import read_text, write_whole
from priorlab.envs.base.locks import held

NAME = "panel.csv"
COLUMNS = ("code", "participant", "study", "session")


def read(folder: Path) -> list[dict[str, str]]:
    """The rows in a study's data folder; none if there is no such file. Raises ValueError, one line, if it is not such
    a table; OSError."""
    path = folder / NAME
    if not path.exists():
        return []
    rows = [*csv.DictReader(io.StringIO(read_text(path)))]
    if any(row.keys() != set(COLUMNS) or None in row.values() for row in rows):
        raise ValueError(f"{path}: expected a table with the columns {', '.join(COLUMNS)}, or no such file")
    return rows


def add(folder: Path, code: str, ids: dict[str, str]) -> None:
    """Adds a participant; the file is on disk then. Raises as ``read``."""
    with editing(folder):
        write(folder, [*read(folder), {"code": code, **ids}])


def forget(folder: Path, code: str) -> None:
    """Deletes what is known of a participant. Raises as ``read``."""
    if not (folder / NAME).exists():
        return
    with editing(folder):
        rows = read(folder)
        if left := [row for row in rows if row["code"] != code]:
            write(folder, left)
        elif rows:
            (folder / NAME).unlink()


def editing(folder: Path) -> AbstractContextManager[None]:
    path = folder / f"{NAME}.lock"
    return held(path, f"{folder / NAME}: another process is writing it: try again")


def write(folder: Path, rows: list[dict[str, str]]) -> None:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([row[name] for name in COLUMNS] for row in rows)
    write_whole(folder / NAME, lines.getvalue())
