"""The study's file, a small TOML file: who plays what, for how long, and with which pages."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from priorlab.envs.base.files import one_line, read_toml
from priorlab.envs.plays.courses import ChosenGame
from priorlab.human_study.study.criteria import AGE, Criteria
from priorlab.human_study.study.panel import Panel
from priorlab.human_study.study.probes import Probe, read_probes

EXAMPLE = Path(__file__).parent / "example.toml"
EXAMPLE_FILES = {"study.toml": "example.toml", "texts.toml": "example_texts.toml", "ethics.md": "example_ethics.md"}
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
ANSWERED = ("before", "checks", "probes", "after_each", "after")  # lists of questions that can have right answers
QUESTION_LISTS = ("eligible", *ANSWERED)
PRACTICE = Path(__file__).parent / "practice.txt"  # a level with ground and a goal alone
PRACTICE_LOOKS = 1000  # added to the study's look seed, so that practice looks like no game of the study
LONGEST_PRACTICE = 600  # seconds


@dataclass(frozen=True)
class Study:
    """The entries of a study's file, which ``Study.load`` reads and checks. docs/study-file.md explains each entry."""

    path: Path
    name: str
    versions: tuple[str, ...]
    game: str = "key_door"
    level: str | None = None
    look_seed: int = 0
    seed: int = 0
    design: str = "between"
    participants: int = 120
    when_full: str = "stop"
    minutes: float = 30.0
    minimum_age: int = 18
    contact: str = ""
    texts: tuple[str, ...] = ("en",)
    consent_version: str = "1"
    try_keys: bool = True
    remap: bool = True
    gamepad: bool = True
    eligible: Mapping[str, Sequence[str]] = field(default_factory=dict)
    before: tuple[str, ...] = ("age", "plays", "plate_1", "plate_2", "plate_3")
    instructions: tuple[str, ...] = ()
    practice: float = 0.0
    checks: tuple[str, ...] = ()
    rounds: int = 3
    when_failed: str = "end"
    probes: tuple[Probe, ...] = ()
    after_each: tuple[str, ...] = ()
    after: tuple[str, ...] = ("known", "aim")
    right: Mapping[str, Any] = field(default_factory=dict)
    data: str = "data"
    panel: Panel | None = None

    @staticmethod
    def load(path: str | Path, is_played: bool = True) -> "Study":
        """Reads and checks a study's file.

        With ``is_played``, its game, level and versions must exist; without, recordings can be handled even if they are
        gone. Raises ValueError, one line that names the file, the entry and what was expected; FileNotFoundError.
        """
        path = Path(path)
        if not path.exists():
            raise FileNotFoundError(f"{path}: no such study: expected one as `priorlab participate --example` writes")
        try:
            return read(read_toml(path), path, is_played)
        except ValueError as error:
            raise ValueError(one_line(path, error)) from None

    @property
    def folder(self) -> Path:
        """The data folder, of everything that is recorded. Relative to the study's file."""
        return self.path.parent / self.data

    @property
    def limit(self) -> int:
        """The number of inputs after which a play ends."""
        return round(self.minutes * 60 * self.settings(self.versions[0]).rate)

    @property
    def longest(self) -> float:
        """How many minutes one participant may play in total."""
        return self.minutes * (len(self.versions) if self.design == "within" else 1)

    @property
    def questions(self) -> list[str]:
        """The names of all questions, in order."""
        probed = dict.fromkeys(probe.question for probe in self.probes)
        return [*self.eligible, *self.before, *self.checks, *probed, *self.after_each, *self.after]

    @property
    def criteria(self) -> Criteria:
        return Criteria(
            {name: [*options] for name, options in self.eligible.items()}, self.right, [*self.checks], self.rounds,
            self.when_failed, self.minimum_age,
        )  # fmt: skip

    def is_too_young(self, question: str, answer: Any) -> bool:
        return self.criteria.is_too_young(question, answer)

    def is_eligible(self, question: str, answer: Any) -> bool:
        return self.criteria.is_eligible(question, answer)

    def is_right(self, question: str, answer: Any) -> bool:
        return self.criteria.is_right(question, answer)

    def settings(self, version: str) -> ChosenGame:
        """The game as it is played in that version."""
        level = self.path_to(self.level) if self.level else None
        return ChosenGame(self.game, version, level, self.look_seed, self.seed)

    @property
    def practice_game(self) -> ChosenGame:
        """The same for everybody: textures that reveal nothing, whatever the versions look like."""
        return ChosenGame("princess", "retextured", str(PRACTICE), self.look_seed + PRACTICE_LOOKS, self.seed)

    @property
    def practice_limit(self) -> int:
        """The number of inputs after which practice ends; 0 if there is none."""
        return round(self.practice * self.practice_game.rate)

    def path_to(self, name: str) -> str:
        """The path of a file that the study names, relative to the study's folder; any other name unchanged."""
        return str(self.path.parent / name) if Path(name).suffix in (".toml", ".txt") else name


