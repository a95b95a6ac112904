"""Sessions in a browser become logs: the chunks of one, played again through the recorder on the clock of the browser.

The log is the one that the window would have written, so everything that reads logs reads these, too. It depends on the
chunks and on those entries of the study that must not change once a place is taken (``assignment.rule_of``, with the
length of the practice): importing again gives the same bytes, and after further chunks a log that continues the former
one. Answers are judged again, by what the study expected when the session began.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from priorlab.envs.base.files import one_line, replace
from priorlab.envs.base.locks import held
from priorlab.envs.plays.courses import AnyCourse
from priorlab.envs.plays.events import AT_ONCE, SUFFIX, EventLog, lock_of
from priorlab.envs.plays.play import Course, as_characters
from priorlab.envs.plays.sessions import ENDINGS, STEP_EVENTS
from priorlab.human_study.data.chunks import (
    ChunkError,
    Chunks,
    Entry,
    chunk_files,
    read_chunks,
)
from priorlab.human_study.data.interrupted import BROWSER
from priorlab.human_study.data.judging import JUDGED, Judge, Unearned
from priorlab.human_study.data.practice import beginning, replayed
from priorlab.human_study.data.recorder import LEFT, STOPPED, Recorder
from priorlab.human_study.data.wordings import FOLDER, read_wording
from priorlab.human_study.study.assignment import StudyPlace, readable_places
from priorlab.human_study.study.criteria import Criteria
from priorlab.human_study.study.study_file import Study

MICRO = 1e-6
MOST_PRACTICES = 100  # that begin in a session: one, and another each time that the page is opened again during it
PATIENCE, PATIENCE_A_MB = 120.0, 60.0  # seconds of processor that a replay may take, and more for each MB
NAME = re.compile(r"[a-z][a-z_]{0,39}")  # of an event
RECORDED = {"session", "step", "resumed", "consent", "finish", "play", "wording", *STEP_EVENTS, *ENDINGS, *AT_ONCE} - {
    "answer"
}  # events that only the recorder or the server writes
OURS = {"n", "t", "event", "hash", "at", "sync"}  # what every line of a log has, and how the recorder is told to write


class WrongEntry(ChunkError):
    """An entry can't have happened: of an unknown kind, out of order, or with a state that the replay contradicts."""


class TooLong(ChunkError):
    """The replay takes longer than that of any play by a person: somebody wrote the chunks so that it does."""


class WrongLog(ChunkError):
    """The log there is not the beginning of what the chunks hold."""


@dataclass(frozen=True)
class Imported:
    """The result for one session. ``problem``: why its log is not up to date, one line; empty if it is."""

    path: Path  # of its chunks
    inputs: int = 0
    is_finished: bool = False
    has_news: bool = False  # whether the log grew
    problem: str = ""


def import_study(study: Study) -> Iterator[Imported]:
    """Imports every session of the study's data folder that a browser recorded."""
    for path in chunk_files(study.folder):
        try:
            yield import_session(study, path)
        except (ValueError, OSError) as error:
            yield Imported(path, problem=problem_of(path, error))


def problem_of(path: Path, error: Exception) -> str:
    """One line, which begins with the name of the error if it is one of a session."""
    name = f"{type(error).__name__}: " if isinstance(error, ChunkError) else ""
    return f"{name}{one_line(path, error)}"


def import_session(study: Study, path: Path) -> Imported:
    """Writes the log of that file of chunks, next to the folder of chunks, or continues it; it gets the same time.

    Raises ChunkError, one line that names the file, the line and the reason, and changes nothing; OSError if a file
    can't be read or written, or another process imports that session.
    """
    log = study.folder / path.name.replace("".join(path.suffixes), SUFFIX)
    with held(lock_of(log), f"{log}: another process is importing this session: expected only one"):
        written_at = path.stat().st_mtime_ns
        chunks = read_chunks(path)  # here, so that nothing comes back of a session that was just withdrawn
        draft = log.with_name(f"{log.name}.draft")
        draft.unlink(missing_ok=True)
        try:
            inputs, is_finished = write_log(study, chunks, draft)
            written, before = draft.read_bytes(), log.read_bytes() if log.exists() else b""
            if not written.startswith(before):
                raise WrongLog(f"{path}: {log.name} does not continue as these chunks do: expected their beginning")
            if written != before:
                replace(draft, log)
            os.utime(log, ns=(written_at, written_at))
        finally:
            draft.unlink(missing_ok=True)
        return Imported(path, inputs, is_finished, written != before)


def is_imported(log: Path, chunks: Path) -> bool:
    """Whether the log holds all that the file of chunks does."""
    return log.exists() and log.stat().st_mtime_ns == chunks.stat().st_mtime_ns


def write_log(study: Study, chunks: Chunks, path: Path) -> tuple[int, bool]:
    """Writes the log of those chunks; returns the number of inputs, and whether the session is finished."""
    log = EventLog.create(path, header_of(chunks, place_of(study, chunks)), clock := ClockOfEntries())
    try:
        recorder = Recorder(log, chunks.id)
        if consent := chunks.opening["consent"]:  # otherwise somebody else's experiment asked for it
            recorder.note("consent", **consent)
        played = Played(study, chunks, recorder, clock)
        patience = PATIENCE + PATIENCE_A_MB * chunks.ends[-1] / 1e6
        end = time.thread_time() + patience
        for number, entry in chunks.all():
            if time.thread_time() > end:
                raise TooLong(
                    f"{chunks.path}: line {number + 2}: over {patience:.0f} s of processor to replay: expected less"
                )
            try:
                played.take(entry)
            except (ValueError, TypeError, KeyError, IndexError, RuntimeError, OverflowError) as error:
                what = " ".join(str(error).split()) or type(error).__name__
                kind = Unearned if isinstance(error, Unearned) else WrongEntry
                raise kind(f"{chunks.path}: line {number + 2}: {str(entry)[:60]}: {what}") from None
        if not played.is_finished:
            recorder.close()
        return played.inputs, played.is_finished
    finally:
        log.close()


def place_of(study: Study, chunks: Chunks) -> StudyPlace:
    """The place that the session's participant has. Raises ChunkError if there is none."""
    places, _ = readable_places(study)
    place = next((place for place in places if place.participant == chunks.id), None)
    if place is None:
        raise ChunkError(f"{chunks.path}: {chunks.id} has no place: expected one in {study.folder / 'places'}")
    return place


def header_of(chunks: Chunks, place: StudyPlace) -> dict[str, Any]:
    """The first event of the log, as the window writes it."""
    opening = chunks.opening
    about = {name: value for name, value in asdict(place).items() if name not in ("participant", "date", "rule")}
    number = about.pop("number")
    return {
        "id": chunks.id, "participant": chunks.id, "study": about.pop("study"), "date": opening["date"],
        "software": opening["software"], "place": number, **about, "face": BROWSER, **opening["settings"],
        **opening["about"],
    }  # fmt: skip


