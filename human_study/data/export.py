"""What a study recorded, as tables for R and pandas: one row per play, per step and per event, and what they mean.

``columns.toml`` defines the columns of the tables, their order and meaning.
"""

import gzip
import json
import os
import shutil
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from priorlab.envs.base.tables import csv_of
from priorlab.envs.game.rules import DEATHS, HAS_KEY, INPUT_NAMES, JUMPING, ON_LADDER, SPEED, UNIQUE_STATES, X, Y
from priorlab.envs.plays.atari_course import ACTION_NAMES, AtariPlay
from priorlab.envs.plays.events import SUFFIX as LOG
from priorlab.envs.plays.events import read_events
from priorlab.envs.plays.play import CHARACTERS
from priorlab.envs.plays.sessions import (
    Recorded,
    TimedEvent,
    answers_in,
    find_plays,
    plays_under,
    read_session,
    timed_events,
    without_copies,
)
from priorlab.human_study.data.wordings import wording_rows
from priorlab.human_study.study.texts import BETWEEN

COLUMNS = Path(__file__).parent / "columns.toml"
ANSWER, ANSWERED = "answer_", "answered_"  # prefixes of the columns of answers
DTYPES = {"text": object, "date": object, "integer": "Int64", "flag": "Int64", "number": float}
IN_COLUMNS = ("n", "t", "event", "hash")  # fields of an event that are not among its details
HIDDEN = ("machine",)  # fields of an event that are not exported: computers are only numbered
NOT_BEGUN = "not begun"  # ``ended`` of a participant who agreed and never played
LEVEL = 1  # of gzip's compression: a fifth of the time of the default, for a fifth more bytes
DECIMALS = 6  # of times, as in the log
NUMBERS = str.maketrans(CHARACTERS, "".join(map(chr, range(len(CHARACTERS)))))  # from characters to inputs


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A draft of the folder, renamed once everything is written, so that the folder is complete or does not exist.

    Raises FileExistsError if ``path`` exists and is not an empty folder: an export overwrites nothing.
    """
    draft = check_new(path)
    draft.mkdir(parents=True)
    try:
        yield draft
    except BaseException:
        shutil.rmtree(draft)
        raise
    if path.exists():
        path.rmdir()
    draft.rename(path)


def check_new(path: Path) -> Path:
    """Raises FileExistsError as ``new_folder``; returns the path of the draft."""
    if os.path.lexists(path) and (not path.is_dir() or any(path.iterdir())):
        raise FileExistsError(f"{path} exists: expected a new or an empty folder; nothing was overwritten")
    draft = path.with_name(path.name + ".draft")
    if draft.exists():
        raise FileExistsError(f"{draft} exists, from an interrupted export: delete it, or choose another folder")
    return draft


def plays_by(players: Collection[str], folder: Path) -> tuple[list[Recorded], list[str]]:
    """The plays under the folder by these kinds of players, and a line for each file that can't be read."""
    found, problems = find_plays(folder) if folder.exists() else ([], [f"{folder}: no such folder"])
    return [each for each in found if each.play.player in players], problems


def check_any(plays: Sequence[Recorded], players: Collection[str], folder: Path) -> None:
    """Raises ValueError if there is nothing to export: no play, and no person who agreed and never played."""
    if not plays and not (folder.exists() and "person" in players and sessions_without_play(folder, ())):
        raise ValueError(f"{folder}: expected plays by {' or '.join(players)}, found none")


def write_tables(
    recorded: Sequence[Recorded], root: Path, folder: Path, progress: Callable[[Iterable], Iterable] = iter
) -> list[str]:
    """Writes participants.csv, steps.csv.gz, events.csv, probes.csv, wordings.csv and dictionary.csv into the folder.

    ``recorded`` are the plays found under ``root``. Sessions without a play under ``root`` add their events, and a row
    of participants.csv if the participant agreed. ``progress`` gets the plays, and returns them one by one. The columns
    are in dictionary.csv: type, unit, meaning. Returns one line per damaged wording.
    """
    is_people = not recorded or any(each.play.player == "person" for each in recorded)
    idle = sessions_without_play(root, {each.path for each in recorded}) if is_people else {}
    logs = {each.path: each.events for each in recorded} | idle
    computers = computers_in(logs.values())
    rows = []
    with gzip.open(folder / "steps.csv.gz", "wb", LEVEL) as steps:
        steps.write(encoded(pd.DataFrame(columns=[*data_dictionary()["steps"]])))
        for each in progress(recorded):
            rows.append(participant_row(each, computers))
            steps.write(encoded(typed(step_table(each), "steps"), header=False))
    absent = {path: events for path, events in idle.items() if any(each.event["event"] == "consent" for each in events)}
    rows += [absent_row(path, events, computers) for path, events in absent.items()]
    questions = answer_columns([
        *(each.answers for each in recorded), *(answers_in(each.event for each in events) for events in absent.values())
    ])  # fmt: skip
    unanswered = {name: 0 for name in questions if name.startswith(ANSWERED)}
    participants = pd.DataFrame(
        [unanswered | row for row in rows], columns=[*data_dictionary()["participants"], *questions]
    )
    save(typed(participants, "participants", questions), folder / "participants.csv")
    problems: list[str] = []
    for name, listed_rows in (
        ("events", [row for path in sorted(logs) for row in event_rows(logs[path])]),
        ("probes", [row for path in sorted(logs) for row in probe_rows(logs[path])]),
        ("wordings", [*wording_rows(root, problems)]),
    ):
        save(typed(pd.DataFrame(listed_rows, columns=[*data_dictionary()[name]]), name), folder / f"{name}.csv")
    save(dictionary_table(questions), folder / "dictionary.csv")
    return problems


def sessions_without_play(root: Path, logs: Collection[Path]) -> dict[Path, list[TimedEvent]]:
    """The events of sessions under ``root`` that ended before a play, by log; without damaged logs and ``logs``."""
    sessions = {}
    for path in without_copies(plays_under(root))[0]:
        if path not in logs and path.name.endswith(LOG):
            with suppress(ValueError, OSError):  # a damaged log was reported when the plays were read
                events = read_events(path).events
                if all(event["event"] != "play" for event in events) and not read_session(path):
                    sessions[path] = timed_events(events)
    return sessions


def computers_in(sessions: Iterable[Sequence[TimedEvent]]) -> dict[str, int]:
    """A number from 1 for each computer's random id."""
    ids = {events[0].event.get("machine") for events in sessions if events}
    return {name: number for number, name in enumerate(sorted(filter(None, ids)), 1)}


def save(table: pd.DataFrame, path: Path) -> None:
    path.write_bytes(encoded(table))


def encoded(table: pd.DataFrame, header: bool = True) -> bytes:
    """As CSV in UTF-8; lone surrogates, which are no text, are escaped."""
    return csv_of(table, header).encode("utf-8", "backslashreplace")


def typed(table: pd.DataFrame, name: str, questions: Mapping[str, list[str]] | None = None) -> pd.DataFrame:
    """The table with columns of the types in its dictionary and that of the answers."""
    kinds = {column: about[0] for column, about in {**data_dictionary()[name], **(questions or {})}.items()}
    try:
        return table.astype({column: DTYPES[kind] for column, kind in kinds.items()})
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name}: a cell does not have the type that columns.toml gives its column: {error}") from None


def answer_columns(sessions: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Type, unit and meaning of the columns of answers, two per question: the answer, and whether there is one."""
    given: dict[str, list[Any]] = {}
    for answers in sessions:
        for question, answer in answers.items():
            given.setdefault(question, []).append(answer)
    columns = {}
    for question, answers in sorted(given.items()):
        kinds = {type(answer) for answer in answers if answer is not None}
        kind = "integer" if kinds == {int} else "number" if kinds and kinds <= {int, float} else "text"
        columns[ANSWER + question] = [kind, "", f"answer to the question {question!r}; empty where there is none"]
        columns[ANSWERED + question] = ["flag", "", f"whether the question {question!r} was answered"]
    return columns


@cache
def data_dictionary() -> dict[str, dict[str, list[str]]]:
    """[type, unit, meaning] by table and column."""
    return tomllib.loads(COLUMNS.read_text(encoding="utf-8"))


def dictionary_table(questions: Mapping[str, list[str]] | None = None) -> pd.DataFrame:
    """The dictionary as a table, including ``answer_columns``."""
    tables = [*data_dictionary().items(), ("participants", questions or {})]
    rows = [(file_name(table), column, *about) for table, columns in tables for column, about in columns.items()]
    return pd.DataFrame(rows, columns=["file", "column", "type", "unit", "meaning"])


def file_name(table: str) -> str:
    return f"{table}.csv.gz" if table == "steps" else f"{table}.csv"


def participant_row(recorded: Recorded, computers: Mapping[str, int]) -> dict[str, Any]:
    """The row of participants.csv, answers included."""
    play = recorded.play
    row = session_row(recorded.about, (each.event for each in recorded.events), computers) | {
        "participant": recorded.participant, "study": recorded.study, "play": recorded.number, "player": play.player,
        "date": play.date, "version": play.version, "ended": play.ended, "unfinished": int(play.unfinished),
        "won": int(play.ended == "win"), "inputs": len(play.inputs), "inputs_per_second": play.inputs_per_second,
        "minutes": len(play.inputs) / play.inputs_per_second / 60, "redrawn": int(play.redrawn), "play_id": play.id,
        "software": listed(play.software), "file": recorded.path.name,
    }  # fmt: skip
    if isinstance(play, AtariPlay):
        settings = {name: play.about[name] for name in ("game", "look_seed", "seed")}
        row |= settings | {"points": play.points[-1:].sum(), "games_over": play.games_over}
    else:
        measured = play.measure()
        row |= {
            "game": play.level.game, "level": play.level.name, "look_seed": play.look_seed, "seed": play.seed,
            "deaths": measured.total_deaths, "unique_states": measured.total_unique_states,
        }  # fmt: skip
    return row | answer_cells(recorded.answers)


def absent_row(path: Path, happened: Sequence[TimedEvent], computers: Mapping[str, int]) -> dict[str, Any]:
    """The row of a participant who agreed and never played; the version is the first that they would have played."""
    events = [each.event for each in happened]
    header, names = events[0], [event["event"] for event in events]
    reasons = [f"excluded: {event.get('why')}" for event in events if event["event"] == "excluded"]
    reasons += [f"stopped at {event.get('page')}" for event in events if event.get("what") == "stop"]
    row = session_row(header, events, computers) | {
        "study": header.get("study", ""), "player": "person", "version": next(iter(header.get("versions", ())), None),
        "ended": NOT_BEGUN, "unfinished": int("finish" not in names), "quit_reason": next(iter(reasons), None),
        "resumed": names.count("resumed"), "software": listed(header.get("software", {})), "file": path.name,
    }  # fmt: skip
    return row | answer_cells(answers_in(events))


def session_row(
    about: Mapping[str, Any], events: Iterable[Mapping[str, Any]], computers: Mapping[str, int]
) -> dict[str, Any]:
    """The columns that come from the session's header and its consent."""
    row = {name: about.get(name) for name in data_dictionary()["participants"]}
    wording = next((event.get("wording") for event in events if event["event"] == "consent"), None)
    return row | {"machine": computers.get(about.get("machine", "")), "wording": wording}


def answer_cells(answers: Mapping[str, Any]) -> dict[str, Any]:
    row = {ANSWER + question: plain(answer) for question, answer in answers.items()}
    return row | {ANSWERED + question: int(answer is not None) for question, answer in answers.items()}


def listed(software: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in software.items())


def step_table(recorded: Recorded) -> pd.DataFrame:
    """The play's rows of steps.csv.gz, without times if none were recorded."""
    play = recorded.play
    count = len(play.inputs)
    due, done, shown = recorded.times.round(DECIMALS).T if len(recorded.times) else (None, None, None)
    columns = {
        "participant": recorded.participant, "play": recorded.number, "step": np.arange(1, count + 1),
        "due": due, "done": done, "shown": shown, "late": recorded.late.astype(np.int8) if len(recorded.late) else None,
    }  # fmt: skip
    if isinstance(play, AtariPlay):
        columns |= {"input": np.array(ACTION_NAMES)[list(play.inputs)] if count else [], "points": play.points}
    else:
        states = play.states[1:]
        numbers = np.frombuffer(play.inputs.translate(NUMBERS).encode("latin-1"), np.uint8)
        columns |= {
            "input": np.array(INPUT_NAMES)[numbers], "x": states[:, X] / 2, "y": states[:, Y] / 2,
            "on_ladder": states[:, ON_LADDER], "jumping": states[:, JUMPING], "speed": states[:, SPEED],
            "has_key": states[:, HAS_KEY], "deaths": states[:, DEATHS], "unique_states": states[:, UNIQUE_STATES],
        }  # fmt: skip
    return pd.DataFrame(columns, columns=[*data_dictionary()["steps"]], index=range(count))


def event_rows(events: Sequence[TimedEvent]) -> list[dict[str, Any]]:
    """The rows of events.csv of one session."""
    who = {"participant": events[0].event["participant"], "study": events[0].event.get("study", "")} if events else {}
    rows = []
    for event, seconds, play, step in events:
        details = {name: value for name, value in event.items() if name not in (*IN_COLUMNS, *HIDDEN)}
        rows.append({
            **who, "n": event["n"], "t": round(seconds, DECIMALS), "event": event["event"], "play": play, "step": step,
            "details": json.dumps(details, ensure_ascii=False) if details else None,
        })  # fmt: skip
    return rows


def probe_rows(events: Sequence[TimedEvent]) -> list[dict[str, Any]]:
    """The rows of probes.csv of one session."""
    rows = []
    for event, seconds, play, step in events:
        if event["event"] == "probe":
            told = {name: event.get(name) for name in ("question", "why", "seconds")}
            right = int(event["right"]) if "right" in event else None
            who = {"participant": events[0].event["participant"], "study": events[0].event.get("study", "")}
            when = {"play": play, "step": step, "t": round(seconds, DECIMALS)}
            rows.append({**who, **when, **told, "answer": str(plain(event.get("answer"))), "right": right})
    return rows


def plain(answer: Any) -> Any:
    """An answer as the value of one cell."""
    if answer is None or isinstance(answer, (str, int, float)):
        return int(answer) if isinstance(answer, bool) else answer
    return BETWEEN.join(answer) if isinstance(answer, list) else json.dumps(answer, ensure_ascii=False)
