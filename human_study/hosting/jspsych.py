"""Builds a study's games for experiments that are written in jsPsych: a plugin, one file, and an example page."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from priorlab.envs.base.provenance import lab_version
from priorlab.envs.browser import engine
from priorlab.envs.plays.play import ID_CHARACTERS, ID_LENGTH
from priorlab.human_study.browser.bundle import HERE, STYLE, as_json, joined, packed
from priorlab.human_study.data.chunks import FOLDER
from priorlab.human_study.hosting.offers import TIMELINE, Offer, make_offer
from priorlab.human_study.protocol.described import described
from priorlab.human_study.protocol.ready import load_languages
from priorlab.human_study.server.sessions import SECRET, key_of
from priorlab.human_study.study.assignment import arms, check_unchanged, taken_numbers
from priorlab.human_study.study.study_file import Study

PLUGIN, EXAMPLE = "jspsych-priorlab.js", "example.html"  # the files' names
OURS = ("page.", "keys.", "end.", "answer.")  # sections of a study's words that a game shows
MARK, PRACTICE = "  /* practice */\n", "  { type: jsPsychPriorlab, practice: true },\n"  # in the example
BODY = re.compile(r"<body>\n(.*)<noscript>", re.S)  # of the participant's page: what holds pages and games


def build_jspsych(path: Path, folder: Path) -> list[Path]:
    """Writes the plugin and an example of a timeline with it into a new folder; returns the files' paths.

    The texts around the games are the experiment's own, so those of the study may hold placeholders. Raises
    ValueError, one line, for a study that is wrong or has changed since places were taken; FileNotFoundError;
    FileExistsError if the folder exists; OSError.
    """
    study = Study.load(path)
    languages = load_languages(study)
    check_unchanged(study, taken_numbers(study))
    consents: dict[str, dict[str, Any]] = {code: {} for code in languages}  # theirs, which we don't know
    criteria = replace(study.criteria, eligible={}, checks=(), minimum_age=0)  # the experiment asks by itself
    offer, files = make_offer(study, consents, key_of(study.folder / FOLDER / SECRET), TIMELINE, criteria)
    description = games_only(described(study, languages), [probe.question for probe in study.probes])
    example = (HERE / EXAMPLE).read_text(encoding="utf-8")
    content = {
        PLUGIN: plugin(study, offer, files, description),
        EXAMPLE: example.replace(MARK, PRACTICE if study.practice_limit else ""),
    }
    folder.mkdir(parents=True)
    for name, text in content.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return [folder / name for name in content]


def plugin(study: Study, offer: Offer, files: Mapping[str, bytes], description: Mapping[str, Any]) -> str:
    """The script, which defines ``jsPsychPriorlab`` wherever it is loaded. ``files``: the games by their names."""
    body = BODY.search((HERE / "page.html").read_text(encoding="utf-8"))
    assert body, "page.html has a body"
    parts = {
        "description": description, "engine": packed(engine()), "worker": packed(joined("worker.js").encode()),
        "style": STYLE.read_text(encoding="utf-8"), "page": body[1], "version": lab_version(),
        "host": {
            "build": offer.id, "alphabet": ID_CHARACTERS, "length": ID_LENGTH,
            "games": {name: packed(file) for name, file in sorted(files.items())},
            "arms": sorted(offer.names(versions) for versions in arms(study)),
        },
    }  # fmt: skip
    script = f"{joined('timeline.js')}return browser_timeline.plugin({as_json(parts)});\n"
    return f"globalThis.jsPsychPriorlab = (() => {{\n{script}}})();\n"


def games_only(description: Mapping[str, Any], questions: list[str]) -> dict[str, Any]:
    """What games need of a study's description: no page but those that may interrupt a game, and practice."""
    pages = ["stop", "stop_last", "practice", *(f"question:{name}" for name in questions)]
    languages = {
        code: {
            **language, "eligibility": [], "steps": [],
            "words": {name: text for name, text in language["words"].items() if name.startswith(OURS)},
            "pages": {name: language["pages"][name] for name in pages if name in language["pages"]},
        }
        for code, language in description["languages"].items()
    }  # fmt: skip
    return {**description, "language": {}, "languages": languages}
