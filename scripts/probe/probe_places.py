"""What the probe of looks measures: places of pictures, cut out and turned into numbers.

A *place* is a 15x15 part of the native picture (monsters drawn, the player not). Two questions are asked of places:

- *structure*: is it a platform or ladder tile, or free space? Free space is every free tile that no object overlaps.
- *objects*: is it an object (each monster, each fire tile, the foot of the goal, or where it is a block the block),
  or what surrounds it? What surrounds an object is each place that is one or two places beside it in its row: for a
  monster or the goal along the top of its platform, for fire along the floor that it is let into. *Strictly*, it is
  each of its eight neighbours. Places that overlap an object, a ladder or the boundary, or leave the level, are
  neither: no mask claims to cover these.
"""

import math
from typing import NamedTuple

import numpy as np

from priorlab.envs.game.grids import groups, runs
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import TILE
from priorlab.envs.looks.paint import PaintedScene

BESIDE = tuple((15 * i, 0) for i in (-2, -1, 1, 2))
AROUND = tuple((15 * i, 15 * j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j)

# Levels that no other part knows, so that what is learned on some can be tried on levels never seen
CELLAR = """name = "cellar"
game = "princess"
---
|              HH|
|    m         HH|
|####### ####  HH|
|              HH|
|  HHH     m   HH|
|  HHH #####  ###|
|  HHH           |
|  HHH        m  |
|# HHH  ####**###|
|  HHH           |
|S HHH         G |
|####**##### ####|
"""
ATTIC = """name = "attic"
game = "princess"
goal = [98, 32]
---
    G m
  ######  H
          H
HH m      H  m
HH######  ####
HH        HH
HH        HH
#####**#####HH
   m        HH
S #####  HH HH
         HH HH
########*HH####
"""
TOWER = """name = "tower"
game = "princess"
goal = [169, 107]
---
|   m   HH     |
| ##### HH ####|
|       HH     |
|       HH     |
|#####**HH#### |
|HH           m|
|HH m    HHH   |
|HH####  HHH  G|
|HH      HHH###|
|HH  S   HHH   |
|HH#####*HHH# #|
|              |
|#*#####  #####|
"""
EXTRA = (CELLAR, ATTIC, TOWER)


class Places(NamedTuple):
    """Cut out of one picture, n of them; ``context`` has the eight places around each too."""

    tile: np.ndarray  # uint8 (n, 15, 15, 3)
    context: np.ndarray  # uint8 (n, 45, 45, 3)


def picture(level: Level, scene: PaintedScene) -> np.ndarray:
    """uint8 (side, side, 3): the scene with its monsters and its key."""
    shown = scene.background.copy()
    places = monster_places(level) + [(TILE * column, TILE * row) for row, column in level.tiles_of("k")]
    for (left, top), sprite in zip(places, scene.monsters):
        shown[top : top + TILE, left : left + TILE][sprite.opaque] = sprite.rgb[sprite.opaque]
    return shown


def monster_places(level: Level) -> list[tuple[int, int]]:
    """(left, top) in the native picture."""
    return [(TILE * column, TILE * row) for row, column in level.tiles_of("m")]


def goal_rectangle(level: Level) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of what is drawn, in the native picture."""
    width, height = level.goal_size
    left = math.floor(level.goal[0] + 0.5) - width // 2 - 1
    top = math.floor(level.goal[1] + 0.5) - height // 2
    return left, top, left + width, top + height


def object_places(level: Level) -> list[tuple[int, int]]:
    """(left, top) of every object's place."""
    left, _, right, bottom = goal_rectangle(level)
    goal = (left + (right - left - TILE) // 2, bottom - TILE)
    return [goal, *monster_places(level), *((TILE * c, TILE * r) for r, c in level.tiles_of("*"))]


def surroundings(level: Level, steps: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """(left, top) of every place that is such a step from an object and is of free space or platform."""
    taken = np.ones((level.side + 2 * TILE,) * 2, bool)  # behind a margin of one place
    blocked = np.array([[c in "|H*" for c in row] for row in level.rows])
    part = taken[TILE : TILE * (1 + level.height), TILE : TILE * (1 + level.width)]
    part[:] = np.kron(blocked, np.ones((TILE, TILE), bool))
    left, top, right, bottom = goal_rectangle(level)
    taken[top + TILE : bottom + TILE, left + TILE : right + TILE] = True
    for left, top in monster_places(level):
        taken[top + TILE : top + 2 * TILE, left + TILE : left + 2 * TILE] = True
    found = []
    for left, top in object_places(level):
        for aside, down in steps:
            x, y = left + aside, top + down
            inside = -TILE <= x <= level.side and -TILE <= y <= level.side
            if inside and not taken[y + TILE : y + 2 * TILE, x + TILE : x + 2 * TILE].any():
                found.append((x, y))
    return found


def structure_places(level: Level) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """(left, top) of platform and ladder tiles, and of free tiles that no object overlaps."""
    real = [(TILE * c, TILE * r) for character in "#H" for r, c in level.tiles_of(character)]
    left, top, right, bottom = goal_rectangle(level)
    free = [
        (TILE * c, TILE * r)
        for character in " SG"
        for r, c in level.tiles_of(character)
        if TILE * c >= right or TILE * c + TILE <= left or TILE * r >= bottom or TILE * r + TILE <= top
    ]
    return real, free


def cut(shown: np.ndarray, places: list[tuple[int, int]]) -> Places:
    """The places of a picture; beyond it there is black."""
    wide = np.pad(shown, ((TILE, 2 * TILE), (TILE, 2 * TILE), (0, 0)))
    context = np.array([wide[y : y + 45, x : x + 45] for x, y in places]).reshape(-1, 45, 45, 3)
    return Places(context[:, TILE : 2 * TILE, TILE : 2 * TILE], context)


def tile_features(tiles: np.ndarray) -> np.ndarray:
    """float32 (n, 96): 25 mean colours, mean and spread of colours, edges across and down, distinct shades.

    ``tiles``: uint8 (n, 15, 15, 3).
    """
    values = tiles.astype(np.float32) / 255
    coarse = values.reshape(-1, 5, 3, 5, 3, 3).mean(axis=(2, 4)).reshape(len(tiles), -1)
    gray = values.mean(axis=3)
    across, down = np.abs(np.diff(gray, axis=2)), np.abs(np.diff(gray, axis=1))
    edges = [a.mean(axis=(1, 2)) for a in (across, down)] + [(a > 0.02).mean(axis=(1, 2)) for a in (across, down)]
    rows, columns = gray.mean(axis=2).std(axis=1), gray.mean(axis=1).std(axis=1)
    flat = np.sort(np.rint(gray * 255).reshape(len(tiles), -1), axis=1)
    shades = (np.diff(flat, axis=1) > 0).sum(axis=1) / 10
    spread = values.max(axis=3) - values.min(axis=3)
    parts = [*edges, rows, columns, shades, gray.mean((1, 2)), gray.std((1, 2)), spread.mean((1, 2))]
    parts += [*values.mean(axis=(1, 2)).T, *values.std(axis=(1, 2)).T, *flat[:, [11, 112, 213]].T / 255]
    parts += [spread.max(axis=(1, 2)), spread.std(axis=(1, 2))]
    return np.concatenate([coarse, np.stack(parts, axis=1)], axis=1).astype(np.float32)


def context_features(contexts: np.ndarray) -> np.ndarray:
    """float32 (n, features): of the middle all features; how alike the nine places are, pair by pair; their means."""
    nine = contexts.reshape(-1, 3, TILE, 3, TILE, 3).swapaxes(2, 3).reshape(len(contexts), 9, TILE, TILE, 3)
    values = nine.astype(np.float32) / 255
    pairs = [(i, j) for i in range(9) for j in range(i) if i == 4 or j == 4 or abs(i - j) in (1, 3)]
    unlike = np.stack([np.abs(values[:, i] - values[:, j]).mean(axis=(1, 2, 3)) for i, j in pairs], axis=1)
    alike = (unlike < 1e-6).astype(np.float32)
    means = values.mean(axis=(2, 3)).reshape(len(contexts), -1)
    spreads = values.std(axis=(2, 3)).reshape(len(contexts), -1)
    middle = tile_features(nine[:, 4])
    return np.concatenate([middle, unlike, alike, alike.sum(1, keepdims=True), means, spreads], axis=1)


def shared_textures(level: Level, scene: PaintedScene) -> int:
    """How many platforms and ladders have a tile that looks exactly like a tile of anything else on the screen."""
    kinds = np.array([list(row) for row in level.rows])
    parts = [{(r, c + i) for i in range(n)} for r, c, n in runs(kinds == "#")]
    parts += [{(int(r), int(c)) for r, c in block} for block in groups(kinds == "H")]
    tiles: dict[bytes, set[tuple[int, int]]] = {}
    for r in range(level.height):
        for c in range(level.width):
            tile = scene.background[TILE * r : TILE * (r + 1), TILE * c : TILE * (c + 1)].tobytes()
            tiles.setdefault(tile, set()).add((r, c))
    return sum(any(same & part and same - part for same in tiles.values()) for part in parts)
