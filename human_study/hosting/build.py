"""Builds a study for hosts that know nothing of it: any host of files, or JATOS."""

import base64
import gzip
import json
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from priorlab.envs.plays.play import ID_CHARACTERS, ID_LENGTH
from priorlab.human_study.browser.bundle import HERE, as_files, as_one_file, files_policy, joined, policy_element
from priorlab.human_study.data.chunks import FOLDER
from priorlab.human_study.hosting.offers import Offer, consent, keyed, make_offer
from priorlab.human_study.protocol.described import described
from priorlab.human_study.protocol.ready import load_study
from priorlab.human_study.server.sessions import SECRET, key_of
from priorlab.human_study.study.assignment import arms
from priorlab.human_study.study.panel import ENDS
from priorlab.human_study.study.study_file import Study
from priorlab.human_study.study.texts import Texts

DATAPIPE = "https://pipe.jspsych.org/api/data/"
ADAPTERS = HERE / "adapters"
JATOS_ROOM = 5_000_000  # bytes that JATOS keeps of one result, unless it is configured otherwise
STEP_BYTES = 40  # of an upload, at most, for each input of a play; docs/online-hosts.md has what was measured
JATOS_POLICY = (  # jatos.js brings scripts, styles and workers of its own, all from the same address
    "default-src 'self' 'unsafe-inline' data: blob:; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:"
)
JATOS_WORKERS = ("GeneralMultiple", "GeneralSingle", "Jatos", "MT", "PersonalMultiple", "PersonalSingle")
OLDEST = (1980, 1, 1, 0, 0, 0)  # the date of every file in an archive, so that the same study gives the same archive


@dataclass(frozen=True)
class Uploads:
    """Where sessions go: through an adapter, with its settings. ``note``: the word of [browser] that the consent gains;
    ``is_deleted``: whether withdrawing deletes the record at once."""

    adapter: Path
    settings: Mapping[str, str]
    note: str = ""
    is_deleted: bool = True

    @staticmethod
    def choose(datapipe: str = "", post: str = "", adapter: Path | None = None) -> "Uploads":
        """Of at most one: the experiment's id at DataPipe, an address to post to, an adapter of one's own; else files
        that participants save. Raises ValueError, one line."""
        if sum(map(bool, (datapipe, post, adapter))) > 1:
            raise ValueError("expected at most one of --datapipe, --post and --adapter")
        if adapter:
            if not adapter.is_file():
                raise ValueError(f"adapter is {adapter}: there is no such file")
            return Uploads(adapter, {}, "after_each", is_deleted=False)
        if datapipe:
            settings = {"address": DATAPIPE, "experiment": datapipe}
            return Uploads(ADAPTERS / "datapipe.js", settings, "after_each", is_deleted=False)
        if post and urlsplit(post).scheme not in ("http", "https"):
            raise ValueError(f"post is {post!r}: expected an address that begins with https://")
        note = "after_each" if post else "at_end"
        return Uploads(ADAPTERS / "folder.js", {"address": post.rstrip("/")}, note, is_deleted=not post)

    @property
    def connections(self) -> str:
        """Where the page may send to, as a policy names it."""
        address = urlsplit(self.settings.get("address", ""))
        if self.adapter.parent != ADAPTERS:
            return "'self' https:"
        return f"'self' {address.scheme}://{address.netloc}" if address.netloc else "'self'"


JATOS = Uploads(ADAPTERS / "jatos.js", {})


def build_static(path: Path, folder: Path, uploads: Uploads, single_file: bool = False) -> list[Path]:
    """Writes the study of that file into a new folder, for any host of files; with ``single_file`` as one page, which
    can also be opened from the folder. Returns the files' paths.

    Raises ValueError and FileNotFoundError as ``load_study``; FileExistsError if the folder exists; OSError.
    """
    built = Built.of(path, uploads)
    if single_file:
        host = built.host({name: as_url(game) for name, game in built.games.items()})
        page = as_one_file(built.description, built.script, {"host": host}, f"{uploads.connections} data:")
        content = {"index.html": page}
    else:
        content = built.files(policy_element(files_policy(uploads.connections)))
    folder.mkdir(parents=True)
    for name, data in content.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    return [folder / name for name in content]


