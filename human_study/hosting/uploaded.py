"""Files of sessions in browsers, wherever they come from: what DataPipe or a host keeps, the results that JATOS
exports, what participants saved, the chunks of a server. Several files may hold one session, in any order, and overlap.

A line is a JSON object: an *opening* (build, id and what the log's header needs), a chunk (n, entries) of the opening
or file that it stands in, an *upload* (build, id, data: lines compressed by gzip, in base64), or a *withdrawal*.

Whoever can upload can write anything. So a session is known by its build and its code; what a file says of another
build, or of none, never reaches it.
"""

import base64
import binascii
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
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
from priorlab.human_study.data.traces import DAMAGE

GZIP = zlib.MAX_WBITS | 16
MOST_BYTES = 100 << 20  # of a session
LARGEST = 1 << 30  # bytes of a file, or of one in an archive
MEMBERS = ("data.txt", ".jsonl")  # how the names of files with sessions end, within an archive
EXPECTED = "expected what a built study uploads, or participants save"


Key = tuple[str, str]  # (build, code) of a session; the build is "" for one that the study's own server recorded


class NotASession(ChunkError):
    """A file or line that no session wrote."""


@dataclass
class Uploaded:
    """What the files hold of one session."""

    build: str
    id: str
    opening: dict[str, Any] = field(default_factory=dict)
    chunks: dict[int, list[Entry]] = field(default_factory=dict)
    origins: dict[int, str] = field(default_factory=dict)  # of the chunks: file and line
    files: list[Path] = field(default_factory=list)
    is_withdrawn: bool = False
    size: int = 0  # bytes of the chunks' lines

    def take_opening(self, opening: dict[str, Any], where: str) -> None:
        if self.opening and self.opening != opening:
            raise AlteredChunk(f"{where}: the opening differs from an earlier one of session {self.id}")
        self.opening = opening

    def take_chunk(self, number: int, entries: list[Entry], where: str, size: int) -> None:
        if number in self.chunks:
            if self.chunks[number] != entries:
                raise AlteredChunk(f"{where}: chunk {number} differs from the one in {self.origins[number]}")
            return
        if self.size + size > MOST_BYTES:
            raise AlteredChunk(f"{where}: session {self.id} is larger than {MOST_BYTES >> 20} MB: expected less")
        self.chunks[number], self.origins[number] = entries, where
        self.size += size


@dataclass
class Found:
    """Everything in some files: ``sessions``, and ``problems``, an error for each line that is left out."""

    sessions: dict[Key, Uploaded] = field(default_factory=dict)
    problems: list[ChunkError | OSError] = field(default_factory=list)

    def of(self, key: tuple[str, Any], path: Path, where: str) -> Uploaded:
        """The session of that build with that code. Raises NotASession if it is none."""
        build, code = key
        if not isinstance(code, str) or not CODE.fullmatch(code):
            raise NotASession(f"{where}: id {str(code)[:40]!r}: {EXPECTED}")
        session = self.sessions.setdefault((build, code), Uploaded(build, code))
        if path not in session.files:
            session.files.append(path)
        return session


def read_uploads(paths: Iterable[Path]) -> Found:
    """Reads files, archives (.zip, JATOS's .jrzip), and every such file in folders."""
    found = Found()
    for path in each_file(paths):
        try:
            for name, read in contents(path):
                read_file(found, path, f"{path}: {name}" if name else str(path), read)
        except ChunkError as error:
            found.problems.append(error)
        except (OSError, *DAMAGE) as error:
            found.problems.append(NotASession(one_line(path, error)))
    return found


def read_file(found: Found, path: Path, where: str, read: Callable[[], bytes]) -> None:
    """Takes the lines of a file, or of one in an archive; what can't be read becomes a problem."""
    try:
        read_lines(found, path, where, read())
    except ChunkError as error:
        found.problems.append(error)
    except (OSError, *DAMAGE) as error:  # damaged, encrypted, or compressed in a way that Python does not know
        found.problems.append(NotASession(one_line(Path(where), error)))


def each_file(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]


def contents(path: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """(name within an archive or "", what reads it)"""
    if not zipfile.is_zipfile(path):
        yield "", partial(read_whole, path)
        return
    with zipfile.ZipFile(path) as archive:
        members = [each for each in archive.infolist() if each.filename.endswith(MEMBERS)]
        if not members:
            raise NotASession(f"{path}: holds no {' or *'.join(MEMBERS)}: {EXPECTED}")
        for member in members:
            yield member.filename, partial(read_member, archive, member)


def read_whole(path: Path) -> bytes:
    data = read_bytes(path, LARGEST + 1)
    check_size(len(data))
    return data


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    check_size(member.file_size)  # no more than that is ever decompressed
    return archive.read(member)


def check_size(size: int) -> None:
    if size > LARGEST:
        raise OSError(f"larger than {LARGEST >> 20} MB: {EXPECTED}")


def read_lines(found: Found, path: Path, where: str, data: bytes) -> None:
    """Takes every good line; the others become problems."""
    key = ("", path.name.partition(".")[0])  # of chunks that stand alone: browsers number files of the same name
    if is_servers(data):
        chunks = read_chunks(path)
        session = found.of((str(chunks.opening.get("build", "")), chunks.id), path, where)
        for number, entries in enumerate(chunks.entries):
            size = chunks.ends[number + 1] - chunks.ends[number]
            session.take_chunk(number, entries, f"{where}: line {number + 2}", size)
        return
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            key = read_line(found, path, f"{where}: line {number}", line, key)
        except ChunkError as error:
            found.problems.append(error)
    if not data.strip():
        found.problems.append(NotASession(f"{where}: empty: {EXPECTED}"))


def is_servers(data: bytes) -> bool:
    """Whether a server wrote it, which continues a hash from line to line."""
    return b'"schema":' in data[:200] and b'"hash":' in data.partition(b"\n")[0]


def read_line(found: Found, path: Path, where: str, line: bytes, key: Key, is_inside: bool = False) -> Key:
    """Takes a line; ``key`` is the session of the lines before it, ``is_inside`` whether it comes from an upload, which
    holds nothing of any other session.

    Returns the session of the next lines. Raises ChunkError.
    """
    try:
        content = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise TornChunk(f"{where}: cut off or altered: {' '.join(str(error).split())}") from None
    if is_inside and isinstance(content, dict) and (content.get("build", key[0]), content.get("id", key[1])) != key:
        raise AlteredChunk(f"{where}: of session {key[1]} and of another session or build: expected only one")
    match content:
        case {"build": str(build), "id": id, "data": str(data)} if build and not is_inside:
            session = found.of((build, id), path, where)
            for part in unpacked(data, where).splitlines():
                read_line(found, path, where, part, (build, session.id), is_inside=True)
            return key
        case {"build": str(build), "id": id, "withdrawn": True} if build:
            found.of((build, id), path, where).is_withdrawn = True
            return key
        case {"build": str(build), "id": id, "games": list()} if build:
            session = found.of((build, id), path, where)
            session.take_opening(content, where)
            return build, session.id
        case {"n": int(number), "entries": list(entries)} if number >= 0:
            found.of(key, path, where).take_chunk(number, entries, where, len(line))
            return key
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
