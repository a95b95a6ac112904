"""Sessions that ended early on this computer, and the random id by which it knows its own."""

import hashlib
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from priorlab.envs.base.files import drafted, read_text
from priorlab.envs.base.locks import release
from priorlab.envs.plays.events import SUFFIX, locked, read_events
from priorlab.envs.plays.play import new_id
from priorlab.human_study.data.recorder import PLAYER_ID, unfinished

RECENT = 12 * 3600  # seconds after which nobody is asked any more whether an interrupted session is theirs


@dataclass(frozen=True)
class Interrupted:
    """A session that can be taken up again. Times are those of the local clock."""

    path: Path
    began: datetime  # begun, or last taken up again
    ended: datetime  # last written

    @property
    def day(self) -> str:
        """``today`` or ``yesterday``, when it ended."""
        return "yesterday" if self.ended.date() < datetime.now().date() else "today"


def state_folder() -> Path:
    """Where programs keep what belongs to this user on this computer; RuntimeError where there is no home."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "priorlab"


def machine_id() -> str:
    """The random id of this computer and user, drawn the first time; "" where it can't be kept.

    It says nothing about the computer. Without one, sessions are recorded all the same, but not offered again.
    """
    with suppress(OSError, RuntimeError, ValueError):
        # computers of a lab may share the home folder, or be copies of one disk
        name = platform.node().partition(".")[0].casefold()
        path = state_folder() / f"machine-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
        with suppress(FileNotFoundError):
            if PLAYER_ID.fullmatch(found := read_text(path).strip()):
                return found
        path.parent.mkdir(parents=True, exist_ok=True)
        with drafted(path, f".{new_id()}.draft") as draft:
            draft.write_text(new_id() + "\n", encoding="utf-8")
        return read_text(path).strip()  # that of another session here, which may have been a moment later
    return ""


def own_interrupted(folder: Path, machine: str) -> Iterator[Interrupted]:
    """Sessions in the folder that ended early on this computer in the last hours, the last one first.

    Those begun on other computers, by logs without the id of one, and those that go on at this moment are left out.
    """
    if not machine:
        return
    now = time.time()
    for path in unfinished(folder):
        try:
            ended = path.stat().st_mtime
            if abs(now - ended) >= RECENT:  # ahead of a clock that was set back, it may be of any day
                continue
            release(locked(path))
            events = read_events(path).events
        except (OSError, ValueError):
            continue  # another window records it, or it is gone
        agreed = any(event["event"] == "consent" for event in events)
        if agreed and events[0].get("machine") == machine:
            began = ended - events[-1]["t"]
            yield Interrupted(path, datetime.fromtimestamp(began), datetime.fromtimestamp(ended))


def check_resumable(path: Path, study_folder: Path, study: str) -> None:
    """ValueError, one line, unless the file is an interrupted session of that study; OSError where it can't be read."""
    if path.resolve().parent != study_folder.resolve() or not path.name.endswith(SUFFIX):
        raise ValueError(f"{path}: expected a session of this study, {study_folder / f'CODE{SUFFIX}'}")
    events = read_events(path).events
    if events[0].get("study") != study:
        raise ValueError(f"{path}: study is {events[0].get('study')!r}: expected {study!r}")
    if events[-1]["event"] == "finish":
        raise ValueError(f"{path}: the session is finished: expected one that was interrupted")
