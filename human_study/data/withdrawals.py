"""The list of who withdrew, withdrawals.csv: read as any spreadsheet has saved it, and added to in the same manner."""

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
class Manner:
    """How a program has saved the table."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quotes: bool = False  # whether every cell is in quotes
    newline: str = "\n"
    columns: tuple[str, ...] = HEADER
    is_new: bool = True  # it has no line with the columns' names yet


def read(path: Path) -> dict[str, str]:
    """The date of each withdrawal, as it stands there, by code; {} where there is no such file.

    ValueError, one line, for a file that is no such table, OSError where it can't be read.
    """
    return parse(path)[0] if path.is_file() else {}


def add(path: Path, row: dict[str, object]) -> None:
    """A further line, in the manner of the file; the file is made where there is none.

    Errors as ``read``; OSError, one line, where it can't be written, and the file stays as it was.
    """
    _, manner, text = parse(path) if path.is_file() else ({}, Manner(), "")
    lines = io.StringIO()
    if text and not text.endswith(("\n", "\r")):
        lines.write(manner.newline)
    writer = csv.writer(
        lines, delimiter=manner.delimiter, lineterminator=manner.newline,
        quoting=csv.QUOTE_ALL if manner.quotes else csv.QUOTE_MINIMAL,
    )  # fmt: skip
    if manner.is_new:
        writer.writerow(HEADER)
    writer.writerow([row.get(column, "") for column in manner.columns])
    before = path.stat().st_size if path.exists() else None
    try:
        with path.open("ab") as file:
            file.write(lines.getvalue().encode(manner.encoding))
            to_disk(file)
    except OSError as error:  # a full disk has taken part of the line
        with suppress(OSError):
            path.unlink(missing_ok=True) if before is None else os.truncate(path, before)
        raise OSError(one_line(path, error)) from None


def parse(path: Path) -> tuple[dict[str, str], Manner, str]:
    """What ``read`` gives, the file's manner, and its text."""
    data = read_bytes(path)
    mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
    encoding = MARKS.get(mark, "utf-8")
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError:  # a remark in the encoding of an old Windows program; codes and dates are ASCII
        text = data[len(mark) :].decode("latin-1")
    if ",".join(HEADER).startswith(text.strip()):  # empty, or its first line was cut short by a power cut
        return {}, Manner(encoding), text
    heads = ((line, each) for line in text.splitlines() for each in DELIMITERS if is_head(line, each))
    line, delimiter = next(heads, ("", ""))
    if not delimiter:
        raise ValueError(f"{path}: line 1: {text.strip().splitlines()[0][:30]!r}: {EXPECTED}")
    newline = "\r\n" if "\r\n" in text else "\r" if "\r" in text and "\n" not in text else "\n"
    quotes = line.lstrip().startswith('"')
    manner = Manner(encoding, delimiter, quotes, newline, names_in(line, delimiter), is_new=False)
    try:
        return dates(text, manner), manner, text
    except csv.Error as error:  # such as a quotation mark that nothing closes
        raise ValueError(f"{path}: {error}: {EXPECTED}") from None


def is_head(line: str, delimiter: str) -> bool:
    return {"id", "date"} <= {*names_in(line, delimiter)}


def names_in(line: str, delimiter: str) -> tuple[str, ...]:
    try:
        return tuple(name.strip().casefold() for name in next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:  # a line as long as no table's
        return ()


def dates(text: str, manner: Manner) -> dict[str, str]:
    """By code; a line in another manner, from another computer's list, counts like any other."""
    code_at, date_at = manner.columns.index("id"), manner.columns.index("date")
    found = {}
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=manner.delimiter):
        other = next((each for each in DELIMITERS if len(row) == 1 and each in row[0]), None)
        cells = next(csv.reader(row, delimiter=other)) if other else row
        code, date = (
            cells[at].strip().strip("\0\ufeff").strip() if at < len(cells) else "" for at in (code_at, date_at)
        )
        if code and code.casefold() != "id" and not code.lower().startswith("sep="):
            found[code] = date
    return found
