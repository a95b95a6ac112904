"""Excludes people by their answers: ``--exclude knew=yes``."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from priorlab.human_study.study.texts import BETWEEN
from priorlab.scripts.analysis.statistics import Played

CONDITION = re.compile(r"\s*([^=!<>]+?)\s*(!=|<=|>=|=|<|>)(.*)", re.DOTALL)
COMPARED: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip
MOST_LISTED = 8  # answers
EXPECTED = "expected QUESTION=ANSWER, QUESTION!=ANSWER, or QUESTION<NUMBER (<=, >, >=)"


def without(runs: Sequence[Played], exclude: Sequence[str]) -> tuple[list[Played], list[str]]:
    """The runs without those of excluded people, and one line per condition of ``exclude``.

    "question=answer" excludes those who gave that answer; "question!=answer" everybody else, including people without
    an answer; "question<number" those who gave a smaller number. Case and spaces make no difference, nor how a number
    is written: 1.5 equals 1,5. A person's answer counts for all their plays; only people answer. Raises ValueError for
    a question that nobody was asked and for an answer that nobody gave: it is probably misspelled.
    """
    given = given_by(runs)
    notes, gone = [], set()
    for condition in exclude:
        who, note = excluded_by(condition, given)
        notes.append(note)
        gone |= who
    if given and gone == given.keys():
        raise ValueError(f"--exclude {' '.join(map(repr, exclude))} excludes all {len(given)} people")
    return [run for run in runs if run.player != "person" or run.participant not in gone], notes


def excluded_by(condition: str, given: dict[str, dict[str, str]]) -> tuple[set[str], str]:
    """The people whom a condition excludes, and a line about them; ``given``: each person's answers by question."""
    asked = sorted({name for answers in given.values() for name in answers})
    parts = CONDITION.fullmatch(condition)
    if not parts or parts[1] not in asked:
        raise ValueError(f"--exclude {condition!r}: {EXPECTED}, with a question of {', '.join(asked) or 'none here'}")
    question, sign, answer = parts[1], parts[2], " ".join(parts[3].split())
    answered = {person: answers[question] for person, answers in given.items() if question in answers}
    silent = len(given) - len(answered)
    if sign in COMPARED:
        limit, numbers = number_of(answer), {person: number_of(each) for person, each in answered.items()}
        if limit is None:
            raise ValueError(f"--exclude {condition!r}: expected a number after {sign}, got {answer!r}")
        no_number = sum(each is None for each in numbers.values())
        if no_number == len(answered):
            raise ValueError(f"--exclude {condition!r}: no answer to {question!r} is a number: {listed(answered)}")
        who = {person for person, each in numbers.items() if each is not None and COMPARED[sign](each, limit)}
        note = f"Without the {len(who)} of {len(given)} people whose answer to “{question}” is {sign} {worded(limit)}"
        others = [f"{no_number} gave no number" if no_number else "", f"{silent} gave no answer" if silent else ""]
        kept = " and ".join(filter(None, others))
        return who, note + (f"; {kept}, and {are(no_number + silent)} kept." if kept else ".")
    same = {person for person, each in answered.items() if plain(each) == plain(answer)}
    if not same and (value := number_of(answer)) is not None:
        same = {person for person, each in answered.items() if each == worded(value)}
    if not same:
        raise ValueError(f"--exclude {condition!r}: nobody answered {answer!r} to {question!r}: {listed(answered)}")
    if sign == "!=":
        who = given.keys() - same
        note = f"Without the {len(who)} of {len(given)} people who did not answer “{answer}” to “{question}”"
        return who, f"{note}: {len(answered) - len(same)} gave another answer, {silent} none."
    note = f"Without the {len(same)} of {len(given)} people who answered “{answer}” to “{question}”"
    return same, note + (f"; {silent} gave no answer and {are(silent)} kept." if silent else ".")


def are(count: int) -> str:
    return "is" if count == 1 else "are"


def plain(answer: str) -> str:
    """An answer in the form that is compared; an umlaut may be one character or two."""
    return unicodedata.normalize("NFC", " ".join(answer.split()).casefold())


def number_of(answer: str) -> float | None:
    """The number, written with a point or a comma; None for other text, such as 18_24."""
    if "_" in answer:  # which Python would skip
        return None
    try:
        value = float(answer.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def worded(answer: Any) -> str:
    """An answer as text, as in exported tables; numbers are as short as possible: 2, even if the question allowed
    decimals."""
    if isinstance(answer, list):
        return BETWEEN.join(map(str, answer))
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return str(answer).removesuffix(".0") if isinstance(answer, float) else str(answer)


def listed(answers: dict[str, str]) -> str:
    """The answers, most frequent first, with the number of people who gave each."""
    counts = Counter(" ".join(answer.split()) for answer in answers.values()).most_common()
    words = [f"{answer!r} ({n})" for answer, n in counts[:MOST_LISTED]]
    return f"expected one of {', '.join(words)}" + (
        f" and {len(counts) - MOST_LISTED} others" * (len(counts) > MOST_LISTED)
    )


def answers_of(run: Played) -> dict[str, str]:
    """The person's answers as text."""
    return {str(name): worded(answer) for name, answer in (run.settings.get("answers") or {}).items()}


def given_by(runs: Sequence[Played]) -> dict[str, dict[str, str]]:
    """The answers of each person by question, over all sessions."""
    given: dict[str, dict[str, str]] = {}
    for run in runs:
        if run.player == "person":
            given.setdefault(run.participant, {}).update(answers_of(run))
    return given


def answer_counts(runs: Sequence[Played]) -> dict[str, Counter[str]]:
    """How many people gave each answer to each question; many different answers are summed up."""
    counts: dict[str, Counter[str]] = {}
    for answers in given_by(runs).values():
        for question, answer in answers.items():
            counts.setdefault(question, Counter())[answer] += 1
    return {
        question: each if len(each) <= MOST_LISTED else Counter({summed_up(each): each.total()})
        for question, each in counts.items()
    }


def summed_up(answers: Counter[str]) -> str:
    numbers = [number for answer in answers if (number := number_of(answer)) is not None]
    if len(numbers) < len(answers):
        return "(free text)"
    return f"(numbers from {worded(min(numbers))} to {worded(max(numbers))})"
