"""When the questions in the middle of a play are due. Times are those of the game: pauses don't count."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from priorlab.envs.game.rules import HAS_KEY
from priorlab.envs.plays.courses import AnyCourse, reopen
from priorlab.envs.plays.play import Course
from priorlab.human_study.study.probes import Probe


class Due(NamedTuple):
    """A question that is due after an input; ``why`` is every, at, death or key."""

    question: str
    why: str


class Schedule:
    """The questions of one play; ``after`` must follow each of its inputs. ``due`` are to be asked now.

    A question is never due twice at once: if several of its probes are due, the first of them asks it.
    """

    def __init__(self, probes: Sequence[Probe], rate: int):
        """``rate``: inputs per second."""
        self.probes, self.rate, self.inputs = probes, rate, 0
        self.due: list[Due] = []
        self._asked = [0] * len(probes)
        self._had_key = False

    def after(self, course: AnyCourse) -> bool:
        """Whether anything is due after the input that the course has just taken; nothing is once the game is won."""
        self.inputs += 1
        has_key = isinstance(course, Course) and bool(course.state[HAS_KEY])
        happened = {name for name, _ in course.happened} | ({"key"} if has_key and not self._had_key else set())
        self._had_key = has_key
        self.due = []
        for number, probe in enumerate(self.probes):
            why = self._why(probe, happened)
            is_left = not probe.most or self._asked[number] < probe.most
            if why and is_left and not course.solved and all(each.question != probe.question for each in self.due):
                self._asked[number] += 1
                self.due.append(Due(probe.question, why))
        return bool(self.due)

    def _why(self, probe: Probe, happened: set[str]) -> str:
        """Empty if it is not due."""
        if probe.every:
            return "every" if self.inputs % steps_in(probe.every, self.rate) == 0 else ""
        if probe.at:
            return "at" if self.inputs in [steps_in(seconds, self.rate) for seconds in probe.at] else ""
        return probe.after if probe.after in happened else ""


def steps_in(seconds: float, rate: int) -> int:
    """The inputs of that many seconds, at least one."""
    return max(round(seconds * rate), 1)


def caught_up(probes: Sequence[Probe], events: Iterable[dict[str, Any]]) -> Schedule:
    """The schedule of the play in which a log ends; ``due`` are the questions that were not answered yet."""
    play, inputs, answered = {}, [], []
    for event in events:
        if event["event"] == "play":
            play, inputs = event, []
        elif event["event"] == "step":
            inputs.append(event["input"])
            answered = []
        elif event["event"] == "probe":
            answered.append(Due(event["question"], event["why"]))
    course = reopen(play)
    schedule = Schedule(probes, course.rate)
    for action in inputs if probes else ():
        course.step(action)
        schedule.after(course)
    schedule.due = [each for each in schedule.due if each not in answered]
    return schedule
