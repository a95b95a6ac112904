"""Who plays which version: places in permuted blocks, each taken once, also by machines that share the folder.

A place is one small file, and the machine that creates it takes the place: creating a new file is atomic on local disks
and on network shares of Windows and Unix. It is not in folders that a service syncs between machines with a delay;
there each machine takes the places of its own station.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from priorlab.envs.base.files import one_line, read_text, to_disk, write_whole
from priorlab.envs.game.level import Level
from priorlab.envs.plays.play import today
from priorlab.human_study.study.study_file import Study

FILE = re.compile(r"(\d{5,})\.json")


class StudyFull(RuntimeError):
    """All places of the study are taken."""


@dataclass(frozen=True)
class StudyPlace:
    """One participant's place in the study, which decides what they play."""

    number: int  # from 0
    block: int  # from 0; each block holds each version (within subjects: each order) once
    study: str
    rule: dict[str, Any] | str  # ``rule_of`` the study, to detect changes; in older places ``old_rule_of``
    versions: tuple[str, ...]  # in the order of play
    participant: str = ""  # an id; empty if the participant withdrew
    date: str = ""  # UTC


KINDS: dict[str, type | tuple[type, ...]] = {  # of the entries of a place's file
    "number": int, "block": int, "study": str, "rule": (dict, str), "versions": list, "participant": str, "date": str,
}  # fmt: skip


@dataclass(frozen=True)
class Station:
    """Machine ``number``, from 1, of ``of`` machines that share no folder. It takes every ``of``-th place."""

    number: int = 1
    of: int = 1

    @staticmethod
    def read(text: str) -> "Station":
        """From "3/12"; raises ValueError for anything else."""
        match = re.fullmatch(r"(\d+)/(\d+)", text)
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            raise ValueError(f"station is {text!r}: expected the machine's number and how many there are, such as 3/12")
        return Station(int(match[1]), int(match[2]))

    def numbers(self) -> Iterator[int]:
        """Of its places, without end."""
        return count(self.number - 1, self.of)


def arms(study: Study) -> list[tuple[str, ...]]:
    """What each block contains once: the versions, or within subjects their orders, from a Williams square."""
    if study.design == "between":
        return [(version,) for version in study.versions]
    return [tuple(study.versions[number] for number in row) for row in williams(len(study.versions))]


