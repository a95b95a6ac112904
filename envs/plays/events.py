"""The log of a session: one JSON object per line, append-only, chained by hashes, on disk within a second.

Line n holds ``n``, ``t`` (seconds of a monotonic clock since the log was begun or reopened), ``event``, the event's
fields, and ``hash``: a shortened SHA-256 of the last line's hash and this line's content. So any alteration of a log is
detected; a log whose end was cut off is a log of what happened until then.
"""

import atexit
import hashlib
import json
import math
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from filelock import FileLock

from priorlab.envs.base.files import MARKS, read_bytes, write_bytes
from priorlab.envs.base.locks import Taken, hold, release

SUFFIX, LOCK = ".session.jsonl", ".lock"
SCHEMA = 1
SYNC_SECONDS = 0.5  # between flushes to disk: a crash loses this much and what the next flush takes
AT_ONCE = ("consent", "answer", "play", "death", "win", "timeout", "quit", "finish")  # flushed without waiting for it
HASH_LENGTH = 12  # hexadecimal digits
EMPTY_LINES = re.compile(rb"\n[ \t\n]*\Z")
Clock = Callable[[], float]  # seconds that never go back


class EventLog:
    """Writes a log. A separate thread writes and flushes it, so that a slow disk delays no step.

    A lock file next to the log, which the system releases however the process ends, allows one writer at a time. Raises
    OSError, one line, if the log can't be written or is no longer where it was; what was written before stays.
    ``clock`` gives the time of an event, in seconds; ``began`` is the time from which ``t`` counts.
    """

    def __init__(self, path: Path, mode: str, number: int, chain: str, clock: Clock = time.perf_counter):
        """``number`` and ``chain`` are those of the next line; see ``create`` and ``reopen``."""
        self.path, self.clock = path, clock
        self.began = clock()
        self.synced = path.stat().st_size if mode == "ab" else 0  # bytes safely on disk
        self._lock = locked(path)
        try:
            self._file = path.open(mode, buffering=0)
        except OSError:
            release(self._lock)
            raise
        self._own = os.fstat(self._file.fileno())
        self._number, self._chain, self._last = number, chain, 0.0
        self._lines: list[bytes] = []
        self._written, self._urgent, self._closing = self.synced, False, False
        self._error: OSError | None = None
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="event log", daemon=True)
        self._thread.start()
        atexit.register(self._leave)

    @classmethod
    def create(cls, path: str | Path, header: Mapping[str, Any], clock: Clock = time.perf_counter) -> Self:
        """A new log with its header on disk; FileExistsError if the file exists, which then stays as it is."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            log = cls(path, "xb", 0, "", clock)
        except FileExistsError:
            raise FileExistsError(f"{path} exists: expected a new name; nothing was overwritten") from None
        try:
            log.write("session", sync=True, schema=SCHEMA, **header)
        except OSError:
            log._leave()
            with suppress(OSError):
                path.unlink()  # it does not have one complete line
            raise
        with suppress(OSError):  # puts the file's name on disk, too; Windows can't and need not
            folder = os.open(path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        return log

    @classmethod
    def reopen(cls, path: str | Path) -> Self:
        """Continues after the log's last complete line; what a crash left after it is kept in the event ``resumed``.

        Raises ValueError for a damaged or finished log, OSError if another process is writing it.
        """
        path = Path(path)
        lock = locked(path)  # no process writes while it is read and truncated
        try:
            events = read_events(path)
            if events.events[-1]["event"] == "finish":
                raise ValueError(f"{path}: the session is finished: expected one that was interrupted")
            if events.edited:
                write_bytes(path, unedited(read_bytes(path))[: events.size])
            elif events.torn:
                with path.open("r+b") as file:
                    file.truncate(events.size)
                    os.fsync(file.fileno())
        finally:
            release(lock)
        log = cls(path, "ab", len(events.events), events.events[-1]["hash"])
        log.resume(events.tail.decode("utf-8", "replace"))
        return log

    def write(self, event: str, *, at: float | None = None, sync: bool = False, **fields: Any) -> None:
        """Appends an event of now, or of the time ``at`` by the log's clock; ``sync`` waits until it is on disk."""
        with self._news:
            if self._closing:
                raise OSError(f"{self.path}: the log is closed: expected no {event!r} after it")
            self._check()
            self._last = max((self.clock() if at is None else at) - self.began, self._last)
            body = encode({"n": self._number, "t": round(self._last, 6), "event": event, **fields})
            self._chain = link(self._chain, body)
            self._number += 1
            self._lines.append(sealed(body, self._chain))
            self._urgent |= sync or event in AT_ONCE
            self._news.notify_all()
            if sync:
                self._news.wait_for(lambda: self._error or not self._unsynced)
                self._check()

    def resume(self, torn: str = "") -> None:
        """Notes that the session continues after an interruption; from now on ``t`` counts from here."""
        with self._news:
            self.began, self._last = self.clock(), 0.0
        self.write("resumed", sync=True, torn=torn)

    def close(self) -> None:
        """Returns when everything is on disk."""
        atexit.unregister(self._leave)
        with self._news:
            if self._closing:
                return
            self._closing = True
            self._news.notify_all()
        self._thread.join()
        self._file.close()
        release(self._lock)
        self._check()

    def is_there(self) -> bool:
        """Whether the file is still where it was: a deleted file can still be written to."""
        try:
            status = self.path.stat()
        except OSError:
            return False
        # some network folders renumber files; one with all that was written is the log, whatever its number
        return os.path.samestat(status, self._own) or status.st_size >= self.synced

    def _require_there(self) -> None:
        if not self.is_there():
            raise FileNotFoundError("it or its folder was deleted")

    def _leave(self) -> None:
        """At the exit of a program that failed, which has already reported why."""
        with suppress(OSError):
            self.close()

    @property
    def _unsynced(self) -> bool:
        return bool(self._lines) or self.synced < self._written

    def _check(self) -> None:
        if self._error:
            reason = self._error.strerror or str(self._error)
            kept = "; what was recorded until then is kept" if self.synced and self.is_there() else ""
            raise OSError(f"{self.path}: can't be written ({reason}){kept}")

    def _work(self) -> None:
        last = time.monotonic()
        try:
            while True:
                with self._news:
                    left = max(last + SYNC_SECONDS - time.monotonic(), 0) if self.synced < self._written else None
                    self._news.wait_for(lambda: self._lines or self._urgent or self._closing, left)
                    data, urgent, closing = b"".join(self._lines), self._urgent, self._closing
                    self._lines, self._urgent = [], False
                    self._written += len(data)
                while data:
                    data = data[self._file.write(data) :]
                now = time.monotonic()
                if self.synced < self._written and (urgent or closing or now >= last + SYNC_SECONDS):
                    last = now
                    os.fsync(self._file.fileno())
                    self._require_there()
                    with self._news:
                        self.synced = self._written
                        self._news.notify_all()
                if closing:
                    self._require_there()
                    return
        except OSError as error:
            with self._news:
                self._error = error
                self._news.notify_all()


