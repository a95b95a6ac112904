"""Whether a study is ready for participants: checked as a whole before the first page."""

from pathlib import Path

from priorlab.envs.plays.courses import AnyCourse
from priorlab.human_study.data.interrupted import check_resumable
from priorlab.human_study.session.script import Script
from priorlab.human_study.session.wordings import check_kept, wording_of
from priorlab.human_study.study.assign import check_unchanged, numbers_taken
from priorlab.human_study.study.study import AGE, Study, age_below
from priorlab.human_study.study.texts import Texts
from priorlab.human_study.window.paper import check_font

PLACEHOLDER = "(Your own text here.)"  # in the example: what the lab can't know


def load(path: str | Path, resume: Path | None = None, is_preview: bool = False) -> tuple[Study, Texts]:
    """A study and its texts, checked before a participant comes; ValueError, one line, FileNotFoundError.

    Except for a preview they must be ready: nothing of the example's left, and in keeping with the data folder.
    """
    study = Study.load(path)
    texts = Texts.load(study.beside(study.texts))
    texts.ask(study.questions)
    check_age(study, texts)
    check_font(texts)
    if is_preview:
        return study, texts
    script = Script(study, texts)
    if missing := unready(script):
        raise ValueError(f"{missing[0]}; --preview shows the pages as they are")
    check_unchanged(study, numbers_taken(study))
    check_kept(study.folder, wording_of(script))
    if resume:
        check_resumable(resume, study.folder, study.name)
    return study, texts


def check_age(study: Study, texts: Texts) -> None:
    """ValueError, one line, where the answers to the question about age can't be held against the minimum age."""
    if not study.minimum_age or AGE not in study.questions:
        return
    question = texts.questions[AGE]
    where = f"{texts.path}: questions.{AGE}, by which minimum_age = {study.minimum_age} is checked"
    if question.kind not in ("choice", "number"):
        raise ValueError(f"{where}: kind is {question.kind!r}: expected choice or number")
    for option in question.options:
        if age_below(option) is None:
            raise ValueError(f"{where}: option {option!r}: expected a name such as under_18, 12_17, 17 or 65_or_more")


def first_game(study: Study) -> AnyCourse:
    """That of the first version, with all compiled that must not be compiled while a participant waits."""
    course = study.settings(study.versions[0]).open()
    course.step(0)
    return course


def unready(script: Script) -> list[str]:
    """What is still to be written before participants come: a line for each entry that is the example's or empty."""
    study, texts = script.study, script.texts
    shown = {name: [text] for name, text in texts.words.items()}
    shown |= {f"questions.{each.name}": [each.text, *each.options.values()] for each in texts.ask(study.questions)}
    found = [(study.path, "contact")] if PLACEHOLDER in study.contact else []
    found += [(texts.path, name) for name, said in shown.items() if any(PLACEHOLDER in text for text in said)]
    lines = [f"{path}: {name} holds the example's {PLACEHOLDER!r}: expected your own text" for path, name in found]
    if not texts.words["consent.text"].strip():
        lines.append(f"{texts.path}: consent.text is empty: expected what participants agree to")
    return lines