def build_jatos(path: Path, archive: Path, title: str) -> Path:
    """Writes the study of that file as an archive that JATOS imports: again, and it replaces the one there.

    Raises ValueError and FileNotFoundError as ``load_study``, ValueError for a study that is too long for JATOS;
    FileExistsError if the archive exists; OSError.
    """
    if archive.suffix != ".jzip":
        raise ValueError(f"{archive}: expected a name ending in .jzip")
    built = Built.of(path, JATOS)
    study = built.study
    longest = int(JATOS_ROOM / STEP_BYTES / 60 / study.settings(study.versions[0]).rate)
    if study.longest > longest:
        raise ValueError(
            f"{path}: one participant may play for {study.longest:g} minutes: expected at most {longest}, as JATOS "
            f"keeps {JATOS_ROOM // 1_000_000} MB of one participant"
        )
    files = built.files(f'{policy_element(JATOS_POLICY)}\n<script src="jatos.js"></script>')
    folder = f"priorlab_{built.description['name']}"
    content = {f"{folder}.jas": built.jas(folder, title)} | {f"{folder}/{name}": data for name, data in files.items()}
    with archive.open("xb") as file, zipfile.ZipFile(file, "w") as zipped:
        for name, data in content.items():
            zipped.writestr(zipfile.ZipInfo(name, OLDEST), data, zipfile.ZIP_DEFLATED)
    return archive


@dataclass(frozen=True)
class Built:
    """A study as it goes to a host."""

    study: Study
    key: bytes  # of the data folder
    offer: Offer
    games: Mapping[str, bytes]  # compressed, by opaque name
    description: Mapping[str, Any]
    script: str
    settings: Mapping[str, str]

    @staticmethod
    def of(path: Path, uploads: Uploads) -> "Built":
        study, languages = load_study(path)
        languages = {code: hosted_texts(texts, uploads) for code, texts in languages.items()}
        script = joined("hosted.js", uploads.adapter)
        key = key_of(study.folder / FOLDER / SECRET)
        offer, files = make_offer(study, {code: consent(study, texts) for code, texts in languages.items()}, key)
        games = {name: gzip.compress(file, mtime=0) for name, file in sorted(files.items())}
        return Built(study, key, offer, games, described(study, languages), script, uploads.settings)

    def files(self, head: str) -> dict[str, bytes]:
        """The page and everything next to it, by name. ``head``: what the page's head begins with."""
        addresses = {name: f"files/{name}.bin" for name in self.games}
        site = as_files(self.description, self.script, {"host": self.host(addresses)}, "", head)
        return {"index.html": site.index, **site.files, **{addresses[name]: game for name, game in self.games.items()}}

    def host(self, addresses: Mapping[str, str]) -> dict[str, Any]:
        """What the page needs to begin sessions by itself (types.js: Host). ``addresses``: of the games."""
        panel = self.study.panel
        return {
            "build": self.offer.id, "alphabet": ID_CHARACTERS, "length": ID_LENGTH, "games": addresses,
            "arms": sorted(self.offer.names(versions) for versions in arms(self.study)),
            "panel": [name for name in (panel.participant, panel.study, panel.session) if name] if panel else [],
            "endings": {end: panel.answer(end) for end in ENDS} if panel else {}, "settings": self.settings,
        }  # fmt: skip

    def jas(self, folder: str, title: str) -> bytes:
        """What JATOS reads of the study (JATOS 3.10, StudyDeserializer.java)."""
        panel = self.study.panel
        redirect = (panel.answer("complete") if panel else {}).get("redirect")
        component = {
            "uuid": self.uuid("component"), "title": title, "htmlFilePath": "index.html", "reloadable": True,
            "active": True, "comments": "",
        }  # fmt: skip
        batch = {
            "uuid": self.uuid("batch"), "title": "Default", "active": True, "maxActiveMembers": None,
            "maxTotalMembers": None, "maxTotalWorkers": None, "comments": "",
            "allowedWorkerTypes": [*JATOS_WORKERS],
        }  # fmt: skip
        data = {
            "uuid": self.uuid("study"), "title": title, "description": "", "groupStudy": False, "linearStudy": False,
            "allowPreview": False, "dirName": folder, "comments": "", "endRedirectUrl": redirect,
            "componentList": [component], "batchList": [batch],
        }  # fmt: skip
        return json.dumps({"version": "3", "data": data}, ensure_ascii=False).encode()

    def uuid(self, what: str) -> str:
        """The same whenever this study is built, so that JATOS knows it again."""
        return str(uuid.UUID(keyed(self.key, f"{self.study.name} {what}".encode()) * 2, version=4))


def hosted_texts(texts: Texts, uploads: Uploads) -> Texts:
    """The texts with what is different on a host: when the record is sent, and when it is deleted."""
    words = dict(texts.words)
    if uploads.note:
        words["consent.text"] = f"{words['consent.text'].rstrip()}\n\n{words[f'browser.{uploads.note}']}"
    if not uploads.is_deleted:
        words["thanks.deleted"] = words["browser.marked"]
    return replace(texts, words=words)


def as_url(content: bytes) -> str:
    return f"data:application/gzip;base64,{base64.b64encode(content).decode()}"
