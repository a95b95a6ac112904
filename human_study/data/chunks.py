"""The chunks of a session in a browser: one file per session, one numbered chunk per line, on disk before it is
acknowledged.

The first line is the session's *opening*: what a log's header and its consent hold, besides the place. Each line ends
with a hash that continues the one before, as a log's lines do.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Self, TypeGuard

from priorlab.envs.base.files import one_line, read_bytes, write_bytes
from priorlab.envs.plays.events import encode, link, sealed
from priorlab.envs.plays.play import ID_CHARACTERS, ID_LENGTH
from priorlab.human_study.data.outside import parsed

FOLDER, SUFFIX = "browser", ".chunks.jsonl"  # in the data folder of a study
SERVER_LOCK = "server.lock"  # in the folder; held by the only process that may write there
SCHEMA = 1
CODE = re.compile(rf"[{ID_CHARACTERS}]{{{ID_LENGTH}}}")  # of a session in a browser
APART = 64  # lines between those whose places in the file are kept
SETTLED = 60.0  # seconds without a chunk, after which nobody is there

Entry = list[Any]


class ChunkError(ValueError):
    """A file of chunks that nothing can be imported from. Each reason has a class of its own."""


class NoOpening(ChunkError):
    """The first line is missing or cut off: nobody was told that the session began."""


class TornChunk(ChunkError):
    """A line that is not the last one was cut off."""


class AlteredChunk(ChunkError):
    """A line is not what was written there: edited, or of another session."""


class DuplicateChunk(ChunkError):
    """A chunk is there twice."""


class MissingChunk(ChunkError):
    """A chunk between two others is not there."""


class ReorderedChunk(ChunkError):
    """A chunk stands behind a later one."""


class OtherSession(ChunkError):
    """The file holds another session than its name says."""


class ChunkDiffers(ValueError):
    """A chunk with that number was already written, with other content."""


class ChunkAhead(ValueError):
    """Chunks before this one are missing. ``next`` is the number of the one that is expected."""

    def __init__(self, number: int, next: int):
        super().__init__(f"chunk {number}: expected chunk {next}")
        self.next = next


@dataclass(frozen=True)
class Chunks:
    """What a file holds. ``tail``: the bytes of a last line that a crash cut off; nobody was told that it was kept."""

    path: Path
    opening: dict[str, Any]
    entries: list[list[Entry]]  # of each chunk
    chain: str  # the hash of the last line
    ends: list[int]  # bytes up to the end of each complete line
    tail: bytes = b""

    @property
    def id(self) -> str:
        return self.opening["id"]

    def all(self) -> Iterator[tuple[int, Entry]]:
        """Each entry, with the number of its chunk."""
        for number, entries in enumerate(self.entries):
            for entry in entries:
                yield number, entry


def body_of(number: int, entries: list[Entry]) -> str:
    """A chunk as its line has it, without the hash."""
    return encode({"n": number, "entries": entries})


def chunks_path(folder: Path, code: str) -> Path:
    """Of the session with that code in a study's data folder. Raises ValueError for anything but a code."""
    if not CODE.fullmatch(code):
        raise ValueError(f"{code[:40]!r}: expected the {ID_LENGTH} characters of a session")
    return folder / FOLDER / f"{code}{SUFFIX}"


def chunk_files(folder: Path) -> list[Path]:
    """Of all sessions in a study's data folder, in order."""
    return sorted((folder / FOLDER).glob(f"*{SUFFIX}"))


def is_under_way(folder: Path, code: str, now: float) -> bool:
    """Whether a browser sent something of that session within the last minute; ``now`` by ``time.time``."""
    try:
        return abs(now - chunks_path(folder, code).stat().st_mtime) < SETTLED
    except (ValueError, OSError):
        return False


def read_chunks(path: Path) -> Chunks:
    """Reads and checks a file. Raises ChunkError, one line that names the file, the line and the reason; OSError."""
    return checked(path, read_bytes(path))


def checked(path: Path, data: bytes) -> Chunks:
    """As ``read_chunks``, of the content of a file with that name, such as one in an archive."""
    chunks = parse(path, data)
    if path.name != f"{chunks.opening.get('id')}{SUFFIX}":
        what = f"holds session {chunks.opening.get('id')!r}: expected the one in the file's name"
        raise OtherSession(f"{path}: line 1: {what}")
    return chunks


def read_copy(path: Path) -> Chunks:
    """As ``read_chunks``, of a file with any name."""
    return parse(path, read_bytes(path))


def parse(path: Path, data: bytes) -> Chunks:
    *lines, tail = data.split(b"\n")
    if not lines:
        raise NoOpening(f"{path}: line 1: cut off: expected the opening of a session")
    opening, chain = checked_line(path, 1, lines[0], "")
    if opening.get("schema") != SCHEMA:
        raise ChunkError(f"{path}: line 1: schema {opening.get('schema')!r}: expected {SCHEMA}, the only one read here")
    entries: list[list[Entry]] = []
    for number, line in enumerate(lines[1:], 2):
        where = f"{path}: line {number}"
        check_number(where, line, len(entries))
        chunk, chain = checked_line(path, number, line, chain)
        if not is_list_of_entries(chunk.get("entries")):
            raise AlteredChunk(f"{where}: expected entries, a list of lists")
        entries.append(chunk["entries"])
    return Chunks(path, opening, entries, chain, [*accumulate(len(line) + 1 for line in lines)], tail)


