"""Files that are either as before or wholly new, and names that nobody else can take."""

import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

REPLACE_TRIES = 20  # on Windows a file that a virus scanner holds open can't be replaced for a moment


def reserve(path: Path) -> Path:
    """Makes the file, so that nobody else can take its name; FileExistsError where one has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.open("xb").close()
    except FileExistsError:
        raise FileExistsError(f"{path} exists: expected a new name; nothing was overwritten") from None
    return path


class Taken(OSError):
    """Another process holds the lock file."""


def hold(path: Path, taken: str) -> FileLock:
    """The lock file, held by this process until released; ``Taken``, in the words ``taken``, where another holds it."""
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Taken(taken) from None
    except NotImplementedError as error:
        raise OSError(f"{path}: this folder can't lock files ({error}): expected a local folder, or NFS 4") from None
    return lock


def release(lock: FileLock) -> None:
    lock.release()
    with suppress(OSError):
        Path(lock.lock_file).unlink(missing_ok=True)


@contextmanager
def held(path: Path, taken: str) -> Iterator[None]:
    """``hold``, and ``release`` at the end of the block, however it ends."""
    lock = hold(path, taken)
    try:
        yield
    finally:
        release(lock)


def write_whole(path: Path, text: str) -> None:
    """The file is either as before or wholly new, also where the machine stops meanwhile."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """As ``write_whole``."""
    with writing(path) as file:
        file.write(content)


@contextmanager
def writing(path: Path) -> Iterator[io.BufferedWriter]:
    """A file to write into, which takes the place of ``path`` once all of it is on disk; never where that fails."""
    draft = path.with_name(path.name + ".draft")
    with draft.open("wb") as file:
        yield file
        to_disk(file)
    for left in reversed(range(REPLACE_TRIES)):
        try:
            draft.replace(path)
            return
        except PermissionError:
            if not left:
                raise
            time.sleep(0.05)


def to_disk(file: IO) -> None:
    """What was written so far outlasts a power cut."""
    file.flush()
    os.fsync(file.fileno())


def whole_lines(path: Path) -> str:
    """The file's text up to its last line break: a line that a killed process had not finished is left out."""
    if not path.exists():
        return ""
    text = path.read_text(encoding="utf-8")
    return text[: text.rfind("\n") + 1]
