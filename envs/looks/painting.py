"""What all editions of random looks share: a scene being painted, in cells of one tile, and the things in it."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np

from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import TILE
from priorlab.envs.looks.dials import SPLITS, Dials, check_split
from priorlab.envs.looks.exemplars import unpack
from priorlab.envs.looks.paint import PaintedScene, Sprite

OBJECTS = {"*": "fire", "^": "spikes", "m": "monster", "k": "key", "G": "goal", "D": "door", "S": "player"}
FRAME = np.array([44, 34, 31, 255], np.uint8).view(np.uint32)[0]  # the boundary's colour, as in the study's looks
PALE, PALER = (255, 252, 236), 0.45  # the player's edge, so that it can be found in any look; fraction of the way to it


class Thing(NamedTuple):
    """A platform, a ladder or an object: ``tiles`` int (n, 2), the rows and columns that show ``picture``, which is
    uint8 (TILE, TILE, 4): red, green, blue, and 255 where opaque. In edition 2 a picture may be larger; it then stands
    on the floor of its tile."""

    role: str
    tiles: np.ndarray
    picture: np.ndarray


class Painting(ABC):
    """One scene being painted. ``cells``: uint32 (rows, columns, TILE, TILE), packed colours."""

    STREAMS: ClassVar[tuple[str, ...]]  # the names of its streams of random numbers
    OF_EDITION: ClassVar[tuple[int, ...]] = ()  # what sets its streams apart from those of other editions

    def __init__(self, level: Level, dials: Dials, look_seed: int, split: str) -> None:
        if isinstance(look_seed, bool) or not isinstance(look_seed, (int, np.integer)) or look_seed < 0:
            raise ValueError(f"look_seed is {look_seed!r}: expected a whole number, 0 or more")
        check_split(split)
        self.level, self.dials, self.split = level, dials, split
        self.seed = (int(look_seed), SPLITS.index(split))
        self.kinds = np.array([list(row) for row in level.rows])
        self.cells = np.zeros((*self.kinds.shape, TILE, TILE), np.uint32)
        self.goal = "door" if level.key else "goal"

    def stream(self, name: str) -> np.random.Generator:
        """One of STREAMS, from its start."""
        return np.random.default_rng([*self.seed, self.STREAMS.index(name), *self.OF_EDITION])

    @abstractmethod
    def scene(self) -> PaintedScene: ...

    @abstractmethod
    def things(self) -> list[Thing]: ...

    def canvas(self) -> np.ndarray:
        """uint8 (side, side, 3): the cells as one picture, black outside the level."""
        height, width = self.kinds.shape
        background = np.zeros((self.level.side, self.level.side, 3), np.uint8)
        # (rows, columns, TILE, TILE) -> (TILE * rows, TILE * columns)
        pixels = unpack(self.cells.swapaxes(1, 2).reshape(TILE * height, TILE * width))
        for channel in range(3):  # ten times as fast as all channels at once
            background[: TILE * height, : TILE * width, channel] = pixels[..., channel]
        return background

    def paste(self, parts: Sequence[np.ndarray] | np.ndarray, pictures: Sequence[np.ndarray] | np.ndarray) -> None:
        """Draws each part's packed picture on its tiles, int (n, 2), rows and columns; no tile is in two parts."""
        if len(parts):
            at = tuple(np.concatenate(parts).T)
            drawn = np.repeat(pictures, [len(part) for part in parts], axis=0)
            self.cells[at] = np.where(drawn > 0, drawn, self.cells[at])


def blit(canvas: np.ndarray, picture: np.ndarray, left: int, top: int) -> None:
    """Draws the part of ``picture``, uint8 (h, w, 4), that is within the canvas, uint8 (side, side, 3)."""
    side, (height, width) = len(canvas), picture.shape[:2]
    shown = picture[max(-top, 0) : max(side - top, 0), max(-left, 0) : max(side - left, 0)]
    at = canvas[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    at[shown[..., 3] > 0] = shown[shown[..., 3] > 0, :3]


def corner(x: float, y: float) -> tuple[int, int]:
    """(left, top) of the cell around a centre; on the grid if the centre is a tile's."""
    return math.floor(x + 0.5) - TILE // 2 - 1, math.ceil(y - 0.5) - TILE // 2


def goal_corner(level: Level) -> tuple[int, int]:
    """(left, top) of the goal's cell: at its centre, on the floor of its row."""
    left, _ = corner(*level.goal)
    return left, TILE * int(level.goal[1] // TILE)


def sprite(picture: np.ndarray) -> Sprite:
    return Sprite(np.ascontiguousarray(picture[..., :3]), picture[..., 3] > 0)


def marked(picture: np.ndarray) -> np.ndarray:
    """The picture made paler, with a pale edge where it meets transparent pixels or the end of the cell."""
    opaque = np.pad(picture[..., 3] > 0, 1)
    inside = opaque[:-2, 1:-1] & opaque[2:, 1:-1] & opaque[1:-1, :-2] & opaque[1:-1, 2:]
    opaque, paler = opaque[1:-1, 1:-1], picture.copy()
    paler[opaque, :3] = np.rint(paler[opaque, :3] * (1 - PALER) + np.array(PALE) * PALER)
    paler[opaque & ~inside, :3] = PALE
    return paler
