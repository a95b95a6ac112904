"""Pictures to learn roles from: random levels in random looks, as a player meets them, and what is revealed of them.

A sample is a moment of a game: monsters anywhere on their patrols, some of them crushed; the key taken or not; the
player anywhere it can stand or jump, or absent; the picture as it is or mirrored, as no rule prefers a side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from priorlab.agents.priors.cells import same_pixels
from priorlab.agents.priors.reveals import reveal
from priorlab.agents.priors.roles import FREE, MONSTER, roles_of
from priorlab.agents.priors.strange import estranged
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import GRID, LADDER, MONSTER_Y, STAND, TILE, WALL, patrolled, pixel, touched
from priorlab.envs.looks.dials import DIALS, Dials, read_dials
from priorlab.envs.looks.paint import PaintedScene, Sprite
from priorlab.envs.looks.paint_dials import paint_dials
from priorlab.envs.random_games.bank import Bank

SIZES = ("small", "large")  # of banks
ENDS = 0.25  # chance of each end of a dial; else anywhere between
CRUSHED, TAKEN, ABSENT, IN_THE_AIR = 0.15, 0.25, 0.3, 0.4  # chances: of a monster, the key, the player, a jump
HIGHEST = 90  # half pixels of a jump
TRIES = 8  # to find a place in the air


class Sample(NamedTuple):
    """``picture`` uint8 (TILE R, TILE R, 3); ``roles`` uint8 (R, R), the truth of the moment; ``ruled_out`` bool
    (R, R, roles)."""

    picture: np.ndarray
    roles: np.ndarray
    ruled_out: np.ndarray


@dataclass(frozen=True)
class World:
    """Where samples come from: a split's levels and drawings, in looks whose dials are drawn, or fixed at a value.

    ``sizes``: of the banks, each as often; ``fixed``: pairs of the name of a dial, or of another setting of ``Dials``,
    and its value; ``strange``: the share of strange looks.
    """

    split: str = "training"
    sizes: tuple[str, ...] = SIZES
    fixed: tuple[tuple[str, float], ...] = (("edition", 2),)
    strange: float = 0.0

    def dials(self, rng: np.random.Generator) -> Dials:
        """Drawn for one picture: each dial 0, 1 or anywhere between."""
        drawn = {name: float(np.clip(rng.random() / (1 - 2 * ENDS) - ENDS / (1 - 2 * ENDS), 0, 1)) for name in DIALS}
        return read_dials(drawn | dict(self.fixed))


@cache
def levels_by_side(split: str, size: str) -> dict[int, tuple[Level, ...]]:
    """The levels of the split's bank of that size, by their side in tiles."""
    bank = Bank.read(split, size)
    by_side: dict[int, list[Level]] = {}
    for level in bank.levels(len(bank)):
        by_side.setdefault(level.side // TILE, []).append(level)
    return {side: tuple(levels) for side, levels in sorted(by_side.items())}


def draw_batch(rng: np.random.Generator, world: World, count: int) -> list[Sample]:
    """Samples of one side, which is drawn as often as the levels of a bank have it."""
    by_side = levels_by_side(world.split, world.sizes[int(rng.integers(len(world.sizes)))])
    numbers = np.array([len(levels) for levels in by_side.values()], float)
    levels = by_side[int(rng.choice(list(by_side), p=numbers / numbers.sum()))]
    return [draw_sample(rng, levels[int(rng.integers(len(levels)))], world) for _ in range(count)]


def draw_sample(rng: np.random.Generator, level: Level, world: World) -> Sample:
    dials = world.dials(rng)
    scene = paint_dials(level, dials, int(rng.integers(1 << 31)), world.split)
    if rng.random() < world.strange:
        scene = estranged(rng, level, scene, dials.similarity)
    moment = random_moment(rng, level)
    picture, roles = picture_of(level, scene, moment), roles_at(level, moment)
    if rng.random() < 0.5:
        picture, roles = picture[:, ::-1], roles[:, ::-1]
    picture, roles = np.ascontiguousarray(picture), np.ascontiguousarray(roles)
    return Sample(picture, roles, reveal(rng, roles, same_pixels(picture)))


class Moment(NamedTuple):
    """When a picture was taken: the patrols' ``clock``; whether each monster is ``alive``, bool (n,), and the key still
    ``there``; the player's centre in half pixels, None where it is absent."""

    clock: int
    alive: np.ndarray
    there: bool
    player: tuple[int, int] | None


def random_moment(rng: np.random.Generator, level: Level) -> Moment:
    clock = int(rng.integers(level.period if level.patrols else 1))
    alive = rng.random(len(level.tiles_of("m"))) >= CRUSHED
    there, present = rng.random() >= TAKEN, rng.random() >= ABSENT
    return Moment(clock, alive, there, player_place(rng, level) if present else None)


def picture_of(level: Level, scene: PaintedScene, moment: Moment) -> np.ndarray:
    """uint8 (side, side, 3): the native picture of the game at that moment."""
    picture, period = scene.background.copy(), level.period if level.patrols else 1
    for i in np.flatnonzero(moment.alive):
        x, y = patrolled(level.monsters, i, moment.clock, period), int(level.monsters[i, MONSTER_Y])
        put(picture, scene.monsters[i], pixel(x) - GRID, pixel(y) - GRID)
    if level.key and moment.there:
        row, column = level.key
        put(picture, scene.monsters[-1], TILE * column, TILE * row)
    if moment.player:
        x, y = moment.player
        put(picture, scene.player, pixel(x) - GRID, pixel(y) - GRID + 1)
    return picture


def roles_at(level: Level, moment: Moment) -> np.ndarray:
    """uint8 (R, R): what is where at that moment; a monster is in the cell of its centre, alone."""
    roles, period = roles_of(level), level.period if level.patrols else 1
    roles[roles == MONSTER] = FREE
    for i in np.flatnonzero(moment.alive):
        x = patrolled(level.monsters, i, moment.clock, period)
        roles[int(level.monsters[i, MONSTER_Y]) // (2 * TILE), x // (2 * TILE)] = MONSTER
    if level.key and not moment.there:
        roles[level.key] = FREE
    return roles


def player_place(rng: np.random.Generator, level: Level) -> tuple[int, int]:
    """(x, y) in half pixels: on a floor or a ladder, or in the air above, in no wall."""
    tiles = level.tiles
    solid, ladders = tiles & WALL > 0, tiles & LADDER > 0
    stands = (tiles[:-1] == 0) & (solid | ladders)[1:]
    places = np.concatenate([np.argwhere(stands), np.argwhere(ladders[:-1])])
    if not len(places):
        return int(2 * level.start[0]), int(2 * level.start[1])
    row, column = rng.choice(places).tolist()
    x, y = 2 * TILE * column + TILE, 2 * TILE * (row + 1) + TILE - STAND
    in_the_air = rng.random() < IN_THE_AIR
    for _ in range(TRIES):
        at = x + int(rng.integers(-TILE, TILE + 1)), y - int(rng.integers(HIGHEST)) * in_the_air
        if not touched(tiles, *at) & WALL:
            return at
    return x, y


def put(picture: np.ndarray, sprite: Sprite, left: int, top: int) -> None:
    """Draws the part of the sprite that is within the picture."""
    side = len(picture)
    rows, columns = slice(max(-top, 0), max(side - top, 0)), slice(max(-left, 0), max(side - left, 0))
    rgb, opaque = sprite.rgb[rows, columns], sprite.opaque[rows, columns]
    at = picture[max(top, 0) : max(top, 0) + len(rgb), max(left, 0) : max(left, 0) + rgb.shape[1]]
    at[opaque] = rgb[opaque]


def stacked(samples: Sequence[Sample]) -> Sample:
    """Samples of one size as one, with a first axis N."""
    return Sample(*(np.stack(part) for part in zip(*samples)))
