"""Practice before the game, in the log of its session: never one of its plays, so that nothing counts it as one."""

from collections.abc import Sequence
from typing import Any

from priorlab.envs.plays.courses import AnyCourse, ChosenGame, reopen
from priorlab.envs.plays.play import CHARACTERS, Outcome, as_characters, hash_picture
from priorlab.human_study.data.recorder import Recorder


class PracticeRecorder:
    """Takes inputs as ``Recorder`` does, and logs them all when the practice ends."""

    def __init__(self, recorder: Recorder, game: ChosenGame, limit: int):
        """``limit``: inputs after which the practice ends."""
        self.recorder, self.course, self.limit = recorder, game.open(), limit
        self._inputs: list[int] = []
        self._late = 0
        recorder.note("practice", sync=True, what="begin", **beginning(self.course, limit))

    def note(self, event: str, *, at: float | None = None, sync: bool = False, **fields: Any) -> None:
        self.recorder.note(event, at=at, sync=sync, **fields)

    def step(self, action: int, due: float, done: float) -> Outcome | None:
        """Takes one input; returns how it ended the practice, or None."""
        self.course.step(action)
        self._inputs.append(action)
        self._late += done > due + 0.5 / self.course.rate
        return "win" if self.course.solved else "limit" if len(self._inputs) >= self.limit else None

    def shown(self, at: float) -> None:
        """When a picture was on the screen, which is not recorded."""

    def end(self, ended: str) -> None:
        """``ended``: win, limit or quit."""
        self.recorder.note(
            "practice", sync=True, what="end", ended=ended, inputs=as_characters(self._inputs), late=self._late,
            state=self.course.hash(),
        )  # fmt: skip


def beginning(course: AnyCourse, limit: int) -> dict[str, Any]:
    """What a log holds of a practice that begins, at the start of its course."""
    return {
        **course.about(), "limit": limit, "inputs_per_second": course.rate,
        "first_picture": hash_picture(course.picture),
    }  # fmt: skip


def replayed(course: AnyCourse, inputs: str, limit: int, ended: str) -> str:
    """The hash of the state to which the inputs lead. Raises ValueError if the practice can't have ended so."""
    if len(inputs) > limit:
        raise ValueError(f"{len(inputs)} inputs: expected at most {limit}")
    if unknown := set(inputs) - set(CHARACTERS):
        raise ValueError(f"input {min(unknown)!r}: expected one of {CHARACTERS}")
    for character in inputs:
        course.step(CHARACTERS.index(character))
    if course.solved != (ended == "win"):
        raise ValueError(f"ended as {ended!r}, but replayed it is {'won' if course.solved else 'not won'}")
    if ended == "limit" and len(inputs) < limit:
        raise ValueError(f"ended at its limit after {len(inputs)} inputs: expected {limit}")
    return course.hash()


def practice_problems(events: Sequence[dict[str, Any]], notes: list[str]) -> list[str]:
    """One line for each practice in a log that its replay contradicts. ``notes`` gains one for each that is drawn
    differently today."""
    problems: list[str] = []
    begun: dict[str, Any] | None = None
    for line, event in enumerate(events, 1):
        if event["event"] != "practice":
            continue
        if event.get("what") == "begin":
            begun = event
            continue
        if begun is None:
            problems.append(f"line {line}: practice: ends, but did not begin")
        else:
            problems += [f"line {line}: practice: {what}" for what in contradictions(begun, event)]
            if is_redrawn(begun):
                notes.append(f"line {line}: practice: today it is drawn differently than the player saw it")
        begun = None
    return problems


def contradictions(begun: dict[str, Any], ended: dict[str, Any]) -> list[str]:
    """What the replay of one practice contradicts, if anything."""
    try:
        course = reopen(begun)
        if begun["rules"] != (rules := course.about()["rules"]):
            return [f"recorded under the rules {begun['rules']!r}, here it has {rules!r}"]
        state = replayed(course, ended["inputs"], begun["limit"], ended["ended"])
    except (KeyError, TypeError):
        return ["an entry is missing or altered: see docs/recording-reference.md"]
    except (ValueError, RuntimeError) as error:
        return [" ".join(str(error).split())]
    return [] if state == ended.get("state") else ["its replay differs from the recording"]


def is_redrawn(begun: dict[str, Any]) -> bool:
    """Whether the practice is drawn differently now from what the player saw; states are unaffected."""
    try:
        return hash_picture(reopen(begun).picture) != begun["first_picture"]
    except (KeyError, ValueError, TypeError, RuntimeError):  # which is a contradiction, too
        return False