def williams(n: int) -> list[list[int]]:
    """Orders of n treatments in which each takes each position, and follows each other one, equally often.

    There are n orders if n is even, 2 n if it is odd (Williams, Australian Journal of Scientific Research A 2, 1949).
    """
    first = [(number + 1) // 2 if number % 2 else (n - number // 2) % n for number in range(n)]
    rows = [[(number + shift) % n for number in first] for shift in range(n)]
    return rows if n % 2 == 0 or n == 1 else rows + [row[::-1] for row in rows]


def capacity(study: Study) -> int:
    """How many places there are: ``participants`` per version, or within subjects in total."""
    return study.participants * (len(study.versions) if study.design == "between" else 1)


def place_at(study: Study, number: int) -> StudyPlace:
    """The place of that number, not yet taken. It depends on the study's versions, design and seed alone."""
    choices = arms(study)
    block, position = divmod(number, len(choices))
    order = np.random.default_rng([study.seed, block]).permutation(len(choices))
    return StudyPlace(number, block, study.name, rule_of(study), choices[order[position]])


def rule_of(study: Study) -> dict[str, Any]:
    """The entries that must not change once a place is taken, because places or measures depend on them."""
    return {
        "game": study.game, "level": study.level, "level's content": level_hash(study), "look_seed": study.look_seed,
        "versions": [*study.versions], "design": study.design, "seed": study.seed, "minutes": study.minutes,
        "practice": study.practice,
    }  # fmt: skip


def level_hash(study: Study) -> str:
    """Of the level that the study names, which may be a file that somebody edits; empty if it names none."""
    level = study.settings(study.versions[0]).level
    return hashlib.sha256(Level.read(level).text().encode()).hexdigest()[:12] if level else ""


def old_rule_of(study: Study) -> str:
    """What the oldest places contain instead of ``rule_of``; it covers neither minutes nor practice."""
    entries = [study.game, study.level, study.look_seed, study.versions, study.design, study.seed]
    return hashlib.sha256(json.dumps(entries).encode()).hexdigest()[:12]


def take_place(
    study: Study, participant: str, station: Station | None = None, versions: tuple[str, ...] = ()
) -> StudyPlace:
    """Takes the next free place for that participant; with ``versions``, which were played already, one that has these,
    even if the study is full.

    Raises StudyFull; ValueError if the study has changed so that recordings would no longer be comparable; OSError if
    the place can't be written, which leaves it free.
    """
    taken = taken_numbers(study)
    check_unchanged(study, taken)
    folder = places_folder(study)
    folder.mkdir(parents=True, exist_ok=True)
    for number in (station or Station()).numbers():
        if number in taken or (versions and place_at(study, number).versions != versions):
            continue
        if number >= capacity(study) and study.when_full == "stop" and not versions:
            raise StudyFull(f"{study.path}: all {capacity(study)} places are taken; nothing was recorded")
        place = replace(place_at(study, number), participant=participant, date=today())
        try:
            file = place_path(study, number).open("x", encoding="utf-8", newline="\n")
        except FileExistsError:
            continue  # another machine was faster
        try:
            with file:
                file.write(place_json(place))
                to_disk(file)
        except OSError:  # the disk is full
            free_place(study, place)
            raise
        return place
    raise AssertionError("numbers never end")


def free_place(study: Study, place: StudyPlace) -> None:
    """Makes a place free again if nothing could be recorded of the participant who has just taken it."""
    with suppress(OSError):
        place_path(study, place.number).unlink()


def is_full(study: Study, station: Station | None = None) -> bool:
    taken = set(taken_numbers(study))
    free = next(number for number in (station or Station()).numbers() if number not in taken)
    return study.when_full == "stop" and free >= capacity(study)


def taken_places(study: Study) -> list[StudyPlace]:
    """In order. Raises ValueError for a damaged one."""
    return [read_place(study, number) for number in taken_numbers(study)]


def readable_places(study: Study) -> tuple[list[StudyPlace], dict[int, str]]:
    """As ``taken_places``, and by number one line for each that is damaged or can't be read."""
    readable, damaged = [], {}
    for number in taken_numbers(study):
        try:
            readable.append(read_place(study, number))
        except (ValueError, OSError) as error:
            damaged[number] = one_line(place_path(study, number), error)
    return readable, damaged


def empty_place(study: Study, place: StudyPlace) -> None:
    """Deletes the participant from the place, which stays taken."""
    write_whole(place_path(study, place.number), place_json(replace(place, participant="", date="")))


def check_unchanged(study: Study, taken: list[int]) -> None:
    """Raises ValueError, one line with the old and the new values, if the study has changed since these places were
    taken. The last undamaged one is compared; a damaged one stops no participant, and `priorlab status` names it."""
    for number in reversed(taken):
        try:
            if not place_path(study, number).stat().st_size:
                continue
            was = read_place(study, number)
        except (ValueError, OSError):
            continue
        if changes := changes_since(was, study):
            raise ValueError(
                f"{study.path}: changed after places were taken: {'; '.join(changes)}; "
                f"expected the old values, or another folder in the entry data; see {place_path(study, number)}"
            )
        return


def changes_since(was: StudyPlace, study: Study) -> list[str]:
    """A few words for each entry that has changed since the place was taken, as far as the place knows."""
    pairs = {"name": (was.study, study.name)}
    if isinstance(was.rule, dict):
        pairs |= {name: (was.rule[name], now) for name, now in rule_of(study).items() if name in was.rule}
    changes = [f"{name} was {as_toml(old)} and is {as_toml(new)}" for name, (old, new) in pairs.items() if old != new]
    if isinstance(was.rule, str) and was.rule != old_rule_of(study):
        changes.append("game, level, looks, versions, design or seed")  # its hash does not say which
    return changes


def as_toml(value: Any) -> str:
    """As in the study's file."""
    if isinstance(value, float):
        return f"{value:.15g}"
    return "not given" if value in (None, "") else json.dumps(value, ensure_ascii=False)


def taken_numbers(study: Study) -> list[int]:
    folder = places_folder(study)
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(int(match[1]) for name in names if (match := FILE.fullmatch(name)))


def read_place(study: Study, number: int) -> StudyPlace:
    """A place that a crash left empty is nobody's and stays taken."""
    path = place_path(study, number)
    text = read_text(path)
    if not text:
        return place_at(study, number)
    try:
        place = StudyPlace(**json.loads(text))
        right = [isinstance(getattr(place, name), kinds) for name, kinds in KINDS.items()]
        if not all([*right, place.number == number, *(isinstance(each, str) for each in place.versions)]):
            raise TypeError
        return replace(place, versions=tuple(place.versions))
    except (ValueError, TypeError, RecursionError):
        raise ValueError(f"{path}: cut off or altered: expected a place as `priorlab participate` writes it") from None


def place_json(place: StudyPlace) -> str:
    return json.dumps(asdict(place), ensure_ascii=False) + "\n"


def places_folder(study: Study) -> Path:
    return study.folder / "places"


def place_path(study: Study, number: int) -> Path:
    return places_folder(study) / f"{number:05}.json"
