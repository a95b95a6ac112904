"""What participants read and were asked, kept with the data: one small file for each wording, named by its hash."""

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from priorlab.envs.base.files import drafted, read_json, to_disk
from priorlab.envs.plays.play import new_id
from priorlab.human_study.data.kept_wordings import FOLDER, canonical, name_of
from priorlab.human_study.session.script import Script
from priorlab.human_study.study.texts import KINDS, Question

DEFAULTS = {field.name: field.default for field in fields(Question)}


def wording_of(script: Script) -> dict[str, Any]:
    """The consent and the debriefing as they are shown, and the questions that the study asks, in their order."""
    study, texts = script.study, script.texts
    debriefing = texts("debriefing.text")
    return {
        "language": texts.language,
        "consent_version": study.consent_version,
        "consent": "\n\n".join([*script.consent_words, *script.consent_options.values()]),
        "debriefing": f"{texts('debriefing.title')}\n\n{debriefing}" if debriefing else "",
        "questions": {question.name: asked(question) for question in texts.ask(study.questions)},
    }


def asked(question: Question) -> dict[str, Any]:
    """All that the question shows and allows; what its kind does not have is left out."""
    return {
        name: value
        for name, value in asdict(question).items()
        if name != "name" and (value != DEFAULTS[name] or name in KINDS[question.kind])
    }


def check_kept(folder: Path, wording: dict[str, Any]) -> bool:
    """Whether the data folder holds that wording; ValueError, one line, where its file holds something else."""
    path = path_of(folder, wording)
    if not path.exists():
        return False
    try:
        is_whole = canonical(read_json(path)) == canonical(wording)
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ValueError(f"{path}: was changed: expected the wording of that hash; move the file away to have it anew")
    return True


def keep_wording(folder: Path, wording: dict[str, Any]) -> str:
    """Its name, once the wording is in the data folder; several computers may keep the same one at once.

    Raises ValueError as ``check_kept``, OSError where it can't be written.
    """
    if not check_kept(folder, wording):
        path = path_of(folder, wording)
        path.parent.mkdir(parents=True, exist_ok=True)
        with drafted(path, f".{new_id()}.draft") as draft, draft.open("wb") as file:
            file.write(canonical(wording).encode())
            to_disk(file)
    return name_of(wording)


def path_of(folder: Path, wording: dict[str, Any]) -> Path:
    return folder / FOLDER / f"{name_of(wording)}.json"
