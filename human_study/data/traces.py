"""Where somebody's code stands in a folder: in names, in files and in what is compressed; and which files are of them
alone."""

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
from priorlab.human_study.data.video import CODECS

CHUNK = 1 << 20  # bytes that are searched at once
HEAD = 1 << 16  # bytes within which a log's first line ends
WHOLE = 1 << 26  # bytes of the largest file that is read as one JSON object
VIDEOS = {*CODECS, ".avi", ".m4v", ".mov", ".webm"}  # names of files that only a person can look through
DEPTH = 4  # of archives within archives
HISTORIES = frozenset({".git", ".hg", ".svn"})  # folders that keep, packed, what was deleted beside them
STREAMS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}  # by first bytes
ZIP, TAR, HDF5 = (b"PK\x03\x04", b"PK\x05\x06"), b"ustar", b"\x89HDF\r\n\x1a\n"
CLOSED = {  # kinds of files whose text is packed in a way that is not undone here, by their first bytes
    b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!": "RAR", b"\x28\xb5\x2f\xfd": "Zstandard", b"\x04\x22\x4d\x18": "LZ4",
    b"PAR1": "Parquet", b"ARROW1": "Arrow", b"%PDF": "PDF",
}  # fmt: skip
DAMAGE = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError, RuntimeError, NotImplementedError)


class Unsearched(OSError):
    """Part of a file can't be searched, and the rest of it does not hold what was looked for."""


def files_in(folder: Path) -> Iterator[Path]:
    """Every file, link to a file, and folder that can't be listed or is a history of versions; linked folders are
    looked through, each once."""
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
    """Whether the code stands as a word in the path below the folder."""
    return has_word(str(path.relative_to(folder)), code)


def has_word(text: str, code: str) -> bool:
    return bool(re.search(rf"(?<![0-9A-Za-z]){re.escape(code)}(?![0-9A-Za-z])", text, re.I))


def is_named_after(path: Path, folder: Path, code: str) -> bool:
    """Whether its name begins with the code, is that of a copy of their log, or its folder's name is the code; a figure
    "without abcd2345.png" is not of that person."""
    begins = re.match(rf"[\W_]*{re.escape(code)}(?![0-9A-Za-z])", path.name, re.I)
    folders = [each.casefold() for each in path.relative_to(folder).parts[:-1]]
    return bool(begins) or code.casefold() in folders or (SUFFIX in path.name and has_word(path.name, code))


def holds(path: Path, words: Collection[str]) -> bool:
    """Whether one of the words, ASCII, stands anywhere in the file, in either case: as UTF-8 or UTF-16, compressed, or
    in an archive.

    A video holds none. Nothing is held in memory but a part of the file. Raises OSError where the file, or a part of
    it, can't be read (``Unsearched``).
    """
    if is_video(path) or not words:
        return False
    if path.name in HISTORIES and path.is_dir():
        raise Unsearched("keeps every version that was ever saved in it, also of what is deleted")
    read_bytes(path, 1)  # names what is no file
    wanted = [between.join(word.lower()).encode() for word in words for between in ("", "\0", "\0\0\0")]
    with path.open("rb") as file:
        return stream_holds(file, wanted, DEPTH)


def stream_holds(file: IO[bytes], wanted: list[bytes], depth: int) -> bool:
    """As ``holds``, of a file that can be gone back in; ``wanted`` is in lower case."""
    try:
        if raw_holds(file, wanted):
            return True
        file.seek(0)
        head = file.read(512)
        file.seek(0)
        if head.startswith(HDF5):
            return hdf5_holds(file, wanted)
        kind = next((kind for mark, kind in CLOSED.items() if head.startswith(mark)), None)
        doubt = f"is packed as {kind}, which can't be searched" if kind else ""
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
    kept = max(map(len, wanted)) - 1  # what may be cut in two
    before = b""
    while chunk := file.read(CHUNK):
        both = before + chunk.lower()
        if any(word in both for word in wanted):
            return True
        before = both[-kept:]
    return False


def inside(file: IO[bytes], head: bytes) -> Iterator[Callable[[], Any]]:
    """What opens each thing that is packed in the file: one stream, or the members of an archive."""
    yield from (partial(opened, file) for mark, opened in STREAMS.items() if head.startswith(mark))
    if head.startswith(ZIP):
        with zipfile.ZipFile(file) as archive:
            yield from (partial(archive.open, member) for member in archive.infolist() if not member.is_dir())
    if head[257:262] == TAR:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            yield from (partial(archive.extractfile, member) for member in archive if member.isfile())


def hdf5_holds(file: IO[bytes], wanted: list[bytes]) -> bool:
    """Whether text that HDF5 has compressed holds it; all other text was seen as it stands in the file."""
    try:
        import h5py
    except ImportError:
        raise Unsearched("may hold compressed text, which only the package h5py can search") from None

    def found(_: str, item: Any) -> bool | None:
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
        return bool(data.visititems(found))


def is_alone(path: Path, folder: Path, code: str, others: Collection[str]) -> bool:
    """Whether a file that is named by the code, or holds it, is of that person alone: a recording of theirs under any
    name, or a file that is named after them; where nobody else is named in it."""
    own, is_sound = recording_of(path, code)
    named = is_named_after(path, folder, code)
    if (own and is_sound) or (named and not path.exists()):  # the latter is a link that leads nowhere
        return True
    if not own and not named:
        return False
    return not any(is_named(path, folder, other) for other in others) and not holds(path, others)


def recording_of(path: Path, code: str) -> tuple[bool, bool]:
    """Whether the file is a log, a play or a place of that person, and whether it is whole; by what is in it."""
    header = header_of(path)
    if header.get("event") == "session":
        try:
            read_events(path)
        except (ValueError, OSError):
            return code in codes_in(header), False
        return code in codes_in(header), True
    return code in codes_in(header), bool(header)


def codes_in(header: dict[str, Any]) -> set[str]:
    """Whose recording it is that has this header."""
    if header.get("event") == "session":
        found = (header.get("id"), header.get("participant"))
    elif header.get("format") == FORMAT and header.get("player") == "person":
        found = (header.get("player_id"), str(header.get("id")).rpartition("-")[0])
    elif {"number", "block", "rule", "participant"} <= header.keys():
        found = (header["participant"],)
    else:
        found = ()
    return {each for each in found if isinstance(each, str) and each}


def header_of(path: Path) -> dict[str, Any]:
    """The first event of a log, or all of a play or a place, also where it is compressed; {} where it is none."""
    try:
        line = unedited(beginning(path, HEAD)).partition(b"\n")[0].strip()
        if not line.startswith(b"{"):
            return {}
        found = json.loads(decoded(beginning(path, WHOLE)) if line == b"{" else line)
    except (OSError, ValueError, RecursionError, *DAMAGE):
        return {}
    return found if isinstance(found, dict) else {}


def beginning(path: Path, most: int) -> bytes:
    """That many bytes of it, unpacked."""
    data = read_bytes(path, most)
    opened = next((opened for mark, opened in STREAMS.items() if data.startswith(mark)), None)
    if not opened:
        return data
    with opened(path) as file:
        return file.read(most)


def looks_recorded(path: Path) -> bool:
    """Whether the name is one that a recording, a video of it, or a copy of either is given."""
    return SUFFIX in path.name or path.suffix == PLAY_SUFFIX or is_video(path)


def is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEOS
