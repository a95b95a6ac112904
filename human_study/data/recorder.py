"""Records a session of one person in its log as it happens; also resumes an interrupted one."""

import re
import time
from pathlib import Path
from typing import Any, Self

from priorlab.envs.base.provenance import software
from priorlab.envs.plays.courses import AnyCourse, ChosenGame, reopen
from priorlab.envs.plays.events import SUFFIX, Clock, EventLog, read_events
from priorlab.envs.plays.play import INPUTS_PER_SECOND, Outcome, hash_picture, new_id, today
from priorlab.envs.plays.sessions import ENDINGS, STEP_EVENTS

LIMIT = 30 * 60 * INPUTS_PER_SECOND  # inputs of a person's play: 30 minutes
PLAYER_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
LEFT, STOPPED = "left by the participant for the next game", "stopped by the participant"  # why plays are quit
STOPS = ("focus", "pause", "idle")  # after one of them steps are due from a new start, so none was missed


class Recorder:
    """Records a session: plays, and everything between them. ``path`` is ``<folder>/<id>.session.jsonl``.

    ``create`` begins a session, ``begin`` a play. Then call ``step`` and ``shown`` for each input, until ``step``
    returns how the play ended or ``end`` ends it. ``finish`` ends the session.

    Pass times of the log's clock, by default ``time.perf_counter``, seconds; in the log they count from its beginning.
    ``course`` is the game under way, None between plays. All methods raise OSError, one line, if the log can't be
    written.
    """

    def __init__(self, log: EventLog, participant: str):
        self.log, self.participant = log, participant
        self.course: AnyCourse | None = None
        self.plays = 0  # begun so far
        self.events: list[dict[str, Any]] = []  # of a resumed session: what its log held
        self._number, self._limit, self._due = 0, 0, 0.0
        self._step: dict[str, Any] | None = None  # taken, but not yet on the screen

    @property
    def path(self) -> Path:
        return self.log.path

    @classmethod
    def create(
        cls, folder: str | Path, participant: str | None = None, *, clock: Clock = time.perf_counter, **header: Any
    ) -> Self:
        """Begins a session, under a new random id unless ``header`` has an ``id``.

        ``participant`` is a code of 1 to 32 letters, digits, '-' or '_', by default the id. ``header`` goes into the
        log: study, block and place, the screen, ... Raises ValueError for any other code.
        """
        if participant is not None and not PLAYER_ID.fullmatch(participant):
            raise ValueError(f"player_id is {participant!r}: expected 1 to 32 letters, digits, '-' or '_'")
        name = header.get("id") or new_id()
        who = name if participant is None else participant
        entries = {"id": name, "participant": who, "study": "", "date": today(), "software": software(), **header}
        return cls(EventLog.create(Path(folder) / f"{name}{SUFFIX}", entries, clock), who)

    @classmethod
    def resume(cls, path: str | Path) -> Self:
        """Resumes an interrupted session. A play that was under way continues at the same step.

        The log says that it was resumed. Raises ValueError if the log is damaged or finished or does not replay,
        OSError if another process records it.
        """
        log = EventLog.reopen(path)
        try:
            recorder = cls(log, "")
            recorder._restore(read_events(path).events)
        except BaseException:
            log.close()
            raise
        return recorder

    def _restore(self, events: list[dict[str, Any]]) -> None:
        self.events, self.participant = events, events[0]["participant"]
        logged = 0  # how many events of the last step are in the log
        for event in events:
            if event["event"] == "play":
                self.plays, self._limit, self._number, logged = event["number"] + 1, event["limit"], 0, 0
                self.course = reopen(event)
            elif event["event"] in ENDINGS:
                self.course = None
            elif event["event"] == "step" and self.course:
                self.course.step(event["input"])
                self._number, logged = self._number + 1, 0
            logged += event["event"] in STEP_EVENTS
            if event["event"] == "state" and self.course and event["state"] != self.course.hash():
                where = f"{self.path}: play {self.plays - 1}, input {self._number}"
                raise ValueError(f"{where}: the replayed state differs from the recorded one")
        if self.course and self._number:
            self._write_events(self._events()[logged:])  # what the crash cut off

    def note(self, event: str, *, at: float | None = None, sync: bool = False, **fields: Any) -> None:
        """Logs an event other than a step: consent, page, answer, key, ... ``sync`` waits until it is on disk."""
        if event in STOPS:
            self._due = 0.0
        self.log.write(event, at=at, sync=sync, **fields)

    def begin(self, game: ChosenGame, limit: int) -> AnyCourse:
        """Begins a play of at most ``limit`` inputs, and returns its game. Raises ValueError for a limit below 1."""
        if self.course:
            raise RuntimeError("a play is under way: end it before the next one")
        if limit < 1:
            raise ValueError(f"limit is {limit}: expected 1 input or more")
        game.open().step(0)  # compiles what must not be compiled during play
        self.course = game.open()
        self._number, self._limit, self._due = 0, limit, 0.0
        self.note(
            "play", number=self.plays, **self.course.about(), limit=limit, inputs_per_second=self.course.rate,
            first_picture=hash_picture(self.course.picture),
        )  # fmt: skip
        self.plays += 1
        return self.course

    def step(self, action: int, due: float, done: float) -> Outcome | None:
        """Takes one input, and logs when it was due and when it was taken. Returns how it ended the play, or None."""
        if not self.course:
            raise RuntimeError("no play is under way: begin one before its inputs")
        self._write_step(None)
        course, half = self.course, 0.5 / self.course.rate
        missed = round((due - self._due) * course.rate) - 1 if self._due else 0
        self._due = due
        course.step(action)
        began = self.log.began
        self._step = {
            "number": self._number, "input": action, "due": round(due - began, 6), "done": round(done - began, 6),
            "late": done > due + half or missed > 0,
        }  # fmt: skip
        if missed > 0:
            self._step["missed"] = missed
        self._number += 1
        return self._ended

    def shown(self, at: float | None) -> None:
        """Logs when the picture after the last input was on the screen; None if another one came before."""
        self._write_step(at)

    def interrupted(self) -> None:
        """Logs that the session was interrupted and continues now, from which times count again."""
        self._write_step(None)
        self._due = 0.0
        self.log.resume()

    def _write_step(self, shown: float | None) -> None:
        if not self._step:
            return
        step, self._step = self._step, None
        self.log.write("step", **step, shown=None if shown is None else round(shown - self.log.began, 6))
        self._write_events(self._events())

    def _write_events(self, events: list[tuple[str, dict[str, Any]]]) -> None:
        for event, fields in events:
            self.log.write(event, **fields)
        if self._ended:
            self.course = None

    def end(self, reason: str | None = None) -> None:
        """Ends the play: a quit, for that reason, unless it was won or at its limit."""
        self._write_step(None)
        if self.course:
            self.note("quit", sync=True, **self._last(), reason=reason or "")
            self.course = None

    def finish(self) -> None:
        """Ends the session; nothing can be recorded after it."""
        self.end()
        self.note("finish", sync=True)
        self.log.close()

    def close(self) -> None:
        """Closes the log without ending the session, so that it can be resumed."""
        self._write_step(None)
        self.log.close()

    @property
    def _ended(self) -> Outcome | None:
        """How the last step ended the play, or None."""
        assert self.course
        return "win" if self.course.solved else "limit" if self._number >= self._limit else None

    def _events(self) -> list[tuple[str, dict[str, Any]]]:
        """The events that follow from the last step."""
        assert self.course
        events = list(self.course.happened)
        if self._number % self.course.rate == 0:
            events.append(("state", {"number": self._number, "state": self.course.hash()}))
        if self._ended:
            events.append(("win" if self._ended == "win" else "timeout", self._last()))
        return events

    def _last(self) -> dict[str, Any]:
        assert self.course
        return {"inputs": self._number, "state": self.course.hash()}


def unfinished(folder: str | Path) -> list[Path]:
    """The logs of interrupted sessions in the folder, the latest first, including those another process records."""
    logs = []
    for path in Path(folder).glob(f"*{SUFFIX}"):
        try:
            events = read_events(path).events
        except (OSError, ValueError):
            continue
        if events[-1]["event"] != "finish":
            logs.append(path)
    return sorted(logs, key=lambda path: path.stat().st_mtime, reverse=True)
