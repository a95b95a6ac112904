"""Files that are written completely or not at all, new files that overwrite none, and text saved by any editor."""

import codecs
import io
import json
import os
import stat
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import IO, Any

MARKS = {  # bytes at the start of a file that give its encoding; UTF-32's starts with UTF-16's
    codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF32_LE: "utf-32-le", codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be",
}  # fmt: skip
REPLACE_TRIES = 20  # on Windows, a file that a virus scanner holds open can't be replaced for a moment


def write_whole(path: Path, text: str) -> None:
    """Writes the complete file or, if the machine stops meanwhile, leaves it as before.

    Lone surrogates, which no text file can hold, are escaped.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: Path, content: bytes) -> None:
    """As ``write_whole``, for bytes."""
    with writing(path) as file:
        file.write(content)


@contextmanager
def writing(path: Path) -> Iterator[io.BufferedWriter]:
    """A file to write into, which replaces ``path`` once all of it is on disk, and not if the block fails."""
    with drafted(path) as draft, draft.open("wb") as file:
        yield file
        to_disk(file)


@contextmanager
def writing_new(path: Path) -> Iterator[io.BufferedWriter]:
    """As ``writing``, into a new file; FileExistsError, with nothing written, if it exists.

    No file of that name exists before all of it is on disk, so a process that is killed leaves none that is empty.
    """
    if os.path.lexists(path):
        raise taken(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{token_hex(4)}.draft")  # another process may write a file of that name, too
    try:
        with draft.open("xb") as file:
            yield file
            to_disk(file)
        publish(draft, path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def publish(draft: Path, path: Path) -> None:
    """Gives a draft its name; FileExistsError if that exists. The draft may stay."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise taken(path) from None
    except OSError:  # a folder without hard links: an empty file reserves the name for a moment
        try:
            path.open("xb").close()
        except FileExistsError:
            raise taken(path) from None
        try:
            replace(draft, path)
        except BaseException:
            path.unlink()
            raise


def taken(path: Path) -> FileExistsError:
    return FileExistsError(f"{path} exists: expected a new name; nothing was overwritten")


@contextmanager
def drafted(path: Path, ending: str = ".draft") -> Iterator[Path]:
    """The name of a draft, for libraries that write files themselves: it replaces ``path`` at the end of the block.

    If the block fails, the draft is deleted and ``path`` stays as it was.
    """
    draft = path.with_name(path.name + ending)
    try:
        yield draft
        replace(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def replace(draft: Path, path: Path) -> None:
    for left in reversed(range(REPLACE_TRIES)):
        try:
            draft.replace(path)
            return
        except PermissionError:
            if not left:
                raise
            time.sleep(0.05)


def to_disk(file: IO) -> None:
    """Flushes what was written so far to disk, so that it survives a power cut."""
    file.flush()
    os.fsync(file.fileno())


def whole_lines(path: Path) -> str:
    """The file's text up to its last line break, without a line that a killed process did not finish."""
    if not path.exists():
        return ""
    text = read_text(path)
    return text[: text.rfind("\n") + 1]


def read_text(path: Path) -> str:
    """The text of a file saved by any editor: UTF-8, or UTF-16 or UTF-32 with a byte-order mark, with any line endings.

    Raises ValueError, one line that names the file, for anything else; OSError as ``read_bytes``.
    """
    data = read_bytes(path)
    try:
        return decoded(data)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file; ValueError and OSError as ``read_text``."""
    text = read_text(path)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not TOML: {error}") from None


def read_json(path: Path) -> Any:
    """The content of a JSON file; ValueError and OSError as ``read_text``."""
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not JSON: {error}") from None


def decoded(data: bytes) -> str:
    """The text in a file's bytes, without a byte-order mark, with "\\n" line endings. ValueError for anything else."""
    mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
    encoding = MARKS.get(mark, "utf-8")
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ValueError(
            f"line {line}: not {encoding.upper()} text ({error.reason}): expected text saved as UTF-8"
        ) from None
    if "\0" in text:
        raise ValueError("contains zero bytes: expected text saved as UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_bytes(path: Path, most: int = -1) -> bytes:
    """The file's content, or that many bytes of it. OSError, one line, if it can't be read or is not a file (to read a
    pipe would block)."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            os.scandir(path).close()  # raises if it can't be listed, which is why it is among the files
            raise IsADirectoryError(f"{path}: a folder: expected a file")
        if not stat.S_ISREG(mode):
            raise OSError(f"{path}: a pipe or a device: expected a file")
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        link = f" (it is a link to {path.readlink()})" if path.is_symlink() else ""
        raise (type(error)(f"{path}: {error.strerror}{link}") if error.strerror else error) from None


def files_under(root: Path, *endings: str) -> list[Path]:
    """All files under a folder whose names end so, in order; or ``root`` itself, if it is not a folder.

    Linked folders and files are followed, each only once. Folders that can't be listed are included, as is anything
    else with such a name: ``read_bytes`` reports what is wrong with it.
    """
    if not root.is_dir():
        return [root] if os.path.lexists(root) else []
    files: dict[str, Path] = {}  # by its real path
    seen: set[str] = set()
    folders, links = [str(root)], list[str]()  # links last: what is also reachable without one is found there
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: (entry.is_symlink(), entry.name))
        except OSError:
            files.setdefault(real, Path(folder))
            continue
        for entry in entries:
            if entry.name.endswith(endings):
                files.setdefault(os.path.realpath(entry.path), Path(entry.path))
            if is_folder(entry):
                (links if entry.is_symlink() else folders).append(entry.path)
    return sorted(files.values())


def is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle
        return False


def one_line(path: Path, error: Exception) -> str:
    """One line: the file's name, as ``shown``, and what is wrong with it."""
    given = (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).removeprefix(f"{path}: ")
    reason = " ".join(given.split()) or type(error).__name__
    return f"{shown(path)}: {reason}"


def shown(path: Path | str) -> str:
    """The file's name on one line, with unprintable characters escaped."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in str(path))
