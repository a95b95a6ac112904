"""The deletion of all that a person left in a study's folder, if they wish so."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from priorlab.envs.base.files import one_line, shown
from priorlab.envs.base.locks import Taken, release
from priorlab.envs.plays.events import LOCK, SUFFIX, locked, read_events
from priorlab.envs.plays.play import SUFFIX as PLAY_SUFFIX
from priorlab.envs.plays.play import today
from priorlab.human_study.data import withdrawals
from priorlab.human_study.data.kept_wordings import DIGITS
from priorlab.human_study.data.kept_wordings import FOLDER as WORDINGS
from priorlab.human_study.data.traces import (
    codes_in,
    files_in,
    header_of,
    holds,
    is_alone,
    is_named,
    is_named_after,
    is_video,
    looks_recorded,
    recording_of,
)
from priorlab.human_study.study.assign import Place, clear, path_of, place_at, readable_places
from priorlab.human_study.study.study import Study

SHORT = 6  # characters; fewer stand in files by chance


@dataclass
class Found:
    """What there is of a person in the study's folder."""

    participant: str  # the code
    withdrew: str = ""  # when, as withdrawals.csv has it; empty where it was not before
    files: list[Path] = field(default_factory=list)  # theirs alone, to be deleted
    places: list[Place] = field(default_factory=list)
    mentions: list[Path] = field(default_factory=list)  # are named by the code or hold it, and not theirs alone
    unread: list[str] = field(default_factory=list)  # a line for each file that can't be read, or not searched whole
    logs: set[Path] = field(default_factory=set)  # that nobody may be writing

    def __bool__(self) -> bool:
        return bool(self.files or self.places or self.mentions or self.unread)


def find(study: Study, code: str, progress: Callable[[Iterable[Path]], Iterable[Path]] = iter) -> Found:
    """Everything below the study's folder that is of that person, or names them. ``progress`` is given all files.

    A code in other case, or with spaces or hyphens, is understood where only one is like it. ValueError, one line, for
    one of which there is nothing, that withdrew and left no trace, or that may be several people's.
    """
    folder = study.folder
    withdrawn = withdrawals.read(folder / withdrawals.NAME)
    places, damaged = readable_places(study)
    every = [*files_in(folder)] if folder.is_dir() else []
    known = {place.participant for place in places} | withdrawn.keys()
    known |= {each for path in every if path.name.endswith((SUFFIX, PLAY_SUFFIX)) for each in codes_in(header_of(path))}
    who = meant(code, known - {""}, folder)
    found = Found(who, withdrawn.get(who, ""), places=[place for place in places if place.participant == who])
    found.places += [
        replace(place_at(study, number), participant=who) for number in damaged if names(study, number, who)
    ]
    passed = {folder / withdrawals.NAME, *(path_of(study, place.number) for place in [*places, *found.places])}
    for path in progress(every):
        if path not in passed and not is_wording(path, folder) and not is_list(path):
            sort_in(path, folder, found, known - {who, ""})
    if who not in known and not any(looks_recorded(path) or recording_of(path, who)[0] for path in found.files):
        is_telling = len(who) >= SHORT and found.mentions
        also = f"; these hold it: {', '.join(map(str, found.mentions))}" if is_telling else ""
        raise ValueError(f"{folder}: nobody has the code {code!r}: expected the eight characters of a session{also}")
    if found.withdrew and not found:
        raise ValueError(f"{who} withdrew on {found.withdrew}: nothing is left to delete")
    return found


def names(study: Study, number: int, who: str) -> bool:
    """Whether that damaged place is of that person, as far as it can be read."""
    with suppress(OSError):
        return holds(path_of(study, number), [who])
    return False


def meant(code: str, known: Iterable[str], folder: Path) -> str:
    """The known code that is written like this one; itself where none is."""
    alike = sorted(each for each in known if plain(each) == plain(code))
    if code in alike or len(alike) == 1:
        return code if code in alike else alike[0]
    if alike:
        raise ValueError(f"{folder}: {code!r} may be {' or '.join(alike)}: expected one of these")
    return plain(code)


