"""Who plays which version: places in permuted blocks, each taken once, also where several machines share the folder.

A place is one small file. Whoever creates it has it: creating a file that must not be there yet is indivisible on
local disks and on network shares of Windows and Unix. (It is not in folders that a service copies between machines
some time later; there each machine takes the places of its own station.)
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

from priorlab.envs.base.files import one_line, read_text, write_whole
from priorlab.envs.game.level import Level
from priorlab.envs.plays.play import today
from priorlab.human_study.study.study import Study

FILE = re.compile(r"(\d{5,})\.json")


class StudyFull(RuntimeError):
    """All places of the study are taken."""


@dataclass(frozen=True)
class Place:
    """One participant's place; places that differ in nothing but the participant are played alike."""

    number: int  # from 0
    block: int  # from 0; each block holds each version (within subjects: each order) once
    study: str
    rule: dict[str, Any] | str  # ``rule_of`` the study, so that a change is noticed; in older places ``old_rule_of``
    versions: tuple[str, ...]  # in the order in which they are played
    participant: str = ""  # an id; empty for a place whose participant withdrew
    date: str = ""  # UTC


KINDS: dict[str, type | tuple[type, ...]] = {  # of what a place's file holds
    "number": int, "block": int, "study": str, "rule": (dict, str), "versions": list, "participant": str, "date": str,
}  # fmt: skip


@dataclass(frozen=True)
class Station:
    """Machine ``number``, from 1, of ``of`` machines that share no folder: it has every ``of``-th place."""

    number: int = 1
    of: int = 1

    @staticmethod
    def read(text: str) -> "Station":
        """From "3/12"; ValueError for anything else."""
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise ValueError(f"station is {text!r}: expected a machine's number and how many there are, such as 3/12")
        return Station(int(found[1]), int(found[2]))

    def numbers(self) -> Iterator[int]:
        return count(self.number - 1, self.of)


def arms(study: Study) -> list[tuple[str, ...]]:
    """What a block holds once each: the versions, or within subjects their orders, those of a Williams square."""
    if study.design == "between":
        return [(version,) for version in study.versions]
    return [tuple(study.versions[number] for number in row) for row in williams(len(study.versions))]


def williams(n: int) -> list[list[int]]:
    """Orders of n treatments in which each has each place, and follows each other one, equally often.

    n orders where n is even, 2 n where it is odd (Williams, Australian Journal of Scientific Research A 2, 1949).
    """
    first = [(number + 1) // 2 if number % 2 else (n - number // 2) % n for number in range(n)]
    rows = [[(number + shift) % n for number in first] for shift in range(n)]
    return rows if n % 2 == 0 or n == 1 else rows + [row[::-1] for row in rows]


def capacity(study: Study) -> int:
    """How many places there are. ``participants`` are counted per version; within subjects everybody plays each."""
    return study.participants * (len(study.versions) if study.design == "between" else 1)


def place_at(study: Study, number: int) -> Place:
    """The place of that number, nobody's yet; it follows from the study's versions, design and seed alone."""
    choices = arms(study)
    block, position = divmod(number, len(choices))
    order = np.random.default_rng([study.seed, block]).permutation(len(choices))
    return Place(number, block, study.name, rule_of(study), choices[order[position]])


def rule_of(study: Study) -> dict[str, Any]:
    """The entries that must not change once a place is taken: places follow from them, or what is measured does."""
    return {
        "game": study.game, "level": study.level, "level's content": level_hash(study), "look_seed": study.look_seed,
        "versions": [*study.versions], "design": study.design, "seed": study.seed, "minutes": study.minutes,
    }  # fmt: skip


def level_hash(study: Study) -> str:
    """Of a level that the study names, which may be a file that somebody edits; empty where it names none."""
    level = study.settings(study.versions[0]).level
    return hashlib.sha256(Level.read(level).text().encode()).hexdigest()[:12] if level else ""


def old_rule_of(study: Study) -> str:
    """What places held that were taken before they held ``rule_of``: they know nothing of minutes."""
    told = [study.game, study.level, study.look_seed, study.versions, study.design, study.seed]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]


