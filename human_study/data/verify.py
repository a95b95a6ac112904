"""Checks that recordings are intact: logs, plays, and the places of a study, also against each other."""

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
from priorlab.human_study.data.practice import practice_problems
from priorlab.human_study.data.traces import codes_in, header_of
from priorlab.human_study.data.wordings import FOLDER, read_wording

PRIVATE_FIELDS = {
    "name", "first_name", "last_name", "surname", "email", "mail", "address", "phone", "birthday", "ip", "host",
    "hostname", "user", "username", "login", "worker_id", "prolific_id",
}  # fmt: skip
PRIVATE_TEXT = {
    "an e-mail address": re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+"),
    "a user's folder": re.compile(r"(?:/home/|/Users/|\\Users\\)\w+"),
}
MISSED = 0.01  # share of a play's steps above which missed steps are reported
UNCHECKED = ("answer", "key", "gamepad")  # answers are the participant's; names of keys and gamepads are not personal


@dataclass
class Verified:
    """The result for one file. ``problems`` are errors, ``notes`` only worth knowing; one line each."""

    path: Path
    plays: int = 0
    inputs: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def verify(paths: Sequence[Path]) -> Iterator[Verified]:
    """Checks every log and ``.play`` file in these folders, or these files, one by one; last, the places of studies.

    Errors of a file are in its ``problems``. Raises ValueError if ``paths`` is empty, FileNotFoundError for a path that
    does not exist.
    """
    seen: dict[str, Path] = {}
    for path in files_of(paths):
        result = Verified(path)
        try:
            (check_log if path.name.endswith(SUFFIX) else check_play)(result, seen)
        except (ValueError, OSError) as error:
            result.problems.append(one_line(path, error).removeprefix(f"{shown(path)}: "))
        yield result
    for root in paths:
        for check in FOLDER_CHECKS:
            yield from check(root)


def files_of(paths: Sequence[Path]) -> list[Path]:
    """Each log and ``.play`` file once. Raises as ``verify``."""
    if not paths:
        raise ValueError("expected one or more folders of sessions and plays, or single files")
    for path in paths:
        if not os.path.lexists(path):
            raise FileNotFoundError(f"{path}: no such folder or file")
    return list(dict.fromkeys(path for root in paths for path in plays_under(root)))


def check_log(result: Verified, seen: dict[str, Path]) -> None:
    read = read_events(result.path)
    header = read.events[0]
    if result.path.name != f"{header.get('id')}{SUFFIX}":
        result.problems.append(f"line 1: id is {header.get('id')!r}: expected the one in the file's name")
    result.problems += [f"line {line}: {what}" for line, event in enumerate(read.events, 1) for what in private(event)]
    if read.edited:
        result.notes.append("an editor changed its line breaks or encoding, and no event")
    if read.torn:
        result.notes.append(f"a torn last line ({len(read.tail)} bytes) is ignored")
    if read.events[-1]["event"] != "finish":
        result.notes.append("the session was interrupted")
    result.problems += check_wordings(result.path, read.events)
    result.problems += practice_problems(read.events, result.notes)
    for recorded in read_session(result.path):
        is_new(recorded.play.id, result, seen)
        result.plays, result.inputs = result.plays + 1, result.inputs + len(recorded.play.inputs)
        where = f"play {recorded.number}"
        if recorded.about["resumed"]:
            result.notes.append(f"{where}: resumed {recorded.about['resumed']} times")
        if recorded.about["missed_share"] > MISSED:
            result.notes.append(f"{where}: {100 * recorded.about['missed_share']:.1f} % of its steps were missed")
        if recorded.play.redrawn:
            result.notes.append(f"{where}: today it is drawn differently than the player saw it")


def check_wordings(log: Path, events: list[dict[str, Any]]) -> Iterator[str]:
    """What is wrong with the wordings that a log names, which are stored next to it."""
    for line, event in enumerate(events, 1):
        if isinstance(name := event.get("wording"), str):
            try:
                read_wording(log.parent / FOLDER / f"{name}.json")
            except FileNotFoundError:
                yield f"line {line}: {event['event']}: the wording {FOLDER}/{name}.json is missing next to the log"
            except (ValueError, OSError) as error:
                yield f"line {line}: {event['event']}: {error}"


def check_play(result: Verified, seen: dict[str, Path]) -> None:
    play = find_play(result.path).play
    is_new(play.id, result, seen)
    result.plays, result.inputs = 1, len(play.inputs)
    if play.redrawn:
        result.notes.append("today it is drawn differently than the player saw it")


def is_new(name: str, result: Verified, seen: dict[str, Path]) -> None:
    if name in seen:
        result.problems.append(f"id {name} is also the id of a play in {shown(seen[name])}: expected each play once")
    seen.setdefault(name, result.path)


def private(event: dict[str, Any]) -> Iterator[str]:
    """What in an event could reveal who played."""
    if event["event"] in UNCHECKED:
        return
    for name, value in fields_of(event):
        if name.lower() in PRIVATE_FIELDS:
            yield f"{event['event']} has a field {name!r}: expected none that can reveal who played"
        for what, pattern in PRIVATE_TEXT.items():
            if isinstance(value, str) and pattern.search(value):
                yield f"{event['event']}: {name} contains {what}: expected nothing that can reveal who played"


def fields_of(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """(name of its field, value) for every value in it that contains no others."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from fields_of(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from fields_of(inner, name)
    else:
        yield name, value


def check_places(root: Path) -> Iterator[Verified]:
    """Checks the places of studies, ``places/<number>.json`` next to the logs: intact, and one per participant."""
    files = [path for path in files_under(root, ".json") if path.parent.name == "places"]
    for folder in dict.fromkeys(path.parent for path in files):
        taken: dict[str, str] = {}
        for path in (path for path in files if path.parent == folder):
            result = Verified(path)
            try:
                who = read_json(path)["participant"]
            except (OSError, ValueError, KeyError, TypeError) as error:
                reason = one_line(path, error).removeprefix(f"{shown(path)}: ")
                result.problems.append(f"cut off or altered: not a place of a study ({reason})")
            else:
                if who and who in taken:
                    result.problems.append(f"{who} also has place {taken[who]}: expected one place per person")
                if who and not (folder.parent / f"{who}{SUFFIX}").exists():
                    result.problems.append(f"{who} has this place, but there is no {who}{SUFFIX} next to the places")
                taken.setdefault(who, path.stem)
            if result.problems:
                yield result


def check_withdrawn(root: Path) -> Iterator[Verified]:
    """Checks the lists of withdrawals: they can be read, and nothing of anybody on them is left next to them."""
    for path in (path for path in files_under(root, withdrawals.NAME) if path.name == withdrawals.NAME):
        result = Verified(path)
        try:
            withdrawn = withdrawals.read(path)
        except (ValueError, OSError) as error:
            withdrawn = {}
            result.problems.append(one_line(path, error).removeprefix(f"{shown(path)}: "))
        recorded = [(each, codes_in(header_of(each))) for each in plays_under(path.parent)] if withdrawn else []
        for code in withdrawn:
            left = [*path.parent.glob(f"{glob.escape(code)}*"), *(each for each, codes in recorded if code in codes)]
            if left:
                what = shown(min(left).relative_to(path.parent))
                result.problems.append(f"{code} withdrew, but {what} still exists: run priorlab withdraw again")
        if result.problems:
            yield result


FOLDER_CHECKS: list[Callable[[Path], Iterator[Verified]]] = [check_places, check_withdrawn]
