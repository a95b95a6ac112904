"""Finds a participant's code in a folder: in names, in files, in compressed data; and which files are theirs alone."""

import bz2
import gzip
import json
import lzma
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

from priorlab.envs.base.files import decoded, read_bytes
from priorlab.envs.plays.events import SUFFIX, read_events, unedited
from priorlab.envs.plays.play_file import FORMAT
from priorlab.envs.plays.play_file import SUFFIX as PLAY_SUFFIX
from priorlab.human_study.data.chunks import FOLDER, read_copy
from priorlab.human_study.data.chunks import SUFFIX as CHUNKS
from priorlab.human_study.data.video import CODECS

CHUNK = 1 << 20  # bytes searched at once
HEAD = 1 << 16  # bytes within which the first line of a log ends
WHOLE = 1 << 26  # bytes of the largest file that is read as one JSON object
VIDEOS = {*CODECS, ".avi", ".m4v", ".mov", ".webm"}  # files that only a person can check
DEPTH = 4  # of archives within archives
HISTORIES = frozenset({".git", ".hg", ".svn"})  # folders that keep, compressed, what was deleted next to them
STREAMS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}  # by first bytes
ZIP, TAR, HDF5 = (b"PK\x03\x04", b"PK\x05\x06"), b"ustar", b"\x89HDF\r\n\x1a\n"
CLOSED = {  # kinds of files whose text can't be unpacked here, by first bytes
    b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!": "RAR", b"\x28\xb5\x2f\xfd": "Zstandard", b"\x04\x22\x4d\x18": "LZ4",
    b"PAR1": "Parquet", b"ARROW1": "Arrow", b"%PDF": "PDF",
}  # fmt: skip
DAMAGE = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError, RuntimeError, NotImplementedError)


class Unsearched(OSError):
    """Part of a file can't be searched, and the rest does not contain the code."""


def files_in(folder: Path) -> Iterator[Path]:
    """Every file, link to a file, and folder that can't be listed or is a version history. Follows linked folders, each
    once."""
    unlisted: list[OSError] = []
    seen: set[str] = set()
    for root, folders, names in os.walk(folder, onerror=unlisted.append, followlinks=True):
        real = os.path.realpath(root)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (Path(root, name) for name in folders if name in HISTORIES)
        folders[:] = sorted(set(folders) - HISTORIES)
        yield from (Path(root, name) for name in sorted(names))
    yield from (Path(error.filename) for error in unlisted)


def is_named(path: Path, folder: Path, code: str) -> bool:
    """Whether the code is a word in the path below the folder."""
    return has_word(str(path.relative_to(folder)), code)


def has_word(text: str, code: str) -> bool:
    return bool(re.search(rf"(?<![0-9A-Za-z]){re.escape(code)}(?![0-9A-Za-z])", text, re.I))


def is_named_after(path: Path, folder: Path, code: str) -> bool:
    """Whether the file's name begins with the code or is that of a copy of their log, or a folder is named by the code.

    A figure "without abcd2345.png" is not theirs.
    """
    begins = re.match(rf"[\W_]*{re.escape(code)}(?![0-9A-Za-z])", path.name, re.I)
    folders = [each.casefold() for each in path.relative_to(folder).parts[:-1]]
    return bool(begins) or code.casefold() in folders or (SUFFIX in path.name and has_word(path.name, code))


def holds(path: Path, words: Collection[str]) -> bool:
    """Whether the file contains one of the words, ASCII in any case: as UTF-8 or UTF-16, compressed, or in an archive.

    Videos are not searched. Only a part of the file is in memory at a time. Raises OSError if the file can't be read,
    ``Unsearched`` if a part of it can't.
    """
    if is_video(path) or not words:
        return False
    if path.name in HISTORIES and path.is_dir():
        raise Unsearched("keeps every version that was ever saved in it, even of deleted files")
    read_bytes(path, 1)  # raises a clear error if it is not a file
    wanted = [between.join(word.lower()).encode() for word in words for between in ("", "\0", "\0\0\0")]
    with path.open("rb") as file:
        return stream_holds(file, wanted, DEPTH)


def stream_holds(file: IO[bytes], wanted: list[bytes], depth: int) -> bool:
    """As ``holds``, for a seekable file; ``wanted`` is in lower case."""
    try:
        if raw_holds(file, wanted):
            return True
        file.seek(0)
        head = file.read(512)
        file.seek(0)
        if head.startswith(HDF5):
            return hdf5_holds(file, wanted)
        kind = next((kind for mark, kind in CLOSED.items() if head.startswith(mark)), None)
        doubt = f"is compressed as {kind}, which can't be searched" if kind else ""
        for opened in inside(file, head):
            try:
                with opened() as stream:
                    if depth and stream_holds(stream, wanted, depth - 1):
                        return True
                doubt = doubt if depth else "holds archives within archives within archives"
            except (Unsearched, *DAMAGE) as error:
                doubt = str(error) if isinstance(error, Unsearched) else why(error)
    except DAMAGE as error:
        doubt = why(error)
    if doubt:
        raise Unsearched(doubt)
    return False


