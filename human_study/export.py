"""What a study recorded as tables for R and pandas: a row a play, a row a step, a row an event, and what they mean.

The tables' columns, their order and meaning stand in ``columns.toml``, and nowhere else.
"""

import gzip
import json
import shutil
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import pandas as pd

from envs.atari_course import ACTION_NAMES, AtariPlay
from envs.events import SUFFIX as LOG
from envs.events import read_events
from envs.play import CHARACTERS
from envs.rules import DEATHS, HAS_KEY, INPUT_NAMES, JUMPING, ON_LADDER, SPEED, UNIQUE_STATES, X, Y
from envs.sessions import ENDINGS, Recorded

COLUMNS = Path(__file__).parent / "columns.toml"
ANSWER = "answer_"  # what columns of answers begin with
NOT_LISTED = ("step", "state")  # events: steps have a table of their own, and hashes are for `priorlab verify`
LEVEL = 1  # of gzip's compression: a fifth of the time of the default, for a fifth more bytes
DECIMALS = 6  # of times, as in the log
NUMBERS = str.maketrans(CHARACTERS, "".join(map(chr, range(len(CHARACTERS)))))  # from characters to inputs


@dataclass(frozen=True)
class Logged:
    """What a session's log holds beside its steps' inputs and times.

    events: rows of the table of events; late: of each play, by its number, whether each step was.
    """

    events: list[dict[str, Any]]
    late: dict[int, list[bool]]


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A draft of the folder, which takes its name when all is written, so that it is whole or not there.

    FileExistsError where there is something under that name: an export overwrites nothing.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileExistsError(f"{path} exists: expected a new or an empty folder; nothing was overwritten")
    draft = path.with_name(path.name + ".draft")
    if draft.exists():
        raise FileExistsError(f"{draft} exists, of an export that was cut short: delete it, or name another folder")
    draft.mkdir(parents=True)
    try:
        yield draft
    except BaseException:
        shutil.rmtree(draft)
        raise
    if path.exists():
        path.rmdir()
    draft.rename(path)


def write_tables(
    recorded: Sequence[Recorded], root: Path, folder: Path, progress: Callable[[Iterable], Iterable] = iter
) -> None:
    """Writes participants.csv, steps.csv.gz, events.csv and dictionary.csv into the folder.

    ``recorded`` are the plays, found under ``root``, whose logs of sessions without a play give events, too;
    ``progress`` is given the plays and gives them back one after another.
    """
    rows, logs = [], {}
    with gzip.open(folder / "steps.csv.gz", "wt", LEVEL, encoding="utf-8", newline="") as file:
        steps = cast(IO[str], file)
        steps.write(",".join(dictionary()["steps"]) + "\n")
        for each in progress(recorded):
            if each.path not in logs:
                logs[each.path] = read_log(each.path)
            rows.append(participant_row(each))
            save(step_table(each, logs[each.path].late.get(each.number)), steps, header=False)
    if any(each.play.player == "person" for each in recorded):
        logs |= {path: read_log(path) for path in without_play(root, logs)}
    answers = sorted({name for row in rows for name in row if name.startswith(ANSWER)})
    columns = [*dictionary()["participants"], *answers]
    save(pd.DataFrame(rows, columns=columns), folder / "participants.csv")
    events = [event for path in sorted(logs) for event in logs[path].events]
    save(pd.DataFrame(events, columns=[*dictionary()["events"]]), folder / "events.csv")
    save(dictionary_table(answers), folder / "dictionary.csv")


def without_play(root: Path, logs: Collection[Path]) -> list[Path]:
    """The sound logs under ``root`` that are not among ``logs``: of sessions that ended before anything was played."""
    found = []
    for path in root.rglob(f"*{LOG}"):
        if path not in logs:
            with suppress(ValueError):  # a log that is damaged was named where the plays were looked for
                events = read_events(path).events
                found += [path] * all(event["event"] != "play" for event in events)
    return found


def save(table: pd.DataFrame, file: Path | IO[str], header: bool = True) -> None:
    table.to_csv(file, index=False, header=header, lineterminator="\n", encoding="utf-8")


@cache
def dictionary() -> dict[str, dict[str, list[str]]]:
    """Of each table, by its columns' names: type, unit, meaning."""
    return tomllib.loads(COLUMNS.read_text(encoding="utf-8"))


