"""What a study recorded as tables for R and pandas: a row a play, a row a step, a row an event, and what they mean.

The tables' columns, their order and meaning stand in ``columns.toml``, and nowhere else.
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

from envs.atari_course import ACTION_NAMES, AtariPlay
from envs.events import SUFFIX as LOG
from envs.events import read_events
from envs.play import CHARACTERS
from envs.rules import DEATHS, HAS_KEY, INPUT_NAMES, JUMPING, ON_LADDER, SPEED, UNIQUE_STATES, X, Y
from envs.sessions import Recorded, beside_steps, plays_under, read_session, without_copies
from envs.tables import csv_of

COLUMNS = Path(__file__).parent / "columns.toml"
ANSWER, ANSWERED = "answer_", "answered_"  # what columns of answers begin with
DTYPES = {"text": object, "date": object, "integer": "Int64", "flag": "Int64", "number": float}
SAID = ("n", "t", "event", "hash", "seconds", "play", "step")  # of an event, in other columns than its details
LEVEL = 1  # of gzip's compression: a fifth of the time of the default, for a fifth more bytes
DECIMALS = 6  # of times, as in the log
NUMBERS = str.maketrans(CHARACTERS, "".join(map(chr, range(len(CHARACTERS)))))  # from characters to inputs


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A draft of the folder, which takes its name when all is written, so that it is whole or not there.

    FileExistsError where there is something under that name: an export overwrites nothing.
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
    """Raises FileExistsError as ``new_folder``; the name of the draft."""
    if os.path.lexists(path) and (not path.is_dir() or any(path.iterdir())):
        raise FileExistsError(f"{path} exists: expected a new or an empty folder; nothing was overwritten")
    draft = path.with_name(path.name + ".draft")
    if draft.exists():
        raise FileExistsError(f"{draft} exists, of an export that was cut short: delete it, or name another folder")
    return draft


def write_tables(
    recorded: Sequence[Recorded], root: Path, folder: Path, progress: Callable[[Iterable], Iterable] = iter
) -> None:
    """Writes participants.csv, steps.csv.gz, events.csv and dictionary.csv into the folder.

    ``recorded`` are the plays, found under ``root``, whose logs of sessions without a play give events, too;
    ``progress`` is given the plays and gives them back one after another.
    """
    rows, logs = [], {}
    with gzip.open(folder / "steps.csv.gz", "wb", LEVEL) as steps:
        steps.write(encoded(pd.DataFrame(columns=[*dictionary()["steps"]])))
        for each in progress(recorded):
            logs[each.path] = each.events
            rows.append(participant_row(each))
            steps.write(encoded(typed(step_table(each), "steps"), header=False))
    if any(each.play.player == "person" for each in recorded):
        logs |= without_play(root, logs)
    questions = answer_columns(recorded)
    silent = {name: 0 for name in questions if name.startswith(ANSWERED)}
    participants = pd.DataFrame([silent | row for row in rows], columns=[*dictionary()["participants"], *questions])
    save(typed(participants, "participants", questions), folder / "participants.csv")
    events = pd.DataFrame(
        [row for path in sorted(logs) for row in event_rows(logs[path])], columns=[*dictionary()["events"]]
    )
    save(typed(events, "events"), folder / "events.csv")
    save(dictionary_table(questions), folder / "dictionary.csv")


def without_play(root: Path, logs: Collection[Path]) -> dict[Path, list[dict[str, Any]]]:
    """Events of the sound logs under ``root`` beside ``logs``: of sessions that ended before anything was played."""
    found = {}
    for path in without_copies(plays_under(root))[0]:
        if path not in logs and path.name.endswith(LOG):
            with suppress(ValueError, OSError):  # a log that is damaged was named where the plays were looked for
                events = read_events(path).events
                if all(event["event"] != "play" for event in events) and not read_session(path):
                    found[path] = beside_steps(events)
    return found


def save(table: pd.DataFrame, path: Path) -> None:
    path.write_bytes(encoded(table))


def encoded(table: pd.DataFrame, header: bool = True) -> bytes:
    """As CSV in UTF-8; halves of characters, which are no text, are spelled out."""
    return csv_of(table, header).encode("utf-8", "backslashreplace")


def typed(table: pd.DataFrame, name: str, questions: Mapping[str, list[str]] | None = None) -> pd.DataFrame:
    """The table with columns of the types that its dictionary, and that of the answers, tells."""
    kinds = {column: about[0] for column, about in {**dictionary()[name], **(questions or {})}.items()}
    try:
        return table.astype({column: DTYPES[kind] for column, kind in kinds.items()})
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name}: a cell is not what columns.toml says of its column: {error}") from None


def answer_columns(recorded: Iterable[Recorded]) -> dict[str, list[str]]:
    """Type, unit and meaning of the columns of answers, two a question: the answer, and whether there is one."""
    given: dict[str, list[Any]] = {}
    for each in recorded:
        for question, answer in each.answers.items():
            given.setdefault(question, []).append(answer)
    columns = {}
    for question, answers in sorted(given.items()):
        kinds = {type(answer) for answer in answers if answer is not None}
        kind = "integer" if kinds == {int} else "number" if kinds and kinds <= {int, float} else "text"
        columns[ANSWER + question] = [kind, "", f"answer to the question {question!r}; empty where there is none"]
        columns[ANSWERED + question] = ["flag", "", f"whether the question {question!r} was answered"]
    return columns


@cache
def dictionary() -> dict[str, dict[str, list[str]]]:
    """Of each table, by its columns' names: type, unit, meaning."""
    return tomllib.loads(COLUMNS.read_text(encoding="utf-8"))


def dictionary_table(questions: Mapping[str, list[str]] | None = None) -> pd.DataFrame:
    """The dictionary as a table itself, with ``answer_columns``."""
    tables = [*dictionary().items(), ("participants", questions or {})]
    rows = [(name(table), column, *about) for table, columns in tables for column, about in columns.items()]
    return pd.DataFrame(rows, columns=["file", "column", "type", "unit", "meaning"])


def name(table: str) -> str:
    return f"{table}.csv.gz" if table == "steps" else f"{table}.csv"


def participant_row(recorded: Recorded) -> dict[str, Any]:
    """The row of participants.csv, answers included."""
    play, about = recorded.play, recorded.about
    row = {name: about.get(name) for name in dictionary()["participants"]}
    row |= {
        "participant": recorded.participant, "study": recorded.study, "play": recorded.number, "player": play.player,
        "date": play.date, "version": play.version, "ended": play.ended, "unfinished": int(play.unfinished),
        "won": int(play.ended == "win"), "inputs": len(play.inputs), "inputs_per_second": play.inputs_per_second,
        "minutes": len(play.inputs) / play.inputs_per_second / 60, "redrawn": int(play.redrawn), "play_id": play.id,
        "software": ", ".join(f"{name} {version}" for name, version in play.software.items()),
        "file": recorded.path.name,
    }  # fmt: skip
    if isinstance(play, AtariPlay):
        settings = {name: play.about[name] for name in ("game", "look_seed", "seed")}
        row |= settings | {"points": play.points[-1:].sum(), "games_over": play.games_over}
    else:
        found = play.measure()
        row |= {
            "game": play.level.game, "level": play.level.name, "look_seed": play.look_seed, "seed": play.seed,
            "deaths": found.total_deaths, "unique_states": found.total_unique_states,
        }  # fmt: skip
    answers = recorded.answers
    row |= {ANSWER + question: plain(answer) for question, answer in answers.items()}
    return row | {ANSWERED + question: int(answer is not None) for question, answer in answers.items()}


def step_table(recorded: Recorded) -> pd.DataFrame:
    """The play's rows of steps.csv.gz; without times where nobody wrote them down."""
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
    return pd.DataFrame(columns, columns=[*dictionary()["steps"]], index=range(count))


def event_rows(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of a session's events, as ``envs.sessions.beside_steps`` gives them, the rows of events.csv."""
    who = {"participant": events[0]["participant"], "study": events[0].get("study", "")} if events else {}
    rows = []
    for event in events:
        details = {name: value for name, value in event.items() if name not in SAID}
        rows.append({
            **who, "n": event["n"], "t": round(event["seconds"], DECIMALS), "event": event["event"],
            "play": event["play"], "step": event["step"],
            "details": json.dumps(details, ensure_ascii=False) if details else None,
        })  # fmt: skip
    return rows


def plain(answer: Any) -> Any:
    """An answer as one cell."""
    if answer is None or isinstance(answer, (str, int, float)):
        return int(answer) if isinstance(answer, bool) else answer
    return json.dumps(answer, ensure_ascii=False)