def why(error: Exception) -> str:
    return f"is damaged or encrypted ({' '.join(str(error).split())})"


def raw_holds(file: IO[bytes], wanted: list[bytes]) -> bool:
    overlap = max(map(len, wanted)) - 1  # bytes of a word that a chunk may cut off
    before = b""
    while chunk := file.read(CHUNK):
        both = before + chunk.lower()
        if any(word in both for word in wanted):
            return True
        before = both[-overlap:]
    return False


def inside(file: IO[bytes], head: bytes) -> Iterator[Callable[[], Any]]:
    """A function that opens each thing in the file: one compressed stream, or the members of an archive."""
    yield from (partial(opened, file) for mark, opened in STREAMS.items() if head.startswith(mark))
    if head.startswith(ZIP):
        with zipfile.ZipFile(file) as archive:
            yield from (partial(archive.open, member) for member in archive.infolist() if not member.is_dir())
    if head[257:262] == TAR:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            yield from (partial(archive.extractfile, member) for member in archive if member.isfile())


def hdf5_holds(file: IO[bytes], wanted: list[bytes]) -> bool:
    """Whether text that HDF5 compressed contains a word; all other text was searched before."""
    try:
        import h5py
    except ImportError:
        raise Unsearched("may contain compressed text, which only the package h5py can search") from None

    def item_holds(_: str, item: Any) -> bool | None:
        is_packed = isinstance(item, h5py.Dataset) and item.chunks and item.id.get_create_plist().get_nfilters()
        if not is_packed or item.dtype.kind not in "SV":
            return None
        step = max(1, CHUNK // item.dtype.itemsize)
        for first in range(0, len(item), step):
            content = item[first : first + step].tobytes().lower()
            if any(word in content for word in wanted):
                return True
        return None

    file.seek(0)
    with h5py.File(file, "r") as data:
        return bool(data.visititems(item_holds))


def is_alone(path: Path, folder: Path, code: str, others: Collection[str]) -> bool:
    """Whether a file that contains the code, or has it in its name, belongs to that participant alone: a recording of
    theirs under any name, or a file that is named after them and names nobody else.

    What the server wrote of their session is theirs even if it is damaged, or an answer in it names somebody else.
    """
    if path == folder / FOLDER / f"{code}{CHUNKS}":
        return True
    is_theirs, is_intact = recording_of(path, code)
    named = is_named_after(path, folder, code)
    if (is_theirs and is_intact) or (named and not path.exists()):  # the latter is a broken link
        return True
    if not is_theirs and not named:
        return False
    return not any(is_named(path, folder, other) for other in others) and not holds(path, others)


def recording_of(path: Path, code: str) -> tuple[bool, bool]:
    """(whether the file is a log, chunks, play or place of that participant, whether it is intact), from its
    content."""
    header = header_of(path)
    read = read_events if header.get("event") == "session" else read_copy if is_opening(header) else None
    if read:
        try:
            read(path)
        except (ValueError, OSError):
            return code in codes_in(header), False
        return code in codes_in(header), True
    return code in codes_in(header), bool(header)


def codes_in(header: dict[str, Any]) -> set[str]:
    """The codes of the participant whose recording has this header."""
    if is_opening(header):
        codes = (header["id"],)
    elif header.get("event") == "session":
        codes = (header.get("id"), header.get("participant"))
    elif header.get("format") == FORMAT and header.get("player") == "person":
        codes = (header.get("player_id"), str(header.get("id")).rpartition("-")[0])
    elif {"number", "block", "rule", "participant"} <= header.keys():
        codes = (header["participant"],)
    else:
        codes = ()
    return {each for each in codes if isinstance(each, str) and each}


def is_opening(header: dict[str, Any]) -> bool:
    """Whether it begins a file of chunks."""
    return {"schema", "id", "consent"} <= header.keys()


def header_of(path: Path) -> dict[str, Any]:
    """The first event of a log, the opening of chunks, or all of a play or a place, compressed or not; {} for other
    files."""
    try:
        line = unedited(beginning(path, HEAD)).partition(b"\n")[0].strip()
        if not line.startswith(b"{"):
            return {}
        header = json.loads(decoded(beginning(path, WHOLE)) if line == b"{" else line)
    except (OSError, ValueError, RecursionError, *DAMAGE):
        return {}
    return header if isinstance(header, dict) else {}


def beginning(path: Path, most: int) -> bytes:
    """The first bytes of the file, unpacked, at most that many."""
    data = read_bytes(path, most)
    opened = next((opened for mark, opened in STREAMS.items() if data.startswith(mark)), None)
    if not opened:
        return data
    with opened(path) as file:
        return file.read(most)


def looks_recorded(path: Path) -> bool:
    """Whether the name is that of a recording, a video, or a copy of one."""
    return SUFFIX in path.name or path.suffix == PLAY_SUFFIX or is_video(path)


def is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEOS
