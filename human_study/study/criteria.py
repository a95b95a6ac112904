"""What a study expects of answers: who can take part, which answers are right, and what follows from wrong ones."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import inf
from typing import Any, Self

AGE = "age"  # the question that shows whether somebody is too young
UNDER, BAND = re.compile(r"under_(\d+)"), re.compile(r"(?:\d+[_-])?(\d+)")  # names of its options: under_18, 12_17, 17
OPEN = re.compile(r"\D*|\d+_or_more|over_\d+")  # such as not_said, 65_or_more


@dataclass(frozen=True)
class Criteria:
    """The entries of a study's file with these names, which docs/study-file.md explains."""

    eligible: Mapping[str, Sequence[str]]
    right: Mapping[str, Any]
    checks: Sequence[str]
    rounds: int
    when_failed: str
    minimum_age: int

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """From what ``data`` gave, as JSON kept it. Raises TypeError for anything else."""
        return cls(**data)

    def data(self) -> dict[str, Any]:
        return asdict(self)

    def is_too_young(self, question: str, answer: Any) -> bool:
        """Whether that answer proves that a participant is younger than ``minimum_age``.

        It must answer the question ``age``: a number, or the name of an option such as under_18 or 16_17.
        """
        if question != AGE or not self.minimum_age:
            return False
        if isinstance(answer, str):
            bound = age_below(answer)
            return bound is not None and bound <= self.minimum_age
        return answer < self.minimum_age

    def is_eligible(self, question: str, answer: Any) -> bool:
        """Whether a participant who gives that answer before the session can take part."""
        return answer in self.eligible.get(question, [answer])

    def is_right(self, question: str, answer: Any) -> bool:
        """Whether that answers a question that has a right answer."""
        right = self.right[question]
        if isinstance(answer, list) and isinstance(right, list):  # a browser's may hold anything
            return all(each in right for each in answer) and all(each in answer for each in right)
        return answer == right

    def round_ended(self, answers: Mapping[str, Any], rounds: int) -> dict[str, Any]:
        """What the log says about a round of instructions and checks that ended after ``rounds`` others: ``wrong``
        names the questions with wrong answers or none, and ``again`` says whether another round follows."""
        wrong = [name for name in self.checks if name not in answers or not self.is_right(name, answers[name])]
        return {"round": rounds + 1, "wrong": wrong, "again": bool(wrong) and rounds + 1 < self.rounds}

    def ends_with(self, ended: Mapping[str, Any]) -> bool:
        """Whether a round that ended so ends the session."""
        return bool(ended["wrong"]) and not ended["again"] and self.when_failed == "end"


def age_below(option: str) -> float | None:
    """The age that everybody who chooses that option is below, inf if there is none; None for any other name."""
    under, band = UNDER.fullmatch(option), BAND.fullmatch(option)
    return int(under[1]) if under else int(band[1]) + 1 if band else inf if OPEN.fullmatch(option) else None
