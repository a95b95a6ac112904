"""Files of sessions in browsers, wherever they come from: what DataPipe or a host keeps, the results that JATOS
exports, what participants saved, the chunks of a server, the data of experiments in jsPsych. Several files may hold one
session, in any order, and overlap.

A line is a JSON object: an *opening* (build, id and what the log's header needs), a chunk (n, entries) of the opening
or file that it stands in, an *upload* (build, id, data: lines compressed by gzip, in base64), or a *withdrawal*.

Whoever can upload can write anything. So a session is known by its build and its code; what a file says of another
build, or of none, never reaches it. A file in an archive has the path of the archive and its own name within it.
"""

import base64
import binascii
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from priorlab.envs.base.files import one_line, read_bytes, shown
from priorlab.human_study.data.chunks import (
    CODE,
    AlteredChunk,
    ChunkError,
    Entry,
    TornChunk,
    body_of,
    checked,
    is_chunk_number,
    is_end,
    is_list_of_entries,
)
from priorlab.human_study.data.outside import parsed
from priorlab.human_study.data.traces import DAMAGE
from priorlab.human_study.hosting import rows

GZIP = zlib.MAX_WBITS | 16
MOST_BYTES = 100 << 20  # of a session
LARGEST = 1 << 30  # bytes of a file, or of one in an archive; also of what a file's uploads hold
MOST_IN_ALL = 4 << 30  # bytes of all files
MOST_PROBLEMS = 100  # of a file that are named one by one
MEMBERS = ("data.txt", ".jsonl", ".json", ".csv")  # how the names of files with sessions end, within an archive
ABOUT = "metadata.json"  # what JATOS's archives hold besides
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
    chunks: dict[int, str] = field(default_factory=dict)  # as ``body_of`` has them, by number
    origins: dict[int, str] = field(default_factory=dict)  # of the chunks: file and line
    ends: set[int] = field(default_factory=set)  # numbers of the chunks that end the session: one, if all is well
    files: list[Path] = field(default_factory=list)
    is_withdrawn: bool = False
    size: int = 0  # characters of the chunks

    @property
    def key(self) -> Key:
        return self.build, self.id

    def take_opening(self, opening: dict[str, Any], where: str) -> None:
        if self.opening and self.opening != opening:
            raise AlteredChunk(f"{where}: the opening differs from an earlier one of session {self.id}")
        self.opening = opening

    def take_chunk(self, number: int, entries: list[Entry], where: str) -> None:
        body = body_of(number, entries)
        if number in self.chunks:
            if self.chunks[number] != body:
                raise AlteredChunk(f"{where}: chunk {number} differs from the one in {self.origins[number]}")
            return
        if self.size + len(body) > MOST_BYTES:
            raise AlteredChunk(f"{where}: session {self.id} is larger than {MOST_BYTES >> 20} MB: expected less")
        self.chunks[number], self.origins[number] = body, where
        self.ends |= {number} if is_end(entries) else set()
        self.size += len(body)


@dataclass
class Found:
    """Everything in some files: ``sessions``, and ``problems``, an error for each line that is left out."""

    sessions: dict[Key, Uploaded] = field(default_factory=dict)
    problems: list[ChunkError | OSError] = field(default_factory=list)
    sizes: dict[Path, int] = field(default_factory=dict)  # bytes of each file and of what its uploads hold
    size: int = 0  # of all of them

    def of(self, key: tuple[str, Any], path: Path, where: str) -> Uploaded:
        """The session of that build with that code. Raises NotASession if it is none."""
        build, code = key
        if not isinstance(code, str) or not CODE.fullmatch(code):
            raise NotASession(f"{where}: id {str(code)[:40]!r}: {EXPECTED}")
        session = self.sessions.setdefault((build, code), Uploaded(build, code))
        if path not in session.files:
            session.files.append(path)
        return session

    def make_room(self, size: int, source: Path, where: str) -> None:
        """Counts bytes of a file. Raises NotASession if there are too many of it, or of all files."""
        check_size(size + self.sizes.get(source, 0), where)
        if size + self.size > MOST_IN_ALL:
            largest = max(self.sizes, key=self.sizes.__getitem__, default=source)
            raise NotASession(
                f"{where}: left out, since all files hold more than {MOST_IN_ALL >> 20} MB, most of them "
                f"{shown(largest)}: expected fewer files at once"
            )
        self.sizes[source] = self.sizes.get(source, 0) + size
        self.size += size


