"""What becomes of a study's places: who finished, and the deletion of all that a person left, if they wish so."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from envs.events import SUFFIX, locked, read_events
from envs.files import one_line, read_bytes, read_json, read_text, release
from envs.play import SUFFIX as PLAY_SUFFIX
from envs.play import today
from envs.sessions import id_in
from human_study.assign import Place, clear, places
from human_study.study import Study

WITHDRAWALS = "withdrawals.csv"
HEADER = "id,date,files,plays,events"
STATES = ("taken", "finished", "won", "stopped", "unfinished", "withdrawn")
TEXTS = (".csv", ".json", ".jsonl", ".html", ".md", ".txt", ".toml")  # files that may mention a person's code


@dataclass(frozen=True)
class Found:
    """What there is of a person: files to be deleted, their place, and other files that mention the code, or may."""

    files: list[Path]
    place: Place | None
    mentions: list[Path]
    unread: list[Path]  # can't be read


def find(study: Study, participant: str) -> Found:
    """ValueError, one line, for a code of which there is nothing, or that withdrew already."""
    folder = study.folder
    withdrawn = read_withdrawals(study)
    place = next((place for place in places(study) if place.participant == participant), None) if participant else None
    every = [path for path in sorted(folder.rglob("*")) if path.is_file()] if folder.is_dir() else []
    files = [path for path in every if is_of(path, participant)]
    if not place and not any(path.name.endswith(SUFFIX) for path in files):
        if participant in withdrawn:
            raise ValueError(f"{participant} withdrew on {withdrawn[participant]}: nothing is left to delete")
        raise ValueError(f"{folder}: nobody has the code {participant!r}: expected the eight characters of a session")
    own = {*files, folder / WITHDRAWALS}
    others = [path for path in every if path not in own and path.parent != folder / "places" and path.suffix in TEXTS]
    mentions, unread = [], []
    for path in others:
        try:
            if participant in read_bytes(path).decode("utf-8", "replace"):
                mentions.append(path)
        except OSError:
            unread.append(path)
    return Found(files, place, mentions, unread)


def is_of(path: Path, participant: str) -> bool:
    """Whether it is that person's by its name, or a recording of theirs under any name."""
    if path.name.split(".")[0] == participant:
        return True
    if path.name.endswith(SUFFIX):
        return id_in(path) == participant
    if path.suffix != PLAY_SUFFIX:
        return False
    try:
        return read_json(path).get("player_id") == participant
    except (ValueError, OSError, AttributeError):
        return False


def withdraw(study: Study, participant: str) -> Found:
    """Deletes everything of that person, empties their place, and logs that it did; what was found.

    Nothing about the person is kept but that they withdrew: code, UTC date, and how much was deleted. Done again
    after a crash it goes on where it was. Raises ValueError as ``find``; OSError where the session is going on.
    """
    found = find(study, participant)
    log = study.folder / f"{participant}{SUFFIX}"
    if log in found.files:
        release(locked(log))
    plays, events = count(log) if log in found.files else (0, 0)
    for path in found.files:
        path.unlink(missing_ok=True)
    if participant not in read_withdrawals(study):
        path = study.folder / WITHDRAWALS
        line = ",".join(map(str, (participant, today(), len(found.files), plays, events)))
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(line + "\n" if path.stat().st_size else f"{HEADER}\n{line}\n")
    if found.place:
        clear(study, found.place)
    return found


def count(log: Path) -> tuple[int, int]:
    """(plays, events) of a log, 0 where it can't be read: it is deleted nevertheless."""
    try:
        events = read_events(log).events
    except (ValueError, OSError):
        return 0, 0
    return sum(event["event"] == "play" for event in events), len(events)


def read_withdrawals(study: Study) -> dict[str, str]:
    """The date of each, by code."""
    path = study.folder / WITHDRAWALS
    rows = [line.split(",") for line in read_text(path).splitlines()[1:] if line] if path.is_file() else []
    if any(len(row) < 2 for row in rows):
        raise ValueError(f"{path}: expected rows of {HEADER}, with commas, as `priorlab withdraw` writes them")
    return {row[0]: row[1] for row in rows}


def overview(study: Study, problems: list[str]) -> dict[str, Counter[str]]:
    """How many places of each version (within subjects: order) are in each of the STATES; for the researcher alone.

    ``problems`` gains a line for each log that can't be read; its place counts as taken and nothing else.
    """
    table = {}
    for place in places(study):
        counts = table.setdefault(", ".join(place.versions), Counter())
        counts["taken"] += 1
        try:
            counts.update(states_of(study, place))
        except (ValueError, OSError) as error:
            problems.append(one_line(study.folder / f"{place.participant}{SUFFIX}", error))
    return table


def states_of(study: Study, place: Place) -> list[str]:
    if not place.participant:
        return ["withdrawn"]
    log = study.folder / f"{place.participant}{SUFFIX}"
    if not os.path.lexists(log):
        return ["unfinished"]
    happened = Counter(event["event"] for event in read_events(log).events)
    states = ["finished" if happened["finish"] else "unfinished"]
    if happened["quit"]:
        states.append("stopped")
    if happened["win"] == len(place.versions):
        states.append("won")
    return states
