"""Recorded lives as an apprentice watches them: what it sees at each of its decisions, and what the teacher did there.

The teacher gives every input; the apprentice decides every ``frame_skip`` inputs. As in ``imitation.demonstrations``,
each episode of a life is cut, from its start, into windows of ``frame_skip`` inputs, and one action stands for each.
The pictures are those of the states in which the teacher was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch

from priorlab.agents.apprentice.plays import Plays
from priorlab.agents.apprentice.recording import Recorded, rules_of
from priorlab.agents.imitation.demonstrations import action_for
from priorlab.agents.priors.scenery import Scenery
from priorlab.envs.game.rules import DEATHS, DOWN, JUMP, LEFT, NONE, RIGHT, UP
from priorlab.envs.plays.play_file import CHARACTERS

MIRRORED = np.array([NONE, RIGHT, LEFT, JUMP, UP, DOWN])  # of each input
OVER = -1  # in place of a raw input: the episode ended within the window


@dataclass(frozen=True)
class Lesson:
    """A life of n decisions: ``inputs`` int64 (n, frame_skip), raw, OVER where a window is shorter; ``actions`` int64
    (n,); ``returns`` float32 (n,), the discounted win, 0 in a life that was not won."""

    scenery: Scenery
    inputs: np.ndarray
    actions: np.ndarray
    returns: np.ndarray


def lesson_of(recorded: Recorded, frame_skip: int, gamma: float) -> Lesson:
    """A recorded life, cut into decisions. ``gamma``: discount per decision."""
    scenery, taken = recorded.drawn.scenery(), recorded.inputs
    deaths = np.flatnonzero(np.diff(recorded.states()[:, DEATHS])) + 1
    ends = [] if rules_of(scenery).restarts else deaths.tolist()  # else a death ends no episode
    edges = sorted({0, *ends, len(taken)})
    windows = [
        taken[k : min(k + frame_skip, end)] for start, end in pairwise(edges) for k in range(start, end, frame_skip)
    ]
    inputs = np.full((len(windows), frame_skip), OVER, np.int64)
    for row, window in zip(inputs, windows):
        row[: len(window)] = [CHARACTERS.index(each) for each in window]
    left = np.arange(len(windows))[::-1]
    returns = (recorded.solved * np.float64(gamma) ** left).astype(np.float32)
    return Lesson(scenery, inputs, np.array([action_for(window) for window in windows], np.int64), returns)


class Chunk(NamedTuple):
    """T decisions of each of N games, game by game; tensors on the device.

    pictures: uint8 (N * T, 3, S, S); forgets: float32 (N, T), 1 where a life begins; actions: int64 (N, T); returns:
    float32 (N, T); passes: int64 (N, T), how often the lesson was watched before.
    """

    pictures: torch.Tensor
    forgets: torch.Tensor
    actions: torch.Tensor
    returns: torch.Tensor
    passes: torch.Tensor


class Watching:
    """N games that replay lessons, each one after another, without end: all lessons in each pass.

    seed: of the order and of what is mirrored, others in each pass; None for the given order, as it is. mirrored: the
    share of lives that are watched in a mirror, with left and right exchanged, as no rule prefers a side.
    """

    def __init__(
        self, lessons: Sequence[Lesson], games: int, screen_size: int, device: torch.device, seed: int | None,
        mirrored: float = 0.0,
    ):  # fmt: skip
        self.lessons, self.seed, self.mirrored, self.device = lessons, seed, mirrored, device
        self.plays = Plays([lesson.scenery for lesson in lessons], games, screen_size, 1, device)
        lengths = [len(lesson.actions) for lesson in lessons]
        self.ends = np.cumsum(lengths)  # of each lesson, in the arrays of all
        self.firsts = self.ends - lengths
        self.inputs, self.actions, self.returns = (
            np.concatenate([getattr(lesson, name) for lesson in lessons]) for name in ("inputs", "actions", "returns")
        )
        shape = games, 0, screen_size, screen_size, 3
        self.pictures = torch.zeros(shape, dtype=torch.uint8, device=device)
        self.lesson, self.at = np.zeros(games, np.int64), np.zeros(games, np.int64)  # decision, in the arrays of all
        self.begun, self.passes = 0, np.zeros(games, np.int64)
        self.mirror = np.zeros(games, bool)
        self.orders: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # of passes
        self.begin(np.arange(games))

    @property
    def decisions(self) -> int:
        """Of a pass."""
        return len(self.actions)

    def begin(self, lanes: np.ndarray) -> None:
        """Begins the next lessons in these games."""
        turns = self.begun + np.arange(len(lanes))
        self.begun += len(lanes)
        self.passes[lanes], places = np.divmod(turns, len(self.lessons))
        for lane, number, place in zip(lanes, self.passes[lanes].tolist(), places):
            order, mirror = self.order(number)
            self.lesson[lane], self.mirror[lane] = order[place], mirror[place]
        self.at[lanes] = self.firsts[self.lesson[lanes]]
        self.plays.move(lanes, self.lesson[lanes])

    def order(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Of a pass: the order, int64 (lessons,), and whether each of these is mirrored, bool (lessons,)."""
        if number not in self.orders:
            count, rng = len(self.lessons), np.random.default_rng([self.seed or 0, number])
            drawn = rng.permutation(count), rng.random(count) < self.mirrored
            self.orders[number] = (np.arange(count), np.zeros(count, bool)) if self.seed is None else drawn
        return self.orders[number]

    def chunk(self, steps: int) -> Chunk:
        """The next decisions of each game; the next chunk overwrites the pictures."""
        games = len(self.at)
        if self.pictures.shape[1] != steps:
            self.pictures = self.pictures.new_zeros((games, steps, *self.pictures.shape[2:]))
        decisions, passes, mirrored = np.zeros((3, games, steps), np.int64)
        for step in range(steps):
            pictures, mirror = self.plays.pictures, torch.from_numpy(self.mirror).to(self.device)
            self.pictures[:, step] = torch.where(mirror[:, None, None, None], pictures.flip(2), pictures)
            decisions[:, step], passes[:, step], mirrored[:, step] = self.at, self.passes, self.mirror
            for k in range(self.inputs.shape[1]):
                self.press(self.inputs[self.at, k])
            self.at += 1
            if len(over := np.flatnonzero(self.at == self.ends[self.lesson])):
                self.begin(over)
        forgets = np.isin(decisions, self.firsts).astype(np.float32)
        actions = self.actions[decisions]
        actions = np.where(mirrored, MIRRORED[actions], actions)
        columns = forgets, actions, self.returns[decisions], passes
        # (N, T, S, S, 3) -> (N * T, 3, S, S), the same memory
        pictures = self.pictures.flatten(0, 1).movedim(-1, 1)
        return Chunk(pictures, *(torch.from_numpy(each).to(self.device) for each in columns))

    def press(self, inputs: np.ndarray) -> None:
        """One raw input in each game; games in which the episode ended before wait at the start."""
        over = np.flatnonzero(inputs == OVER)
        self.plays.step(torch.from_numpy(np.maximum(inputs, 0)).to(self.device))
        if len(over):
            self.plays.back(over)

    def state(self) -> dict[str, torch.Tensor]:
        """Where it is, for ``restore``."""
        numbers = np.stack([self.lesson, self.at, self.passes, self.mirror])
        return {"numbers": torch.from_numpy(numbers), "begun": torch.tensor(self.begun), **self.plays.save()}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        numbers, begun, *_ = state.values()
        self.lesson, self.at, self.passes, mirror = numbers.numpy().copy()
        self.mirror = mirror.astype(bool)
        self.begun = int(begun)
        self.plays.restore({name: each for name, each in state.items() if name not in ("numbers", "begun")})

    def close(self) -> None:
        self.plays.close()
