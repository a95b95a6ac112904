"""The data of experiments in jsPsych: JSON, or CSV as jsPsych writes it. The plugin's trials are rows among others."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from priorlab.human_study.data.chunks import TornChunk
from priorlab.human_study.data.outside import parsed

TRIAL, RECORD, KIND = "priorlab", "record", "trial_type"  # the plugin's name; columns of a row
MOST_NAMES = 100_000  # bytes of the line of names
LONGEST = 1 << 30  # characters of a cell; half an hour of play takes about 900,000


def json_rows(data: bytes, where: str) -> list[Any] | None:
    """The rows of a file that holds those of one experiment; None for any other, such as one with a line for each.
    Raises TornChunk."""
    text = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text.startswith(b"["):
        return None
    try:
        return parsed(text)
    except ValueError as error:
        try:
            parsed(text.partition(b"\n")[0])
        except ValueError:
            raise TornChunk(f"{where}: cut off or altered: {' '.join(str(error).split())}") from None
    return None


def is_csv(data: bytes) -> bool:
    """Whether its first line names jsPsych's columns."""
    try:
        return KIND in cells_of(data[:MOST_NAMES].partition(b"\n")[0].decode("utf-8-sig", "replace"))[0]
    except csv.Error:
        return False


def csv_rows(data: bytes, where: str) -> Iterator[dict[str, str]]:
    """The rows of a file, or of several files one after the other, each under its own names. Raises TornChunk."""
    names: list[str] = []
    try:
        for cells in cells_of(data.decode("utf-8-sig", "replace")):
            if KIND in cells:
                names = cells
            else:
                yield dict(zip(names, cells))
    except csv.Error as error:
        raise TornChunk(f"{where}: cut off or altered: {error}") from None


def cells_of(text: str) -> list[list[str]]:
    """The cells of each line of a CSV; one empty line if there is none. Raises csv.Error."""
    before = csv.field_size_limit(LONGEST)
    try:
        return [*csv.reader(io.StringIO(text, newline=""))] or [[]]
    finally:
        csv.field_size_limit(before)


def records_in(rows: Iterable[Any]) -> Iterator[tuple[int, bytes]]:
    """(number of the row, from 1; what it recorded, as JSON, empty if it is missing) of each trial of the plugin."""
    for number, row in enumerate(rows, 1):
        if isinstance(row, dict) and row.get(KIND) == TRIAL:
            record = row.get(RECORD)
            text = record if isinstance(record, str) else json.dumps(record) if record is not None else ""
            yield number, text.strip().encode("utf-8", "replace")