def dictionary_table(answers: Iterable[str] = ()) -> pd.DataFrame:
    """The dictionary as a table itself, with the columns of these answers."""
    rows = [
        (name(table), column, *about) for table, columns in dictionary().items() for column, about in columns.items()
    ]
    rows += [
        (name("participants"), each, "text", "", f"answer to the question {each.removeprefix(ANSWER)!r}")
        for each in answers
    ]
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
        total = points(play)[-1] if play.inputs else 0
        over = sum(name == "reset" for told in play.happenings.values() for name, _ in told)
        settings = {name: play.about[name] for name in ("game", "look_seed", "seed")}
        row |= settings | {"points": total, "games_over": over}
    else:
        found = play.measure()
        row |= {
            "game": play.level.game, "level": play.level.name, "look_seed": play.look_seed, "seed": play.seed,
            "deaths": found.total_deaths, "unique_states": found.total_unique_states,
        }  # fmt: skip
    return row | {ANSWER + question: plain(answer) for question, answer in recorded.answers.items()}


def step_table(recorded: Recorded, late: list[bool] | None) -> pd.DataFrame:
    """The play's rows of steps.csv.gz. ``late`` is of each step, None where nobody wrote it down."""
    play = recorded.play
    count = len(play.inputs)
    due, done, shown = recorded.times.round(DECIMALS).T if len(recorded.times) else (None, None, None)
    columns = {
        "participant": recorded.participant, "play": recorded.number, "step": np.arange(1, count + 1),
        "due": due, "done": done, "shown": shown, "late": None if late is None else np.array(late, np.int8),
    }  # fmt: skip
    if isinstance(play, AtariPlay):
        columns |= {"input": np.array(ACTION_NAMES)[list(play.inputs)] if count else [], "points": points(play)}
    else:
        states = play.states[1:]
        numbers = np.frombuffer(play.inputs.translate(NUMBERS).encode("latin-1"), np.uint8)
        columns |= {
            "input": np.array(INPUT_NAMES)[numbers], "x": states[:, X] / 2, "y": states[:, Y] / 2,
            "on_ladder": states[:, ON_LADDER], "jumping": states[:, JUMPING], "speed": states[:, SPEED],
            "has_key": states[:, HAS_KEY], "deaths": states[:, DEATHS], "unique_states": states[:, UNIQUE_STATES],
        }  # fmt: skip
    return pd.DataFrame(columns, columns=[*dictionary()["steps"]], index=range(count))


def points(play: AtariPlay) -> np.ndarray:
    """int64 (n,): after each input, all points so far."""
    gained = np.zeros(len(play.inputs), np.int64)
    for number, told in play.happenings.items():
        gained[number - 1] = sum(fields["points"] for name, fields in told if name == "score")
    return gained.cumsum()


def read_log(path: Path) -> Logged:
    """From a session's log that was checked before; nothing for a play that is a file of its own."""
    found = Logged([], {})
    if not path.name.endswith(LOG):
        return found
    who: dict[str, Any] = {}
    late: list[bool] = []
    play, offset, before = None, 0.0, b""
    for line in path.read_bytes().split(b"\n")[:-1]:  # a torn last line is no event
        if line.split(b'"event":', 1)[1].startswith(b'"step"'):  # many times more than all others, so never parsed
            late.append(b'"late":true' in line)
        elif (event := json.loads(line))["event"] not in NOT_LISTED:
            number, seconds, name, _ = (event.pop(key) for key in ("n", "t", "event", "hash"))
            if name == "session":
                who = {"participant": event["participant"], "study": event.get("study", "")}
            elif name == "resumed":  # the log's clock began anew
                offset += json.loads(before)["t"]
            elif name == "play":
                play = event["number"]
                late = found.late[play] = []
            found.events.append({
                **who, "n": number, "t": round(seconds + offset, DECIMALS), "event": name, "play": play,
                "step": None if play is None else len(late),
                "details": json.dumps(event, ensure_ascii=False) if event else None,
            })  # fmt: skip
            play = None if name in ENDINGS else play
        before = line
    return found


def plain(answer: Any) -> Any:
    """An answer as one cell."""
    if answer is None or isinstance(answer, (str, int, float)):
        return int(answer) if isinstance(answer, bool) else answer
    return json.dumps(answer, ensure_ascii=False)
