"""Courses: games as one player goes through them, ours and Atari's alike. Code that records, shows or replays a course
need not know the game: a course takes inputs, gives pictures, reports events, and its state has a hash."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from priorlab.envs.atari.games import FPS, find_rom
from priorlab.envs.atari.masks import masks_of
from priorlab.envs.engine.places import version_on
from priorlab.envs.game.level import Level
from priorlab.envs.game.versions import games
from priorlab.envs.plays.atari_course import ATARI, AtariCourse
from priorlab.envs.plays.play import INPUTS_PER_SECOND, RANDOM, Course, Happened
from priorlab.envs.random_games.bank import Bank
from priorlab.envs.random_games.random_levels import LEVELS

RANDOM_SPLIT = "training"


class AnyCourse(Protocol):
    """What every course has. ``step`` takes the number of an input and returns whether the player died of it."""

    action_names: tuple[str, ...]  # names of the inputs, by number; the first is no input
    rate: int  # inputs per second, as people play
    happened: Happened  # the events of the last input: death, score, lives, reset

    @property
    def picture(self) -> np.ndarray: ...  # uint8 (height, width, 3)
    @property
    def solved(self) -> bool: ...
    def step(self, action: int) -> bool: ...
    def hash(self) -> str: ...  # of the state
    def about(self) -> dict[str, Any]: ...  # plain data: the settings, and what else replaying needs


@dataclass(frozen=True)
class ChosenGame:
    """Which game a person plays: one of ours, ``random`` (a level of the bank, drawn by the seed), or ``atari/<name>``.

    ``version``: in Atari's games, the name of a mask; for ``random``, ``random`` (a random look that keeps all priors)
    or a version of the game. ``level``: a level's name, text or file, only for our games. All values are plain data.
    """

    game: str | None = None
    version: str | None = None
    level: str | None = None
    look_seed: int = 0
    seed: int = 0

    @property
    def is_atari(self) -> bool:
        return (self.game or "").startswith(ATARI)

    @property
    def rate(self) -> int:
        """Inputs per second, as people play."""
        return FPS if self.is_atari else INPUTS_PER_SECOND

    def check(self) -> None:
        """Raises ValueError, one line, for a game, version, mask or level that does not exist; draws nothing."""
        if self.is_atari:
            self._check_no_level("Atari's games have their own")
            find_rom(self._atari)
            masks_of(self._version.split("+"))
        elif self.game == RANDOM:
            self._check_no_level("the seed draws one")
            _, level = self._drawn
            version_on(None, "original" if self._version == RANDOM else self._version, level)
        elif self.game and self.game not in games():
            raise ValueError(f"unknown game {self.game!r}: expected {', '.join(games())}, {RANDOM} or {ATARI}<name>")
        else:
            version_on(self.game, self._version, self.level)

    def open(self) -> AnyCourse:
        """The course, at its start. Raises ValueError as ``check``."""
        if self.is_atari:
            self.check()
            return AtariCourse(self._atari, self._version, self.look_seed, self.seed)
        return Course(*self.drawn_level(), self.seed)

    def drawn_level(self) -> tuple[str, Level, int]:
        """(version, level, look seed) of a game of ours. Raises ValueError as ``check``."""
        self.check()
        if self.game == RANDOM:
            number, level = self._drawn
            return self._version, level, self.look_seed or number
        return self._version, version_on(self.game, self._version, self.level)[1], self.look_seed

    def _check_no_level(self, why: str) -> None:
        if self.level is not None:
            raise ValueError(f"level is {self.level!r}: expected none, {why}")

    @property
    def _atari(self) -> str:
        return (self.game or "").removeprefix(ATARI)

    @property
    def _version(self) -> str:
        """The version, by default the unmasked one, or random looks for random levels."""
        return self.version or ("none" if self.is_atari else RANDOM if self.game == RANDOM else "original")

    @property
    def _drawn(self) -> tuple[int, Level]:
        """The number of the level that the seed draws from the bank, and the level."""
        number = int(np.random.default_rng(self.seed).integers(LEVELS))
        return number, Bank.read(RANDOM_SPLIT)[number].level


def reopen(about: dict[str, Any]) -> AnyCourse:
    """The course that returned this from ``about``, at its start."""
    if str(about["game"]).startswith(ATARI):
        return AtariCourse.reopen(about)
    return Course(about["version"], level_of(about), about["look_seed"], about["seed"])


def level_of(about: dict[str, Any]) -> Level:
    return Level.read("\n".join(about["level"]) + "\n")
