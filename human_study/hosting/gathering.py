"""Sessions from elsewhere come into a study: each gets a place, and its chunks go into the data folder, as if the
study's own server had recorded it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeGuard

from priorlab.envs.base.files import one_line, shown
from priorlab.envs.base.locks import held
from priorlab.human_study.data import panel_ids, withdrawals
from priorlab.human_study.data.chunks import (
    FOLDER,
    SERVER_LOCK,
    AlteredChunk,
    ChunkError,
    ChunkWriter,
    MissingChunk,
    NoOpening,
    OtherSession,
    body_of,
    chunks_path,
    is_end,
    read_chunks,
)
from priorlab.human_study.data.traces import header_of
from priorlab.human_study.data.withdraw import withdraw
from priorlab.human_study.hosting.offers import Offer, read_offers
from priorlab.human_study.hosting.uploaded import Uploaded, read_uploads
from priorlab.human_study.server.about import checked_about
from priorlab.human_study.server.refusals import Refusal
from priorlab.human_study.study.assignment import arms, readable_places, take_place
from priorlab.human_study.study.study_file import Study

MOST_SESSIONS = 1000  # of one build that are taken at once, unless the researcher says more
MOST_PROBLEMS = 100  # of sessions that are named one by one


class TooManySessions(ChunkError):
    """The files hold more new sessions of one build than the researcher expects: anybody can upload inventions."""


class WrongOpening(ChunkError):
    """The opening of a session says what no build of this study says."""


@dataclass(frozen=True)
class Gathered:
    """What became of one session, or, without an ``id``, of a file. ``problem``: an error's line, or empty."""

    id: str
    new: int = 0  # chunks
    note: str = ""
    problem: str = ""


def gather(study: Study, paths: Sequence[Path], most: int = MOST_SESSIONS) -> Iterator[Gathered]:
    """Adds every session in the files to the study's data folder, or what is new of it. If more than ``most`` sessions
    of one build are new, none of these is added.

    The same files in any order, and again, give the same. What is wrong with one session holds up no other. Raises
    ValueError, one line, if what was built or the list of withdrawals can't be read, or for ``most`` below 1; OSError
    if a server is running.
    """
    if most < 1:
        raise ValueError(f"most is {most}: expected 1 session or more")
    folder = study.folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder / SERVER_LOCK, f"{folder}: a server is running: stop it first"):
        offers, found = read_offers(study), read_uploads(paths)
        placed = {place.participant for place in readable_places(study)[0]}
        yield from (Gathered("", problem=f"{type(each).__name__}: {shown(str(each))}") for each in found.problems)
        new = [each for each in found.sessions.values() if each.opening and each.id not in placed]
        counts = Counter(each.build for each in new if each.build in offers)
        too_many = {build: count for build, count in counts.items() if count > most}
        yield from (Gathered("", problem=too_many_line(build, count, most)) for build, count in too_many.items())
        left_out = {each.key for each in new if each.build in too_many}
        wrong = 0
        for session in sorted(found.sessions.values(), key=lambda each: (began_of(each), each.id, each.build)):
            if session.key in left_out:
                continue
            try:
                yield gather_one(study, offers, placed, session)
            except (ValueError, OSError) as error:
                wrong += 1
                if wrong <= MOST_PROBLEMS:
                    yield Gathered(session.id, problem=f"{type(error).__name__}: {one_line(session.files[0], error)}")
        if wrong > MOST_PROBLEMS:
            yield Gathered(
                "", problem=f"{wrong - MOST_PROBLEMS} more sessions are left out: expected what builds upload"
            )


def too_many_line(build: str, count: int, most: int) -> str:
    return (
        f"{TooManySessions.__name__}: build {build}: {count} sessions are new: expected at most {most} at once, so "
        f"none of them was taken; if you have that many participants, say --most {count}"
    )


def began_of(session: Uploaded) -> float:
    began = session.opening.get("began")
    return began if is_number(began) else 0


def is_number(value: Any) -> TypeGuard[int | float]:
    return type(value) in (int, float)


