"""Where compiled kernels are kept between runs, and what happens where they can't be: they are compiled again.

Compiled code is read by pickle, which runs what it reads. So it is read only from a folder that nobody else can write
to, and only where it is what was written: what a power cut left of it is thrown away.
"""

import atexit
import hashlib
import os
import shutil
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

VARIABLE, QUIET = "PRIORLAB_CACHE", "PRIORLAB_QUIET"
MOMENT = 1.0  # seconds of compiling after which it is said
PROBE = b"\0" * 65536  # written and deleted again, to find out whether a folder can be written to
CHECKSUM = "checksum"
COMPILES = "priorlab: compiling the games, about half a minute"


def folder(name: str) -> tuple[Path | None, str]:
    """(the folder of that name for compiled code, ""), or one in the folder for temporary files and why; (None, why)
    where nothing can be kept."""
    wanted, why = preferred()
    if wanted is not None:
        why = unusable(wanted, name)
        if not why:
            return wanted / name, ""
    for other in temporary():
        if not unusable(other, name):
            return other / name, f"priorlab: {why}: compiled code is kept in {other}; {VARIABLE} names another folder"
    return None, f"priorlab: {why}: compiled code is not kept; {VARIABLE} names another folder"


def preferred() -> tuple[Path | None, str]:
    """(the folder that is named, or the user's own), or (None, why there is none)."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE]).absolute(), ""
    if Path(os.environ.get("XDG_CACHE_HOME", "")).is_absolute():
        return Path(os.environ["XDG_CACHE_HOME"]) / "priorlab", ""
    try:
        return Path.home() / ".cache" / "priorlab", ""
    except RuntimeError:
        return None, "nobody knows the user's home folder"


def temporary() -> Iterator[Path]:
    """A folder for temporary files that is the user's own and lasts, then one of this process alone."""
    try:
        own = Path(tempfile.gettempdir()) / f"priorlab-{os.geteuid() if hasattr(os, 'geteuid') else 'cache'}"
        if not own.is_symlink():  # which anybody can make there
            yield own
        made = tempfile.mkdtemp(prefix="priorlab-")
    except OSError:
        return
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    yield Path(made)


def unusable(root: Path, name: str) -> str:
    """Why compiled code can't be kept in, or read from, ``root``/``name``; "" where it can. Makes the folder."""
    try:
        for each in (root, root / name):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)
            found = each.stat()
            if hasattr(os, "geteuid") and (found.st_uid != os.geteuid() or found.st_mode & stat.S_IWOTH):
                return f"{each} is another user's, or anybody can write to it"
        with tempfile.TemporaryFile(dir=root / name) as file:
            file.write(PROBE)
    except OSError as error:
        return f"{root} can't be written ({error.strerror or error})"
    return ""


class Said:
    """What this process has said; a line each, once, on stderr, and never by processes that work for another.

    $PRIORLAB_QUIET silences it.
    """

    def __init__(self) -> None:
        self.lines: set[str] = set()
        self.seconds = 0.0  # of compiling, so far
        self.began = 0.0
        self.depth = 0  # kernels that are compiled because another one is
        self.timer: threading.Timer | None = None

    def say(self, line: str) -> None:
        multiprocessing = sys.modules.get("multiprocessing.process")  # which whoever works for another has imported
        works_for_another = multiprocessing and multiprocessing.parent_process()
        if line in self.lines or works_for_another or os.environ.get(QUIET):
            return
        self.lines.add(line)
        with suppress(OSError, ValueError, AttributeError):  # no stderr, or a closed one
            print(line, file=sys.stderr, flush=True)

    def begin(self) -> None:
        """Compiling begins; it is said when it has taken a moment."""
        self.depth += 1
        if self.depth == 1 and COMPILES not in self.lines:
            self.began = time.perf_counter()
            self.timer = threading.Timer(max(MOMENT - self.seconds, 0), self.say, [COMPILES])
            self.timer.daemon = True
            self.timer.start()

    def end(self) -> None:
        self.depth -= 1
        if self.depth == 0 and self.timer:
            self.timer.cancel()
            self.seconds += time.perf_counter() - self.began
            self.timer = None


SAID = Said()


class Kept:
    """How one kernel's cache, numba's for a processor or for a card, loads and saves from now on: what can't be read
    is compiled, what can't be written is not kept, and either is no error."""

    def __init__(self, numbas: Any, why: str):
        self.numbas, self.why = numbas, why
        self.load, self.save = numbas.load_overload, numbas.save_overload
        numbas.load_overload, numbas.save_overload = self.load_overload, self.save_overload

    @property
    def cache_path(self) -> str | None:
        return self.numbas.cache_path

    def load_overload(self, signature: Any, context: Any) -> Any:
        """None where it must be compiled, which then begins."""
        if self.why:
            SAID.say(self.why)
        found = None
        try:
            if self.cache_path is None or self.checksum() == self.written():
                found = self.load(signature, context)
            else:
                self.clear()
        except Exception:  # unpickling damaged bytes raises whatever it likes
            self.clear()
        if found is None:
            SAID.begin()
        return found

    def save_overload(self, signature: Any, compiled: Any) -> None:
        SAID.end()
        try:
            self.save(signature, compiled)
            if self.cache_path is not None:
                path = Path(self.cache_path, f"{CHECKSUM}.{os.getpid()}")
                path.write_text(self.checksum(), encoding="ascii")
                path.replace(path.with_name(CHECKSUM))
        except Exception as error:
            self.clear()
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            SAID.say(f"priorlab: compiled code can't be kept ({reason}), and is compiled again next time")

    def files(self) -> list[Path]:
        """This kernel's own: it has a folder to itself."""
        return sorted(path for path in Path(self.cache_path or "").iterdir() if path.suffix in (".nbi", ".nbc"))

    def checksum(self) -> str:
        """Of all that is kept; "" where nothing is."""
        files = self.files()
        digest = hashlib.sha256()
        for path in files:
            digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest() if files else ""

    def written(self) -> str:
        """The checksum that was written beside it."""
        try:
            return Path(self.cache_path or "", CHECKSUM).read_text(encoding="ascii")
        except FileNotFoundError:
            return ""

    def clear(self) -> None:
        with suppress(OSError):
            for path in [*self.files(), Path(self.cache_path or "", CHECKSUM)]:
                path.unlink(missing_ok=True)
