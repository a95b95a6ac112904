"""Distractors: plain coloured blocks among which the objects of a look, drawn as blocks too, do not stand out.

Blocks are on lattices: that of the tiles, or one shifted like an object that is between tiles. On each lattice colours
come in short runs, as fire does. There is a patch of blocks around each object, and there are such patches elsewhere.
"""

from dataclasses import dataclass, field

import numpy as np

from priorlab.envs.game.grids import runs
from priorlab.envs.game.rules import TILE
from priorlab.envs.looks.look import Blocks
from priorlab.envs.looks.textures import Colour

Corner = tuple[int, int]  # left, top of a block in native pixels
ALIGNED = 0.5  # probability that a lattice is the tiles'
RUN_ODDS = (0.5, 0.25, 0.25)  # probabilities that a run of one colour is 1, 2, 3 blocks long
REACH_ASIDE, REACH_UP = (2, 3), (1, 1)  # least and most blocks of a patch to each side, and above or below, its middle


@dataclass
class Painter:
    """Paints blocks onto a picture, the far blocks of a patch first, so that an object's lattice shows around it."""

    picture: np.ndarray  # uint8 (height, width, 3)
    allowed: np.ndarray  # bool (height, width): where blocks may be
    colours: tuple[Colour, ...]
    rng: np.random.Generator
    fields: dict[Corner, np.ndarray] = field(default_factory=dict)
    planned: list[tuple[int, int, int, Colour]] = field(default_factory=list)  # order, left, top, colour

    def colour(self, left: int, top: int) -> Colour:
        """The colour of the block there, from one field of colours per lattice."""
        phase = (left % TILE, top % TILE)
        if phase not in self.fields:
            rows, columns = (n // TILE + 3 for n in self.picture.shape[:2])
            self.fields[phase] = np.array([self.row_of_colours(columns) for _ in range(rows)])
        return self.colours[self.fields[phase][top // TILE + 1, left // TILE + 1]]

    def row_of_colours(self, count: int) -> list[int]:
        row: list[int] = []
        while len(row) < count:
            row += [int(self.rng.integers(len(self.colours)))] * int(self.rng.choice((1, 2, 3), p=RUN_ODDS))
        return row[:count]

    def plan(self, order: int, left: int, top: int) -> None:
        height, width = self.picture.shape[:2]
        if -TILE < left < width and -TILE < top < height:
            self.planned.append((order, left, top, self.colour(left, top)))

    def patch(self, left: int, top: int, further: int) -> None:
        """Plans a rectangle of blocks around the one at (left, top), which is not at its centre."""
        (least, most), (low, high) = REACH_ASIDE, REACH_UP
        before, after = self.rng.integers(least, most + 1, size=2)
        above, below = self.rng.integers(low, high + 1, size=2)
        for down in range(-int(above), int(below) + 1):
            for aside in range(-int(before), int(after) + 1):
                self.plan(max(abs(aside), abs(down)) + further, left + TILE * aside, top + TILE * down)

    def paint(self) -> None:
        """Paints what is planned, from the highest order down."""
        for _, left, top, colour in sorted(self.planned, key=lambda block: -block[0]):
            part = (slice(max(top, 0), max(top + TILE, 0)), slice(max(left, 0), max(left + TILE, 0)))
            self.picture[part][self.allowed[part]] = colour


def scatter(
    picture: np.ndarray,
    allowed: np.ndarray,
    ground: np.ndarray,
    objects: list[Corner],
    blocks: Blocks,
    rng: np.random.Generator,
) -> None:
    """Paints the distractors.

    ``picture``: uint8 (height, width, 3), painted on; ``allowed``: bool (height, width), where blocks may be;
    ``ground``: bool (rows, columns), the tiles on which objects stand: platforms and fire; ``objects``: where the
    objects' blocks are, which the caller paints.
    """
    painter = Painter(picture, allowed, blocks.colours, rng)
    phases = sorted({(left % TILE, top % TILE) for left, top in objects} - {(0, 0)}) or [(7, 0)]

    def phase() -> Corner:
        return (0, 0) if rng.random() < ALIGNED else phases[int(rng.integers(len(phases)))]

    rows, columns = ground.shape
    if blocks.place == "platforms":
        standing = np.zeros_like(ground)
        standing[:-1] = ground[1:] & ~ground[:-1]
        for row, column, length in runs(standing):
            aside, _ = phase()
            for i in range(-1 if aside else 0, length):
                painter.plan(1000, TILE * (column + i) + aside, TILE * row)
        spots = np.argwhere(standing | ground)
    else:
        spots = np.argwhere(np.ones((rows, columns), bool))
    for _ in range(round(blocks.patches * ground.size / 100) if len(spots) else 0):
        row, column = spots[int(rng.integers(len(spots)))]
        aside, down = phase()
        painter.patch(TILE * int(column) + aside, TILE * int(row) + (down if blocks.place == "everywhere" else 0), 100)
    for left, top in objects:
        painter.patch(left, top, 0)
    painter.paint()