def gather_one(study: Study, offers: dict[str, Offer], placed: set[str], session: Uploaded) -> Gathered:
    """Adds a session, up to a chunk that is missing. ``placed``: all who have a place, to which it is added. Raises
    ChunkError; OSError."""
    names = ", ".join(map(shown, session.files))
    path = chunks_path(study.folder, session.id)
    if path.exists() and header_of(path).get("build", "") != session.build:
        raise OtherSession(f"{names}: session {session.id} is of another build than the one in {path}")
    has_withdrawn = session.id in withdrawals.read(study.folder / withdrawals.NAME)
    if session.is_withdrawn and (has_withdrawn or path.exists()):  # only what was imported here
        with suppress(ValueError):  # nothing of it is left
            withdraw(study, session.id)
    if session.is_withdrawn or has_withdrawn:
        return Gathered(session.id, note=f"{session.id} withdrew: delete what {names} holds of it")
    if session.opening:
        begin(study, offers, placed, session, path)
    if not path.exists():
        raise NoOpening(f"{names}: no opening of session {session.id}, and {path.parent} has no such session")
    there = read_chunks(path)
    for number, entries in enumerate(there.entries):
        if number in session.chunks and session.chunks[number] != body_of(number, entries):
            raise AlteredChunk(f"{session.origins[number]}: chunk {number} differs from the one in {path}")
    first = last = len(there.entries)
    ends = session.ends | {number for number, entries in enumerate(there.entries) if is_end(entries)}
    while last in session.chunks and last - 1 not in ends:
        last += 1
    ChunkWriter.reopen(there).extend([session.chunks[number] for number in range(first, last)])
    if last - 1 in ends and last in session.chunks:
        raise AlteredChunk(f"{session.origins[last]}: chunk {last} follows the end of session {session.id}")
    if later := [number for number in session.chunks if number > last]:
        raise MissingChunk(
            f"{names}: session {session.id}: chunk {last} is missing before chunk {min(later)}; what comes before is "
            "imported: expected the file that holds it"
        )
    return Gathered(session.id, last - first)


def begin(study: Study, offers: dict[str, Offer], placed: set[str], session: Uploaded, path: Path) -> None:
    """Makes the session's file of chunks, its place and its panel's ids, unless they are there."""
    offer, opening = offers.get(session.build), session.opening
    where = f"{', '.join(map(shown, session.files))}: session {session.id}"
    if offer is None or offer.study != study.name:
        raise WrongOpening(f"{where}: build {session.build[:40]!r}: expected one that `priorlab build` made here")
    versions = tuple(offer.games.get(name, "") if isinstance(name, str) else "" for name in opening["games"])
    if versions not in arms(study):
        raise WrongOpening(f"{where}: games: expected those of one arm of the study")
    content = header(offer, opening, where)
    ids = {} if offer.is_for_timeline else ids_of(study, opening, where)
    if not path.exists():
        ChunkWriter.create(path, content)
    if session.id not in placed:
        take_place(study, session.id, versions=versions)
        placed.add(session.id)
    if ids and all(row["code"] != session.id for row in panel_ids.read(study.folder)):
        panel_ids.add(study.folder, session.id, ids)


def header(offer: Offer, opening: dict[str, Any], where: str) -> dict[str, Any]:
    """The first line of the file of chunks, as the server writes it."""
    language, began, seconds = (opening.get(name) for name in ("language", "began", "seconds"))
    if not isinstance(language, str) or language not in offer.consents:
        raise WrongOpening(f"{where}: language {str(language)[:40]!r}: expected one of {', '.join(offer.consents)}")
    if not is_number(began) or not is_number(seconds) or not 0 <= seconds < 1e6:
        raise WrongOpening(f"{where}: began or seconds: expected numbers")
    try:
        date = datetime.fromtimestamp(began / 1000, UTC).date().isoformat()
        about = checked_about(opening.get("about"))
    except (Refusal, OverflowError, ValueError, OSError) as error:
        raise WrongOpening(f"{where}: {error}") from None
    return {
        "id": opening["id"], "build": offer.id, "client": "", "language": language, "began": round(began / 1000, 3),
        "date": date, "software": offer.software, "settings": offer.settings, "about": about,
        "consent": {} if offer.is_for_timeline else {**offer.consents[language], "seconds": round(float(seconds), 3)},
        **({"criteria": offer.criteria} if offer.criteria else {}),
    }  # fmt: skip


def ids_of(study: Study, opening: dict[str, Any], where: str) -> dict[str, str]:
    """What the panel calls the participant; {} if the study has none."""
    if study.panel is None:
        return {}
    query = opening.get("panel")
    try:
        return study.panel.ids(query if isinstance(query, dict) else {})
    except ValueError as error:
        raise WrongOpening(f"{where}: {error}") from None
