"""The conditions of `priorlab compare --exclude`, checked against a study's questions and put into words."""

from math import inf
from typing import NoReturn

from priorlab.human_study.protocol.ready import can_answer, can_choose
from priorlab.human_study.study.study_file import Study
from priorlab.human_study.study.texts import BETWEEN, Question, Texts
from priorlab.scripts.analysis.excluding import COMPARED, CONDITION, number_of, plain, worded

SIGNS = {"=": "is", "!=": "is not", "<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least"}


def in_words(condition: str, study: Study, texts: Texts) -> str:
    """A condition as the rest of a sentence about people. Raises ValueError, one line, for a question whose answers the
    comparison does not know, and for an answer that nobody can give."""
    asked = answers_by_name(study)
    parts = CONDITION.fullmatch(condition)
    if not parts or parts[1] not in asked:
        names = ", ".join(asked) or "none"
        probed = " (answers in the middle of plays exclude nobody)" if study.probes else ""
        refuse(condition, f"QUESTION=ANSWER with a question of the study: {names}{probed}")
    name, sign, answer = parts[1], parts[2], " ".join(parts[3].split())
    question = texts.questions[asked[name]]
    shown = compared(condition, question, sign, answer) if sign in COMPARED else given(condition, question, answer)
    moment = f", asked after game {int(name.rpartition('.')[2]) + 1}," if name != question.name else ""
    silent = "; people without an answer are excluded, too" if sign == "!=" else "; people without an answer stay"
    return f"whose answer to “{question.text.strip()}”{moment} {SIGNS[sign]} {shown}{silent}"


def answers_by_name(study: Study) -> dict[str, str]:
    """The question of each answer that the comparison knows, by the name under which a log has it."""
    once = [*study.eligible, *study.before, *study.checks, *study.after]
    each = {f"{name}.{play}": name for name in study.after_each for play in range(len(study.versions))}
    return {**dict(zip(once, once)), **each}


def compared(condition: str, question: Question, sign: str, answer: str) -> str:
    """The number that answers are compared with. Raises ValueError unless it can divide them."""
    limit = number_of(answer)
    if limit is None:
        refuse(condition, f"a number after {sign}, got {answer!r}")
    least, most = numbers_of(condition, question)
    if COMPARED[sign](least, limit) == COMPARED[sign](most, limit):
        refuse(condition, f"a number that divides the answers from {worded(least)} to {worded(most)}")
    return f"{worded(limit)}{on_scale(question)}"


def numbers_of(condition: str, question: Question) -> tuple[int | float, int | float]:
    """(the least, the greatest number that answers the question). Raises ValueError if its answers are no numbers."""
    if question.kind == "number":
        return question.least, question.most
    if question.kind in ("text", "plate"):
        return -inf, inf
    numbers = [number for option in question.options if (number := number_of(option)) is not None]
    if question.kind == "several" or not numbers:
        refuse(condition, f"= or != with a question whose answers are no numbers (its kind is {question.kind})")
    return min(numbers), max(numbers)


def given(condition: str, question: Question, answer: str) -> str:
    """An answer in the words that participants read. Raises ValueError unless it can be given."""
    options = {plain(name): name for name in question.options}
    if question.kind == "text" and plain(answer) not in options:
        return f"“{answer}”"
    if question.kind == "several":
        return several(condition, question, answer)
    number = number_of(answer)
    name = options.get(plain(answer) if number is None else worded(number))
    if name is not None:
        if name not in question.points:
            return f"“{question.options[name]}”"
        label = f", “{question.points[name]}”" if question.points[name] else ""
        return f"{name}{on_scale(question)}{label}"
    if number is not None and can_answer(question, number):
        return worded(number)
    refuse(condition, f"an answer of {answers_of(question)}")


def several(condition: str, question: Question, answer: str) -> str:
    """Options that are chosen together, which tables have in the order of the question."""
    options = {plain(name): name for name in question.options}
    chosen = [options.get(plain(each), each) for each in answer.split(BETWEEN) if each]
    if not can_choose(question, chosen):
        count = f"{question.least} to {question.most_options} of {', '.join(question.options)}"
        refuse(condition, f"{count}, joined by {BETWEEN!r}")
    ordered = [name for name in question.options if name in chosen]
    if plain(answer) != plain(BETWEEN.join(ordered)):
        refuse(condition, f"the options in the order of the question, {BETWEEN.join(ordered)!r}")
    words = [f"“{question.options[name]}”" for name in ordered]
    return f"exactly {' and '.join(words)}" if words else "none of the options"


def on_scale(question: Question) -> str:
    return f" on the scale from 1 to {len(question.points)}" if question.points else ""


def answers_of(question: Question) -> str:
    """The names of the options and, if a number can be typed, its bounds."""
    bounds = [f"{worded(question.least)} to {worded(question.most)}"] if question.kind == "number" else []
    digits = ["a number"] if question.kind == "plate" else []
    return ", ".join([*bounds, *digits, *question.options])


def options_in_words(question: Question) -> str:
    """What can be chosen, as participants read it; the points of a scale with their numbers."""
    return "; ".join(
        f"{name} {text}".strip() if name in question.points else text for name, text in question.options.items()
    )


def right_in_words(study: Study, name: str) -> str:
    """The right answer to that question, as a table has it."""
    return worded(study.right[name])


def refuse(condition: str, expected: str) -> NoReturn:
    raise ValueError(f"--exclude {condition!r}: expected {expected}")
