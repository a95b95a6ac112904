"""Atari's games as a person plays them: every raw frame an input, all of ALE's actions, on after each game over."""

import hashlib
from typing import Any

import ale_py
import numpy as np

from envs.atari import FPS, Atari
from envs.play import NO_LIMIT

ATARI = "atari/"  # what names of games begin with, before ale_py's name
ACTION_NAMES = tuple(action.name.lower() for action in sorted(ale_py.Action, key=lambda action: action.value)[:18])


class AtariCourse:
    """A game of ale_py with a mask, 60 inputs a second, each of them one of ALE's 18 actions; see ``AnyCourse``.

    ``picture`` is uint8 (210, 160, 3) in most games. A game that is over begins anew by itself (``reset``), as a life
    that is lost is no end: nothing but the limit or the player ends a play. The hash is of the console's memory, the
    score, the lives and the games over.
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
        self.happened: list[tuple[str, dict[str, Any]]] = []
        self._action = np.zeros(1, np.int64)

    @staticmethod
    def reopen(about: dict[str, Any]) -> "AtariCourse":
        return AtariCourse(about["game"].removeprefix(ATARI), about["version"], about["look_seed"], about["seed"])

    def step(self, action: int) -> bool:
        """One raw frame with that action, 0 to 17; whether the game was over by it."""
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
