"""Atari games as people play them: one input per raw frame, all of ALE's actions, restarted after each game over."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from priorlab.envs.atari.games import FPS, Atari
from priorlab.envs.base.alone import Alone
from priorlab.envs.plays.play import NO_LIMIT, Happened, Outcome, ended_as, hash_picture

ATARI = "atari/"  # prefix of ale_py's names in names of games
ACTION_NAMES = (
    "noop", "fire", "up", "right", "left", "down", "upright", "upleft", "downright", "downleft", "upfire", "rightfire",
    "leftfire", "downfire", "uprightfire", "upleftfire", "downrightfire", "downleftfire",
)  # fmt: skip


class AtariCourse(Alone):
    """A game of ale_py with a mask, at 60 inputs per second, each one of ALE's 18 actions; see ``AnyCourse``.

    ``picture`` is uint8 (210, 160, 3) in most games. Neither a lost life nor a game over ends a play, only the limit or
    the player: a game that is over restarts by itself (``reset``). The hash covers the console's memory, the score, the
    lives and the number of games over.
    """

    action_names: tuple[str, ...] = ACTION_NAMES
    rate = FPS
    solved = False

    def __init__(self, game: str, mask: str = "none", mask_seed: int = 0, seed: int = 0):
        self.games = Atari(
            1, game, mask=mask.split("+"), mask_seed=mask_seed, frame_skip=1, screen_size=None, max_inputs=NO_LIMIT,
            full_action_space=True, autoreset=False,
        )  # fmt: skip
        self.game, self.mask, self.mask_seed, self.seed = game, mask, mask_seed, seed
        outcome = self.games.reset(seeds=[seed])
        self.picture: np.ndarray = outcome.observations[0]
        self.score, self.lives, self.over = 0, int(outcome.lives[0]), 0
        self.happened: Happened = []
        self._action = np.zeros(1, np.int64)

    @staticmethod
    def reopen(about: dict[str, Any]) -> "AtariCourse":
        return AtariCourse(about["game"].removeprefix(ATARI), about["version"], about["look_seed"], about["seed"])

    def step(self, action: int) -> bool:
        """Plays one raw frame with that action, 0 to 17; whether it ended the game."""
        self._action[0] = action
        outcome = self.games.step(self._action)
        points, lives, over = int(outcome.rewards[0]), int(outcome.lives[0]), bool(outcome.terminated[0])
        self.happened = []
        self.score += points
        if points:
            self.happened.append(("score", {"points": points, "score": self.score}))
        if lives != self.lives:
            self.happened.append(("lives", {"lives": lives}))
        if over:
            self.over += 1
            self.happened.append(("reset", {"over": self.over, "score": self.score}))
            self.score, outcome = 0, self.games.reset()
            lives = int(outcome.lives[0])
        self.lives, self.picture = lives, outcome.observations[0]
        return over

    def hash(self) -> str:
        counted = np.array([self.score, self.lives, self.over], "<i8").tobytes()
        return hashlib.sha256(self.games.memory().tobytes() + counted).hexdigest()

    def about(self) -> dict[str, Any]:
        return {
            "game": ATARI + self.game, "version": self.mask, "look_seed": self.mask_seed, "seed": self.seed,
            "rom": self.games.rom_hash(),
        }  # fmt: skip


@dataclass(frozen=True)
class AtariPlay:
    """A person's play of an Atari game, as ``Play`` is one of our games. Everything else is derived by replaying it."""

    about: dict[str, Any]  # what ``AtariCourse.about`` returned
    inputs: bytes  # one action per byte
    ended: Outcome
    last_state: str
    first_picture: str
    unfinished: bool
    player_id: str
    id: str
    date: str
    inputs_per_second: int
    software: dict[str, str]
    player = "person"
    solved = False

    @property
    def game(self) -> str:
        return str(self.about["game"])

    @property
    def version(self) -> str:
        """The mask, or several joined by a plus sign."""
        return str(self.about["version"])

    @property
    def minutes(self) -> float:
        """inputs / inputs per second; pauses don't count."""
        return len(self.inputs) / self.inputs_per_second / 60

    def check(self) -> None:
        """Raises ValueError with the reason if replaying does not reproduce what was recorded."""
        rom = AtariCourse.reopen(self.about).games.rom_hash()
        if rom != self.about["rom"]:
            raise ValueError(f"recorded with a different ROM of {self.game} than the one in ale_py here")
        if self.hash_after(len(self.inputs)) != self.last_state:
            ale = self.software.get("ale-py", "unknown")
            raise ValueError(f"the last state differs between the replay and the recording, made with ale-py {ale}")

    def hash_after(self, inputs: int) -> str:
        """The hash of the state after that many inputs."""
        return self._replayed.hashes[inputs]

    @cached_property
    def happenings(self) -> dict[int, Happened]:
        """Number of inputs -> the events after it: score, lives, reset."""
        return self._replayed.happenings

    @cached_property
    def points(self) -> np.ndarray:
        """int64 (n,): the total points after each input."""
        gained = np.zeros(len(self.inputs), np.int64)
        for number, events in self.happenings.items():
            gained[number - 1] = sum(fields["points"] for event, fields in events if event == "score")
        return gained.cumsum()

    @property
    def games_over(self) -> int:
        return sum(event == "reset" for events in self.happenings.values() for event, _ in events)

    @cached_property
    def redrawn(self) -> bool:
        """Whether the mask is drawn differently now from what the player saw; states are unaffected."""
        return self._replayed.first_picture != self.first_picture

    @cached_property
    def _replayed(self) -> "AtariReplay":
        course = AtariCourse.reopen(self.about)
        replay = AtariReplay(hash_picture(course.picture), [course.hash()], {})
        for number, action in enumerate(self.inputs, 1):
            course.step(action)
            replay.hashes.append(course.hash())
            if course.happened:
                replay.happenings[number] = course.happened
        return replay

    def frames(self) -> Iterator[np.ndarray]:
        """The n + 1 pictures that the player saw, uint8 (height, width, 3)."""
        course = AtariCourse.reopen(self.about)
        yield course.picture.copy()
        for action in self.inputs:
            course.step(action)
            yield course.picture.copy()

    def facts(self) -> dict[str, str]:
        """A summary for a reader."""
        return {
            "player": f"{self.player} {self.player_id}", "game": self.game,
            "mask": f"{self.version}, mask seed {self.about['look_seed']}",
            "ended": ended_as(self.ended, self.unfinished),
            "inputs": f"{len(self.inputs):,}",
            "minutes": f"{self.minutes:.2f} at {self.inputs_per_second} inputs per second",
            "games over": str(self.games_over), "points": f"{self.points[-1:].sum():,}",
        }  # fmt: skip


class AtariReplay(NamedTuple):
    """The result of replaying: hashes of the n + 1 states, and the events after each input."""

    first_picture: str
    hashes: list[str]
    happenings: dict[int, Happened]
