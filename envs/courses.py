"""Courses: games as one player goes through them, ours and Atari's alike. Who records, shows or replays a course knows
no game: it takes inputs, gives pictures, tells what happened, and its state has a hash."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from envs.atari_course import ATARI, AtariCourse
from envs.bank import Bank
from envs.level import Level
from envs.places import version_on
from envs.play import RANDOM, Course, Happened
from envs.random_levels import LEVELS
from envs.versions import games

RANDOM_SPLIT = "training"


class AnyCourse(Protocol):
    """What every course has. ``step`` takes an input's number and tells whether the player died of it."""

    action_names: tuple[str, ...]  # of the inputs, by number; the first is none
    rate: int  # inputs per second, as people play
    happened: Happened  # by the last input: death, score, lives, reset

    @property
    def picture(self) -> np.ndarray: ...  # uint8 (height, width, 3)
    @property
    def solved(self) -> bool: ...
    def step(self, action: int) -> bool: ...
    def hash(self) -> str: ...  # of the state
    def about(self) -> dict[str, Any]: ...  # plain data: the settings and whatever else replaying needs


@dataclass(frozen=True)
class GameSettings:
    """Which game is played: a name of ours, ``random`` (a level of the bank drawn by the seed), or ``atari/<name>``.

    ``version`` is a mask's name in Atari's games; of ``random`` it is ``random``, its look drawn with all priors kept,
    or a version of the game. ``level`` is a level's name, text or file (ours only). Everything is plain data.
    """

    game: str | None = None
    version: str | None = None
    level: str | None = None
    look_seed: int = 0
    seed: int = 0

    def open(self) -> AnyCourse:
        """The course at its start. Raises ValueError, one line, for what there isn't."""
        name = self.game or ""
        if name.startswith(ATARI):
            if self.level is not None:
                raise ValueError(f"level is {self.level!r}: expected none, Atari's games have their own")
            return AtariCourse(name.removeprefix(ATARI), self.version or "none", self.look_seed, self.seed)
        if name == RANDOM:
            return self._open_random()
        if name and name not in games():
            raise ValueError(f"unknown game {name!r}: expected {', '.join(games())}, {RANDOM} or {ATARI}<name>")
        version = self.version or "original"
        _, level = version_on(self.game, version, self.level)
        return Course(version, level, self.look_seed, self.seed)

    def _open_random(self) -> Course:
        if self.level is not None:
            raise ValueError(f"level is {self.level!r}: expected none, the seed draws one")
        number = int(np.random.default_rng(self.seed).integers(LEVELS))
        level = Bank.read(RANDOM_SPLIT)[number].level
        return Course(self.version or RANDOM, level, self.look_seed or number, self.seed)


def reopen(about: dict[str, Any]) -> AnyCourse:
    """The course that said this about itself, at its start."""
    if str(about["game"]).startswith(ATARI):
        return AtariCourse.reopen(about)
    return Course(about["version"], level_of(about), about["look_seed"], about["seed"])


def level_of(about: dict[str, Any]) -> Level:
    return Level.read("\n".join(about["level"]) + "\n")