def take(study: Study, participant: str, station: Station | None = None) -> Place:
    """The next free place, now that participant's.

    Raises StudyFull; ValueError where the study was changed so that what is recorded would no longer be comparable;
    OSError where the place can't be written, which is then free as before.
    """
    taken = numbers_taken(study)
    check_unchanged(study, taken)
    folder = places_folder(study)
    folder.mkdir(parents=True, exist_ok=True)
    for number in (station or Station()).numbers():
        if number in taken:
            continue
        if number >= capacity(study) and study.when_full == "stop":
            raise StudyFull(f"{study.path}: all {capacity(study)} places are taken; nothing was recorded")
        place = replace(place_at(study, number), participant=participant, date=today())
        try:
            file = path_of(study, number).open("x", encoding="utf-8", newline="\n")
        except FileExistsError:
            continue  # another machine was faster
        try:
            with file:
                file.write(content(place))
        except OSError:  # the disk is full
            give_back(study, place)
            raise
        return place
    raise AssertionError("numbers never end")


def give_back(study: Study, place: Place) -> None:
    """The place is free again: nothing could be recorded of the participant who has just taken it."""
    with suppress(OSError):
        path_of(study, place.number).unlink()


def is_full(study: Study, station: Station | None = None) -> bool:
    taken = set(numbers_taken(study))
    free = next(number for number in (station or Station()).numbers() if number not in taken)
    return study.when_full == "stop" and free >= capacity(study)


def places(study: Study) -> list[Place]:
    """Those that are taken, in order. ValueError for a file that is none."""
    return [read_place(study, number) for number in numbers_taken(study)]


def readable_places(study: Study) -> tuple[list[Place], dict[int, str]]:
    """As ``places``, and by its number a line for each that is damaged or can't be read."""
    found, damaged = [], {}
    for number in numbers_taken(study):
        try:
            found.append(read_place(study, number))
        except (ValueError, OSError) as error:
            damaged[number] = one_line(path_of(study, number), error)
    return found, damaged


def clear(study: Study, place: Place) -> None:
    """Forgets who had the place; it stays taken."""
    write_whole(path_of(study, place.number), content(replace(place, participant="", date="")))


def check_unchanged(study: Study, taken: list[int]) -> None:
    """ValueError, one line with the old and the new values, unless the last sound one of these places is the study's as
    it is; a damaged one stops no participant, `priorlab status` names it."""
    for number in reversed(taken):
        try:
            if not path_of(study, number).stat().st_size:
                continue
            was = read_place(study, number)
        except (ValueError, OSError):
            continue
        if changes := changes_since(was, study):
            raise ValueError(
                f"{study.path}: changed after places were taken: {'; '.join(changes)}; "
                f"expected it as it was, or another folder in the entry data; see {path_of(study, number)}"
            )
        return


def changes_since(was: Place, study: Study) -> list[str]:
    """A few words for each entry that was another when the place was taken, as far as the place knows."""
    pairs = {"name": (was.study, study.name)}
    if isinstance(was.rule, dict):
        pairs |= {name: (was.rule[name], now) for name, now in rule_of(study).items() if name in was.rule}
    changes = [f"{name} was {told(old)} and is {told(new)}" for name, (old, new) in pairs.items() if old != new]
    if isinstance(was.rule, str) and was.rule != old_rule_of(study):
        changes.append("game, level, looks, versions, design or seed")  # its hash does not say which
    return changes


def told(value: Any) -> str:
    """As the study's file has it."""
    if isinstance(value, float):
        return f"{value:.15g}"
    return "not given" if value in (None, "") else json.dumps(value, ensure_ascii=False)


def numbers_taken(study: Study) -> list[int]:
    folder = places_folder(study)
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(int(found[1]) for name in names if (found := FILE.fullmatch(name)))


def read_place(study: Study, number: int) -> Place:
    """Where a crash came between the file and what is in it, the place is nobody's and stays taken."""
    path = path_of(study, number)
    text = read_text(path)
    if not text:
        return place_at(study, number)
    try:
        place = Place(**json.loads(text))
        right = [isinstance(getattr(place, name), kinds) for name, kinds in KINDS.items()]
        if not all([*right, place.number == number, *(isinstance(each, str) for each in place.versions)]):
            raise TypeError
        return replace(place, versions=tuple(place.versions))
    except (ValueError, TypeError, RecursionError):
        raise ValueError(f"{path}: cut off or altered: expected a place as `priorlab participate` writes it") from None


def content(place: Place) -> str:
    return json.dumps(asdict(place), ensure_ascii=False) + "\n"


def places_folder(study: Study) -> Path:
    return study.folder / "places"


def path_of(study: Study, number: int) -> Path:
    return places_folder(study) / f"{number:05}.json"