def read_uploads(paths: Iterable[Path]) -> Found:
    """Reads files, archives (.zip, JATOS's .jrzip), and every such file in folders."""
    found = Found()
    for path in each_file(paths):
        try:
            for source, read in contents(path):
                read_file(found, path, source, read)
        except ChunkError as error:
            found.problems.append(error)
        except (OSError, *DAMAGE) as error:
            found.problems.append(NotASession(one_line(path, error)))
    return found


def read_file(found: Found, path: Path, source: Path, read: Callable[[], bytes]) -> None:
    """Takes the lines of a file, or of one in an archive; what can't be read becomes a problem."""
    try:
        read_lines(found, path, source, read())
    except ChunkError as error:
        found.problems.append(error)
    except (OSError, *DAMAGE) as error:  # damaged, encrypted, or compressed in a way that Python does not know
        found.problems.append(NotASession(one_line(source, error)))


def each_file(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        inside = (each for each in path.rglob("*") if each.is_file() and each.name != ABOUT)
        yield from sorted(inside) if path.is_dir() else [path]


def contents(path: Path) -> Iterator[tuple[Path, Callable[[], bytes]]]:
    """(the file's path, which in an archive goes on with the name there; what reads it)"""
    if not zipfile.is_zipfile(path):
        yield path, partial(read_whole, path)
        return
    with zipfile.ZipFile(path) as archive:
        members = [each for each in archive.infolist() if is_member(each.filename)]
        if not members:
            raise NotASession(f"{path}: holds no {' or *'.join(MEMBERS)}: {EXPECTED}")
        for member in members:
            yield path / member.filename.lstrip("/"), partial(read_member, archive, member)


def is_member(name: str) -> bool:
    return name.endswith(MEMBERS) and not name.endswith(ABOUT)


def read_whole(path: Path) -> bytes:
    data = read_bytes(path, LARGEST + 1)
    check_size(len(data), str(path))
    return data


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    check_size(member.file_size, str(archive.filename))  # no more than that is ever decompressed
    return archive.read(member)


def check_size(size: int, where: str) -> None:
    if size > LARGEST:
        raise NotASession(f"{where}: larger than {LARGEST >> 20} MB: {EXPECTED}")


def read_lines(found: Found, path: Path, source: Path, data: bytes) -> None:
    """Takes every good line; the others become problems."""
    where = shown(source)
    found.make_room(len(data), source, where)
    key = ("", source.name.partition(".")[0])  # of chunks that stand alone: browsers number files of the same name
    if is_servers(data):
        chunks = checked(source, data)
        session = found.of((str(chunks.opening.get("build", "")), chunks.id), path, where)
        for number, entries in enumerate(chunks.entries):
            session.take_chunk(number, entries, f"{where}: line {number + 2}")
        return
    content = rows.csv_rows(data, where) if rows.is_csv(data) else rows.json_rows(data, where)
    if content is not None:
        Line(found, path, source, where).read_rows(content)
        return
    left_out = LeftOut(found, where)
    for number, line in enumerate(io.BytesIO(data), 1):  # a list of all lines could be eight times as large
        if not (line := line.strip()):
            continue
        try:
            key = Line(found, path, source, f"{where}: line {number}").read(line, key)
        except ChunkError as error:
            left_out.add(error)
    left_out.close()
    if not data.strip():
        found.problems.append(NotASession(f"{where}: empty: {EXPECTED}"))


@dataclass
class LeftOut:
    """Lines of a file that are left out; the first ones are named one by one."""

    found: Found
    where: str
    count: int = 0

    def add(self, error: ChunkError) -> None:
        self.count += 1
        self.found.problems += [error] if self.count <= MOST_PROBLEMS else []

    def close(self) -> None:
        if (more := self.count - MOST_PROBLEMS) > 0:
            self.found.problems.append(NotASession(f"{self.where}: {more} more lines are left out: {EXPECTED}"))


def is_servers(data: bytes) -> bool:
    """Whether a server wrote it, which continues a hash from line to line."""
    return b'"schema":' in data[:200] and b'"hash":' in data.partition(b"\n")[0]


@dataclass(frozen=True)
class Line:
    """Where a line stands: ``path``, a file on this computer, ``source``, as ``contents`` has it, and ``where``."""

    found: Found
    path: Path
    source: Path
    where: str

    def read(self, line: bytes, key: Key, is_inside: bool = False) -> Key:
        """Takes the line; ``key`` is the session of the lines before it, ``is_inside`` whether it comes from an upload,
        which holds nothing of any other session.

        Returns the session of the next lines. Raises ChunkError.
        """
        content = self._parsed(line)
        if is_inside and isinstance(content, dict):
            self._check_own(content, key)
        if isinstance(content, list) and not is_inside:
            self.read_rows(content)
            return key
        match content:
            case {"build": str(build), "id": id, "data": str(data)} if build and not is_inside:
                session = self._session((build, id))
                for part in io.BytesIO(self._unpacked(data)):
                    self.read(part.strip(), (build, session.id), is_inside=True)
                return key
            case {"build": str(build), "id": id, "withdrawn": True} if build:
                self._session((build, id)).is_withdrawn = True
                return key
            case {"build": str(build), "id": id, "games": list()} if build:
                session = self._session((build, id))
                session.take_opening(content, self.where)
                return build, session.id
            case {"n": number, "entries": entries} if is_chunk_number(number) and is_list_of_entries(entries):
                self._session(key).take_chunk(number, entries, self.where)
                return key
        raise NotASession(f"{self.where}: {line[:40].decode(errors='replace')!r}: {EXPECTED}")

    def read_rows(self, content: Iterable[Any]) -> None:
        """Takes every good trial of the plugin in an experiment's data; the others become problems. Raises NotASession
        if there is none."""
        number, left_out = 0, LeftOut(self.found, self.where)
        for number, record in rows.records_in(content):
            try:
                replace(self, where=f"{self.where}: row {number}")._read_record(record)
            except ChunkError as error:
                left_out.add(error)
        left_out.close()
        if not number:
            raise NotASession(f"{self.where}: holds no trial of the plugin, {rows.TRIAL}: {EXPECTED}")

    def _read_record(self, record: bytes) -> None:
        if not record:
            raise NotASession(f"{self.where}: {rows.RECORD} is empty: expected a trial that ended by itself")
        content = self._parsed(record)
        if not isinstance(content, dict) or "data" not in content:
            raise NotASession(f"{self.where}: {rows.RECORD}: {record[:40].decode(errors='replace')!r}: {EXPECTED}")
        self.read(record, ("", ""))

    def _parsed(self, line: bytes) -> Any:
        try:
            return parsed(line)
        except ValueError as error:
            raise TornChunk(f"{self.where}: cut off or altered: {' '.join(str(error).split())}") from None

    def _check_own(self, content: dict[str, Any], key: Key) -> None:
        if (content.get("build", key[0]), content.get("id", key[1])) != key:
            raise AlteredChunk(f"{self.where}: of session {key[1]} and of another session or build: expected only one")

    def _session(self, key: tuple[str, Any]) -> Uploaded:
        return self.found.of(key, self.path, self.where)

    def _unpacked(self, data: str) -> bytes:
        """The lines of an upload. Raises AlteredChunk unless it is complete and as it was."""
        stream = zlib.decompressobj(GZIP)
        try:
            lines = stream.decompress(base64.b64decode(data, validate=True), MOST_BYTES)
        except (binascii.Error, ValueError, zlib.error) as error:
            raise AlteredChunk(f"{self.where}: cut off or altered: {error}") from None
        if not stream.eof:
            raise AlteredChunk(f"{self.where}: cut off, or larger than {MOST_BYTES >> 20} MB")
        self.found.make_room(len(lines), self.source, self.where)
        return lines