def is_whole(least: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and value >= least


def is_text(value: Any) -> bool:
    return type(value) is str


def is_yes_or_no(value: Any) -> bool:
    return type(value) is bool


def is_list(value: Any) -> bool:
    """Whether it is a list of different texts."""
    return type(value) is list and all(map(is_text, value)) and len(set(value)) == len(value)


CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": (lambda value: is_text(value) and bool(NAME.fullmatch(value)), "1 to 40 of a-z, 0-9, '-' and '_'"),
    "versions": (lambda value: is_list(value) and len(value) > 0, "a list of one or more different versions"),
    "game": (is_text, "the name of a game"),
    "level": (is_text, "a level's name or a file ending in .txt"),
    "look_seed": (is_whole(0), "a whole number, 0 or more"),
    "seed": (is_whole(0), "a whole number, 0 or more"),
    "design": (lambda value: value in ("between", "within"), '"between" or "within"'),
    "participants": (is_whole(1), "a whole number, 1 or more"),
    "when_full": (lambda value: value in ("stop", "continue"), '"stop" or "continue"'),
    "minutes": (lambda value: type(value) in (int, float) and 0 < value <= 600, "a number above 0, up to 600"),
    "minimum_age": (
        lambda value: type(value) is int and 0 <= value <= 120,
        "a whole number of years, or 0 for no minimum",
    ),
    "contact": (is_text, "a text"),
    "texts": (
        lambda value: is_text(value) or (is_list(value) and len(value) > 0),
        "a language or a file ending in .toml, or a list of them",
    ),
    "consent_version": (lambda value: is_text(value) and value.strip() != "", 'a text such as "2"'),
    "try_keys": (is_yes_or_no, "true or false"),
    "remap": (is_yes_or_no, "true or false"),
    "gamepad": (is_yes_or_no, "true or false"),
    "eligible": (
        lambda value: type(value) is dict and all(is_list(options) and options for options in value.values()),
        'by question, a list of the options of those who can take part, such as { epilepsy = ["no"] }',
    ),
    "instructions": (is_list, "a list of different names of instructions"),
    "practice": (
        lambda value: type(value) in (int, float) and 0 <= value <= LONGEST_PRACTICE,
        f"seconds, 0 (none) to {LONGEST_PRACTICE}",
    ),
    "checks": (is_list, "a list of different names of questions"),
    "rounds": (is_whole(1), "a whole number, 1 or more"),
    "when_failed": (lambda value: value in ("end", "continue"), '"end" or "continue"'),
    "right": (lambda value: type(value) is dict, 'the right answer by question, such as { goal = "door", colour = 2 }'),
    "probes": (lambda value: type(value) is list, "a list of probes"),
    "before": (is_list, "a list of different names of questions"),
    "after_each": (is_list, "a list of different names of questions"),
    "after": (is_list, "a list of different names of questions"),
    "data": (lambda value: is_text(value) and value.strip() != "", "a folder"),
    "panel": (lambda value: isinstance(value, dict), "a section [panel]"),
}


def read(entries: dict[str, Any], path: Path, is_played: bool) -> Study:
    """The study with a file's entries. Raises ValueError for the first wrong one."""
    known = [field.name for field in fields(Study) if field.name != "path"]
    for name in entries:
        if name not in known:
            raise ValueError(f"unknown entry {name!r}: expected some of {', '.join(known)}")
    for name in ("name", "versions"):
        if name not in entries:
            raise ValueError(f"{name} is missing: expected {CHECKS[name][1]}")
    for name, value in entries.items():
        is_right, expected = CHECKS[name]
        if not is_right(value):
            raise ValueError(f"{name} is {value!r}: expected {expected}")
    settings: dict[str, Any] = {name: tuple(value) if type(value) is list else value for name, value in entries.items()}
    if "panel" in settings:
        settings["panel"] = Panel.read(settings["panel"])
    if is_text(settings.get("texts")):
        settings["texts"] = (settings["texts"],)
    settings["probes"] = read_probes(entries.get("probes", []))
    study = Study(path, **settings)
    asked = study.questions
    for question in asked:
        if asked.count(question) > 1:
            lists = ", ".join(QUESTION_LISTS)
            raise ValueError(f"question {question!r} is asked in two lists: expected it in one of {lists}")
    check_probes(study)
    if study.practice and study.settings(study.versions[0]).is_atari:
        raise ValueError(f"practice is {study.practice:g}: expected 0 for Atari games, whose keys do other things")
    for question in (each for each in study.checks if each not in study.right):
        raise ValueError(f"checks: {question!r} has no right answer: expected one in the entry right")
    for question in study.right:
        if question not in asked or question in study.eligible:
            raise ValueError(f"right: {question!r}: expected a question of {', '.join(ANSWERED)}")
    if study.after_each and study.design == "between":
        raise ValueError('after_each: expected only with design = "within", where there are several plays')
    for version in study.versions if is_played else ():
        study.settings(version).check()
    return study


def check_probes(study: Study) -> None:
    """Raises ValueError, one line, for a probe after what never happens in the study's game, and for one that asks for
    the age, by which a session would end in the middle of a play."""
    for probe in study.probes:
        if probe.question == AGE and study.minimum_age:
            expected = f"it in another list, since minimum_age = {study.minimum_age} is compared with its answer"
            raise ValueError(f"probes: {AGE!r}: expected {expected}")
        settings = study.settings(study.versions[0])
        if probe.after and settings.is_atari:
            raise ValueError(f"probes: {probe.question!r}: after {probe.after!r}: expected every or at in Atari games")
        if probe.after == "key" and study.game == "princess":
            raise ValueError(f"probes: {probe.question!r}: after 'key': expected a game with a key, not princess")


def write_example(folder: Path) -> Path:
    """Writes an example of a study, its texts and a form for the ethics board into a new folder.

    Returns the path of the study's file. Raises FileExistsError if the folder exists.
    """
    folder.mkdir(parents=True)
    for name, example in EXAMPLE_FILES.items():
        source = EXAMPLE.with_name(example)
        (folder / name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8", newline="\n")
    return folder / "study.toml"