def plain(code: str) -> str:
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", code)).casefold()


def is_wording(path: Path, folder: Path) -> bool:
    """Whether it has the name of a wording, which holds no code; a log that somebody put beside it has not."""
    return path.parent == folder / WORDINGS and bool(re.fullmatch(rf"[0-9a-f]{{{DIGITS}}}\.json", path.name))


def is_list(path: Path) -> bool:
    """Whether it is a copy of withdrawals.csv, which holds nothing but that somebody withdrew."""
    if not path.name.startswith(Path(withdrawals.NAME).stem):
        return False
    try:
        codes, manner, _ = withdrawals.parse(path)
        return bool(codes) and {*manner.columns} <= {*withdrawals.HEADER, ""}
    except (ValueError, OSError):
        return False


def sort_in(path: Path, folder: Path, found: Found, others: set[str]) -> None:
    """Adds the file to what was found, where it is of that person or names them. ``others`` are the others' codes."""
    who = found.participant
    try:
        if not is_named(path, folder, who) and not holds(path, [who]):
            if is_video(path) and not any(is_named(path, folder, other) for other in others):
                found.unread.append(f"{shown(path)}: is a video that no code names")
            return
    except OSError as error:
        found.unread.append(one_line(path, error))
        return
    longer = [other for other in others if who.casefold() in other.casefold()]
    if any(recording_of(path, other)[0] or is_named_after(path, folder, other) for other in longer):
        return  # what stands there is a part of another code
    try:
        alone = is_alone(path, folder, who, others)
    except OSError:
        alone = looks_recorded(path) and is_named_after(path, folder, who)
    if not alone:
        found.mentions.append(path)
    elif path.name.endswith(LOCK):
        found.logs.add(path.with_name(path.name.removesuffix(LOCK) + SUFFIX))
    else:
        found.files.append(path)
        if path.is_symlink() and recording_of(path, who)[0]:
            found.files.append(path.resolve())
        if path.name.endswith(SUFFIX):
            found.logs.add(path)


def withdraw(study: Study, code: str) -> Found:
    """``find``, and ``delete`` that; what was found."""
    found = find(study, code)
    delete(study, found)
    return found


def delete(study: Study, found: Found) -> None:
    """Logs that the person withdrew, deletes every file that is theirs alone, and empties their place.

    Nothing about the person is kept but the code, the UTC date, and how much was deleted. What a crash leaves of it is
    found by the next call. Raises OSError, and changes nothing, where the session is going on or the list can't be
    written; OSError, one line, for files that can't be deleted, when all others are.
    """
    kept = []
    with ExitStack() as stack:
        for log in sorted(found.logs):
            try:
                stack.callback(release, locked(log))
            except Taken:
                raise
            except OSError:
                continue  # nothing can be written beside it, so nobody records it; whether it can be deleted is seen
        if not found.withdrew:
            plays, events = max(map(count, found.files), default=(0, 0))
            row = {"id": found.participant, "date": today(), "files": len(found.files), "plays": plays}
            try:
                withdrawals.add(study.folder / withdrawals.NAME, {**row, "events": events})
            except OSError as error:
                raise OSError(f"{error}; nothing was deleted, as that list could not be written") from None
        for path in found.files:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                kept.append(one_line(path, error))
        for place in found.places:  # after the files: on a full disk they made room for it
            try:
                clear(study, place)
            except OSError as error:
                kept.append(one_line(path_of(study, place.number), error))
    for folder in sorted({parent for path in found.files for parent in path.parents}, reverse=True):
        if folder.is_relative_to(study.folder) and folder.name.casefold() == found.participant.casefold():
            with suppress(OSError):
                folder.rmdir()  # it is empty now
    if kept:
        raise OSError(f"can't be deleted: {'; '.join(kept)}; everything else of {found.participant} is")


def count(log: Path) -> tuple[int, int]:
    """(plays, events) of a log, 0 of anything else, and of a damaged one: it is deleted nevertheless."""
    try:
        events = read_events(log).events
    except (ValueError, OSError):
        return 0, 0
    return sum(event["event"] == "play" for event in events), len(events)
