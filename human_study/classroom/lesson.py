"""A class that plays: who plays which version, and how far everybody has come. Kept in memory, and nowhere else."""

import base64
import io
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

import numpy as np
from PIL import Image

from priorlab.envs.browser import game_file
from priorlab.envs.game.level import Level
from priorlab.envs.game.replaying import Followed
from priorlab.envs.game.rules import UNIQUE_STATES
from priorlab.envs.game.versions import Rules, find_rules
from priorlab.envs.plays.courses import ChosenGame
from priorlab.envs.plays.play import INPUTS_PER_SECOND, Course, rules_of
from priorlab.envs.plays.progress import Distances, find_distances
from priorlab.human_study.classroom.curves import LEAST, mean_curve
from priorlab.human_study.server.limits import Bucket
from priorlab.human_study.server.refusals import Refusal

MOST_STUDENTS = 1000  # who are counted; each takes about 20 kB
MOST_WAITING = 2000  # who joined, but have not played yet; the last ones
JOININGS_A_SECOND, JOININGS_AT_ONCE = 15.0, 300.0  # a lecture hall joins within half a minute, from one address
MOST_VERSIONS = 8  # as many as the page has colours
MOST_MINUTES = 30
SENDINGS_A_SECOND, SENDINGS_AT_ONCE = 3.0, 60.0  # of one student
AHEAD = 2 * INPUTS_PER_SECOND  # inputs that may come before the clock allows them: clocks differ
QUIET = 30.0  # seconds without a word after which a play counts as over
HARDLY = 30  # seconds of play below which a play that is over makes room for another student
Measure = Literal["share", "states"]


@dataclass(frozen=True)
class Arm:
    """A version as the class plays it. Until the reveal, nobody sees more of it than its letter."""

    version: str
    letter: str
    level: Level
    rules: Rules
    distances: Distances | None
    file: str  # for the engine in a browser, in base64
    picture: str  # of the start, a PNG in a data URL


@dataclass(frozen=True)
class Revealed:
    """What the lecturer's page says of a version after the reveal."""

    title: str
    masks: str
    published: str


def open_arms(game: str, versions: Sequence[str], seed: int) -> list[Arm]:
    """The versions in an order that the seed draws. Raises ValueError, one line, for what can't be played."""
    if not 1 <= len(versions) <= MOST_VERSIONS or len({*versions}) < len(versions):
        raise ValueError(f"versions: expected 1 to {MOST_VERSIONS} different ones, not {', '.join(versions) or 'none'}")
    made = []
    for letter, at in zip("ABCDEFGH", np.random.default_rng(seed).permutation(len(versions))):
        version = versions[int(at)]
        chosen = ChosenGame(game, version)
        course = chosen.open()
        if not isinstance(course, Course):
            raise ValueError(f"game is {game!r}: expected princess, key_door or random; Atari's don't run in browsers")
        rules = find_rules(rules_of(course.level.game, course.version))
        file, distances = game_file(chosen), distances_of(course.level, rules)
        shown = base64.b64encode(file).decode(), as_url(course.picture)
        made.append(Arm(version, letter, course.level, rules, distances, *shown))
    return made


def distances_of(level: Level, rules: Rules) -> Distances | None:
    """None for a level of which no way to the win is known."""
    try:
        return find_distances(level, rules)
    except ValueError:
        return None


