"""The sessions of a study that browsers are in: how one begins, is written, ends, and is deleted.

Everything here may wait for the disk: call it from a thread, not from an event loop.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from priorlab.envs.base.files import one_line, writing_new
from priorlab.envs.base.provenance import software
from priorlab.envs.browser import digest, game_file
from priorlab.envs.plays.events import SUFFIX
from priorlab.envs.plays.play import new_id, today
from priorlab.human_study.data import panel_ids
from priorlab.human_study.data.chunks import (
    FOLDER,
    ChunkAhead,
    ChunkDiffers,
    ChunkWriter,
    Entry,
    chunk_files,
    chunks_path,
    read_chunks,
)
from priorlab.human_study.data.imported import criteria_of, import_session, is_imported
from priorlab.human_study.data.recorder import PLAYER_ID
from priorlab.human_study.data.withdraw import withdraw
from priorlab.human_study.data.wordings import store_wording
from priorlab.human_study.protocol.script import Script
from priorlab.human_study.server.about import checked_about
from priorlab.human_study.server.limits import Bucket
from priorlab.human_study.server.refusals import Refusal
from priorlab.human_study.server.running import Running
from priorlab.human_study.study.assignment import (
    StudyFull,
    StudyPlace,
    free_place,
    place_at,
    place_path,
    readable_places,
    take_place,
)
from priorlab.human_study.study.study_file import Study
from priorlab.human_study.study.texts import Texts

SECRET = "secret"  # the file of the key that signs tokens
LIFE = 24 * 3600  # seconds from consent for which a token is valid
SILENT = 600.0  # seconds without any chunk, after which a full study gives the place to somebody else
LONGEST_CONSENT = 1e7  # seconds for which a page can have been open
MOST_BYTES = 20 << 20  # of one session's chunks; half an hour of play takes about 2
BEGINNINGS_A_SECOND, BEGINNINGS_AT_ONCE = 5.0, 500.0  # a lecture hall begins within a minute, from one address
JUDGEMENTS_A_SECOND, JUDGEMENTS_AT_ONCE = 50.0, 3000.0  # of answers before a session; a lecture hall's within a minute
DELETIONS_A_SECOND, DELETIONS_AT_ONCE = 1.0, 50.0  # each looks through the study's whole folder
CLIENT = re.compile(r"[A-Za-z0-9_-]{16,64}")  # what a browser calls itself, at random


class Sessions:
    """All sessions of a study; the only writer of its chunks."""

    def __init__(self, study: Study, languages: Mapping[str, Texts]):
        """Takes up what is on disk. Raises ValueError and OSError, one line."""
        self.study = study
        self.scripts = {code: Script(study, texts) for code, texts in languages.items()}
        self.games = {
            version: base64.b64encode(game_file(study.settings(version))).decode() for version in study.versions
        }
        self.engine = digest()
        self.running: dict[str, Running] = {}
        self.problems: list[str] = []  # files that can't be taken up
        self.trouble = ""  # why the last one who wanted to begin could not, one line; empty if they could
        self.beginnings = Bucket(BEGINNINGS_A_SECOND, BEGINNINGS_AT_ONCE)
        self.judgements = Bucket(JUDGEMENTS_A_SECOND, JUDGEMENTS_AT_ONCE)
        self.deletions = Bucket(DELETIONS_A_SECOND, DELETIONS_AT_ONCE)
        self._clients: dict[str, str] = {}  # code by the hash of what a browser calls itself
        self._lock = threading.Lock()  # of beginnings
        self._key = key_of(study.folder / FOLDER / SECRET)
        readable, damaged = readable_places(study)
        self.problems += damaged.values()
        is_any_lost = bool(damaged) or any(not place_path(study, each.number).stat().st_size for each in readable)
        places = {place.participant: place for place in readable}
        for path in chunk_files(study.folder):
            try:
                chunks = read_chunks(path)
            except (ValueError, OSError) as error:
                self.problems.append(one_line(path, error))
                continue
            log = study.folder / f"{chunks.id}{SUFFIX}"
            if chunks.id not in places:
                if chunks.entries or log.exists() or is_any_lost:  # somebody's, whose place was lost
                    self.problems.append(f"{path}: no place belongs to it: expected one in {study.folder / 'places'}")
                else:  # a crash came before the place, and nobody was told of this session
                    path.unlink()
                continue
            place, opening, heard = places[chunks.id], chunks.opening, path.stat().st_mtime
            has_log = is_imported(log, path)
            running = Running(
                chunks.id, place.number, place.versions, opening["language"], opening["began"],
                opening["client"], ChunkWriter.reopen(chunks), criteria_of(study, chunks), heard=heard,
                imported=len(chunks.entries) if has_log else -1,
            )  # fmt: skip
            running.tally.take(entry for _, entry in chunks.all())
            self._add(running)

    def _add(self, running: Running) -> None:
        self.running[running.code] = running
        self._clients[running.client] = running.code

    # beginning

    def begin(self, wishes: Mapping[str, Any]) -> dict[str, Any]:
        """The session of a participant who agreed: a new one, or the one that this browser, or this participant of a
        panel, has already. Raises Refusal, also if too many begin at once, for which wrong wishes don't count; OSError
        if nothing can be recorded, which takes no place, and of which ``trouble`` says why."""
        language, client = wishes.get("language"), wishes.get("client")
        if not isinstance(language, str) or language not in self.scripts:
            raise Refusal(400, f"language: expected one of {', '.join(self.scripts)}")
        if not isinstance(client, str) or not CLIENT.fullmatch(client):
            raise Refusal(400, "client: expected 16 to 64 random letters and digits")
        seconds = wishes.get("seconds")
        if not isinstance(seconds, int | float) or not 0 <= seconds < LONGEST_CONSENT:
            raise Refusal(400, "seconds: expected how long the consent was read")
        self._check_eligible(wishes.get("answers", {}))
        ids, about = self._ids(wishes.get("panel")), checked_about(wishes.get("about"))
        hashed = hashlib.sha256(client.encode()).hexdigest()
        with self._lock:
            here = self.running.get(self._clients.get(hashed, ""))
            (here.reads if here else self.beginnings).require()
            try:
                known = self._known(hashed, ids)
                if here and not known:  # another session than the one that is here
                    self.beginnings.require()
                known = known or self._begin(language, hashed, float(seconds), about)
                if ids and all(row["code"] != known.code for row in panel_ids.read(self.study.folder)):
                    panel_ids.add(self.study.folder, known.code, ids)
            except (ValueError, OSError) as error:  # such as a full disk, or a panel.csv that somebody damaged
                self.trouble = f"{time.strftime('%H:%M')}: somebody could not begin: {' '.join(str(error).split())}"
                raise OSError(self.trouble) from None
            self.trouble = ""
        return self.admission(known)

    def _check_eligible(self, answers: Any) -> None:
        """Raises Refusal unless these are the answers, by question, of somebody who can take part."""
        for name in self.study.eligible:
            if not isinstance(answers, dict) or not self.study.is_eligible(name, answers.get(name)):
                raise Refusal(403, f"answers: {name}: expected that of somebody who can take part")

    def _ids(self, query: Any) -> dict[str, str]:
        if self.study.panel is None:
            return {}
        try:
            return self.study.panel.ids(query if isinstance(query, dict) else {})
        except ValueError as error:
            raise Refusal(400, str(error), reason="panel") from None

    def _known(self, hashed: str, ids: dict[str, str]) -> Running | None:
        """The unfinished session of that browser or panel's participant. Raises Refusal if theirs has ended."""
        rows = panel_ids.read(self.study.folder) if ids else []
        row = next((row for row in rows if row["participant"] == ids["participant"]), None)
        if row is None:
            known = self.running.get(self._clients.get(hashed, ""))
            is_others = known is not None and any(row["code"] == known.code for row in rows)
            return known if known and not is_others and self.is_open(known) and not known.tally.is_finished else None
        known = self.running.get(row["code"])
        is_theirs = ids.items() <= row.items()  # one id alone may be known to others
        if known is None or not is_theirs or known.tally.is_finished or not self.is_open(known):
            raise Refusal(409, "this session has ended: expected each participant once", ended=True)
        return known

    def _begin(self, language: str, hashed: str, seconds: float, about: dict[str, Any]) -> Running:
        study, code, script = self.study, self._new_code(), self.scripts[language]
        consent = {
            "version": study.consent_version, "language": script.texts.language,
            "wording": store_wording(study.folder, script.wording()), "minimum_age": study.minimum_age,
            "seconds": round(seconds, 3), "text": hashlib.sha256(script.consent_text.encode()).hexdigest(),
        }  # fmt: skip
        began = time.time()
        opening = {
            "id": code, "client": hashed, "language": language, "began": round(began, 3), "date": today(),
            "software": software(),
            "settings": {"design": study.design, "minutes": study.minutes, "wasm": self.engine}, "about": about,
            "consent": consent, "criteria": study.criteria.data(),
        }  # fmt: skip
        path = chunks_path(study.folder, code)
        writer = ChunkWriter.create(path, opening)
        place = None
        try:
            place = self._take_place(code)
            import_session(study, path)  # a place has a log beside it
        except BaseException as error:
            self._discard(code, place)
            if isinstance(error, StudyFull):
                raise Refusal(409, "all places are taken", full=True) from None
            raise
        running = Running(
            code, place.number, place.versions, language, began, hashed, writer, study.criteria, heard=began, imported=0
        )
        self._add(running)
        return running

    def _new_code(self) -> str:
        """A code that no session has."""
        while True:
            code = new_id()
            if not any(path.exists() for path in self._files(code)):
                return code

    def _files(self, code: str) -> tuple[Path, Path]:
        return self.study.folder / f"{code}{SUFFIX}", chunks_path(self.study.folder, code)

    def _take_place(self, code: str) -> StudyPlace:
        try:
            return take_place(self.study, code)
        except StudyFull:
            if not self._free_silent():
                raise
            return take_place(self.study, code)

    def _free_silent(self) -> int:
        """Frees the places of those who agreed long ago, and never sent anything; how many there were."""
        silent = [each for each in self.running.values() if time.time() > each.heard + SILENT]
        freed = 0
        for running in silent:
            with running.lock:
                running.look()
                if running.writer.next or running.is_gone:
                    continue
                panel_ids.forget(self.study.folder, running.code)
                self._discard(running.code, place_at(self.study, running.place))
                running.forget()
            del self.running[running.code]
            freed += 1
        return freed

    def _discard(self, code: str, place: StudyPlace | None) -> None:
        """Deletes a session in which nothing was recorded."""
        for left in self._files(code):
            with suppress(OSError):
                left.unlink(missing_ok=True)
        if place:
            free_place(self.study, place)

    def admission(self, running: Running) -> dict[str, Any]:
        """What a browser needs for its session. Nothing in it names a version."""
        return {
            "token": self.token(running.code), "code": running.code, "language": running.language,
            "games": [self.games[version] for version in running.versions], "next": running.writer.next,
            "ended": running.tally.is_finished, "began": round(1000 * running.began),
        }  # fmt: skip

    # tokens

    def token(self, code: str) -> str:
        return f"{code}.{hmac.new(self._key, code.encode(), 'sha256').hexdigest()}"

    def find(self, token: str) -> Running:
        """The session of that token. Raises Refusal for any other, and once it has expired or was deleted."""
        running = self.running.get(self.code_of(token))
        if running is None or running.is_gone:
            raise Refusal(410, "this session was deleted", ended=True)
        if not self.is_open(running):
            raise Refusal(410, "this session has expired", ended=True)
        return running

    def code_of(self, token: str) -> str:
        """The code of the session of that token, which may have been deleted. Raises Refusal if we did not sign it."""
        code = token.partition(".")[0]
        if not PLAYER_ID.fullmatch(code) or not hmac.compare_digest(token.encode(), self.token(code).encode()):
            raise Refusal(401, "unknown token: expected the one that the session began with")
        return code

    def is_open(self, running: Running) -> bool:
        return time.time() < running.began + LIFE and not running.is_gone

    # what answers are worth

    def judge_eligible(self, question: Any, answer: Any) -> dict[str, bool]:
        """Whether somebody with that answer can take part. Raises Refusal, also if too many ask at once."""
        self.judgements.require()
        if not isinstance(question, str) or question not in self.study.eligible:
            raise Refusal(400, "question: expected one that decides who can take part")
        return {"eligible": self.study.is_eligible(question, answer)}

    def judge_checks(self, running: Running) -> dict[str, bool]:
        """What follows from the round of checks whose answers are on disk. Raises Refusal."""
        with running.lock:
            try:
                return running.tally.judge.verdict()
            except ValueError as error:
                raise Refusal(409, str(error)) from None

    # what a session writes

    def add(self, running: Running, number: int, entries: list[Entry]) -> int:
        """Writes a chunk; the number of the next one, once it is on disk. Raises Refusal; OSError, one line."""
        with running.lock:
            if running.is_gone:
                raise Refusal(410, "this session was deleted", ended=True)
            if running.writer.size > MOST_BYTES:
                raise Refusal(413, f"this session has {MOST_BYTES >> 20} MB: expected no more")
            is_new = number == running.writer.next
            if is_new and running.tally.is_finished:
                raise Refusal(410, "the session is over: expected nothing after its end", ended=True)
            try:
                next = running.writer.add(number, entries)
            except ChunkAhead as error:
                raise Refusal(409, str(error), next=error.next) from None
            except ChunkDiffers as error:
                raise Refusal(409, str(error)) from None
            except ValueError as error:
                raise Refusal(400, f"chunk {number}: {error}") from None
            except FileNotFoundError:
                running.forget()
                raise Refusal(410, "this session was deleted", ended=True) from None
            if is_new:
                running.heard = time.time()
                running.tally.take(entries)
            return next

    def chunks(self, running: Running) -> Iterator[str]:
        """Everything that the session wrote so far, as JSON in parts. Raises Refusal if it was deleted."""
        running.look()
        if running.is_gone:
            raise Refusal(410, "this session was deleted", ended=True)
        return written_chunks(running.writer.path, running.writer.next)

    def finish(self, running: Running, count: int) -> dict[str, str]:
        """What the panel is told of a session that is completely on disk. Raises Refusal if it is not."""
        if count != running.writer.next:
            raise Refusal(409, f"{count} chunks: there are {running.writer.next}", next=running.writer.next)
        if not running.tally.is_finished:
            raise Refusal(409, "the session has no end yet: expected it in the last chunk")
        return self.study.panel.answer(running.tally.end) if self.study.panel else {}

    def refused(self, why: Any) -> dict[str, str]:
        """What the panel is told of somebody who did not agree, or whose computer can't show the game."""
        return self.study.panel.answer("refused" if why == "refused" else "screened_out") if self.study.panel else {}

    def delete(self, token: str) -> None:
        """Deletes the record of a participant who withdraws, unless that was done. Raises Refusal, also if too many
        withdraw at once; OSError, one line."""
        code = self.code_of(token)
        running = self.running.get(code)
        if running is None or running.is_gone:
            return
        self.deletions.require()
        with running.lock:
            if running.writer.path.exists():  # else `priorlab withdraw` was faster
                try:
                    withdraw(self.study, code)
                except ValueError as error:  # such as a list of withdrawals that somebody damaged
                    raise OSError(f"{code} withdrew, but nothing could be deleted: {error}") from None
            running.forget()


def written_chunks(path: Path, count: int) -> Iterator[str]:
    """{"chunks": [...]} in parts: the first ``count`` chunks of a session's file, each as JSON within JSON."""
    with path.open("rb") as file:
        file.readline()  # the opening
        yield '{"chunks":['
        for number in range(count):
            body = file.readline().rpartition(b',"hash":')[0].decode() + "}"
            yield f"{',' if number else ''}{json.dumps(body)}"
        yield "]}"


def key_of(path: Path) -> bytes:
    """The key that signs tokens, made at the first call. Whoever has it can write into any session that is open."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with writing_new(path) as file:
            file.write(secrets.token_hex(32).encode() + b"\n")
        path.chmod(0o600)
    key = path.read_bytes().strip()
    if len(key) != 64:
        raise ValueError(f"{path}: cut off or altered: delete it, which ends every session under way")
    return key
