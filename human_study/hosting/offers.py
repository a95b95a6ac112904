"""What a built study offers: which game each opaque name stands for, and what participants agree to. The build holds
the names alone; what they mean stays in the data folder, for the importer."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from priorlab.envs.base.files import read_json, write_whole
from priorlab.envs.base.provenance import software
from priorlab.envs.browser import digest, game_file
from priorlab.envs.plays.events import encode
from priorlab.human_study.data.wordings import store_wording
from priorlab.human_study.protocol.script import Script
from priorlab.human_study.study.criteria import Criteria
from priorlab.human_study.study.study_file import Study
from priorlab.human_study.study.texts import Texts

FOLDER = "builds"  # in the data folder of a study
SCHEMA = 1
DIGITS = 16  # hexadecimal digits of a name
TIMELINE = {"timeline": "jspsych"}  # in the settings of an offer to experiments that lead participants themselves


@dataclass(frozen=True)
class Offer:
    """``games``: version by opaque name; ``consents``: by language, the fields of the event consent that are the same
    for everybody, none where somebody else asks for it; ``settings`` and ``software``: those of a log's header;
    ``criteria``: what answers are judged by, {} in older offers."""

    id: str
    study: str
    games: dict[str, str]
    consents: dict[str, dict[str, Any]]
    settings: dict[str, Any]
    software: dict[str, Any]
    criteria: dict[str, Any] = field(default_factory=dict)

    @property
    def is_for_timeline(self) -> bool:
        """Whether somebody else's experiment leads the participants, and asks for their consent."""
        return self.settings.items() >= TIMELINE.items()

    def names(self, versions: tuple[str, ...]) -> list[str]:
        """The opaque names of these versions."""
        by_version = {version: name for name, version in self.games.items()}
        return [by_version[version] for version in versions]


def make_offer(
    study: Study, consents: Mapping[str, dict[str, Any]], key: bytes, more: Mapping[str, Any] = MappingProxyType({}),
    criteria: Criteria | None = None,
) -> tuple[Offer, dict[str, bytes]]:  # fmt: skip
    """(what a build of the study offers, each game file by its opaque name). ``more``: further settings; ``criteria``:
    by default the study's.

    The offer is kept in the data folder.
    Names depend on the key, so nobody can find out without it what they stand for. The same study gives the same names.
    Raises ValueError, one line, for games that can't be in a browser; OSError.
    """
    files = {version: game_file(study.settings(version)) for version in study.versions}
    names = {version: keyed(key, file) for version, file in files.items()}
    entries: dict[str, Any] = {
        "study": study.name, "games": {name: version for version, name in names.items()},
        "consents": {**consents},
        "settings": {"design": study.design, "minutes": study.minutes, "wasm": digest(), **more},
        "software": software(), "criteria": (criteria or study.criteria).data(),
    }  # fmt: skip
    offer = Offer(id=keyed(key, encode(entries).encode()), **entries)
    path = offer_path(study, offer.id)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps({"schema": SCHEMA, **asdict(offer)}, ensure_ascii=False, indent=1) + "\n")
    return offer, {names[version]: file for version, file in files.items()}


def consent(study: Study, texts: Texts) -> dict[str, Any]:
    """What the event consent says of everybody who reads these texts, whose wording is kept in the data folder."""
    script = Script(study, texts)
    return {
        "version": study.consent_version, "language": texts.language,
        "wording": store_wording(study.folder, script.wording()), "minimum_age": study.minimum_age,
        "text": hashlib.sha256(script.consent_text.encode()).hexdigest(),
    }  # fmt: skip


def keyed(key: bytes, content: bytes) -> str:
    return hmac.new(key, content, "sha256").hexdigest()[:DIGITS]


def offer_path(study: Study, id: str) -> Path:
    return study.folder / FOLDER / f"{id}.json"


def read_offers(study: Study) -> dict[str, Offer]:
    """Every offer in the study's data folder, by its id. Raises ValueError, one line, for a damaged one; OSError."""
    offers = {}
    for path in sorted((study.folder / FOLDER).glob("*.json")):
        content = read_json(path)
        try:
            if content.pop("schema") != SCHEMA:
                raise KeyError
            offer = Offer(**content)
        except (AttributeError, KeyError, TypeError):
            raise ValueError(f"{path}: altered: expected what `priorlab build` wrote") from None
        offers[offer.id] = offer
    return offers
