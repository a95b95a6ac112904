"""The plays in the logs of sessions, each verified by replaying."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from priorlab.envs.base.files import decoded, files_under, one_line, read_bytes, shown
from priorlab.envs.plays.atari_course import ATARI, AtariPlay
from priorlab.envs.plays.courses import level_of
from priorlab.envs.plays.events import SUFFIX, read_events, unedited
from priorlab.envs.plays.play import CHARACTERS, Outcome, Play
from priorlab.envs.plays.play import SUFFIX as PLAY_SUFFIX

ENDINGS: dict[str, Outcome] = {"win": "win", "timeout": "limit", "quit": "quit"}  # of a play, by the event
STEP_EVENTS = ("death", "score", "lives", "reset", "state", "win", "timeout")  # events that result from a step
HEADER = ("id", "participant", "date")  # fields of a log's first event that identify it
HEAD = 1 << 16  # bytes within which a log's first line ends
WAITS = {"pause": "paused_seconds", "idle": "idle_seconds"}


class TimedEvent(NamedTuple):
    """An event other than a step or a hash of a state, and when it happened."""

    event: dict[str, Any]  # as in the log
    seconds: float  # on one time axis for the complete session
    play: int | None  # number of the current play; None between plays
    step: int | None  # number of inputs of that play so far


@dataclass(frozen=True)
class Recorded:
    """One play of a session's log or of a ``.play`` file, with its times and the session's answers and events."""

    play: Play | AtariPlay  # verified by replaying
    path: Path
    participant: str
    study: str
    number: int  # of the play in its session, from 0
    times: np.ndarray  # float64 (n, 3): seconds at which each input was due, taken and shown; (0, 3) for a .play file
    late: np.ndarray  # bool (n,): whether each input was taken late; (0,) for a .play file
    answers: dict[str, Any]  # of the complete session, by question
    about: dict[str, Any]  # the log's header; limit, wall_seconds, play_seconds (without the waits), paused_seconds,
    # idle_seconds, resumed, quit_reason, late, missed, missed_share (of the steps that were due)
    events: list[TimedEvent]  # of the complete session; none for a .play file


@dataclass
class Raw:
    """The events of one play, as in the log."""

    begin: dict[str, Any]
    steps: list[dict[str, Any]] = field(default_factory=list)
    events: dict[int, list[dict[str, Any]]] = field(default_factory=dict)  # by the number of inputs so far
    ending: dict[str, Any] | None = None
    began: float = 0.0  # seconds, on one time axis for the complete session
    ended: float = 0.0
    times: list[tuple[float, float, float]] = field(default_factory=list)
    waited: dict[str, float] = field(default_factory=lambda: dict.fromkeys(WAITS.values(), 0.0))
    resumed: int = 0


def read_session(path: str | Path) -> list[Recorded]:
    """The plays in a log, in order; the last one may be ``unfinished``.

    Raises ValueError, one line that names the file, the place and the reason, for a log that was altered, whose events
    are out of order, or whose replay differs from the recording.
    """
    path = Path(path)
    events = read_events(path).events
    for name in HEADER:
        if not isinstance(events[0].get(name), str):
            raise ValueError(f"{path}: line 1: {name} is {events[0].get(name)!r}: expected a text")
    try:
        raws = gather(events)
    except KeyError as error:
        raise ValueError(f"{path}: an event lacks {error}: see docs/recording-reference.md") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    answers = answers_in(events)
    recorded, others = [], timed_events(events)
    for number, raw in enumerate(raws):
        try:
            recorded.append(replayed(path, events[0], number, raw, answers, others))
        except KeyError as error:
            raise ValueError(f"{path}: play {number}: lacks {error}: see docs/recording-reference.md") from None
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}: play {number}: {' '.join(str(error).split())}") from None
    return recorded


def find_plays(root: str | Path | Sequence[Path]) -> tuple[list[Recorded], list[str]]:
    """(all plays in the logs and ``.play`` files under ``root``, a folder, file or list of files; one line per
    problem).

    A recording and its copies count once.
    """
    paths, problems = without_copies(plays_under(root) if isinstance(root, (str, Path)) else root)
    plays = []
    for path in paths:
        try:
            plays += recorded_in(path)
        except (ValueError, OSError) as error:
            problems.append(one_line(path, error))
    return plays, problems


def without_copies(paths: Iterable[Path]) -> tuple[list[Path], list[str]]:
    """(the files with different recordings, in order; one line for each file that is left out).

    Recordings with the same id are copies, under any file name. A ``.play`` file of a play that is also in a session's
    log is a copy of it.
    """
    groups: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        groups[id_in(path) or str(path)].append(path)
    problems: list[str] = []
    kept = {name: group if len(group) == 1 else chosen(name, group, problems) for name, group in groups.items()}
    for name, (path, *_) in [each for each in kept.items() if each[1]]:
        for log in kept.get(name.rpartition("-")[0], ()) if path.name.endswith(PLAY_SUFFIX) else ():
            with suppress(ValueError, OSError):  # a damaged log, reported when it is read
                if name in [each.play.id for each in recorded_in(log)]:
                    problems.append(f"{shown(path)}: a copy of a play in {shown(log)}, which alone counts")
                    kept[name] = []
    return sorted(path for group in kept.values() for path in group), problems


def chosen(name: str, paths: Sequence[Path], problems: list[str]) -> list[Path]:
    """The longest intact copy of a recording, if there is one. ``problems`` gains a line for each other copy. Among
    equal ones the file named by its id is preferred, then the one in the fewest folders, then the first."""
    plays, rank, damaged = {}, {}, {}
    for path in paths:
        try:
            plays[path] = [each.play.inputs for each in recorded_in(path)]
            events = len(read_events(path).events) if path.name.endswith(SUFFIX) else 0
            rank[path] = (-sum(map(len, plays[path])), -events, path.name.split(".")[0] != name, len(path.parts), path)
        except (ValueError, OSError) as error:
            damaged[path] = one_line(path, error)
    best = min(plays, key=rank.__getitem__, default=None)
    problems += [f"{line}; a copy of it counts, {shown(best)}" if best else line for line in damaged.values()]
    for path in plays.keys() - {best}:
        assert best
        inputs, counted = plays[path], plays[best]
        shorter = (
            "" if inputs == counted else f" with {sum(map(len, inputs)):,} of its {sum(map(len, counted)):,} inputs"
        )
        if not all(first == second[: len(first)] for first, second in zip(inputs, counted)):
            shorter = " in its id, but not in its inputs"
        problems.append(f"{shown(path)}: a copy of {shown(best)}{shorter}, which alone counts")
    return [best] if best else []


def id_in(path: Path) -> str | None:
    """The id of the session or play in that file, from its first line or content; None if that can't be read."""
    try:
        if path.name.endswith(SUFFIX):
            content = json.loads(unedited(read_bytes(path, HEAD)).split(b"\n")[0])
        else:
            content = json.loads(decoded(read_bytes(path)))
        return content["id"] if isinstance(content["id"], str) else None
    except (ValueError, OSError, KeyError, TypeError, RecursionError):
        return None


