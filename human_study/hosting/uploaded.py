"""Files of sessions in browsers, wherever they come from: what DataPipe or a host keeps, the results that JATOS
exports, what participants saved, the chunks of a server. Several files may hold one session, in any order, and overlap.

A line is a JSON object: an *opening* (build, id and what the log's header needs), a chunk (n, entries) of the opening
or file that it stands in, an *upload* (build, id, data: lines compressed by gzip, in base64), or a *withdrawal*.
"""

import base64
import binascii
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from priorlab.envs.base.files import one_line, read_bytes
from priorlab.human_study.data.chunks import (
    CODE,
    AlteredChunk,
    ChunkError,
    Entry,
    TornChunk,
    read_chunks,
)

GZIP = zlib.MAX_WBITS | 16
MOST_BYTES = 100 << 20  # of an upload, decompressed
MEMBERS = ("data.txt", ".jsonl")  # how the names of files with sessions end, within an archive
EXPECTED = "expected what a built study uploads, or participants save"


class NotASession(ChunkError):
    """A file or line that no session wrote."""


@dataclass
class Uploaded:
    """What the files hold of one session."""

    id: str
    opening: dict[str, Any] = field(default_factory=dict)
    chunks: dict[int, list[Entry]] = field(default_factory=dict)
    origins: dict[int, str] = field(default_factory=dict)  # of the chunks: file and line
    files: list[Path] = field(default_factory=list)
    is_withdrawn: bool = False

    def take_opening(self, opening: dict[str, Any], where: str) -> None:
        if self.opening and self.opening != opening:
            raise AlteredChunk(f"{where}: the opening differs from an earlier one of session {self.id}")
        self.opening = opening

    def take_chunk(self, number: int, entries: list[Entry], where: str) -> None:
        if self.chunks.setdefault(number, entries) != entries:
            raise AlteredChunk(f"{where}: chunk {number} differs from the one in {self.origins[number]}")
        self.origins.setdefault(number, where)


@dataclass
class Found:
    """Everything in some files: ``sessions`` by code, and ``problems``, an error for each line that is left out."""

    sessions: dict[str, Uploaded] = field(default_factory=dict)
    problems: list[ChunkError | OSError] = field(default_factory=list)

    def of(self, code: Any, path: Path, where: str) -> Uploaded:
        """The session with that code. Raises NotASession if it is none."""
        if not isinstance(code, str) or not CODE.fullmatch(code):
            raise NotASession(f"{where}: id {str(code)[:40]!r}: {EXPECTED}")
        session = self.sessions.setdefault(code, Uploaded(code))
        if path not in session.files:
            session.files.append(path)
        return session


def read_uploads(paths: Iterable[Path]) -> Found:
    """Reads files, archives (.zip, JATOS's .jrzip), and every such file in folders."""
    found = Found()
    for path in each_file(paths):
        try:
            for name, data in contents(path):
                read_lines(found, path, f"{path}: {name}" if name else str(path), data)
        except ChunkError as error:
            found.problems.append(error)
        except (OSError, zipfile.BadZipFile, zlib.error) as error:
            found.problems.append(NotASession(one_line(path, error)))
    return found


def each_file(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]


def contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name within an archive or "", content)"""
    if not zipfile.is_zipfile(path):
        yield "", read_bytes(path)
        return
    with zipfile.ZipFile(path) as archive:
        names = [each for each in archive.namelist() if each.endswith(MEMBERS)]
        if not names:
            raise NotASession(f"{path}: holds no {' or *'.join(MEMBERS)}: {EXPECTED}")
        for name in names:
            yield name, archive.read(name)


def read_lines(found: Found, path: Path, where: str, data: bytes) -> None:
    """Takes every good line; the others become problems."""
    code = path.name.partition(".")[0]  # of chunks that stand alone: browsers number files of the same name
    if is_servers(data):
        chunks = read_chunks(path)
        session = found.of(chunks.id, path, where)
        for number, entries in enumerate(chunks.entries):
            session.take_chunk(number, entries, f"{where}: line {number + 2}")
        return
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            code = read_line(found, path, f"{where}: line {number}", line, code)
        except ChunkError as error:
            found.problems.append(error)
    if not data.strip():
        found.problems.append(NotASession(f"{where}: empty: {EXPECTED}"))


def is_servers(data: bytes) -> bool:
    """Whether a server wrote it, which continues a hash from line to line."""
    return b'"schema":' in data[:200] and b'"hash":' in data.partition(b"\n")[0]


def read_line(found: Found, path: Path, where: str, line: bytes, code: str, is_inside: bool = False) -> str:
    """Takes a line; ``code`` is that of the lines before it, ``is_inside`` whether it comes from an upload.

    Returns the code of the next lines. Raises ChunkError.
    """
    try:
        content = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise TornChunk(f"{where}: cut off or altered: {' '.join(str(error).split())}") from None
    match content:
        case {"build": build, "id": id, "data": str(data)} if not is_inside:
            session = found.of(id, path, where)
            for part in unpacked(data, where).splitlines():
                if read_line(found, path, where, part, session.id, is_inside=True) != id:
                    raise AlteredChunk(f"{where}: of session {id} and of another: expected only one")
            if session.opening.get("build", build) != build:
                raise AlteredChunk(f"{where}: of another build than the opening of session {id}")
            return code
        case {"build": _, "id": id, "withdrawn": True}:
            found.of(id, path, where).is_withdrawn = True
            return code
        case {"build": str(), "id": id, "games": list()}:
            found.of(id, path, where).take_opening(content, where)
            return id
        case {"n": int(number), "entries": list(entries)} if number >= 0:
            found.of(code, path, where).take_chunk(number, entries, where)
            return code
    raise NotASession(f"{where}: {line[:40].decode(errors='replace')!r}: {EXPECTED}")


def unpacked(data: str, where: str) -> bytes:
    """The lines of an upload. Raises AlteredChunk unless it is complete and as it was."""
    stream = zlib.decompressobj(GZIP)
    try:
        lines = stream.decompress(base64.b64decode(data, validate=True), MOST_BYTES)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise AlteredChunk(f"{where}: cut off or altered: {error}") from None
    if not stream.eof:
        raise AlteredChunk(f"{where}: cut off, or larger than {MOST_BYTES >> 20} MB")
    return lines
