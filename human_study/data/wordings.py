"""What participants read and were asked: one small file per wording in the data folder, named by its hash."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from priorlab.envs.base.files import drafted, files_under, one_line, read_json, to_disk
from priorlab.envs.plays.play import new_id

FOLDER = "wordings"  # in the data folder of a study
DIGITS = 12  # of the hash that names a wording


def canonical(wording: Any) -> str:
    """As JSON, always the same text for the same wording. The order of questions and options is part of it."""
    return json.dumps(wording, ensure_ascii=False, separators=(",", ":"))


def wording_name(wording: Any) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of its JSON."""
    return hashlib.sha256(canonical(wording).encode()).hexdigest()[:DIGITS]


def wording_path(folder: Path, wording: dict[str, Any]) -> Path:
    return folder / FOLDER / f"{wording_name(wording)}.json"


def is_stored(folder: Path, wording: dict[str, Any]) -> bool:
    """Whether the data folder has that wording; ValueError, one line, if its file holds something else."""
    path = wording_path(folder, wording)
    if not path.exists():
        return False
    try:
        is_intact = canonical(read_json(path)) == canonical(wording)
    except ValueError:
        is_intact = False
    if not is_intact:
        raise ValueError(f"{path}: was changed: expected the wording with that hash; move the file away to restore it")
    return True


def store_wording(folder: Path, wording: dict[str, Any]) -> str:
    """Writes the wording into the data folder unless it is there, and returns its name.

    Several computers may store the same wording at once. Raises ValueError as ``is_stored``, OSError if it can't be
    written.
    """
    if not is_stored(folder, wording):
        path = wording_path(folder, wording)
        path.parent.mkdir(parents=True, exist_ok=True)
        with drafted(path, f".{new_id()}.draft") as draft, draft.open("wb") as file:
            file.write(canonical(wording).encode())
            to_disk(file)
    return wording_name(wording)


def read_wording(path: Path) -> dict[str, Any]:
    """Raises ValueError, one line, if the file is not the wording that its name says, OSError if it can't be read."""
    wording = read_json(path)
    if not isinstance(wording, dict) or wording_name(wording) != path.stem:
        raise ValueError(f"{path}: altered: expected the wording whose hash is the file's name")
    return wording


def wordings_under(root: Path) -> list[Path]:
    return [path for path in files_under(root, ".json") if path.parent.name == FOLDER]


def wording_rows(root: Path, problems: list[str]) -> Iterator[dict[str, Any]]:
    """The rows of wordings.csv, of all wordings under ``root``; ``problems`` gains one line per damaged wording."""
    seen = set()
    for path in wordings_under(root):
        try:
            wording = read_wording(path)
        except (ValueError, OSError) as error:
            problems.append(one_line(path, error))
            continue
        if path.stem in seen:
            continue  # the folders of several computers may have it
        seen.add(path.stem)
        front = {"wording": path.stem, **{name: wording.get(name) for name in ("language", "consent_version")}}
        for kind in ("consent", "instructions", "debriefing"):
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
