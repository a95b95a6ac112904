"""Plays: what one player did from the first step to the win, the quit or the limit, including deaths and restarts.

A play holds the game, a seed, the raw inputs and a hash of the last state. Everything else is derived by replaying it
through ``Games``. ``play_file`` describes its file.
"""

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from priorlab.envs.base.alone import Alone
from priorlab.envs.base.files import read_bytes, writing_new
from priorlab.envs.base.provenance import software
from priorlab.envs.engine.checks import checked_actions
from priorlab.envs.engine.games import Games
from priorlab.envs.engine.places import version_on
from priorlab.envs.game.level import Level
from priorlab.envs.game.replaying import replayed
from priorlab.envs.game.rules import (
    CLOCK,
    DEATHS,
    EPISODE_INPUTS,
    HAS_KEY,
    INPUT_NAMES,
    JUMPING,
    LAST_SIDE,
    MONSTERS,
    ON_LADDER,
    PLAY_INPUTS,
    SOLVED,
    SPEED,
    UNIQUE_STATES,
    X,
    Y,
)
from priorlab.envs.game.versions import find_rules, find_version
from priorlab.envs.looks.dials import Dials
from priorlab.envs.plays.play_file import CHARACTERS, KINDS, check_inputs, decode, encode
from priorlab.envs.plays.play_file import PLAYERS as PLAYERS
from priorlab.envs.plays.play_file import SUFFIX as SUFFIX

ENGINE = 1  # to be increased when the same inputs can give other states than before
NUMBER_OF = np.zeros(128, np.uint8)  # the input of a character, by the character's code
NUMBER_OF[list(CHARACTERS.encode())] = range(len(CHARACTERS))
INPUTS_PER_SECOND = 30  # as people play
SHORT = 1000  # inputs, in which a game takes less time than the pictures that make its steps fast
NO_LIMIT = 2**31 - 1  # a play ends when its recorder ends it, not when an agent's episode would
HASHED = (X, Y, JUMPING, SPEED, ON_LADDER, MONSTERS, EPISODE_INPUTS, PLAY_INPUTS, DEATHS, UNIQUE_STATES, SOLVED)
HASHED_TOO = (CLOCK, LAST_SIDE, HAS_KEY)  # hashed unless all are 0: for patrols, alternating ladders, keys
RANDOM = "random"  # a version with the rules of the original and the look of PriorLab/Random-v0
ID_CHARACTERS, ID_LENGTH = "abcdefghijkmnpqrstuvwxyz23456789", 8

Outcome = Literal["win", "limit", "quit"]
Happened = list[tuple[str, dict[str, Any]]]  # the events of one input, each with its fields


class Course(Alone):
    """A game as one player goes through it: after a death it continues at once from the start.

    It is one of ``courses.AnyCourse``. Version ``random`` is the original in a random look. ``picture`` is uint8 (size,
    size, 3), in colour, by default 15 px per tile. ``state`` is int32 (FIELDS,) after the last input: at a death, where
    the player died or, if the rules put the player back, the start. ``still`` is that of ``Games``.
    """

    action_names: tuple[str, ...] = INPUT_NAMES
    rate = INPUTS_PER_SECOND

    def __init__(
        self, version: str, level: Level, look_seed: int = 0, seed: int = 0, size: int | None = None, still: bool = True
    ):
        self.version, self.level, self.look_seed, self.seed = version, level, look_seed, seed
        self.games = Games(
            1, **place_settings(version, level, look_seed), screen_size=size or level.side, grayscale_obs=False,
            max_inputs=NO_LIMIT, autoreset=False, still=still,
        )  # fmt: skip
        self.games.reset(seed)
        self.state = self.games.state[0].copy()
        self._action = np.zeros(1, np.int64)
        self.happened: Happened = []

    def step(self, action: int) -> bool:
        """Takes one input, 0 to 5; whether the player died of it."""
        if self.solved:
            raise RuntimeError("the game is won: expected no input after it")
        deaths = self.state[DEATHS]
        self._action[0] = action
        _, _, terminated, _ = self.games.step(self._action)
        self.state[:] = self.games.state[0]
        if terminated[0] and not self.solved:
            self.games.restart(np.zeros(1, np.int64), new_play=False)
        died = bool(self.state[DEATHS] > deaths)
        self.happened = [("death", {"deaths": int(self.state[DEATHS])})] if died else []
        return died

    @property
    def picture(self) -> np.ndarray:
        return self.games.lanes.observations[0]

    @property
    def solved(self) -> bool:
        return bool(self.state[SOLVED])

    def hash(self) -> str:
        return hash_state(self.state)

    def about(self) -> dict[str, Any]:
        """Plain data from which ``priorlab.envs.plays.courses.reopen`` makes the course again."""
        return {
            "game": self.level.game, "version": self.version, "level": self.level.text().splitlines(),
            "look_seed": self.look_seed, "seed": self.seed, "rules": rules_of(self.level.game, self.version),
            "engine": ENGINE,
        }  # fmt: skip


