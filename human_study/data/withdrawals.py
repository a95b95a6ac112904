"""The list of withdrawals, withdrawals.csv: reads it as any spreadsheet saved it, and appends in the same dialect."""

import csv
import io
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from priorlab.envs.base.files import MARKS, one_line, read_bytes, to_disk

NAME = "withdrawals.csv"
HEADER = ("id", "date", "files", "plays", "events")
DELIMITERS = ",;\t|"
EXPECTED = f"expected a table with the columns {', '.join(HEADER)}, as `priorlab withdraw` writes it"


@dataclass(frozen=True)
class Dialect:
    """How a program saved the table."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quotes: bool = False  # whether every cell is in quotes
    newline: str = "\n"
    columns: tuple[str, ...] = HEADER
    is_new: bool = True  # whether the line with the columns' names is missing


def read(path: Path) -> dict[str, str]:
    """The date of each withdrawal, as in the file, by code; {} if there is no such file.

    Raises ValueError, one line, if the file is not such a table, OSError if it can't be read.
    """
    return parse(path)[0] if path.is_file() else {}


def add(path: Path, row: dict[str, object]) -> None:
    """Appends a line in the dialect of the file, which is created if there is none.

    Raises as ``read``, and OSError, one line, if it can't be written; the file is then unchanged.
    """
    _, dialect, text = parse(path) if path.is_file() else ({}, Dialect(), "")
    lines = io.StringIO()
    if text and not text.endswith(("\n", "\r")):
        lines.write(dialect.newline)
    writer = csv.writer(
        lines, delimiter=dialect.delimiter, lineterminator=dialect.newline,
        quoting=csv.QUOTE_ALL if dialect.quotes else csv.QUOTE_MINIMAL,
    )  # fmt: skip
    if dialect.is_new:
        writer.writerow(HEADER)
    writer.writerow([row.get(column, "") for column in dialect.columns])
    before = path.stat().st_size if path.exists() else None
    try:
        with path.open("ab") as file:
            file.write(lines.getvalue().encode(dialect.encoding))
            to_disk(file)
    except OSError as error:  # a full disk may have taken part of the line
        with suppress(OSError):
            path.unlink(missing_ok=True) if before is None else os.truncate(path, before)
        raise OSError(one_line(path, error)) from None


def parse(path: Path) -> tuple[dict[str, str], Dialect, str]:
    """(what ``read`` returns, the file's dialect, its text)."""
    data = read_bytes(path)
    mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
    encoding = MARKS.get(mark, "utf-8")
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError:  # a remark in the encoding of an old Windows program; codes and dates are ASCII
        text = data[len(mark) :].decode("latin-1")
    if ",".join(HEADER).startswith(text.strip()):  # empty, or a power cut cut off its first line
        return {}, Dialect(encoding), text
    heads = ((line, each) for line in text.splitlines() for each in DELIMITERS if is_head(line, each))
    line, delimiter = next(heads, ("", ""))
    if not delimiter:
        raise ValueError(f"{path}: line 1: {text.strip().splitlines()[0][:30]!r}: {EXPECTED}")
    newline = "\r\n" if "\r\n" in text else "\r" if "\r" in text and "\n" not in text else "\n"
    quotes = line.lstrip().startswith('"')
    dialect = Dialect(encoding, delimiter, quotes, newline, names_in(line, delimiter), is_new=False)
    try:
        return dates(text, dialect), dialect, text
    except csv.Error as error:  # such as an unclosed quotation mark
        raise ValueError(f"{path}: {error}: {EXPECTED}") from None


def is_head(line: str, delimiter: str) -> bool:
    return {"id", "date"} <= {*names_in(line, delimiter)}


def names_in(line: str, delimiter: str) -> tuple[str, ...]:
    try:
        return tuple(name.strip().casefold() for name in next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:  # a line that is too long for a table
        return ()


def dates(text: str, dialect: Dialect) -> dict[str, str]:
    """By code. Lines in another dialect, from another computer's list, count, too."""
    code_at, date_at = dialect.columns.index("id"), dialect.columns.index("date")
    by_code = {}
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter):
        other = next((each for each in DELIMITERS if len(row) == 1 and each in row[0]), None)
        cells = next(csv.reader(row, delimiter=other)) if other else row
        code, date = (
            cells[at].strip().strip("\0\ufeff").strip() if at < len(cells) else "" for at in (code_at, date_at)
        )
        if code and code.casefold() != "id" and not code.lower().startswith("sep="):
            by_code[code] = date
    return by_code
