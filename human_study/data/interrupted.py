"""Sessions that were interrupted on this computer, and the random id by which it recognises them."""

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

BROWSER = "browser"  # ``face`` in the header of a session that was led there
RECENT = 12 * 3600  # seconds within which participants are asked whether an interrupted session is theirs


@dataclass(frozen=True)
class Interrupted:
    """A session that can be resumed. Times are those of the local clock."""

    path: Path
    began: datetime  # or when it was last resumed
    ended: datetime  # when its log was last written

    @property
    def day(self) -> str:
        """When it ended: ``today`` or ``yesterday``."""
        return "yesterday" if self.ended.date() < datetime.now().date() else "today"


def state_folder() -> Path:
    """Where programs keep the state of this user on this computer. Raises RuntimeError if there is no home."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "priorlab"


def machine_id() -> str:
    """The random id of this computer and user, drawn at the first call; "" if it can't be stored.

    It reveals nothing about the computer. Without it, sessions are recorded, but not offered again.
    """
    with suppress(OSError, RuntimeError, ValueError):
        # computers of a lab may share the home folder, or be copies of one disk
        name = platform.node().partition(".")[0].casefold()
        path = state_folder() / f"machine-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
        with suppress(FileNotFoundError):
            if PLAYER_ID.fullmatch(stored := read_text(path).strip()):
                return stored
        path.parent.mkdir(parents=True, exist_ok=True)
        with drafted(path, f".{new_id()}.draft") as draft:
            draft.write_text(new_id() + "\n", encoding="utf-8")
        return read_text(path).strip()  # another session here may have stored its own a moment later
    return ""


def interrupted_here(folder: Path, machine: str) -> Iterator[Interrupted]:
    """Sessions in the folder that were interrupted on this computer in the last hours, the latest first.

    It leaves out sessions begun on other computers, logs without a computer's id, and sessions under way.
    """
    if not machine:
        return
    now = time.time()
    for path in unfinished(folder):
        try:
            ended = path.stat().st_mtime
            if abs(now - ended) >= RECENT:  # a log from the future, after the clock was set back, may be of any day
                continue
            release(locked(path))
            events = read_events(path).events
        except (OSError, ValueError):
            continue  # another window records it, or it no longer exists
        agreed = any(event["event"] == "consent" for event in events)
        if agreed and events[0].get("machine") == machine:
            began = ended - events[-1]["t"]
            yield Interrupted(path, datetime.fromtimestamp(began), datetime.fromtimestamp(ended))


def check_resumable(path: Path, study_folder: Path, study: str) -> None:
    """Raises ValueError, one line, unless the file is an interrupted session of that study; OSError if unreadable."""
    if path.resolve().parent != study_folder.resolve() or not path.name.endswith(SUFFIX):
        raise ValueError(f"{path}: expected a session of this study, {study_folder / f'CODE{SUFFIX}'}")
    events = read_events(path).events
    if events[0].get("study") != study:
        raise ValueError(f"{path}: study is {events[0].get('study')!r}: expected {study!r}")
    if events[0].get("face") == BROWSER:
        raise ValueError(f"{path}: the session is in a browser, where it can be resumed: expected one at a window")
    if events[-1]["event"] == "finish":
        raise ValueError(f"{path}: the session is finished: expected an interrupted one")
