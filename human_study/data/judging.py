"""What the answers of a session in a browser have earned: to take part, to go on after the checks. Whoever asked the
questions may say something else of it, so their answers are judged again here."""

from typing import Any

from priorlab.human_study.data.chunks import ChunkError
from priorlab.human_study.study.criteria import Criteria

JUDGED = "judged"  # the entry by which a page asks for the verdict on a round of checks; no log holds it


class Unearned(ChunkError):
    """A browser went on, or says that an answer was right, although the answers did not earn it."""


class Judge:
    """Goes through the events of a session: ``take`` each of them, and ``begin_play`` at the beginning of each play."""

    def __init__(self, criteria: Criteria):
        self.criteria = criteria
        self.rounds = 0  # of instructions and checks that ended
        self.is_passed = not criteria.checks  # whether the checks let the participant go on
        self._answers: dict[str, Any] = {}  # to checks, the latest of each
        self._given: dict[str, Any] | None = None  # the answers of the round that waits for its end
        self._eligible: set[str] = set()  # questions

    def take(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        """What the log says of that event besides its own fields. Raises Unearned; TypeError, ValueError or KeyError
        for fields that make no sense."""
        checks = self.criteria.checks
        if name in ("answer", "probe"):
            return self._answer(str(fields["question"]), fields)
        if name == JUDGED:
            self._ask()
        if checks and name == "page" and (fields.get("page"), fields.get("what")) == (f"check:{checks[-1]}", "end"):
            return self._end_round(fields)
        if checks and name == "excluded" and fields.get("why") == "checks":
            return self._exclude(fields)
        return {}

    def begin_play(self) -> None:
        """Raises Unearned for somebody who was not asked, or did not answer rightly."""
        if missing := [name for name in self.criteria.eligible if name not in self._eligible]:
            raise Unearned(f"a play began: expected an answer to {missing[0]} first, of somebody who can take part")
        if not self.is_passed:
            raise Unearned(f"a play began: expected right answers to {', '.join(self.criteria.checks)} first")

    def verdict(self) -> dict[str, bool]:
        """What follows from the round for which the page asks: whether another one comes, or the session ends. Raises
        ValueError unless it asks for one."""
        if self._given is None:
            raise ValueError(f"no round of checks was answered: expected the entry {JUDGED!r} after its answers")
        ended = self.criteria.round_ended(self._given, self.rounds)
        return {"again": ended["again"], "ends": self.criteria.ends_with(ended)}

    def _answer(self, question: str, fields: dict[str, Any]) -> dict[str, Any]:
        name, answer = question.partition(".")[0], fields["answer"]
        if not self.criteria.is_eligible(name, answer) or self.criteria.is_too_young(name, answer):
            raise Unearned(f"{question} is {str(answer)[:40]!r}: expected an answer of somebody who can take part")
        if name in self.criteria.eligible:
            self._eligible.add(name)
        if question in self.criteria.checks:
            self._answers[question] = answer
        right = {"right": self.criteria.is_right(name, answer)} if name in self.criteria.right else {}
        check_claims(fields, {"right": None} | right)
        return right

    def _ask(self) -> None:
        if self._given is not None:
            raise Unearned("a round of checks is judged twice: expected its end")
        self._given = dict(self._answers)

    def _round(self) -> dict[str, Any]:
        """How the round ends."""
        given, self._given = self._answers if self._given is None else self._given, None
        ended = self.criteria.round_ended(given, self.rounds)
        self.rounds += 1
        return ended

    def _end_round(self, fields: dict[str, Any]) -> dict[str, Any]:
        ended = self._round()
        check_claims(fields, ended)
        if self.criteria.ends_with(ended):
            raise Unearned(f"the session goes on after wrong answers to {', '.join(ended['wrong'])}: expected its end")
        self.is_passed = not ended["again"]
        if ended["again"]:
            self._answers = {}
        return ended

    def _exclude(self, fields: dict[str, Any]) -> dict[str, Any]:
        ended = self._round()
        check_claims(fields, ended)
        if not self.criteria.ends_with(ended):
            raise Unearned("the session ends because of the checks: expected wrong answers in their last round")
        return ended


def check_claims(fields: dict[str, Any], judged: dict[str, Any]) -> None:
    """Raises Unearned if the browser says something else of its answers."""
    for name, value in judged.items():
        if fields.get(name, value) != value:
            raise Unearned(f"{name} is {str(fields[name])[:40]!r}: expected {'nothing' if value is None else value}")
