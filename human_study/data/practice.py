"""Practice before the game, in the log of its session: never one of its plays, so that nothing counts it as one."""

from collections.abc import Sequence
from typing import Any

from priorlab.envs.plays.courses import ChosenGame, reopen
from priorlab.envs.plays.play import CHARACTERS, Outcome, as_characters, hash_picture
from priorlab.human_study.data.recorder import Recorder


class PracticeRecorder:
    """Takes inputs as ``Recorder`` does, and logs them all when the practice ends."""

    def __init__(self, recorder: Recorder, game: ChosenGame, limit: int):
        """``limit``: inputs after which the practice ends."""
        self.recorder, self.course, self.limit = recorder, game.open(), limit
        self._inputs: list[int] = []
        self._late = 0
        about = {"limit": limit, "inputs_per_second": self.course.rate}
        recorder.note(
            "practice", sync=True, what="begin", **self.course.about(), **about,
            first_picture=hash_picture(self.course.picture),
        )  # fmt: skip

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


def practice_problems(events: Sequence[dict[str, Any]]) -> list[str]:
    """One line for each practice in a log that its replay contradicts."""
    problems, begun = [], None
    for line, event in enumerate(events, 1):
        if event["event"] != "practice":
            continue
        if event.get("what") == "begin":
            begun = event
        elif begun is None or not agrees(begun, event):
            problems.append(f"line {line}: practice: its replay differs from the recording")
    return problems


def agrees(begun: dict[str, Any], ended: dict[str, Any]) -> bool:
    """Whether the inputs lead to the recorded state."""
    try:
        course = reopen(begun)
        for character in ended["inputs"]:
            course.step(CHARACTERS.index(character))
        return course.hash() == ended["state"] and course.solved == (ended["ended"] == "win")
    except (KeyError, ValueError, RuntimeError):
        return False
