"""How a player finds itself in pictures: by what moves as its inputs say, whatever it looks like.

Every way in which the inputs so far can have moved it (blocked or not, standing or falling, either half pixel) gives
displacements from picture to picture. Where it is, the pixels of one cell moved along with these and nothing else did.
Pictures are upright, uint8 (S, S, 3); places are the left and top of the player's cell in them, in pixels.
"""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from priorlab.envs.game.foreseeing import foresee
from priorlab.envs.game.movement import Movement
from priorlab.envs.game.rules import (
    BOTTOM,
    FIELDS,
    GOAL_LEFT,
    JUMP,
    LEFT,
    NONE,
    NUMBERS,
    PERIOD,
    RIGHT,
    STAND,
    TILE,
    WALK,
    WALL,
    X,
    Y,
    pixel,
)

SCRIPT = (RIGHT, RIGHT, LEFT, RIGHT, LEFT, LEFT, JUMP, *(NONE,) * 18)  # what it presses until it knows
ENOUGH = 20  # pixels that moved with it
CLEARLY = 0.6  # of that, how many move with any other place, at most
NEARLY = 0.95  # of the pixels that move with the player, how many its true place shows at least
SHOWS = 0.7  # of what is known of it, how much must show; the rest may prove to be ground that shone through
MOST_PLACES = 1000
ROOM, FAR = 60, 1 << 20  # tiles a side of the world in which ways are tried; half pixels, where it never gets
NO_MONSTERS = np.zeros((0, 4), np.int32)

Place = tuple[int, int]  # left, top


class Path(NamedTuple):
    """How the player can have moved: displacements int (n + 1, 2) in pixels; the parity of its first x; whether it
    began in the air."""

    moved: np.ndarray
    parity: int
    fell: bool


class Found(NamedTuple):
    """Where the player was in the first picture, and how it moved since."""

    place: Place
    path: Path


class Way(NamedTuple):
    """A path, and what speaks for it at each place, int (S - TILE + 1, S - TILE + 1): how many pixels of the cell there
    moved along, and how many showed again, moved or not."""

    path: Path
    moved: np.ndarray
    shown: np.ndarray


