"""Deletes everything of a participant who withdraws from a study's folder."""

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
from priorlab.human_study.data import panel_ids, withdrawals
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
from priorlab.human_study.data.wordings import DIGITS
from priorlab.human_study.data.wordings import FOLDER as WORDINGS
from priorlab.human_study.study.assignment import StudyPlace, empty_place, place_at, place_path, readable_places
from priorlab.human_study.study.study_file import Study

SHORT = 6  # characters; shorter codes occur in files at random


@dataclass
class ParticipantRecord:
    """Everything of a participant in the study's folder."""

    participant: str  # the code
    withdrew: str = ""  # date of an earlier withdrawal, as in withdrawals.csv; empty if there was none
    files: list[Path] = field(default_factory=list)  # theirs alone, to be deleted
    places: list[StudyPlace] = field(default_factory=list)
    mentions: list[Path] = field(default_factory=list)  # have the code in them or in their name; not theirs alone
    unread: list[str] = field(default_factory=list)  # one line per file that can't be read or completely searched
    logs: set[Path] = field(default_factory=set)  # that no process may be recording

    def __bool__(self) -> bool:
        return bool(self.files or self.places or self.mentions or self.unread)


def find_record(
    study: Study, code: str, progress: Callable[[Iterable[Path]], Iterable[Path]] = iter
) -> ParticipantRecord:
    """Everything in the study's folder that belongs to that participant, or names them.

    Case, spaces and hyphens of the code don't matter. ``progress`` gets all files, and returns them one by one. Raises
    ValueError, one line, for a code that is unknown, that may be several participants', or of which nothing is left.
    """
    folder = study.folder
    withdrawn = withdrawals.read(folder / withdrawals.NAME)
    places, damaged = readable_places(study)
    every = [*files_in(folder)] if folder.is_dir() else []
    known = {place.participant for place in places} | withdrawn.keys()
    known |= {each for path in every if path.name.endswith((SUFFIX, PLAY_SUFFIX)) for each in codes_in(header_of(path))}
    who = meant(code, known - {""}, folder)
    record = ParticipantRecord(
        who, withdrawn.get(who, ""), places=[place for place in places if place.participant == who]
    )
    record.places += [
        replace(place_at(study, number), participant=who) for number in damaged if names(study, number, who)
    ]
    passed = {place_path(study, place.number) for place in [*places, *record.places]}
    passed |= {folder / withdrawals.NAME, folder / panel_ids.NAME}
    for path in progress(every):
        if path not in passed and not is_wording(path, folder) and not is_list(path):
            add_file(path, folder, record, known - {who, ""})
    if who not in known and not any(looks_recorded(path) or recording_of(path, who)[0] for path in record.files):
        is_listed = len(who) >= SHORT and record.mentions
        also = f"; these contain it: {', '.join(map(str, record.mentions))}" if is_listed else ""
        raise ValueError(f"{folder}: nobody has the code {code!r}: expected the eight characters of a session{also}")
    if record.withdrew and not record:
        raise ValueError(f"{who} withdrew on {record.withdrew}: nothing is left to delete")
    return record


def names(study: Study, number: int, who: str) -> bool:
    """Whether that damaged place belongs to that participant, as far as it can be read."""
    with suppress(OSError):
        return holds(place_path(study, number), [who])
    return False


def meant(code: str, known: Iterable[str], folder: Path) -> str:
    """The known code that is spelled like this one; this one if there is none."""
    alike = sorted(each for each in known if plain(each) == plain(code))
    if code in alike or len(alike) == 1:
        return code if code in alike else alike[0]
    if alike:
        raise ValueError(f"{folder}: {code!r} may be {' or '.join(alike)}: expected one of these")
    return plain(code)


def plain(code: str) -> str:
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", code)).casefold()


def is_wording(path: Path, folder: Path) -> bool:
    """Whether it has the name of a wording, which contains no code; other files in that folder may."""
    return path.parent == folder / WORDINGS and bool(re.fullmatch(rf"[0-9a-f]{{{DIGITS}}}\.json", path.name))


