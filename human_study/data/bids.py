"""Recorded plays as a dataset in the Brain Imaging Data Structure (BIDS 1.10, behavioural data): events with onset and
duration, as tools for experiments read them."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from priorlab.envs.base.provenance import software
from priorlab.envs.plays.sessions import Recorded, TimedEvent
from priorlab.human_study.data.export import ANSWER, DECIMALS, computers_in, data_dictionary, participant_row, plain

BIDS_VERSION = "1.10.0"
MISSING = "n/a"
CLOSES = {"end": "begin", "up": "down", "gained": "lost", "visible": "hidden"}  # what closes which ``what``
ABOUT = ("key", "question", "page", "why", "reason")  # the first that an event has is its ``value``
OF_A_PLAY = (
    "version", "level", "look_seed", "seed", "ended", "won", "inputs", "inputs_per_second", "minutes", "paused_seconds",
    "idle_seconds", "late", "missed", "limit", "deaths", "unique_states", "points", "file",
)  # fmt: skip
OF_A_PARTICIPANT = ("study", "place", "date", "system", "display_driver", "refresh_rate", "machine", "wording")
EVENTS = {
    "onset": {"Description": "when it began, from the beginning of the play; pauses count", "Units": "s"},
    "duration": {"Description": "how long it lasted; 0 for what happens at once", "Units": "s"},
    "trial_type": {
        "Description": "what happened",
        "Levels": {
            "play": "the play began", "key": "a key was held down", "death": "the player died",
            "pause": "the game waited", "idle": "the game waited, as no key was held for long",
            "focus": "another window had the keyboard", "probe": "a question in the middle of the play",
            "page": "a page, such as the one that asks whether to stop", "offline": "there was no connection",
            "visible": "the page was hidden", "fullscreen": "the page filled the screen",
            "gamepad": "a gamepad was connected or disconnected",
            "screen": "the computer, after a session was resumed", "resumed": "the session was resumed after a crash",
            "win": "the game was solved", "timeout": "the time was up", "quit": "the play was left",
        },
    },
    "value": {"Description": "which key, question or page it was, or why the game waited"},
    "response": {"Description": "the answer to the question"},
    "step": {"Description": "how many inputs the play had by then"},
}  # fmt: skip
README = """Plays of video games that participants did not know, recorded and exported by Priorlab.

`events.tsv` has what happened in each play, `scans.tsv` what was played, and `participants.tsv` what participants
answered. Every input of every play is in `steps.csv.gz`, which `priorlab export --formats csv` writes.
"""


def write_bids(recorded: Sequence[Recorded], folder: Path) -> None:
    """Writes the plays of sessions into that new folder. A play without times has no events, and is left out.

    Raises ValueError if nothing is left, and for participants whom BIDS can't tell apart.
    """
    timed = [each for each in recorded if each.events]
    if not timed:
        raise ValueError("bids: expected plays that were recorded with times, found none")
    folder.mkdir(parents=True)
    computers = computers_in(each.events for each in timed)
    rows = [participant_row(each, computers) for each in timed]
    check_labels(rows)
    names = names_of(rows)
    for each, row, name in zip(timed, rows, names):
        path = folder / subject_of(row) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        save(event_rows(each), path)
    for subject, scans in scans_of(rows, names).items():
        save(scans, folder / subject / f"{subject}_scans.tsv")
    people = people_of(rows)
    save(people, folder / "participants.tsv")
    for task in {label_of(row["game"]) for row in rows}:
        write_json({"TaskName": task} | shown_by() | EVENTS, folder / f"task-{task}_events.json")
    write_json({"filename": {"Description": "the events of a play"}} | described(OF_A_PLAY), folder / "scans.json")
    questions = [name for name in people[0] if name.startswith(ANSWER)]
    answers = {name: {"Description": f"answer to the question {name.removeprefix(ANSWER)!r}"} for name in questions}
    write_json(described(OF_A_PARTICIPANT) | answers, folder / "participants.json")
    write_json(description_of(timed), folder / "dataset_description.json")
    (folder / "README").write_text(README, encoding="utf-8")


def label_of(name: str) -> str:
    """A name as BIDS allows it in file names: letters and digits."""
    return "".join(letter for letter in name if letter.isascii() and letter.isalnum())


def subject_of(row: Mapping[str, Any]) -> str:
    """The participant of a row of participants.csv."""
    return f"sub-{label_of(row['participant'])}"


def check_labels(rows: Iterable[Mapping[str, Any]]) -> None:
    """Raises ValueError if codes of two participants differ in nothing that BIDS allows in a name."""
    codes: dict[str, str] = {}
    for row in rows:
        if (code := codes.setdefault(subject_of(row), row["participant"])) != row["participant"]:
            both = f"{code!r} and {row['participant']!r}"
            raise ValueError(f"bids: participants {both}: expected codes that differ in letters or digits")


def names_of(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The files of the plays' events, in the participants' folders. Runs count a participant's plays of a game."""
    runs, names = Counter[str](), []
    for row in rows:
        task = f"{subject_of(row)}_task-{label_of(row['game'])}"
        runs[task] += 1
        names.append(f"beh/{task}_run-{runs[task]}_events.tsv")
    return names


