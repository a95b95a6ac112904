"""What becomes of a study's places: who finished, and the deletion of all that a person left, if they wish so."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from envs.events import SUFFIX, locked, read_events
from envs.files import release
from envs.play import SUFFIX as PLAY_SUFFIX
from envs.play import today
from human_study.assign import Place, clear, places
from human_study.study import Study

WITHDRAWALS = "withdrawals.csv"
HEADER = "id,date,files,plays,events"
STATES = ("taken", "finished", "won", "stopped", "unfinished", "withdrawn")
TEXTS = (".csv", ".json", ".jsonl", ".html", ".md", ".txt", ".toml")  # files that may mention a person's code


@dataclass(frozen=True)
class Found:
    """What there is of a person: files to be deleted, their place, and other files that mention the code."""

    files: list[Path]
    place: Place | None
    mentions: list[Path]


def find(study: Study, participant: str) -> Found:
    """ValueError, one line, for a code of which there is nothing, or that withdrew already."""
    folder = study.folder
    withdrawn = read_withdrawals(study)
    place = next((place for place in places(study) if place.participant == participant), None) if participant else None
    every = [path for path in sorted(folder.rglob("*")) if path.is_file()] if folder.is_dir() else []
    files = [path for path in every if path.name.split(".")[0] == participant or is_play_of(path, participant)]
    if not place and folder / f"{participant}{SUFFIX}" not in files:
        if participant in withdrawn:
            raise ValueError(f"{participant} withdrew on {withdrawn[participant]}: nothing is left to delete")
        raise ValueError(f"{folder}: nobody has the code {participant!r}: expected the eight characters of a session")
    own = {*files, folder / WITHDRAWALS}
    mentions = [
        path
        for path in every
        if path not in own and path.parent != folder / "places" and path.suffix in TEXTS
        and participant in path.read_text(encoding="utf-8", errors="replace")
    ]  # fmt: skip
    return Found(files, place, mentions)


def is_play_of(path: Path, participant: str) -> bool:
    if path.suffix != PLAY_SUFFIX:
        return False
    try:
        return json.loads(path.read_text(encoding="utf-8")).get("player_id") == participant
    except (ValueError, AttributeError):
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
    except ValueError:
        return 0, 0
    return sum(event["event"] == "play" for event in events), len(events)


def read_withdrawals(study: Study) -> dict[str, str]:
    """The date of each, by code."""
    path = study.folder / WITHDRAWALS
    lines = path.read_text(encoding="utf-8").splitlines()[1:] if path.is_file() else []
    return {line.split(",")[0]: line.split(",")[1] for line in lines}


def overview(study: Study) -> dict[str, Counter[str]]:
    """How many places of each version (within subjects: order) are in each of the STATES; for the researcher alone."""
    table = {}
    for place in places(study):
        counts = table.setdefault(", ".join(place.versions), Counter())
        counts["taken"] += 1
        counts.update(states_of(study, place))
    return table


def states_of(study: Study, place: Place) -> list[str]:
    if not place.participant:
        return ["withdrawn"]
    log = study.folder / f"{place.participant}{SUFFIX}"
    if not log.exists():
        return ["unfinished"]
    happened = Counter(event["event"] for event in read_events(log).events)
    states = ["finished" if happened["finish"] else "unfinished"]
    if happened["quit"]:
        states.append("stopped")
    if happened["win"] == len(place.versions):
        states.append("won")
    return states