@dataclass(frozen=True)
class Measures:
    """The measures of a play of n raw inputs. Arrays have one entry per input: the value after it."""

    x: np.ndarray  # float64 (n,): the player's centre in pixels; at a death as in ``Course.state``
    y: np.ndarray  # float64 (n,)
    unique_states: np.ndarray  # int32 (n,): different (x, y) positions so far, including the start
    deaths: np.ndarray  # int32 (n,): deaths so far
    events: np.ndarray  # bool (n,): whether the player died of the input
    solved: bool
    inputs: int
    total_deaths: int
    total_unique_states: int
    minutes: float  # inputs / inputs per second; pauses don't count


@dataclass(frozen=True)
class Play:
    """One play of a person, an agent or a simulated player. ``Play.of`` makes one from inputs, ``Play.load`` reads a
    file.

    ``states`` are int32 (n + 1, FIELDS), ``frames`` the pictures, ``measure`` its ``Measures``.
    """

    version: str
    level: Level
    inputs: str  # of the CHARACTERS ".lrjud"
    ended: Outcome
    last_state: str  # hash of the state after the last input
    first_picture: str  # hash of the picture at the start, 15 px per tile, to notice that it is drawn differently
    look_seed: int = 0
    seed: int = 0
    unfinished: bool = False  # whether the recorder was cut off; such a play counts as "quit"
    player: Literal["person", "agent", "simulated"] = "person"
    player_id: str = ""
    id: str = dataclass_field(default_factory=lambda: new_id())  # random
    date: str = dataclass_field(default_factory=lambda: today())  # UTC
    inputs_per_second: int = INPUTS_PER_SECOND
    rules: str = ""
    engine: int = ENGINE
    software: dict[str, str] = dataclass_field(default_factory=software)

    @property
    def game(self) -> str:
        return self.level.game

    @staticmethod
    def of(
        inputs: str | Sequence[int] | np.ndarray,
        version: str = "original",
        *,
        game: str | None = None,
        level: str | Path | Level | None = None,
        look_seed: int = 0,
        seed: int = 0,
        ended: Outcome = "quit",
        **about: Any,
    ) -> "Play":
        """The play of these raw inputs, characters or numbers; if they solve the game, it ended with the win.

        ``game`` and ``level`` are as in ``GameSettings``; ``about``: further fields of Play, such as player or
        player_id. Raises ValueError for inputs after a win.
        """
        characters = inputs if isinstance(inputs, str) else as_characters(inputs)
        check_inputs(characters)
        _, chosen = version_on(game, "original" if version == RANDOM else version, level)
        states = replay(version, chosen, characters)
        return Play(
            version=version, level=chosen, inputs=characters, ended="win" if states[-1, SOLVED] else ended,
            last_state=hash_state(states[-1]), first_picture=first_picture(version, chosen, look_seed),
            look_seed=look_seed, seed=seed, rules=rules_of(chosen.game, version), **about,
        )  # fmt: skip

    @staticmethod
    def load(path: str | Path) -> "Play":
        """Reads a ``.play`` file and verifies it by replaying.

        Raises ValueError, one line that names the file and the reason, if it is cut off or altered; OSError if it can't
        be read.
        """
        try:
            play = Play(**decode(read_bytes(Path(path))))
            play.check()
        except ValueError as error:
            raise ValueError(f"{path}: {' '.join(str(error).split())}") from None
        return play

    def save(self, path: str | Path) -> Path:
        """Writes the play to a new file; FileExistsError if it exists, which then stays as it is."""
        with writing_new(Path(path)) as file:
            file.write(self.text().encode())
        return Path(path)

    def text(self) -> str:
        """The content of the play's file."""
        return encode(self.level, self.inputs, {name: getattr(self, name, None) for name in KINDS})

    def check(self) -> None:
        """Raises ValueError with the reason if replaying does not reproduce what was recorded."""
        rules = rules_of(self.level.game, self.version)
        if self.rules != rules:
            raise ValueError(f"recorded under the rules {self.rules!r}; {self.version} has {rules!r} here")
        won = self.solved
        if won != (self.ended == "win"):
            raise ValueError(f"ended as {self.ended!r}, but replayed it is {'' if won else 'not '}won")
        if hash_state(self.states[-1]) != self.last_state:
            engines = f"; it was recorded with engine {self.engine}, this is engine {ENGINE}"
            raise ValueError("the last state differs between the replay and the recording" + engines)

    @cached_property
    def states(self) -> np.ndarray:
        """int32 (n + 1, FIELDS): at the start and after each input; at a death as in ``Course.state``."""
        return replay(self.version, self.level, self.inputs)

    @property
    def solved(self) -> bool:
        return bool(self.states[-1, SOLVED])

    def hash_after(self, inputs: int) -> str:
        """The hash of the state after that many inputs."""
        return hash_state(self.states[inputs])

    @cached_property
    def happenings(self) -> dict[int, Happened]:
        """Number of inputs -> the events after it: deaths."""
        deaths = self.states[:, DEATHS]
        died = np.flatnonzero(np.diff(deaths) > 0) + 1
        return {int(number): [("death", {"deaths": int(deaths[number])})] for number in died}

    @cached_property
    def redrawn(self) -> bool:
        """Whether the version is drawn differently now from what the player saw; states are unaffected."""
        return first_picture(self.version, self.level, self.look_seed) != self.first_picture

    def frames(self, size: int | None = None) -> Iterator[np.ndarray]:
        """The n + 1 pictures that the player saw, uint8 (size, size, 3); ``size`` None is 15 px per tile."""
        long = len(self.inputs) > SHORT
        course = Course(self.version, self.level, self.look_seed, self.seed, size, still=long)
        yield course.picture.copy()
        for character in self.inputs:
            course.step(CHARACTERS.index(character))
            yield course.picture.copy()

    def measure(self) -> Measures:
        states = self.states[1:]
        deaths = states[:, DEATHS]
        return Measures(
            x=states[:, X] / 2,
            y=states[:, Y] / 2,
            unique_states=states[:, UNIQUE_STATES].copy(),
            deaths=deaths.copy(),
            events=np.diff(deaths, prepend=0) > 0,
            solved=self.solved,
            inputs=len(states),
            total_deaths=int(self.states[-1, DEATHS]),
            total_unique_states=int(self.states[-1, UNIQUE_STATES]),
            minutes=len(states) / self.inputs_per_second / 60,
        )

    def facts(self) -> dict[str, str]:
        """A summary for a reader."""
        measures = self.measure()
        return {
            "player": f"{self.player} {self.player_id}", "game": f"{self.level.game}, level {self.level.name}",
            "version": f"{self.version}, look seed {self.look_seed}", "ended": ended_as(self.ended, self.unfinished),
            "inputs": f"{measures.inputs:,}",
            "minutes": f"{measures.minutes:.2f} at {self.inputs_per_second} inputs per second",
            "deaths": f"{measures.total_deaths:,}", "unique states": f"{measures.total_unique_states:,}",
        }  # fmt: skip


