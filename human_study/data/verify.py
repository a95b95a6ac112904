"""Whether what people and agents left is whole: logs, plays, and the places of a study, checked against each other."""

import glob
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from priorlab.envs.base.files import files_under, one_line, read_json, shown
from priorlab.envs.plays.events import SUFFIX, read_events
from priorlab.envs.plays.sessions import find_play, plays_under, read_session
from priorlab.human_study.data import withdrawals
from priorlab.human_study.data.kept_wordings import FOLDER, read_wording
from priorlab.human_study.data.traces import codes_in, header_of

PRIVATE_FIELDS = {
    "name", "first_name", "last_name", "surname", "email", "mail", "address", "phone", "birthday", "ip", "host",
    "hostname", "user", "username", "login", "worker_id", "prolific_id",
}  # fmt: skip
PRIVATE_TEXT = {
    "an e-mail address": re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+"),
    "somebody's folder": re.compile(r"(?:/home/|/Users/|\\Users\\)\w+"),
}
MISSED = 0.01  # share of a play's steps above which it is worth knowing that they were missed
UNREAD = ("answer", "key", "gamepad")  # what a person typed is theirs; the names of keys and gamepads are no names


@dataclass
class Verified:
    """What was found about one file: ``problems`` are wrong, ``notes`` only worth knowing; a line each."""

    path: Path
    plays: int = 0
    inputs: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def verify(paths: Sequence[Path]) -> Iterator[Verified]:
    """Every log and ``.play`` file in these folders, or these files, one after another; then the places of studies."""
    seen: dict[str, Path] = {}
    for path in files_of(paths):
        found = Verified(path)
        try:
            (check_log if path.name.endswith(SUFFIX) else check_play)(found, seen)
        except (ValueError, OSError) as error:
            found.problems.append(one_line(path, error).removeprefix(f"{shown(path)}: "))
        yield found
    for root in paths:
        for check in FOLDER_CHECKS:
            yield from check(root)


def files_of(paths: Sequence[Path]) -> list[Path]:
    """Each file once. ValueError where none is named, FileNotFoundError for a folder or file that isn't there."""
    if not paths:
        raise ValueError("expected one or more folders of sessions and plays, or single files")
    for path in paths:
        if not os.path.lexists(path):
            raise FileNotFoundError(f"{path}: no such folder or file")
    return list(dict.fromkeys(path for root in paths for path in plays_under(root)))


def check_log(found: Verified, seen: dict[str, Path]) -> None:
    read = read_events(found.path)
    header = read.events[0]
    if found.path.name != f"{header.get('id')}{SUFFIX}":
        found.problems.append(f"line 1: id is {header.get('id')!r}: expected that of the file's name")
    found.problems += [f"line {line}: {what}" for line, event in enumerate(read.events, 1) for what in private(event)]
    if read.edited:
        found.notes.append("an editor changed its line breaks or encoding, and no event")
    if read.torn:
        found.notes.append(f"a torn last line ({len(read.tail)} bytes) is left out")
    if read.events[-1]["event"] != "finish":
        found.notes.append("the session was interrupted")
    found.problems += check_wordings(found.path, read.events)
    for recorded in read_session(found.path):
        is_new(recorded.play.id, found, seen)
        found.plays, found.inputs = found.plays + 1, found.inputs + len(recorded.play.inputs)
        where = f"play {recorded.number}"
        if recorded.about["resumed"]:
            found.notes.append(f"{where}: resumed {recorded.about['resumed']} times")
        if recorded.about["missed_share"] > MISSED:
            found.notes.append(f"{where}: {100 * recorded.about['missed_share']:.1f} % of its steps were missed")
        if recorded.play.redrawn:
            found.notes.append(f"{where}: drawn otherwise today than the player saw it")


def check_wordings(log: Path, events: list[dict[str, Any]]) -> Iterator[str]:
    """What is wrong with the wordings that a log names, which are kept beside it."""
    for line, event in enumerate(events, 1):
        if isinstance(name := event.get("wording"), str):
            try:
                read_wording(log.parent / FOLDER / f"{name}.json")
            except FileNotFoundError:
                yield f"line {line}: {event['event']}: the wording {FOLDER}/{name}.json is not beside the log"
            except (ValueError, OSError) as error:
                yield f"line {line}: {event['event']}: {error}"


def check_play(found: Verified, seen: dict[str, Path]) -> None:
    play = find_play(found.path).play
    is_new(play.id, found, seen)
    found.plays, found.inputs = 1, len(play.inputs)
    if play.redrawn:
        found.notes.append("drawn otherwise today than the player saw it")


def is_new(name: str, found: Verified, seen: dict[str, Path]) -> None:
    if name in seen:
        found.problems.append(f"id {name} is also that of a play in {shown(seen[name])}: expected each play once")
    seen.setdefault(name, found.path)


def private(event: dict[str, Any]) -> Iterator[str]:
    """What in an event could tell who played."""
    if event["event"] in UNREAD:
        return
    for name, value in fields_of(event):
        if name.lower() in PRIVATE_FIELDS:
            yield f"{event['event']} has a field {name!r}: expected none that can tell who played"
        for what, pattern in PRIVATE_TEXT.items():
            if isinstance(value, str) and pattern.search(value):
                yield f"{event['event']}: {name} holds {what}: expected nothing that can tell who played"


def fields_of(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in it that holds no others, and the name of its field."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from fields_of(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from fields_of(inner, name)
    else:
        yield name, value


def check_places(root: Path) -> Iterator[Verified]:
    """The places of studies, ``places/<number>.json`` beside the logs: each whole, each for one person."""
    files = [path for path in files_under(root, ".json") if path.parent.name == "places"]
    for folder in dict.fromkeys(path.parent for path in files):
        taken: dict[str, str] = {}
        for path in (path for path in files if path.parent == folder):
            found = Verified(path)
            try:
                who = read_json(path)["participant"]
            except (OSError, ValueError, KeyError, TypeError) as error:
                reason = one_line(path, error).removeprefix(f"{shown(path)}: ")
                found.problems.append(f"cut off or altered: no place of a study ({reason})")
            else:
                if who and who in taken:
                    found.problems.append(f"{who} has place {taken[who]} too: expected one place a person")
                if who and not (folder.parent / f"{who}{SUFFIX}").exists():
                    found.problems.append(f"{who} has this place, but there is no {who}{SUFFIX} beside the places")
                taken.setdefault(who, path.stem)
            if found.problems:
                yield found


def check_withdrawn(root: Path) -> Iterator[Verified]:
    """The lists of who withdrew: each can be read, and nothing of anybody on it is beside it."""
    for path in (path for path in files_under(root, withdrawals.NAME) if path.name == withdrawals.NAME):
        found = Verified(path)
        try:
            gone = withdrawals.read(path)
        except (ValueError, OSError) as error:
            gone = {}
            found.problems.append(one_line(path, error).removeprefix(f"{shown(path)}: "))
        back = [(each, codes_in(header_of(each))) for each in plays_under(path.parent)] if gone else []
        for code in gone:
            left = [*path.parent.glob(f"{glob.escape(code)}*"), *(each for each, codes in back if code in codes)]
            if left:
                what = shown(min(left).relative_to(path.parent))
                found.problems.append(f"{code} withdrew, but there is {what}: run priorlab withdraw again")
        if found.problems:
            yield found


# Of a whole folder; a study may add its own.
FOLDER_CHECKS: list[Callable[[Path], Iterator[Verified]]] = [check_places, check_withdrawn]
