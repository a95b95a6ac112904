"""Where compiled kernels are cached between runs. Where they can't be, they are compiled again in each run.

Compiled code is loaded by pickle, which runs what it reads. So it is loaded only from a folder that no other user can
write to, and only if it is intact: what a power cut left incomplete is deleted. Of several processes that need the same
kernel one compiles it; the others wait for it, and load what it cached.
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

from filelock import FileLock

from priorlab.envs.base.locks import release

VARIABLE, QUIET = "PRIORLAB_CACHE", "PRIORLAB_QUIET"
MOMENT = 1.0  # seconds of compiling after which a line is printed
PROBE = b"\0" * 65536  # written and deleted again, to test whether a folder is writable
CHECKSUM, COMPILING = "checksum", "compiling.lock"
PATIENCE = 60.0  # seconds that a process waits for another one, which may have been suspended, to compile a kernel
COMPILES = "priorlab: compiling the games, about half a minute"


def folder(name: str) -> tuple[Path | None, str]:
    """(the cache folder with that name, ""), or (one among temporary files, why); (None, why) where there is none."""
    wanted, why = preferred()
    if wanted is not None:
        why = unusable(wanted, name)
        if not why:
            return wanted / name, ""
    for other in temporary():
        if not unusable(other, name):
            return other / name, f"priorlab: {why}: compiled code is cached in {other}; {VARIABLE} sets the folder"
    return None, f"priorlab: {why}: compiled code is not cached; {VARIABLE} sets the folder"


def preferred() -> tuple[Path | None, str]:
    """(the folder set by the user, or the user's cache folder), or (None, why there is none)."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE]).absolute(), ""
    if Path(os.environ.get("XDG_CACHE_HOME", "")).is_absolute():
        return Path(os.environ["XDG_CACHE_HOME"]) / "priorlab", ""
    try:
        return Path.home() / ".cache" / "priorlab", ""
    except RuntimeError:
        return None, "the user's home folder is unknown"


def temporary() -> Iterator[Path]:
    """Folders among temporary files: one of the user that persists, then one for this process alone."""
    try:
        lasting = Path(tempfile.gettempdir()) / f"priorlab-{os.geteuid() if hasattr(os, 'geteuid') else 'cache'}"
        if not lasting.is_symlink():  # which any user can make there
            yield lasting
        made = tempfile.mkdtemp(prefix="priorlab-")
    except OSError:
        return
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    yield Path(made)


def unusable(root: Path, name: str) -> str:
    """Why compiled code can't be cached in ``root``/``name``; "" if it can. Makes the folder."""
    try:
        for each in (root, root / name):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)
            status = each.stat()
            if hasattr(os, "geteuid") and (status.st_uid != os.geteuid() or status.st_mode & stat.S_IWOTH):
                return f"{each} belongs to another user, or other users can write to it"
        with tempfile.TemporaryFile(dir=root / name) as file:
            file.write(PROBE)
    except OSError as error:
        return f"{root} can't be written ({error.strerror or error})"
    return ""


class Said:
    """The lines that this process has printed on stderr: each once, and never in a worker process.

    $PRIORLAB_QUIET suppresses them.
    """

    def __init__(self) -> None:
        self.lines: set[str] = set()
        self.seconds = 0.0  # spent compiling, so far
        self.began = 0.0
        self.depth = 0  # kernels being compiled because another one needs them
        self.timer: threading.Timer | None = None

    def say(self, line: str) -> None:
        multiprocessing = sys.modules.get("multiprocessing.process")  # imported in every worker process
        works_for_another = multiprocessing and multiprocessing.parent_process()
        if line in self.lines or works_for_another or os.environ.get(QUIET):
            return
        self.lines.add(line)
        with suppress(OSError, ValueError, AttributeError):  # no stderr, or a closed one
            print(line, file=sys.stderr, flush=True)

    def begin(self) -> None:
        """Compiling begins; a line is printed once it has taken a moment."""
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
    """Makes the cache of one kernel, numba's for the CPU or for a GPU, tolerant: what can't be read is compiled, what
    can't be written is not cached, and neither is an error."""

    def __init__(self, numbas: Any, why: str):
        self.numbas, self.why = numbas, why
        self.lock: FileLock | None = None  # while this process compiles the kernel
        self.load, self.save = numbas.load_overload, numbas.save_overload
        numbas.load_overload, numbas.save_overload = self.load_overload, self.save_overload

    @property
    def cache_path(self) -> str | None:
        return self.numbas.cache_path

    def load_overload(self, signature: Any, context: Any) -> Any:
        """None if it must be compiled, which begins at once."""
        if self.why:
            SAID.say(self.why)
        compiled, _ = self.read(signature, context)
        if compiled is None:
            SAID.begin()
            self.acquire()
            compiled, intact = self.read(signature, context)  # another process may have compiled it by now
            if not intact:
                self.clear()
            if compiled is not None:
                SAID.end()
                self.release()
        return compiled

    def read(self, signature: Any, context: Any) -> tuple[Any, bool]:
        """(what is cached for these types, or None; whether the cache is undamaged)."""
        try:
            if self.cache_path is None or self.checksum() == self.written():
                return self.load(signature, context), True
        except Exception:  # unpickling damaged bytes can raise anything
            pass
        return None, False

    def acquire(self) -> None:
        """Locks the kernel, after waiting for another process that compiles it; does without where that takes too
        long, and where files can't be locked."""
        if self.cache_path is None or self.lock:
            return
        lock = FileLock(Path(self.cache_path, COMPILING), thread_local=False)
        with suppress(OSError, NotImplementedError):
            Path(self.cache_path).mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=PATIENCE)
            self.lock = lock

    def release(self) -> None:
        if self.lock:
            release(self.lock)
            self.lock = None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        SAID.end()
        self.save_whole(signature, compiled)
        self.release()

    def save_whole(self, signature: Any, compiled: Any) -> None:
        """Saves it with its checksum, or nothing."""
        try:
            self.save(signature, compiled)
            if self.cache_path is not None:
                path = Path(self.cache_path, f"{CHECKSUM}.{os.getpid()}")
                path.write_text(self.checksum(), encoding="ascii")
                path.replace(path.with_name(CHECKSUM))
        except Exception as error:
            self.clear()
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            SAID.say(f"priorlab: compiled code can't be cached ({reason}), and is compiled again next time")

    def files(self) -> list[Path]:
        """The files of this kernel, which has a separate folder."""
        return sorted(path for path in Path(self.cache_path or "").iterdir() if path.suffix in (".nbi", ".nbc"))

    def checksum(self) -> str:
        """The checksum of all cached files; "" where there are none."""
        files = self.files()
        digest = hashlib.sha256()
        for path in files:
            digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest() if files else ""

    def written(self) -> str:
        """The checksum that was written with the files."""
        try:
            return Path(self.cache_path or "", CHECKSUM).read_text(encoding="ascii")
        except FileNotFoundError:
            return ""

    def clear(self) -> None:
        with suppress(OSError):
            for path in [*self.files(), Path(self.cache_path or "", CHECKSUM)]:
                path.unlink(missing_ok=True)