class Sprite:
    """What the player looks like, as far as it is known: ``colours`` uint8 (TILE, TILE, 3) where ``known``.

    Ground that shines through, plain and the same beside the player, moves along with it to the eye. So what counts is
    what differs from the ground (``stands_out``), as soon as that is enough, and before also what ``moved``.
    """

    def __init__(self, pictures: Sequence[np.ndarray], found: Found, hidden: np.ndarray):
        """``hidden``: bool (S, S), pixels at which something else is known to move."""
        left, top = found.place
        self.colours = cell_at(pictures[0], left, top)[0].copy()
        self.agrees = np.ones((TILE, TILE), bool)
        self.moved, self.stands_out, self.known = np.zeros((3, TILE, TILE), bool)
        unsure = hidden.copy()
        unsure[max(top, 0) : top + TILE, max(left, 0) : left + TILE] = True
        for picture, before, (across, down) in zip(pictures[1:], pictures, found.path.moved[1:].tolist()):
            place = left + across, top + down
            self.learn(picture, before, pictures[0], cell_at(unsure, *place)[0], *place)

    def learn(
        self, picture: np.ndarray, before: np.ndarray, ground: np.ndarray, unsure: np.ndarray, left: int, top: int
    ) -> None:
        """Learns from a picture in which it is there, the one before, and the ground, uint8 (S, S, 3), which is unknown
        where ``unsure``, bool (TILE, TILE): what is equal and moved, or differs from the ground, is part of it."""
        cell, inside = cell_at(picture, left, top)
        equal = same_colours(cell, self.colours)
        self.agrees &= equal | ~inside
        shown = equal & inside
        self.moved = (self.moved | shown & ~same_colours(cell_at(before, left, top)[0], cell)) & self.agrees
        differs = ~(same_colours(cell_at(ground, left, top)[0], cell) | unsure)
        self.stands_out = (self.stands_out | shown & differs) & self.agrees
        enough = np.count_nonzero(self.stands_out) >= ENOUGH
        self.known = self.stands_out if enough else self.moved | self.stands_out

    def share(self, picture: np.ndarray, left: int, top: int) -> float:
        """How much of what is known of it shows there, 0 to 1; what is outside the picture counts as shown."""
        cell, inside = cell_at(picture, left, top)
        known = self.known if inside is ALL else self.known & inside
        count = int(np.count_nonzero(known))
        return 1.0 if not count else np.count_nonzero(same_colours(cell, self.colours) & known) / count

    def near(self, picture: np.ndarray, left: int, top: int, across: int, down: int) -> Place | None:
        """The place within so many pixels of (left, top) where most of it shows, the nearest of several; None if it
        does not show anywhere there."""
        side, at = picture.shape[0], np.argwhere(self.known)
        x, y = np.meshgrid(
            np.arange(max(left - across, 0), min(left + across, side - TILE) + 1),
            np.arange(max(top - down, 0), min(top + down, side - TILE) + 1),
        )
        x, y = x.ravel(), y.ravel()
        if not len(at) or not len(x):
            return None
        if len(x) > MOST_PLACES:  # a few pixels exclude most places
            few = at[:: max(1, len(at) // 12)].T
            shown = (picture[y[:, None] + few[0], x[:, None] + few[1]] == self.colours[few[0], few[1]]).all(-1)
            chosen = shown.mean(-1) >= SHOWS
            x, y = x[chosen], y[chosen]
            if not len(x):
                return None
        rows, columns = at.T
        shares = (picture[y[:, None] + rows, x[:, None] + columns] == self.colours[rows, columns]).all(-1).mean(-1)
        far = np.abs(x - left) + np.abs(y - top)
        best = np.lexsort((far, -shares))[0]
        return (int(x[best]), int(y[best])) if shares[best] >= SHOWS else None


def cell_at(picture: np.ndarray, left: int, top: int) -> tuple[np.ndarray, np.ndarray]:
    """(uint8 (TILE, TILE, 3), or as the picture is; bool (TILE, TILE)): the cell there, and which of its pixels are in
    the picture."""
    side = picture.shape[0]
    if 0 <= left <= side - TILE and 0 <= top <= side - TILE:
        return picture[top : top + TILE, left : left + TILE], ALL
    rows, columns = np.arange(top, top + TILE), np.arange(left, left + TILE)
    inside = ((rows >= 0) & (rows < side))[:, None] & ((columns >= 0) & (columns < side))
    return picture[rows.clip(0, side - 1)[:, None], columns.clip(0, side - 1)], inside


ALL = np.ones((TILE, TILE), bool)


def within(place: Place, left: int, top: int) -> tuple[slice, slice]:
    """The rows and columns of the cell at a place, counted from (left, top) on."""
    across, down = place[0] - left, place[1] - top
    return slice(max(down, 0), max(down + TILE, 0)), slice(max(across, 0), max(across + TILE, 0))


def same_colours(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """bool (...): where two pictures, uint8 (..., 3), are equal."""
    equal = one == other
    return equal[..., 0] & equal[..., 1] & equal[..., 2]


def packed_colours(picture: np.ndarray) -> np.ndarray:
    """int32 (S, S): a number for each pixel of a picture, uint8 (S, S, 3), the same for the same colours."""
    red, green, blue = np.moveaxis(picture.astype(np.int32), -1, 0)
    return red << 16 | green << 8 | blue


def paths(inputs: Sequence[int], walk: int, movement: Movement | None = None) -> list[Path]:
    """Every way in which these inputs of the game (of an upright picture) can move a player who lives, by the rules or
    by ``movement``: on a floor or in the air, with a wall at its right, its left, or neither.

    walk: half pixels per step.
    """
    ways = []
    for parity, right, left, fell in product((1, 0), (True, False), (True, False), (False, True)):
        moved = moves(inputs, walk, movement, parity, right, left, fell)
        if moved.any() and not any((moved == way.moved).all() and parity == way.parity for way in ways):
            ways.append(Path(moved, parity, fell))
    return ways


def moves(
    inputs: Sequence[int], walk: int, movement: Movement | None, parity: int, right: bool, left: bool, fell: bool
) -> np.ndarray:
    """int (n + 1, 2): displacements in pixels. ``right``, ``left``: whether it can walk there."""
    tiles, level, state = np.zeros((ROOM, ROOM), np.uint8), np.zeros(NUMBERS, np.int64), np.zeros(FIELDS, np.int32)
    middle = ROOM // 2
    tiles[middle + 1] = WALL * (not fell)
    tiles[:, middle + 1], tiles[:, middle - 1] = WALL * (not right), WALL * (not left)
    level[[WALK, PERIOD, BOTTOM, GOAL_LEFT]] = walk, 1, FAR, -FAR
    # the player's rectangle is the same at the next half pixel
    state[X], state[Y] = 2 * TILE * middle + TILE + 1 - parity, 2 * TILE * (middle + 1) + TILE - STAND
    places = [(pixel(int(state[X])), pixel(int(state[Y])))]
    for action in inputs:
        foresee(tiles, level, NO_MONSTERS, state, action, movement)
        places.append((pixel(int(state[X])), pixel(int(state[Y]))))
    return np.array(places) - places[0]


def find(
    pictures: Sequence[np.ndarray],
    inputs: Sequence[int],
    walk: int,
    hidden: np.ndarray,
    movement: Movement | None = None,
) -> Found | None:
    """Where the player is, or None while that is not clear.

    pictures: n + 1; inputs: n, of the game; hidden: bool (S, S), pixels at which something else is known to move.
    """
    packed = [packed_colours(picture) for picture in pictures]
    static = np.ones(packed[0].shape, bool)
    for picture in packed[1:]:
        static &= picture == packed[0]
    if static.all():
        return None
    ways = []
    for path in paths(inputs, walk, movement):
        shown, new = follows(packed, path.moved)
        ways.append(Way(path, counted(new & ~static & ~hidden), counted(shown & ~hidden)))
    if not ways:
        return None  # by these inputs nobody moves, so it was something else
    best = best_of(ways)
    most = int(best.moved.max())
    if most < ENOUGH:
        return None
    place = likeliest(best.moved, best.path.fell)
    for path, other, _ in ways:
        far = other.copy()
        if same_way(path, best.path):
            far[max(place[1] - TILE, 0) : place[1] + TILE, max(place[0] - TILE, 0) : place[0] + TILE] = 0
        if int(far.max()) > CLEARLY * most:
            return None
    return Found(place, best.path)


def best_of(ways: Sequence[Way]) -> Way:
    """The way that moves most pixels. Of ways that look the same within a pixel, the one by which most of the cell
    shows again: a plain picture moves as well along a way that is wrong by one pixel, but for its edges."""
    first = max(ways, key=lambda way: int(way.moved.max()))
    least = CLEARLY * first.moved.max()
    near = [way for way in ways if same_way(way.path, first.path) and way.moved.max() >= least]
    return max(near, key=lambda way: int(way.shown[way.moved == way.moved.max()].max()))


def same_way(one: Path, other: Path) -> bool:
    """Whether two ways look the same so far, within a pixel."""
    return bool((np.abs(one.moved - other.moved) <= 1).all())


def follows(pictures: Sequence[np.ndarray], moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two masks, bool (S, S): the pixels of the first picture, of ``packed_colours``, that show again in each other
    one, displaced by ``moved``; and those of them that do so at least once where something else was before. (Plain
    ground beside the player shows again, too, but where it was before.)"""
    first, side = pictures[0], pictures[0].shape[0]
    shown, new = np.ones((side, side), bool), np.zeros((side, side), bool)
    for picture, (across, down) in zip(pictures[1:], moved[1:].tolist()):
        rows, columns = slice(max(0, -down), side - max(0, down)), slice(max(0, -across), side - max(0, across))
        to = (slice(max(0, down), side + min(0, down)), slice(max(0, across), side + min(0, across)))
        equal = np.zeros((side, side), bool)
        equal[rows, columns] = first[rows, columns] == picture[to]
        shown &= equal
        new[rows, columns] |= picture[to] != first[to]
    return shown, shown & new


def counted(mask: np.ndarray) -> np.ndarray:
    """int (S - TILE + 1, S - TILE + 1): how many pixels of a mask, bool (S, S), are in the cell from each place on."""
    sums = np.pad(mask.astype(np.int32).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    return sums[TILE:, TILE:] - sums[:-TILE, TILE:] - sums[TILE:, :-TILE] + sums[:-TILE, :-TILE]


def likeliest(moved: np.ndarray, fell: bool) -> Place:
    """The place of which most pixels moved; of several, because the player's edges are transparent, where it stands on
    the middle of a cell, else the middle one. A player on the floor of a cell is drawn at most one pixel below its top.

    moved: int (S - TILE + 1, S - TILE + 1). Things that the player walks over may add a few pixels to a place beside
    it, so the middle of a cell needs only nearly as many.
    """
    most = int(moved.max())
    middle = [place for place in places_of(moved >= NEARLY * most) if place[0] % TILE == 0 and place[1] % TILE == 1]
    if middle and not fell:
        return max(middle, key=lambda place: int(moved[place[1], place[0]]))
    places = places_of(moved == most)
    standing = places if fell else [place for place in places if place[1] % TILE in (0, 1)] or places
    low = [place for place in standing if place[1] % TILE == 1] or standing
    centred = [place for place in low if place[0] % TILE == 0] or low
    return sorted(centred)[len(centred) // 2]


def places_of(mask: np.ndarray) -> list[Place]:
    tops, lefts = np.nonzero(mask)
    return list(zip(lefts.tolist(), tops.tolist()))
