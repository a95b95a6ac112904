"""A class that plays: who plays which version, and how far everybody has come. Kept in memory, and nowhere else."""

import base64
import hmac
import io
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
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

MOST_STUDENTS = 3000  # who are counted; each takes about 20 kB
SILENT = (
    5.0  # seconds without an input after which a full class gives the place to somebody else; a page sends each second
)
MOST_VERSIONS = 8  # as many as the page has colours
MOST_MINUTES = 30
SENDINGS_A_SECOND, SENDINGS_AT_ONCE = 3.0, 60.0  # of one student
AHEAD = 2 * INPUTS_PER_SECOND  # inputs that may come before the clock allows them: clocks differ
QUIET = 30.0  # seconds without a word after which a play counts as over
HARDLY = 30  # seconds of play; whoever stops earlier keeps no place in a full class
IN_TIME = 0.5  # of a play's seconds, for which its inputs must have come in to be kept: nobody plays it in a moment
SIGNED = 32  # hexadecimal digits of a token's signature
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
    values: np.ndarray  # float32 (seconds + 1,): what was reached after each second of play, as ``mean_curve`` has it
    followed: Followed
    measure: Measure
    seated: float = 0.0  # when the first inputs came, seconds
    heard: float = 0.0  # when the last ones came
    far: float = 0.0  # what was reached so far
    has_left: bool = False
    bucket: Bucket = field(default_factory=lambda: Bucket(SENDINGS_A_SECOND, SENDINGS_AT_ONCE))

    @property
    def seconds(self) -> int:
        """Played so far."""
        return self.followed.inputs // INPUTS_PER_SECOND

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
        self.playing: dict[str, Student] = {}  # by token, the one first who was not heard of for longest
        self.done: dict[str, Student] = {}  # who won, reached the limit or stopped after a while
        self._joined = {arm.letter: 0 for arm in self.arms}  # how often each version was given out
        self._key, self._clock, self._draw = secrets.token_bytes(32), clock, np.random.default_rng(seed)
        Followed(self.arms[0].level, self.arms[0].rules).take(np.zeros(1, np.uint8))  # compiles before anybody waits

    # what students do

    def join(self, is_counted: bool) -> tuple[str, Arm]:
        """A token and the version for somebody who joins: one that was given out least. The token is empty for somebody
        who is not counted: by wish, or after the reveal. Nothing is kept of anybody who joins, so joining again and
        again keeps nobody out, and needs no limit."""
        if not is_counted or self.is_revealed:
            return "", self.arms[self._draw.integers(len(self.arms))]
        numbers = np.array([*self._joined.values()])
        arm = self.arms[self._draw.choice(np.flatnonzero(numbers == numbers.min()))]
        self._joined[arm.letter] += 1
        given = f"{secrets.token_urlsafe(16)}.{round(1000 * self._clock())}"
        return f"{given}.{self._signature(given, arm)}", arm

    def _signature(self, given: str, arm: Arm) -> str:
        """It depends on the version, and does not tell it."""
        return hmac.new(self._key, f"{given}.{arm.letter}".encode(), "sha256").hexdigest()[:SIGNED]

    def find(self, token: str) -> Student:
        """Whoever got that token, with the inputs that are here. Raises Refusal."""
        if self.is_revealed:
            raise Refusal(410, "the class is over", ended=True)
        if student := self.playing.get(token) or self.done.get(token):
            return student
        given, _, signature = token.rpartition(".")
        for arm in self.arms:
            if hmac.compare_digest(signature.encode(), self._signature(given, arm).encode()):
                values = np.zeros(self.minutes * 60 + 1, np.float32)
                joined = int(given.rpartition(".")[2]) / 1000
                return Student(token, arm, joined, values, Followed(arm.level, arm.rules), self.measure)
        raise Refusal(401, "unknown token: expected the one that the game came with")

    def take(self, student: Student, first: int, inputs: np.ndarray, has_left: bool) -> int:
        """The number of the next input expected, after these inputs, uint8 (n,), of which the first has that number.
        Those that came before are passed over. The first ones take a place in the class. Raises Refusal for a gap, for
        more than a person can play, and if there is no place at the moment."""
        there = student.followed.inputs
        if first > there:
            raise Refusal(409, f"input {first}: expected {there}", next=there)
        new, now = inputs[there - first :], self._clock()
        if there + len(new) > min(self.limit, (now - student.joined) * INPUTS_PER_SECOND + AHEAD):
            raise Refusal(400, "more inputs than the time that has passed: expected them as they are played")
        student.has_left |= has_left
        if len(new) and student.token not in self.done:
            if not self.playing.pop(student.token, None):
                self._make_room(now)
                student.seated = now
            student.take(new)
            student.heard = now
            self.playing[student.token] = student
        if student.token in self.playing and self._is_done(student):
            self.done[student.token] = self.playing.pop(student.token)
        return student.followed.inputs

    def _make_room(self, now: float) -> None:
        """For one student more. Whoever was silent for longest in a full class loses the place, and gets one again with
        the next inputs: their page has all of them. Raises Refusal if nobody was silent."""
        if len(self.playing) < MOST_STUDENTS:
            return
        last = next(iter(self.playing.values()), None)
        if last is None or now <= last.heard + SILENT:
            raise Refusal(429, "the class is full at the moment: try again in a second")
        del self.playing[last.token]

    def _is_done(self, student: Student) -> bool:
        """Whether the play is kept whatever comes."""
        at_end = student.followed.solved or student.followed.inputs >= self.limit
        is_whole = at_end or (student.has_left and student.seconds >= HARDLY)
        is_in_time = student.heard - student.seated >= IN_TIME * student.seconds
        return is_whole and is_in_time and len(self.done) < MOST_STUDENTS

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
        players = [*self.playing.values(), *self.done.values()]
        return {
            "joined": sum(self._joined.values()), "playing": sum(not self.is_over(each) for each in players),
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
