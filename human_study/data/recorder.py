"""A session of one person as it happens, written to its log; and an interrupted one, taken up again."""

import re
from pathlib import Path
from typing import Any, Self

from priorlab.envs.base.provenance import software
from priorlab.envs.plays.courses import AnyCourse, ChosenGame, reopen
from priorlab.envs.plays.events import SUFFIX, EventLog, read_events
from priorlab.envs.plays.play import INPUTS_PER_SECOND, Outcome, hash_picture, new_id, today
from priorlab.envs.plays.sessions import ENDINGS, STEP_EVENTS

__all__ = ["LIMIT", "ChosenGame", "Recorder", "unfinished"]

LIMIT = 30 * 60 * INPUTS_PER_SECOND  # inputs of a person's play: 30 minutes
PLAYER_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
STOPS = ("focus", "pause", "idle")  # after one of them steps are due anew


class Recorder:
    """Records a session: plays, and everything between them. ``path`` is ``<folder>/<id>.session.jsonl``.

    Times are those of ``time.perf_counter``; in the log they count from its beginning. ``course`` is that of the play
    under way, None between plays. Raises OSError, one line, where the log can't be written.
    """

    def __init__(self, log: EventLog, participant: str):
        self.log, self.participant = log, participant
        self.course: AnyCourse | None = None
        self.plays = 0  # begun so far
        self.events: list[dict[str, Any]] = []  # of a session taken up again: what its log held
        self._number, self._limit, self._due = 0, 0, 0.0
        self._step: dict[str, Any] | None = None  # taken, but not yet shown

    @property
    def path(self) -> Path:
        return self.log.path

    @classmethod
    def create(cls, folder: str | Path, participant: str | None = None, **header: Any) -> Self:
        """A new session under a new random id. ``participant``, a code, is the id where there is none.

        ``header`` goes into the log: study, block and place of the assignment, what the window is, ...; an ``id`` there
        is the session's, where it was drawn already.
        """
        if participant is not None and not PLAYER_ID.fullmatch(participant):
            raise ValueError(f"player_id is {participant!r}: expected 1 to 32 letters, digits, '-' or '_'")
        name = header.get("id") or new_id()
        who = name if participant is None else participant
        told = {"id": name, "participant": who, "study": "", "date": today(), "software": software(), **header}
        return cls(EventLog.create(Path(folder) / f"{name}{SUFFIX}", told), who)

    @classmethod
    def resume(cls, path: str | Path) -> Self:
        """An interrupted session, flagged as resumed; a play that was under way goes on at the step it had come to.

        Raises ValueError for a log that is damaged or finished or does not replay, OSError where another process
        holds it.
        """
        log = EventLog.reopen(path)
        try:
            recorder = cls(log, "")
            recorder._take_up(read_events(path).events)
        except BaseException:
            log.close()
            raise
        return recorder

    def _take_up(self, events: list[dict[str, Any]]) -> None:
        self.events, self.participant = events, events[0]["participant"]
        told = 0  # events by the last step
        for event in events:
            if event["event"] == "play":
                self.plays, self._limit, self._number, told = event["number"] + 1, event["limit"], 0, 0
                self.course = reopen(event)
            elif event["event"] in ENDINGS:
                self.course = None
            elif event["event"] == "step" and self.course:
                self.course.step(event["input"])
                self._number, told = self._number + 1, 0
            told += event["event"] in STEP_EVENTS
            if event["event"] == "state" and self.course and event["state"] != self.course.hash():
                where = f"{self.path}: play {self.plays - 1}, input {self._number}"
                raise ValueError(f"{where}: replayed, the state is another than the one recorded")
        if self.course and self._number:
            self._write_told(self._told()[told:])  # what the crash cut off

    def note(self, event: str, *, at: float | None = None, sync: bool = False, **fields: Any) -> None:
        """Anything that is no play: consent, page, answer, controls, key, ...; ``sync`` waits until it is on disk."""
        if event in STOPS:
            self._due = 0.0
        self.log.write(event, at=at, sync=sync, **fields)

    def begin(self, game: ChosenGame, limit: int) -> AnyCourse:
        """A play begins, of at most ``limit`` inputs."""
        if self.course:
            raise RuntimeError("a play is under way: expected its end before the next one")
        if limit < 1:
            raise ValueError(f"limit is {limit}: expected 1 input or more")
        game.open().step(0)  # compiles what must not be compiled while somebody plays
        self.course = game.open()
        self._number, self._limit, self._due = 0, limit, 0.0
        self.note(
            "play", number=self.plays, **self.course.about(), limit=limit, inputs_per_second=self.course.rate,
            first_picture=hash_picture(self.course.picture),
        )  # fmt: skip
        self.plays += 1
        return self.course

    def step(self, action: int, due: float, done: float) -> Outcome | None:
        """One input, when it was due and when it was taken; how the play ended by it, or None."""
        if not self.course:
            raise RuntimeError("no play is under way: expected none of its inputs")
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

    def shown(self, at: float) -> None:
        """The picture after the last input was on the screen."""
        self._write_step(at)

    def _write_step(self, shown: float | None) -> None:
        if not self._step:
            return
        step, self._step = self._step, None
        self.log.write("step", **step, shown=None if shown is None else round(shown - self.log.began, 6))
        self._write_told(self._told())

    def _write_told(self, told: list[tuple[str, dict[str, Any]]]) -> None:
        for event, fields in told:
            self.log.write(event, **fields)
        if self._ended:
            self.course = None

    def end(self, reason: str | None = None) -> None:
        """The play is over: a quit, for that reason, unless it was won or at its limit."""
        self._write_step(None)
        if self.course:
            self.note("quit", sync=True, **self._last(), reason=reason or "")
            self.course = None

    def finish(self) -> None:
        """The session is over; nothing can be recorded after it."""
        self.end()
        self.note("finish", sync=True)
        self.log.close()

    def close(self) -> None:
        """Leaves the session as it is, to be taken up again."""
        self._write_step(None)
        self.log.close()

    @property
    def _ended(self) -> Outcome | None:
        """How the play has ended by the last step."""
        assert self.course
        return "win" if self.course.solved else "limit" if self._number >= self._limit else None

    def _told(self) -> list[tuple[str, dict[str, Any]]]:
        """The events that follow from the last step."""
        assert self.course
        told = list(self.course.happened)
        if self._number % self.course.rate == 0:
            told.append(("state", {"number": self._number, "state": self.course.hash()}))
        if self._ended:
            told.append(("win" if self._ended == "win" else "timeout", self._last()))
        return told

    def _last(self) -> dict[str, Any]:
        assert self.course
        return {"inputs": self._number, "state": self.course.hash()}


def unfinished(folder: str | Path) -> list[Path]:
    """Logs in the folder whose sessions were interrupted, the last one first; also those another process holds."""
    found = []
    for path in Path(folder).glob(f"*{SUFFIX}"):
        try:
            events = read_events(path).events
        except (OSError, ValueError):
            continue
        if events[-1]["event"] != "finish":
            found.append(path)
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