def is_list(path: Path) -> bool:
    """Whether it is a copy of withdrawals.csv, which says only that somebody withdrew."""
    if not path.name.startswith(Path(withdrawals.NAME).stem):
        return False
    try:
        codes, dialect, _ = withdrawals.parse(path)
        return bool(codes) and {*dialect.columns} <= {*withdrawals.HEADER, ""}
    except (ValueError, OSError):
        return False


def add_file(path: Path, folder: Path, record: ParticipantRecord, others: set[str]) -> None:
    """Adds the file to the record if it belongs to the participant or names them. ``others``: all other codes."""
    who = record.participant
    try:
        if not is_named(path, folder, who) and not holds(path, [who]):
            if is_video(path) and not any(is_named(path, folder, other) for other in others):
                record.unread.append(f"{shown(path)}: is a video without a code in its name")
            return
    except OSError as error:
        record.unread.append(one_line(path, error))
        return
    longer = [other for other in others if who.casefold() in other.casefold()]
    if any(recording_of(path, other)[0] or is_named_after(path, folder, other) for other in longer):
        return  # it contains another, longer code
    try:
        alone = is_alone(path, folder, who, others)
    except OSError:
        alone = looks_recorded(path) and is_named_after(path, folder, who)
    if not alone:
        record.mentions.append(path)
    elif path.name.endswith(LOCK):
        record.logs.add(path.with_name(path.name.removesuffix(LOCK) + SUFFIX))
    else:
        record.files.append(path)
        if path.is_symlink() and recording_of(path, who)[0]:
            record.files.append(path.resolve())
        if path.name.endswith(SUFFIX):
            record.logs.add(path)


def withdraw(study: Study, code: str) -> ParticipantRecord:
    """Deletes everything of that participant from the study's folder, and returns what there was.

    Raises as ``find_record`` and ``delete_record``.
    """
    record = find_record(study, code)
    delete_record(study, record)
    return record


def delete_record(study: Study, record: ParticipantRecord) -> None:
    """Lists the withdrawal in withdrawals.csv, deletes every file that is the participant's alone, empties their place.

    Only the code, the UTC date and how much was deleted remain. If a crash interrupts it, the next call deletes the
    rest. Raises OSError, and changes nothing, if the session is under way or the list can't be written; OSError, one
    line, if some files can't be deleted, after deleting all others.
    """
    failed = []
    with ExitStack() as stack:
        for log in sorted(record.logs):
            try:
                stack.callback(release, locked(log))
            except Taken:
                raise
            except OSError:
                continue  # nothing can be written next to it, so nobody records it; deleting it may still work
        if not record.withdrew:
            plays, events = max(map(count, record.files), default=(0, 0))
            row = {"id": record.participant, "date": today(), "files": len(record.files), "plays": plays}
            try:
                withdrawals.add(study.folder / withdrawals.NAME, {**row, "events": events})
            except OSError as error:
                raise OSError(f"{error}; nothing was deleted, because that list could not be written") from None
        for path in record.files:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                failed.append(one_line(path, error))
        try:
            panel_ids.forget(study.folder, record.participant)
        except (OSError, ValueError) as error:
            failed.append(one_line(study.folder / panel_ids.NAME, error))
        for place in record.places:  # after the files, which make room for it on a full disk
            try:
                empty_place(study, place)
            except OSError as error:
                failed.append(one_line(place_path(study, place.number), error))
    for folder in sorted({parent for path in record.files for parent in path.parents}, reverse=True):
        if folder.is_relative_to(study.folder) and folder.name.casefold() == record.participant.casefold():
            with suppress(OSError):
                folder.rmdir()  # it is empty now
    if failed:
        raise OSError(f"could not delete: {'; '.join(failed)}; everything else of {record.participant} was deleted")


def count(log: Path) -> tuple[int, int]:
    """(plays, events) of a log; (0, 0) for other files, and for a damaged log, which is deleted all the same."""
    try:
        events = read_events(log).events
    except (ValueError, OSError):
        return 0, 0
    return sum(event["event"] == "play" for event in events), len(events)
