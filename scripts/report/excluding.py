"""People left out by their answers: ``--exclude knew=yes``."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

from scripts.report.statistics import Played

CONDITION = re.compile(r"\s*([^=!<>]+?)\s*(!=|<=|>=|=|<|>)(.*)", re.DOTALL)
COMPARED: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip
MOST_LISTED = 8  # answers
EXPECTED = "expected QUESTION=ANSWER, QUESTION!=ANSWER, or QUESTION<NUMBER (<=, >, >=)"


def without(runs: Sequence[Played], exclude: Sequence[str]) -> tuple[list[Played], list[str]]:
    """The runs but those of people whom a condition of ``exclude`` leaves out; and a line on each condition.

    "question=answer" leaves out who gave that answer, "question!=answer" everybody else, those without an answer
    included; "question<number" who gave a smaller number. Case and spaces around or within answers do not count.
    A person's answer counts for all plays of that person; only people answer. Raises ValueError for a question that
    nobody was asked, and an answer that nobody gave: it is likely misspelled.
    """
    given: dict[str, dict[str, str]] = {}  # of each person
    for run in runs:
        if run.player == "person":
            given.setdefault(run.participant, {}).update(answers_of(run))
    notes, gone = [], set()
    for condition in exclude:
        who, note = left_out_by(condition, given)
        notes.append(note)
        gone |= who
    if given and gone == given.keys():
        raise ValueError(f"--exclude {' '.join(map(repr, exclude))}: leaves out all {len(given)} people")
    return [run for run in runs if run.player != "person" or run.participant not in gone], notes


def left_out_by(condition: str, given: dict[str, dict[str, str]]) -> tuple[set[str], str]:
    """(the people whom a condition leaves out, a line about them); ``given``: answers by question, of each person."""
    asked = sorted({name for answers in given.values() for name in answers})
    parts = CONDITION.fullmatch(condition)
    if not parts or parts[1] not in asked:
        raise ValueError(f"--exclude {condition!r}: {EXPECTED}, with a question of {', '.join(asked) or 'none here'}")
    question, sign, answer = parts[1], parts[2], " ".join(parts[3].split())
    own = {person: answers[question] for person, answers in given.items() if question in answers}
    silent = len(given) - len(own)
    if sign in COMPARED:
        limit, numbers = number_of(answer), {person: number_of(each) for person, each in own.items()}
        if limit is None:
            raise ValueError(f"--exclude {condition!r}: {answer!r} is no number: expected one after {sign}")
        no_number = sum(each is None for each in numbers.values())
        if no_number == len(own):
            raise ValueError(f"--exclude {condition!r}: no answer to {question!r} is a number: {listed(own)}")
        who = {person for person, each in numbers.items() if each is not None and COMPARED[sign](each, limit)}
        note = f"Without the {len(who)} of {len(given)} people whose answer to “{question}” is {sign} {answer}"
        others = [f"{no_number} gave no number" if no_number else "", f"{silent} gave no answer" if silent else ""]
        kept = " and ".join(filter(None, others))
        return who, note + (f"; {kept}, and are kept." if kept else ".")
    same = {person for person, each in own.items() if plain(each) == plain(answer)}
    if not same:
        raise ValueError(f"--exclude {condition!r}: nobody answered {answer!r} to {question!r}: {listed(own)}")
    if sign == "!=":
        who = given.keys() - same
        note = f"Without the {len(who)} of {len(given)} people who did not answer “{answer}” to “{question}”"
        return who, f"{note}: {len(own) - len(same)} gave another answer, {silent} none."
    note = f"Without the {len(same)} of {len(given)} people who answered “{answer}” to “{question}”"
    return same, note + (f"; {silent} gave no answer and are kept." if silent else ".")


def plain(answer: str) -> str:
    return " ".join(answer.split()).casefold()


def number_of(answer: str) -> float | None:
    """With a point or a comma."""
    try:
        return float(answer.replace(",", "."))
    except ValueError:
        return None


def listed(answers: dict[str, str]) -> str:
    """The answers that were given, the commonest first, with how many gave each."""
    counts = Counter(" ".join(answer.split()) for answer in answers.values()).most_common()
    words = [f"{answer!r} ({n})" for answer, n in counts[:MOST_LISTED]]
    return f"expected one of {', '.join(words)}" + (
        f" and {len(counts) - MOST_LISTED} others" * (len(counts) > MOST_LISTED)
    )


def answers_of(run: Played) -> dict[str, str]:
    """What the person answered, as text."""
    answers = run.settings.get("answers") or {}
    words = {name: ("yes" if value else "no") if isinstance(value, bool) else value for name, value in answers.items()}
    return {str(name): str(value) for name, value in words.items()}


def answer_counts(runs: Sequence[Played]) -> dict[str, Counter[str]]:
    """How many people gave each answer to each question; of free texts, only that they gave one."""
    people = {run.participant: answers_of(run) for run in runs if run.player == "person"}
    counts: dict[str, Counter[str]] = {}
    for answers in people.values():
        for question, answer in answers.items():
            counts.setdefault(question, Counter())[answer] += 1
    return {
        question: found if len(found) <= MOST_LISTED else Counter({"(free text)": found.total()})
        for question, found in counts.items()
    }