def recorded_in(path: Path) -> list[Recorded]:
    """The plays in a log or a ``.play`` file; ValueError and OSError as ``read_session`` and ``Play.load``."""
    return read_session(path) if path.name.endswith(SUFFIX) else [of_file(path)]


def find_play(path: str | Path, number: int = 0) -> Recorded:
    """Play ``number`` of a log (-1: the last one), or the play in a ``.play`` file. ValueError if there is none."""
    path = Path(path)
    plays = recorded_in(path)
    if not -len(plays) <= number < len(plays):
        raise ValueError(
            f"{path}: no play {number}: expected 0 to {len(plays) - 1}" if plays else f"{path}: no play in it"
        )
    return plays[number]


def plays_under(root: str | Path) -> list[Path]:
    """All logs and ``.play`` files under ``root``, by their names, in order; linked folders are followed once."""
    return files_under(Path(root), SUFFIX, PLAY_SUFFIX)


def of_file(path: Path) -> Recorded:
    play = Play.load(path)
    return Recorded(play, path, play.player_id, "", 0, np.zeros((0, 3)), np.zeros(0, bool), {}, {}, [])


def seconds_of(events: list[dict[str, Any]]) -> list[float]:
    """The time of each event on one axis for the complete session, as t restarts when a session is resumed.

    ValueError names the line of an event that goes back in time.
    """
    seconds, offset = [0.0], 0.0
    for line, event in enumerate(events, 1):
        if event["event"] == "resumed":
            offset = seconds[-1]
        if offset + event["t"] < seconds[-1]:
            raise ValueError(f"line {line}: t goes back to {event['t']}: expected times that only grow")
        seconds.append(offset + event["t"])
    return seconds[1:]


