"""A power cut, as far as a test can make one: `priorlab` in a process that notes what its disk holds for certain, and a
folder that is put back to that after the process was killed.

``python -m tests.support.power FOLDER NOTES COMMAND...`` runs a command that writes into FOLDER. Each ``os.fsync``
copies the file that it flushes into NOTES, and then the names of all files in the folder: as on ext4 or xfs, where
flushing one file also commits the names that were made or changed before, but no other file's content. ``put_back``
leaves exactly that: a file that was never flushed is empty, what was appended later is gone, and so is a file that got
its name later.
The browser's own disk is not put back, since nothing tells what Chromium flushed.
"""

import fcntl
import json
import os
import runpy
import shutil
import stat
import sys
from pathlib import Path

FOLDER, NOTES = "PRIORLAB_POWER_FOLDER", "PRIORLAB_POWER_NOTES"  # for processes that the command starts, too


def note_flushes(folder: Path, notes: Path) -> None:
    flush = os.fsync

    def fsync(file: int) -> None:
        flush(file)
        found = os.fstat(file)
        with (notes / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # one process at a time; a killed one lets go
            if stat.S_ISREG(found.st_mode) and (path := path_of(file, folder)):
                write(notes / str(found.st_ino), path.read_bytes())
            write(notes / "names", json.dumps(names_in(folder)).encode())

    os.fsync = fsync


def path_of(file: int, folder: Path) -> Path | None:
    """Of an open file; None if it has none in the folder."""
    path = Path(f"/proc/self/fd/{file}").readlink()
    return path if path.is_relative_to(folder) and path.exists() else None


def names_in(folder: Path) -> dict[str, int]:
    """The number of each file, by its name below the folder."""
    names = {}
    for path in folder.rglob("*"):
        try:
            if path.is_file():
                names[str(path.relative_to(folder))] = path.stat().st_ino
        except FileNotFoundError:  # another process has just deleted it
            continue
    return names


def write(path: Path, content: bytes) -> None:
    """At once or not at all, also if the process is killed."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)


def put_back(folder: Path, notes: Path) -> int:
    """The folder as a power cut leaves it; returns how many bytes were lost."""
    before = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    contents = {
        name: (notes / str(number)).read_bytes() if (notes / str(number)).exists() else b""
        for name, number in json.loads((notes / "names").read_bytes()).items()
    }
    shutil.rmtree(folder)
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    for path in notes.iterdir():
        path.unlink()
    for name, content in contents.items():  # under new numbers
        (notes / str((folder / name).stat().st_ino)).write_bytes(content)
    write(notes / "names", json.dumps(names_in(folder)).encode())
    return before - sum(map(len, contents.values()))


if FOLDER in os.environ:  # in a process that the command started
    note_flushes(Path(os.environ[FOLDER]), Path(os.environ[NOTES]))
elif __name__ == "__main__":
    os.environ[FOLDER], os.environ[NOTES] = sys.argv[1:3]
    note_flushes(Path(sys.argv[1]), Path(sys.argv[2]))

if __name__ == "__main__":
    sys.argv = ["priorlab", *sys.argv[3:]]
    runpy.run_module("priorlab", run_name="__main__")