class ClockOfEntries:
    """Shows the time of the entry that is read, in seconds since consent; never goes back."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def reach(self, micros: int) -> float:
        """That time in seconds."""
        if type(micros) is not int or micros < 0:
            raise ValueError(f"time {micros!r}: expected microseconds, a whole number")
        seconds = round(micros * MICRO, 6)
        self.now = max(self.now, seconds)
        return seconds


class Played:
    """A session as its entries tell it; ``take`` writes each one into the log."""

    def __init__(self, study: Study, chunks: Chunks, recorder: Recorder, clock: ClockOfEntries):
        self.study, self.recorder, self.clock = study, recorder, clock
        self.versions = place_of(study, chunks).versions
        self.questions = questions_of(study, chunks)
        self.minimum_age = chunks.opening["consent"].get("minimum_age", 0)
        self.judge = Judge(criteria_of(study, chunks))
        self.course: AnyCourse | None = None  # of the last play, also after its end
        self.inputs, self.count = 0, 0  # in all, and of the last play
        self.practices, self.is_practising = 0, False
        self.last_due = 0
        self.is_finished = False
        self.kinds: dict[str, Callable[..., None]] = {
            "e": self.event, "p": self.play, "s": self.step, "h": self.state, "q": self.quit, "r": self.resumed,
            "f": self.finish,
        }  # fmt: skip

    def take(self, entry: Entry) -> None:
        kind, *parts = entry
        if kind not in self.kinds:
            raise ValueError(f"kind {kind!r}: expected one of {', '.join(self.kinds)}")
        if not self.is_finished:
            self.kinds[kind](*parts)
        elif kind != "e":  # what happens to the page after the session's end is of no interest
            raise ValueError("after the end of the session: expected nothing")

    def event(self, at: int, name: str, fields: dict[str, Any]) -> None:
        if not NAME.fullmatch(name) or name in RECORDED:
            raise ValueError(f"event {name!r}: expected one that happens at a page or to its keys")
        if not isinstance(fields, dict) or OURS & fields.keys():
            raise ValueError(f"expected fields, by name, without {', '.join(sorted(OURS))}")
        judged, when = self.judge.take(name, fields), self.clock.reach(at)
        if name == JUDGED:
            return
        fields = {each: value for each, value in fields.items() if each not in judged} | judged
        self.recorder.note(name, at=when, **{**fields, **self.added(name, fields)})

    def added(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        """What the study knows of an event, and a browser does not send."""
        if name == "excluded" and fields.get("why") == "minimum_age":
            return {"minimum_age": self.minimum_age}
        if name == "answer":
            question = self.questions.get(str(fields["question"]).partition(".")[0], {})
            return {each: question[each] for each in ("shows", "cones") if each in question}
        if name == "practice":
            self._count_practice(fields["what"] == "begin")
            return self.practised(fields)
        return {}

    def _count_practice(self, begins: bool) -> None:
        """Each is replayed, so there is no end without a beginning, and there are not any number of them."""
        self.practices += begins
        if self.practices > MOST_PRACTICES or not (begins or self.is_practising):
            raise ValueError(f"practice: expected an end after each beginning, and at most {MOST_PRACTICES}")
        self.is_practising = begins

    def practised(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The game of a practice that begins; the inputs and the last state of one that ends."""
        course, limit = self.study.practice_game.open(), self.study.practice_limit
        if fields["what"] == "begin":
            return beginning(course, limit)
        inputs = fields["inputs"] if isinstance(fields["inputs"], str) else as_characters(fields["inputs"])
        return {"inputs": inputs, "state": replayed(course, inputs, limit, fields["ended"])}

    def play(self, at: int, number: int, limit: int | None = None) -> None:
        """``limit``: inputs, where an experiment set fewer than the study."""
        self.clock.reach(at)
        if self.recorder.course:
            raise ValueError("a play is under way: expected its end before the next one")
        if number != self.recorder.plays or number >= len(self.versions):
            raise ValueError(f"play {number!r}: expected {self.recorder.plays} of {len(self.versions)} plays")
        self.judge.begin_play()
        most = self.study.limit
        if limit is not None and not (type(limit) is int and 1 <= limit <= most):
            raise ValueError(f"limit {limit!r}: expected 1 to {most} inputs, the study's")
        self.course = self.recorder.begin(self.study.settings(self.versions[number]), limit or most)
        self.count, self.last_due = 0, 0

    def step(self, action: int, due: int, done: int, shown: int | None) -> None:
        if not self.recorder.course:
            raise ValueError("no play is under way: expected one before its inputs")
        if type(action) is not int or not 0 <= action < len(self.recorder.course.action_names):
            raise ValueError(f"input {action!r}: expected 0 to {len(self.recorder.course.action_names) - 1}")
        if due < self.last_due or (shown is not None and shown < done):
            raise ValueError("due or shown goes back: expected times that only grow")
        self.last_due = due
        self.recorder.step(action, self.clock.reach(due), self.clock.reach(done))
        self.recorder.shown(None if shown is None else self.clock.reach(shown))
        self.inputs, self.count = self.inputs + 1, self.count + 1

    def state(self, count: int, state: list[int]) -> None:
        """Compares the state that the browser came to."""
        if count != self.count:
            raise ValueError(f"state after {count!r} inputs: expected it after {self.count}")
        if isinstance(self.course, Course) and state != self.course.state.tolist():
            raise ValueError(f"the state differs from the replayed one, {self.course.state.tolist()}")

    def quit(self, at: int, reason: str) -> None:
        self.clock.reach(at)
        if not self.recorder.course:
            raise ValueError("no play is under way: expected one that can be ended")
        if reason not in (LEFT, STOPPED):
            raise ValueError(f"quit because {reason!r}: expected {LEFT!r} or {STOPPED!r}")
        self.recorder.end(reason)

    def resumed(self, at: int) -> None:
        self.clock.reach(at)
        self.recorder.interrupted()

    def finish(self, at: int) -> None:
        self.clock.reach(at)
        self.recorder.finish()
        self.is_finished = True


def criteria_of(study: Study, chunks: Chunks) -> Criteria:
    """Those that held when the session began; today's for an older one."""
    try:
        return Criteria.read(chunks.opening["criteria"]) if "criteria" in chunks.opening else study.criteria
    except TypeError:
        raise ChunkError(f"{chunks.path}: line 1: criteria: expected those that the server writes") from None


def questions_of(study: Study, chunks: Chunks) -> dict[str, dict[str, Any]]:
    """The questions as the participant read them, by name; {} without their wording, which ``verify`` reports."""
    try:
        return read_wording(study.folder / FOLDER / f"{chunks.opening['consent']['wording']}.json")["questions"]
    except (OSError, ValueError, KeyError):
        return {}