def timed_events(events: list[dict[str, Any]]) -> list[TimedEvent]:
    """All events other than steps and hashes of states. ValueError as ``seconds_of``."""
    others, play, steps = [], None, 0
    for event, seconds in zip(events, seconds_of(events)):
        name = event["event"]
        if name == "step":
            steps += 1
        elif name != "state":
            if name == "play":
                play, steps = event["number"], 0
            others.append(TimedEvent(event, seconds, play, None if play is None else steps))
            play = None if name in ENDINGS else play
    return others


def answers_in(events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Question -> answer; the last one, if it was answered more than once."""
    return {str(event.get("question")): event.get("answer") for event in events if event["event"] == "answer"}


def gather(events: list[dict[str, Any]]) -> list[Raw]:
    """The events of each play. ValueError names the line of an event that is out of place."""
    raws: list[Raw] = []
    now: Raw | None = None  # the current play
    waits: dict[str, float] = {}  # what the play waits for -> since when
    finished = False
    for line, (event, last) in enumerate(zip(events, seconds_of(events)), 1):
        name, offset = event["event"], last - event["t"]
        if finished or (name == "session") != (line == 1):
            raise ValueError(f"line {line}: {name!r}: expected one session, and nothing after its finish")
        if name == "play":
            if now or event["number"] != len(raws):
                raise ValueError(f"line {line}: play {event['number']}: expected {len(raws)}, after the last one's end")
            now = Raw(event, began=last)
            raws.append(now)
            waits = {}
        elif name in ("step", *STEP_EVENTS, *ENDINGS) and not now:
            raise ValueError(f"line {line}: {name!r} outside a play")
        elif name == "step":
            assert now
            if event["number"] != len(now.steps):
                raise ValueError(f"line {line}: step {event['number']}: expected step {len(now.steps)}")
            now.times.append(times_of(line, event, offset, now.times))
            now.steps.append(event)
        elif name in STEP_EVENTS:
            assert now
            now.events.setdefault(len(now.steps), []).append(event)
        elif name == "finish":
            finished = True
        if not now:
            continue
        now.ended = last
        now.resumed += name == "resumed"
        for wait, total in WAITS.items():
            stops = name == "resumed" or name in ENDINGS or (name == wait and event.get("what") == "end")
            if stops and wait in waits:
                now.waited[total] += last - waits.pop(wait)
            elif name == wait and event.get("what") == "begin":
                waits[wait] = last
        if name in ENDINGS:
            now.ending, now = event, None
    return raws


def times_of(line: int, event: dict[str, Any], offset: float, before: list) -> tuple[float, float, float]:
    """(due, done, shown) of a step; nan if it was not shown."""
    shown = event["shown"]
    due, done = event["due"] + offset, event["done"] + offset
    if (before and (due < before[-1][0] or done < before[-1][1])) or (shown is not None and shown < event["done"]):
        raise ValueError(f"line {line}: due, done or shown goes back: expected times that only grow")
    return due, done, np.nan if shown is None else shown + offset


def replayed(
    path: Path, header: dict[str, Any], number: int, raw: Raw, answers: dict[str, Any], others: list[TimedEvent]
) -> Recorded:
    """The play, verified against everything in the log."""
    begin, ending = raw.begin, raw.ending or {}
    inputs = [step["input"] for step in raw.steps]
    if not all(type(action) is int for action in inputs):
        raise ValueError("an input is not a whole number")
    fields: dict[str, Any] = {
        "ended": ENDINGS[ending["event"]] if ending else "quit", "last_state": ending.get("state", ""),
        "first_picture": begin["first_picture"], "unfinished": not ending, "player_id": header["participant"],
        "id": f"{header['id']}-{number}", "date": header["date"], "inputs_per_second": begin["inputs_per_second"],
        "software": header["software"],
    }  # fmt: skip
    play = atari_play(begin, inputs, fields) if begin["game"].startswith(ATARI) else our_play(begin, inputs, fields)
    if not ending:  # cut off right after its last step, it may still have ended
        over = "win" if play.solved else "limit" if len(inputs) >= begin["limit"] else "quit"
        last = play.hash_after(len(inputs))
        play = replace(play, last_state=last, ended=over, unfinished=over == "quit")
    check_events(play, raw)
    if ending and ending["inputs"] != len(inputs):
        raise ValueError(f"ended after {ending['inputs']} inputs, but there are {len(inputs)}")
    if len(inputs) > begin["limit"]:
        raise ValueError(f"{len(inputs)} inputs: expected at most the limit, {begin['limit']}")
    play.check()
    late = np.array([bool(step["late"]) for step in raw.steps], bool)
    wall, missed = raw.ended - raw.began, sum(step.get("missed", 0) for step in raw.steps)
    about = {key: value for key, value in header.items() if key not in ("n", "t", "event", "hash")} | {
        "limit": begin["limit"], "wall_seconds": wall, "play_seconds": wall - sum(raw.waited.values()), **raw.waited,
        "resumed": raw.resumed, "quit_reason": ending.get("reason", ""), "late": int(late.sum()), "missed": missed,
        "missed_share": missed / max(missed + len(inputs), 1),
    }  # fmt: skip
    times = np.array(raw.times, np.float64).reshape(-1, 3)
    study = header.get("study", "")
    return Recorded(play, path, header["participant"], study, number, times, late, answers, about, others)


def our_play(begin: dict[str, Any], inputs: list[int], fields: dict[str, Any]) -> Play:
    if inputs and not 0 <= min(inputs) <= max(inputs) < len(CHARACTERS):
        raise ValueError(f"an input is not one of 0 to {len(CHARACTERS) - 1}")
    characters = "".join(CHARACTERS[action] for action in inputs)
    level = level_of(begin)
    if level.game != begin["game"]:
        raise ValueError(f"game is {begin['game']!r}, but its level belongs to {level.game!r}")
    settings = {name: begin[name] for name in ("version", "look_seed", "seed", "rules", "engine")}
    return Play(level=level, inputs=characters, **settings, **fields)


def atari_play(begin: dict[str, Any], inputs: list[int], fields: dict[str, Any]) -> AtariPlay:
    about = {name: begin[name] for name in ("game", "version", "look_seed", "seed", "rom")}
    return AtariPlay(about=about, inputs=bytes(inputs), **fields)


def check_events(play: Play | AtariPlay, raw: Raw) -> None:
    """ValueError unless the events after each step are the same in the log and the replay."""
    rate, count = play.inputs_per_second, len(raw.steps)
    for inputs in sorted({0, *raw.events, *play.happenings, *range(rate, count + 1, rate)}):
        logged = [event for event in raw.events.get(inputs, []) if event["event"] not in ENDINGS]
        expected = list(expected_after(play, inputs, rate))
        if inputs == count and not raw.ending:  # the log may have been cut off there
            expected = expected[: len(logged)]
        if [event["event"] for event in logged] != [name for name, _ in expected]:
            names = ", ".join(name for name, _ in expected) or "none"
            raise ValueError(f"input {inputs}: the replay has other events after it: expected {names}")
        for event, (name, fields) in zip(logged, expected):
            wrong = next((key for key in fields if event.get(key) != fields[key]), None)
            if wrong == "state":
                raise ValueError(f"input {inputs}: the state differs between the replay and the recording")
            if wrong:
                raise ValueError(f"input {inputs}: {name}: {wrong} is {event.get(wrong)!r}, replayed {fields[wrong]!r}")


def expected_after(play: Play | AtariPlay, inputs: int, rate: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events that result from a step and the clock after that many inputs."""
    yield from play.happenings.get(inputs, [])
    if inputs and inputs % rate == 0:
        yield "state", {"number": inputs, "state": play.hash_after(inputs)}