@dataclass(frozen=True)
class Events:
    """The events of a log, one per complete line. ``torn``: whether bytes without a line break follow, the ``tail``."""

    events: list[dict[str, Any]]
    tail: bytes
    size: int  # bytes of the complete lines
    edited: bool = False  # an editor saved it with other line breaks or a byte-order mark; all events are intact

    @property
    def torn(self) -> bool:
        return bool(self.tail)


def read_events(path: str | Path) -> Events:
    """Reads a log. Raises ValueError, one line that names the file, the line (from 1) and the reason, for anything
    else.

    OSError if it can't be read.
    """
    saved = read_bytes(Path(path))
    data = unedited(saved)
    *lines, tail = data.split(b"\n")
    events, chain = [], ""
    for number, line in enumerate(lines):
        try:
            event = decode(line, number, chain)
        except ValueError as error:
            raise ValueError(f"{path}: line {number + 1}: {' '.join(str(error).split())}") from None
        chain = event["hash"]
        events.append(event)
    if not events:
        raise ValueError(f"{path}: line 1: not a session's log: expected at least one complete line")
    return Events(events, tail, sum(map(len, lines)) + len(lines), data != saved)


def unedited(data: bytes) -> bytes:
    """A log's bytes without what editors change: byte-order mark, encoding, line breaks, empty lines at the end.

    A log contains no carriage returns of its own, as JSON escapes them.
    """
    mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
    data = data[len(mark) :]
    if mark and MARKS[mark] != "utf-8":
        data = data.decode(MARKS[mark], "replace").encode("utf-8", "replace")
    return EMPTY_LINES.sub(b"\n", data.replace(b"\r\n", b"\n"))


def decode(line: bytes, number: int, chain: str) -> dict[str, Any]:
    """The event in line ``number``, from 0, after a line with that hash."""
    try:
        event = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"cut off or altered: not complete JSON ({error})") from None
    if not isinstance(event, dict) or not isinstance(event.get("hash"), str):
        raise ValueError("not an event of a session's log: expected a JSON object with a hash")
    if number == 0 and event.get("event") == "session" and event.get("schema") != SCHEMA:
        raise ValueError(f"schema {event.get('schema')!r}: expected {SCHEMA}, the only one that this Priorlab reads")
    body = line[: line.rfind(b',"hash":')].decode("utf-8") + "}"
    if event["hash"] != link(chain, body) or line + b"\n" != sealed(body, event["hash"]):
        raise ValueError("altered, or a line before it is missing: its hash does not match the lines up to it")
    seconds = event.get("t")
    if event.get("n") != number or not isinstance(event.get("event"), str) or not isinstance(seconds, (int, float)):
        raise ValueError(f"expected an event with n = {number}, t and event; it has {event.get('n')!r}")
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"t is {seconds!r}: expected seconds, 0 or more")
    if number == 0 and event["event"] != "session":
        raise ValueError(f"begins with {event['event']!r}: expected session")
    return event


def encode(content: dict[str, Any]) -> str:
    """The content as JSON in one line, with numpy's numbers as numbers and invalid characters escaped."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=lambda x: x.item())
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(content, separators=(",", ":"), allow_nan=False, default=lambda x: x.item())
    return text


def link(chain: str, body: str) -> str:
    return hashlib.sha256((chain + body).encode()).hexdigest()[:HASH_LENGTH]


def sealed(body: str, chain: str) -> bytes:
    return f'{body[:-1]},"hash":"{chain}"}}\n'.encode()


def locked(path: Path) -> FileLock:
    """Takes the lock of that log; OSError if another process holds it."""
    return hold(lock_of(path), f"{path}: another process is recording this session: expected only one")


def lock_of(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(SUFFIX) + LOCK)


def is_held(path: Path) -> bool:
    """Whether another process is recording that session. Makes no lock file: without one there is none."""
    if not lock_of(path).exists():
        return False
    try:
        release(locked(path))
    except OSError as error:
        return isinstance(error, Taken)
    return False