def checked_line(path: Path, number: int, line: bytes, chain: str) -> tuple[dict[str, Any], str]:
    """(the content of a line, its hash) after a line with the hash ``chain``."""
    try:
        content = parsed(line)
        body = line[: line.rfind(b',"hash":')].decode() + "}"
    except ValueError as error:
        raise TornChunk(f"{path}: line {number}: cut off or altered: {' '.join(str(error).split())}") from None
    hashed = link(chain, body)
    if line + b"\n" != sealed(body, hashed):
        why = "altered, or of another session: its hash does not match the lines up to it"
        raise AlteredChunk(f"{path}: line {number}: {why}")
    return content, hashed


def is_list_of_entries(entries: Any) -> TypeGuard[list[Entry]]:
    return isinstance(entries, list) and all(
        isinstance(entry, list) and entry and isinstance(entry[0], str) for entry in entries
    )


def is_chunk_number(number: Any) -> TypeGuard[int]:
    return type(number) is int and number >= 0


def is_end(entries: list[Entry]) -> bool:
    """Whether the session ends with them."""
    return any(entry[0] == "f" for entry in entries)


def check_number(where: str, line: bytes, expected: int) -> None:
    """Says what is wrong with a chunk that is out of place, before its hash says only that something is."""
    try:
        number = json.loads(line)["n"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return
    if number == expected:
        return
    if number == expected - 1:
        raise DuplicateChunk(f"{where}: chunk {number} is there twice: expected chunk {expected}")
    if isinstance(number, int) and number > expected:
        raise MissingChunk(f"{where}: chunk {number}, but chunk {expected} before it is missing")
    raise ReorderedChunk(f"{where}: chunk {number!r} stands behind later ones: expected chunk {expected}")


class ChunkWriter:
    """Appends the chunks of one session. Only one process may write a study's chunks at a time."""

    def __init__(self, path: Path, chain: str, ends: Iterable[int]):
        """``chain``: the hash of the file's last line; ``ends``: bytes up to the end of each."""
        self.path, self._chain = path, chain
        self.next = -1  # the number of the next chunk, which is that of lines less the opening
        self.size = 0  # bytes of the file's complete lines
        self._begins: list[int] = []  # of every APART-th line; of all lines of all sessions they would fill the memory
        self._count(ends)

    def _count(self, ends: Iterable[int]) -> None:
        """Takes in further lines."""
        for end in ends:
            if (self.next + 1) % APART == 0:
                self._begins.append(self.size)
            self.next, self.size = self.next + 1, end

    @classmethod
    def create(cls, path: Path, opening: Mapping[str, Any]) -> Self:
        """Begins a session's file, which is there with its whole opening or not at all; FileExistsError if there is
        one, which stays as it is."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise FileExistsError(f"{path} exists: expected a new session; nothing was overwritten")
        body = encode({"schema": SCHEMA, **opening})
        line = sealed(body, chain := link("", body))
        write_bytes(path, line)
        return cls(path, chain, [len(line)])

    @classmethod
    def reopen(cls, chunks: Chunks) -> Self:
        """Continues a file after its last complete line; what a crash left after it is cut off."""
        if chunks.tail:
            os.truncate(chunks.path, chunks.ends[-1])
        return cls(chunks.path, chunks.chain, chunks.ends)

    def add(self, number: int, entries: list[Entry]) -> int:
        """Appends a chunk, and returns the number of the next one once it is on disk.

        A chunk that is there already, as when an answer got lost, is only compared. Raises ChunkDiffers; ChunkAhead;
        FileNotFoundError if the file was deleted; OSError, one line, if it can't be written, which leaves it as it was.
        """
        body = body_of(number, entries)
        if number > self.next:
            raise ChunkAhead(number, self.next)
        if number < self.next:
            line = self._line(number)
            if line[: line.rfind(b',"hash":')] != body[:-1].encode():
                raise ChunkDiffers(f"chunk {number} was written with other entries: expected chunk {self.next}")
            return number + 1
        return self.extend([body])

    def _line(self, number: int) -> bytes:
        """Of a chunk; of the file, which may have megabytes, little else is read."""
        begin, others = divmod(number + 1, APART)
        try:
            with self.path.open("rb") as file:
                file.seek(self._begins[begin])
                for _ in range(others):
                    file.readline()
                return file.readline()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise OSError(one_line(self.path, error)) from None

    def extend(self, bodies: Sequence[str]) -> int:
        """Appends the next chunks at once, as ``body_of`` has them. Returns and raises as ``add``."""
        chain, sealed_lines = self._chain, []
        for body in bodies:
            chain = link(chain, body)
            sealed_lines.append(sealed(body, chain))
        lines = b"".join(sealed_lines)
        ends = [self.size + end for end in accumulate(map(len, sealed_lines))]
        try:
            with self.path.open("r+b", buffering=0) as file:
                file.seek(self.size)
                try:
                    if file.write(lines) != len(lines):
                        raise OSError("the disk is full")
                    os.fsync(file.fileno())
                except OSError:
                    file.truncate(self.size)
                    raise
        except FileNotFoundError:
            raise
        except OSError as error:
            raise OSError(one_line(self.path, error)) from None
        self._chain = chain
        self._count(ends)
        return self.next