def place_settings(version: str, level: Level, look_seed: int) -> dict[str, Any]:
    """What a course of these plays and draws, as settings of ``Games`` and of ``gather_places``."""
    drawn_at_random = version == RANDOM
    return {
        "version": "original" if drawn_at_random else version, "game": level.game, "level": level,
        "look_seed": look_seed, "looks": Dials() if drawn_at_random else None, "split": "training",
    }  # fmt: skip


def ended_as(ended: Outcome, unfinished: bool) -> str:
    return ended + (" (the recording was cut short)" if unfinished else "")


def rules_of(game: str, version: str) -> str:
    """The name of the rules of that version of the game."""
    return find_version(game, "original" if version == RANDOM else version).rules


def replay(version: str, level: Level, inputs: str) -> np.ndarray:
    """The states, int32 (n + 1, FIELDS), as in ``Course.state``; draws nothing."""
    numbers = np.frombuffer(inputs.encode("ascii"), np.uint8)
    return replayed(level, find_rules(rules_of(level.game, version)), NUMBER_OF[numbers])


@lru_cache(maxsize=256)
def first_picture(version: str, level: Level, look_seed: int) -> str:
    """The hash of the first picture, 15 px per tile, which does not depend on the play's seed."""
    return hash_picture(Course(version, level, look_seed, still=False).picture)


def hash_state(state: np.ndarray) -> str:
    """A hash, the same on every platform, of the fields HASHED and, unless all are 0, HASHED_TOO, as little-endian
    int32."""
    fields = HASHED + HASHED_TOO if state[list(HASHED_TOO)].any() else HASHED
    return hashlib.sha256(state[list(fields)].astype("<i4").tobytes()).hexdigest()


def hash_picture(picture: np.ndarray) -> str:
    return hashlib.sha256(picture.tobytes()).hexdigest()


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def new_id() -> str:
    """A random id, which reveals nothing about the player, the version or the time."""
    return "".join(secrets.choice(ID_CHARACTERS) for _ in range(ID_LENGTH))


def as_characters(inputs: Sequence[int] | np.ndarray) -> str:
    numbers = checked_actions(np.asarray(inputs, None if len(inputs) else np.int64), len(inputs))
    return "".join(CHARACTERS[number] for number in numbers)