def as_url(picture: np.ndarray) -> str:
    """A picture, uint8 (height, width, 3), as a PNG in a data URL."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "png", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


@dataclass
class Student:
    """Somebody who plays and is counted, or will be with the first inputs."""

    token: str
    arm: Arm
    joined: float  # by the lesson's clock, seconds
    heard: float
    values: np.ndarray  # float32 (seconds + 1,): what was reached after each second of play, as ``mean_curve`` has it
    followed: Followed
    measure: Measure
    far: float = 0.0  # what was reached so far
    has_left: bool = False
    bucket: Bucket = field(default_factory=lambda: Bucket(SENDINGS_A_SECOND, SENDINGS_AT_ONCE))

    @property
    def seconds(self) -> int:
        """Played so far."""
        return self.followed.inputs // INPUTS_PER_SECOND

    def makes_room(self, now: float) -> bool:
        """Whether somebody else may have the place in a full class."""
        return not self.followed.solved and self.seconds < HARDLY and now > self.heard + QUIET

    def take(self, inputs: np.ndarray) -> None:
        before = self.followed.inputs
        states = self.followed.take(inputs)
        if not len(states):
            return
        reached = np.maximum.accumulate(np.maximum(self._measured(states), self.far))
        counts = before + 1 + np.arange(len(states))
        whole = counts % INPUTS_PER_SECOND == 0
        self.values[counts[whole] // INPUTS_PER_SECOND] = reached[whole]
        self.far = float(reached[-1])
        self.values[self.seconds + 1 :] = self.far

    def _measured(self, states: np.ndarray) -> np.ndarray:
        distances = self.arm.distances
        if self.measure == "states" or distances is None:
            return states[:, UNIQUE_STATES]
        return 1 - distances.of(states) / distances.first


class Lesson:
    """The class. ``clock`` gives seconds that only grow."""

    def __init__(
        self, game: str, versions: Sequence[str], minutes: int, seed: int, clock: Callable[[], float] = time.monotonic
    ):
        """Raises ValueError, one line, for what can't be played."""
        if not 1 <= minutes <= MOST_MINUTES:
            raise ValueError(f"minutes is {minutes}: expected 1 to {MOST_MINUTES}")
        self.minutes, self.limit = minutes, minutes * 60 * INPUTS_PER_SECOND
        self.arms = open_arms(game, versions, seed)
        self.measure: Measure = "share" if all(arm.distances for arm in self.arms) else "states"
        self.is_revealed = False
        self.students: dict[str, Student] = {}  # who have played, by token
        self.waiting: dict[str, Student] = {}  # who joined
        self.joinings = Bucket(JOININGS_A_SECOND, JOININGS_AT_ONCE)
        self._clock, self._draw = clock, np.random.default_rng(seed)
        Followed(self.arms[0].level, self.arms[0].rules).take(np.zeros(1, np.uint8))  # compiles before anybody waits

    # what students do

    def join(self, is_counted: bool) -> tuple[str, Arm]:
        """A token and the version for somebody who joins: one that the fewest play. The token is empty for somebody
        who is not counted: by wish, after the reveal, or since the class is full. Raises Refusal if too many join at
        once."""
        self.joinings.require()
        if not is_counted or self.is_revealed or not self._has_room():
            return "", self.arms[self._draw.integers(len(self.arms))]
        numbers = np.array([sum(each.arm is arm for each in self._everybody()) for arm in self.arms])
        arm = self.arms[self._draw.choice(np.flatnonzero(numbers == numbers.min()))]
        now, token = self._clock(), secrets.token_urlsafe(16)
        values = np.zeros(self.minutes * 60 + 1, np.float32)
        self.waiting[token] = Student(token, arm, now, now, values, Followed(arm.level, arm.rules), self.measure)
        if len(self.waiting) > MOST_WAITING:
            del self.waiting[next(iter(self.waiting))]
        return token, arm

    def _everybody(self) -> Iterator[Student]:
        return chain(self.students.values(), self.waiting.values())

    def _has_room(self) -> bool:
        if len(self.students) >= MOST_STUDENTS:
            now = self._clock()
            self.students = {token: each for token, each in self.students.items() if not each.makes_room(now)}
        return len(self.students) < MOST_STUDENTS

    def find(self, token: str) -> Student:
        """Raises Refusal."""
        if self.is_revealed:
            raise Refusal(410, "the class is over", ended=True)
        if token not in self.students and token not in self.waiting:
            raise Refusal(401, "unknown token: expected the one that the game came with")
        return self.students.get(token) or self.waiting[token]

    def take(self, student: Student, first: int, inputs: np.ndarray, has_left: bool) -> int:
        """The number of the next input expected, after these inputs, uint8 (n,), of which the first has that number.
        Those that came before are passed over. The first ones take a place in the class. Raises Refusal for a gap, for
        more than a person can play, and if there is no place."""
        there = student.followed.inputs
        if first > there:
            raise Refusal(409, f"input {first}: expected {there}", next=there)
        new, now = inputs[there - first :], self._clock()
        if there + len(new) > min(self.limit, (now - student.joined) * INPUTS_PER_SECOND + AHEAD):
            raise Refusal(400, "more inputs than the time that has passed: expected them as they are played")
        if len(new):
            self._count(student)
            student.take(new)
            student.heard = now
        student.has_left |= has_left
        return student.followed.inputs

    def _count(self, student: Student) -> None:
        """Gives a place to a student who begins to play: one who only joins takes none. Raises Refusal."""
        if student.token in self.students:
            return
        if not self._has_room():
            raise Refusal(410, "the class is full", ended=True)
        self.students[student.token] = self.waiting.pop(student.token)

    def is_over(self, student: Student) -> bool:
        is_quiet = self._clock() > student.heard + QUIET
        at_end = student.followed.solved or student.followed.inputs >= self.limit
        return at_end or student.has_left or is_quiet

    # what the lecturer sees

    def reveal(self) -> None:
        """Nothing is counted from now on: whoever looks at the wall knows the versions."""
        self.is_revealed = True

    def overview(self) -> dict[str, Any]:
        """The numbers and curves of now, as plain data. It names no version."""
        players, joined = [*self.students.values()], len(self.students) + len(self.waiting)
        return {
            "joined": joined, "playing": sum(not self.is_over(each) for each in players),
            "won": sum(each.followed.solved for each in players), "seconds": 60 * self.minutes,
            "measure": self.measure, "least": LEAST, "revealed": self.is_revealed,
            "arms": [self._arm(arm, [each for each in players if each.arm is arm]) for arm in self.arms],
        }  # fmt: skip

    def _arm(self, arm: Arm, players: list[Student]) -> dict[str, Any]:
        if len(players) < LEAST:
            return {"letter": arm.letter, "players": len(players), "won": None, "curve": []}
        played = np.array([each.seconds for each in players])
        is_over = np.array([self.is_over(each) for each in players])
        curve = mean_curve(np.stack([each.values for each in players]), played, is_over)
        won = sum(each.followed.solved for each in players)
        curve = [round(float(value), 3) for value in curve]
        return {"letter": arm.letter, "players": len(players), "won": won, "curve": curve}
