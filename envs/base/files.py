"""Files that are either as before or wholly new, names that nobody else can take, and text as any editor saved it."""

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
from typing import IO, Any

MARKS = {  # of bytes at a file's begin that tell its encoding; UTF-32's begins with UTF-16's
    codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF32_LE: "utf-32-le", codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be",
}  # fmt: skip
REPLACE_TRIES = 20  # on Windows a file that a virus scanner holds open can't be replaced for a moment


def reserve(path: Path) -> Path:
    """Makes the file, so that nobody else can take its name; FileExistsError where one has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.open("xb").close()
    except FileExistsError:
        raise FileExistsError(f"{path} exists: expected a new name; nothing was overwritten") from None
    return path


def write_whole(path: Path, text: str) -> None:
    """The file is either as before or wholly new, also where the machine stops meanwhile.

    Halves of characters, which no file of text can hold, are spelled out.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: Path, content: bytes) -> None:
    """As ``write_whole``."""
    with writing(path) as file:
        file.write(content)


@contextmanager
def writing(path: Path) -> Iterator[io.BufferedWriter]:
    """A file to write into, which takes the place of ``path`` once all of it is on disk; never where that fails."""
    with drafted(path) as draft, draft.open("wb") as file:
        yield file
        to_disk(file)


@contextmanager
def writing_new(path: Path) -> Iterator[io.BufferedWriter]:
    """As ``writing``, into a file that is not there yet; FileExistsError, and nothing written, where it is."""
    reserve(path)
    try:
        with writing(path) as file:
            yield file
    except BaseException:
        path.unlink()
        raise


@contextmanager
def drafted(path: Path, ending: str = ".draft") -> Iterator[Path]:
    """The name of a draft, for what writes its own files: it takes the place of ``path`` at the end of the block.

    Where the block fails, the draft is deleted and ``path`` stays as it was.
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
    """What was written so far outlasts a power cut."""
    file.flush()
    os.fsync(file.fileno())


def whole_lines(path: Path) -> str:
    """The file's text up to its last line break: a line that a killed process had not finished is left out."""
    if not path.exists():
        return ""
    text = read_text(path)
    return text[: text.rfind("\n") + 1]


def read_text(path: Path) -> str:
    """The text of a file that somebody may have edited: UTF-8, or UTF-16 with its mark, and lines that end as they may.

    Raises ValueError, one line that names the file, for anything else; OSError as ``read_bytes``.
    """
    data = read_bytes(path)
    try:
        return decoded(data)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file says; ValueError and OSError as ``read_text``."""
    text = read_text(path)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not TOML: {error}") from None


def read_json(path: Path) -> Any:
    """What a JSON file says; ValueError and OSError as ``read_text``."""
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not JSON: {error}") from None


def decoded(data: bytes) -> str:
    """The text in a file's bytes, without a mark, its lines ended by "\\n". ValueError says what is expected."""
    mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
    encoding = MARKS.get(mark, "utf-8")
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ValueError(
            f"line {line}: no {encoding.upper()} text ({error.reason}): expected one saved as UTF-8"
        ) from None
    if "\0" in text:
        raise ValueError("holds zero bytes: expected a text, saved as UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_bytes(path: Path, most: int = -1) -> bytes:
    """The file's content, or that many bytes of it. OSError, one line, where it can't be read or is no file, such as a
    pipe, which would keep its reader waiting."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            os.scandir(path).close()  # says whether it can't be listed, which is why it is among the files
            raise IsADirectoryError(f"{path}: a folder: expected a file")
        if not stat.S_ISREG(mode):
            raise OSError(f"{path}: a pipe or a device: expected a file")
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        link = f" (it is a link to {path.readlink()})" if path.is_symlink() else ""
        raise (type(error)(f"{path}: {error.strerror}{link}") if error.strerror else error) from None


def files_under(root: Path, *endings: str) -> list[Path]:
    """What is under a folder and has a name of one of these endings, in order; or ``root``, where it is no folder.

    Linked folders and files are followed, each only once. A folder that can't be listed is among what is found, and
    so is anything else of such a name: ``read_bytes`` says what is wrong with it.
    """
    if not root.is_dir():
        return [root] if os.path.lexists(root) else []
    found: dict[str, Path] = {}  # by where it really is
    seen: set[str] = set()
    folders, links = [str(root)], list[str]()  # links last: what has a place of its own is found there
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: (entry.is_symlink(), entry.name))
        except OSError:
            found.setdefault(real, Path(folder))
            continue
        for entry in entries:
            if entry.name.endswith(endings):
                found.setdefault(os.path.realpath(entry.path), Path(entry.path))
            if is_folder(entry):
                (links if entry.is_symlink() else folders).append(entry.path)
    return sorted(found.values())


def is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in a circle
        return False


def one_line(path: Path, error: Exception) -> str:
    """The file's name, as ``shown``, and what is wrong with it."""
    given = (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).removeprefix(f"{path}: ")
    reason = " ".join(given.split()) or type(error).__name__
    return f"{shown(path)}: {reason}"


def shown(path: Path | str) -> str:
    """The file's name on one line: what is not printed is spelled out."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in str(path))
