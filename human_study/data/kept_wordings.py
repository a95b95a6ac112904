"""What participants read and were asked, read from the data folder; ``wordings.py`` keeps it there. Knows no window."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from priorlab.envs.base.files import files_under, one_line, read_json

FOLDER = "wordings"  # in the data folder of a study
DIGITS = 12  # of the hash by which a wording is named


def canonical(wording: Any) -> str:
    """As JSON, always the same text for the same wording. The order of questions and options is part of it."""
    return json.dumps(wording, ensure_ascii=False, separators=(",", ":"))


def name_of(wording: Any) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of its JSON."""
    return hashlib.sha256(canonical(wording).encode()).hexdigest()[:DIGITS]


def read_wording(path: Path) -> dict[str, Any]:
    """ValueError, one line, for a file that is not the wording of its name, OSError where it can't be read."""
    wording = read_json(path)
    if not isinstance(wording, dict) or name_of(wording) != path.stem:
        raise ValueError(f"{path}: altered: expected the wording whose hash is the file's name")
    return wording


def wordings_under(root: Path) -> list[Path]:
    return [path for path in files_under(root, ".json") if path.parent.name == FOLDER]


def wording_rows(root: Path, problems: list[str]) -> Iterator[dict[str, Any]]:
    """Of all wordings under ``root`` the rows of wordings.csv; ``problems`` gains a line for each damaged one."""
    seen = set()
    for path in wordings_under(root):
        try:
            wording = read_wording(path)
        except (ValueError, OSError) as error:
            problems.append(one_line(path, error))
            continue
        if path.stem in seen:
            continue  # several computers' folders may hold it
        seen.add(path.stem)
        front = {"wording": path.stem, **{name: wording.get(name) for name in ("language", "consent_version")}}
        for kind in ("consent", "debriefing"):
            if wording.get(kind):
                yield {**front, "kind": kind, "text": wording[kind]}
        for name, question in wording.get("questions", {}).items():
            others = {entry: value for entry, value in question.items() if entry not in ("kind", "text", "options")}
            yield {
                **front, "kind": "question", "name": name, "text": question.get("text"), "answer": question.get("kind"),
                "options": as_json(question.get("options")), "settings": as_json(others),
            }  # fmt: skip


def as_json(value: Any) -> str | None:
    return json.dumps(value, ensure_ascii=False) if value else None
