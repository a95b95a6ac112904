"""Whether a study is ready for participants: everything is checked before the first page."""

from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

from priorlab.human_study.data.interrupted import check_resumable
from priorlab.human_study.data.wordings import is_stored
from priorlab.human_study.protocol.script import Script
from priorlab.human_study.study.answers import is_signed, is_within
from priorlab.human_study.study.assignment import check_unchanged, taken_numbers
from priorlab.human_study.study.criteria import AGE, age_below
from priorlab.human_study.study.study_file import Study
from priorlab.human_study.study.texts import Question, Texts

Languages = dict[str, Texts]  # by code, such as "en"
PLACEHOLDER = "(Your own text here.)"  # in the example: what only the lab can write


def load_study(path: str | Path, resume: Path | None = None, is_preview: bool = False) -> tuple[Study, Languages]:
    """Reads and checks a study and its texts, by the code of their language, in the order of the study's file.

    ``resume`` is the log of an interrupted session that is to continue.

    Except for a preview, no placeholder of the example may be left, and the study must agree with its data folder.
    Raises ValueError, one line; FileNotFoundError if the study or a file that it names is missing.
    """
    study = Study.load(path)
    languages = load_languages(study)
    if is_preview:
        return study, languages
    scripts = [Script(study, texts) for texts in languages.values()]
    if missing := [line for script in scripts for line in unready(script)]:
        raise ValueError(f"{missing[0]}; --preview shows the pages as they are")
    check_unchanged(study, taken_numbers(study))
    for script in scripts:
        is_stored(study.folder, script.wording())
    if resume:
        check_resumable(resume, study.folder, study.name)
    return study, languages


def load_languages(study: Study) -> Languages:
    """The texts that the study names, by the code of their language. Raises as ``load_study``."""
    languages: Languages = {}
    for name in study.texts:
        texts = Texts.load(study.path_to(name))
        if texts.code in languages:
            other = languages[texts.code].path.name
            raise ValueError(f"{study.path}: texts: {other} and {texts.path.name} have the same language, {texts.code}")
        languages[texts.code] = texts
        check_guidance(study, texts)
        check_same(next(iter(languages.values())), texts, study)
        check_age(study, texts)
    return languages


def check_same(first: Texts, texts: Texts, study: Study) -> None:
    """Raises ValueError, one line, unless both ask the study's questions for the same answers."""
    for one, other in zip(first.ask(study.questions), texts.ask(study.questions)):
        if comparable(one) != comparable(other):
            raise ValueError(
                f"{texts.path}: questions.{one.name} differs from the one in {first.path}: expected the same kind, "
                "names of options in the same order, and bounds"
            )


def comparable(question: Question) -> tuple[Question, list[str]]:
    """(the question without its words, the names of its options in order)"""
    return replace(question, text="", options={}), list(question.options)


def check_age(study: Study, texts: Texts) -> None:
    """Raises ValueError, one line, if answers to the question about age can't be compared with the minimum age."""
    if not study.minimum_age or AGE not in study.questions:
        return
    question = texts.questions[AGE]
    where = f"{texts.path}: questions.{AGE}, which minimum_age = {study.minimum_age} is compared with"
    if question.kind not in ("choice", "number"):
        raise ValueError(f"{where}: kind is {question.kind!r}: expected choice or number")
    for option in question.options:
        if age_below(option) is None:
            raise ValueError(f"{where}: option {option!r}: expected a name such as under_18, 12_17, 17 or 65_or_more")
    for option in study.eligible.get(AGE, ()):
        if study.is_too_young(AGE, option):
            expected = f"nobody below minimum_age = {study.minimum_age}"
            raise ValueError(f"{study.path}: eligible.{AGE} has {option!r}: expected {expected}")


def check_guidance(study: Study, texts: Texts) -> None:
    """Raises ValueError, one line, if instructions are missing, or if nobody could be eligible or answer rightly."""
    texts.instruct(study.instructions)
    for name, options in study.eligible.items():
        question = texts.ask([name])[0]
        if question.kind != "choice" or not set(options) <= set(question.options):
            raise ValueError(
                f"{study.path}: eligible.{name} is {list(options)}: expected a question of kind choice, and some of "
                f"its options: {', '.join(question.options) or 'none'}"
            )
    for name, right in study.right.items():
        question = texts.ask([name])[0]
        if not can_answer(question, right):
            raise ValueError(f"{study.path}: right.{name} is {right!r}: expected an answer that {texts.path} allows")


def can_answer(question: Question, answer: Any) -> bool:
    """Whether a participant can give that answer, as a study's file would have it. A typed text never counts as one."""
    if question.kind == "several":
        return isinstance(answer, list) and can_choose(question, answer)
    if type(answer) is int and question.kind == "scale":
        return str(answer) in question.points
    if isinstance(answer, str):
        return question.kind != "text" and answer in question.options and answer not in question.points
    return question.kind in ("number", "plate") and type(answer) in (int, float) and can_type(question, answer)


def can_choose(question: Question, chosen: list[Any]) -> bool:
    """Whether these are so many different options of a question as it allows."""
    return (
        all(isinstance(each, str) and each in question.options for each in chosen)
        and len(set(chosen)) == len(chosen)
        and question.least <= len(chosen) <= question.most_options
    )


def can_type(question: Question, value: int | float) -> bool:
    """Whether that number can be typed, and is within the bounds."""
    has_sign = value >= 0 or is_signed(question)
    return isfinite(value) and has_sign and round(value, question.decimals) == value and is_within(value, question)


def unready(script: Script) -> list[str]:
    """What must still be written before participants come: one line per entry that is empty or the example's."""
    study, texts = script.study, script.texts
    words = {name: [text] for name, text in texts.words.items()}
    words |= {f"questions.{each.name}": [each.text, *each.options.values()] for each in texts.ask(study.questions)}
    words |= {f"instructions.{each}": [texts.instructions[each].text] for each in study.instructions}
    entries = [(study.path, "contact")] if PLACEHOLDER in study.contact else []
    entries += [(texts.path, name) for name, shown in words.items() if any(PLACEHOLDER in text for text in shown)]
    lines = [f"{path}: {name} holds the example's {PLACEHOLDER!r}: expected your own text" for path, name in entries]
    if not texts.words["consent.text"].strip():
        lines.append(f"{texts.path}: consent.text is empty: expected what participants agree to")
    return lines