def event_rows(recorded: Recorded) -> list[dict[str, Any]]:
    """What happened in a play, by onset. The end of something is no row: the beginning's row has its duration."""
    happened = [each for each in recorded.events if each.play == recorded.number]
    began, rows, under_way = happened[0].seconds, list[dict[str, Any]](), dict[tuple, dict[str, Any]]()
    for each in happened:
        event, at = each.event, each.seconds - began
        if (what := event.get("what")) in CLOSES:
            if opened := under_way.pop(same_thing(each, CLOSES[what]), None):
                opened["duration"] = round(max(at - opened["onset"], 0), DECIMALS)  # both are rounded
            continue
        lasted, value = event.get("seconds", 0), next((event[name] for name in ABOUT if name in event), None)
        row = {
            "onset": round(at - lasted, DECIMALS), "duration": lasted, "trial_type": event["event"], "value": value,
            "response": plain(event.get("answer")), "step": each.step,
        }  # fmt: skip
        if what and what in CLOSES.values():
            row["duration"] = None  # until it ends
            under_way[same_thing(each, what)] = row
        rows.append(row)
    return sorted(rows, key=lambda row: row["onset"])


def same_thing(each: TimedEvent, what: str) -> tuple:
    """What an end has in common with its beginning."""
    return each.event["event"], what, each.event.get("code"), each.event.get("page")


def scans_of(rows: Iterable[Mapping[str, Any]], names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """By participant, a row for each play."""
    scans: dict[str, list[dict[str, Any]]] = {}
    for row, name in zip(rows, names):
        played = {"filename": name} | {column: row.get(column) for column in OF_A_PLAY}
        scans.setdefault(subject_of(row), []).append(played)
    return scans


def people_of(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each participant, with all answers."""
    questions = sorted({name for row in rows for name in row if name.startswith(ANSWER)})
    columns = (*OF_A_PARTICIPANT, *questions)
    people = {
        subject_of(row): {"participant_id": subject_of(row)} | {column: row.get(column) for column in columns}
        for row in rows
    }
    return [people[subject] for subject in sorted(people)]


def described(columns: Iterable[str]) -> dict[str, dict[str, str]]:
    """The data dictionary of participants.csv, as BIDS has it."""
    about = {column: data_dictionary()["participants"][column] for column in columns}
    return {
        column: {"Description": meaning} | ({"Units": unit} if unit in ("s", "Hz", "min", "ms", "px") else {})
        for column, (_, unit, meaning) in about.items()
    }


def description_of(timed: Iterable[Recorded]) -> dict[str, Any]:
    studies = sorted({each.study for each in timed if each.study})
    generated = {"Name": "priorlab", "Version": software()["priorlab"]}
    return {
        "Name": ", ".join(studies) or "plays", "BIDSVersion": BIDS_VERSION, "DatasetType": "raw",
        "GeneratedBy": [generated],
    }  # fmt: skip


def shown_by() -> dict[str, dict[str, str]]:
    return {"StimulusPresentation": {"SoftwareName": "Priorlab", "SoftwareVersion": software()["priorlab"]}}


def save(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """With tabs; n/a where nothing is known. Breaks of lines and tabs within texts become spaces."""
    lines = [[*rows[0]], *(["" if cell is None else cell for cell in row.values()] for row in rows)]
    text = "".join("\t".join(" ".join(str(cell).split()) or MISSING for cell in line) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(content: Any, path: Path) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
