"""Look + level + look seed -> a painted scene: the pictures of a level's things, at 15 pixels per tile.

Tiles are drawn on the grid, tile (row, column) from pixel (15 column, 15 row). Nothing here depends on the rules.
"""

import math
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from priorlab.envs.game.grids import groups, runs
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import TILE
from priorlab.envs.looks.blocks import Corner, scatter
from priorlab.envs.looks.look import THINGS, Look, colour
from priorlab.envs.looks.textures import Colour, Textures, pieces

OBJECTS = ("goal", "monster", "fire", "key", "door", "spikes")  # in the order of the blocks' colours


@dataclass(frozen=True)
class Sprite:
    """A small picture, drawn with its top left at R(x) - w // 2, R(y) - h // 2 for the centre (x, y)."""

    rgb: np.ndarray  # uint8 (h, w, 3)
    opaque: np.ndarray  # bool (h, w)


@dataclass(frozen=True)
class PaintedScene:
    """A level as drawn in a look: ``background``, uint8 (side, side, 3), shows everything that never moves or
    vanishes."""

    background: np.ndarray
    monsters: tuple[Sprite, ...]  # in the level's order, followed by the key if there is one
    player: Sprite


def corners(places: list[tuple[int, int]]) -> list[Corner]:
    """(row, column) of tiles -> (left, top) in pixels."""
    return [(TILE * column, TILE * row) for row, column in places]


def paint(level: Level, look: str, look_seed: int = 0) -> PaintedScene:
    """Paints the level in that look; the same arguments give the same scene, other seeds other drawings.

    Raises ValueError for an unknown look or a seed below 0.
    """
    if isinstance(look_seed, bool) or not isinstance(look_seed, (int, np.integer)) or look_seed < 0:
        raise ValueError(f"look_seed is {look_seed!r}: expected a whole number, 0 or more")
    return Easel(level, Look.read(look), int(look_seed)).scene()


class Easel:
    """One scene being painted."""

    def __init__(self, level: Level, look: Look, look_seed: int) -> None:
        self.level, self.look = level, look
        self.rng = np.random.default_rng([look_seed, crc32(look.name.encode())])
        self.textures = Textures(self.rng)
        self.picture = np.zeros((level.side, level.side, 3), np.uint8)
        self.kinds = np.array([list(row) for row in level.rows])
        self.things = {
            thing: look.things[thing][0 if look_seed == 0 else int(self.rng.integers(len(look.things[thing])))]
            for thing in THINGS
        }
        self.block_colours: dict[str, Colour] = {}
        if look.blocks:
            # seed 0 keeps the look's order of colours
            order = (
                np.arange(len(look.blocks.colours))
                if look_seed == 0
                else self.rng.permutation(len(look.blocks.colours))
            )
            self.block_colours = {thing: look.blocks.colours[order[i]] for i, thing in enumerate(OBJECTS)}

    def scene(self) -> PaintedScene:
        self.paint_tiles()
        still = {thing: self.level.tiles_of(character) for thing, character in (("fire", "*"), ("spikes", "^"))}
        drawn = [(self.figure(thing, TILE, TILE), corners(places)) for thing, places in still.items() if places]
        self.place_all(drawn)
        goal, left, top = self.goal()
        monsters = corners(self.level.tiles_of("m"))
        movers = (self.figure("monster", TILE, TILE),) * len(monsters)
        if self.level.key:
            monsters += corners([self.level.key])
            movers += (self.figure("key", TILE, TILE),)
        if self.look.blocks:
            objects = [place for _, places in drawn for place in places]
            self.distract([*objects, (left, top), *monsters], monsters)
            self.place_all(drawn)
        self.place(goal, left, top)
        return PaintedScene(self.picture, movers, self.figure("player", TILE, TILE))

    def place_all(self, sprites: list[tuple[Sprite, list[Corner]]]) -> None:
        for sprite, places in sprites:
            for left, top in places:
                self.place(sprite, left, top)

    def paint_tiles(self) -> None:
        """Ground, boundary, platforms and ladders."""
        platforms, ladders, boundary = (self.kinds == character for character in "#H|")
        self.fill(np.argwhere(boundary), self.tile("boundary"))
        platform_runs = [np.array([(r, c + i) for i in range(n)]) for r, c, n in runs(platforms)]
        parts = {"platform": platform_runs, "ladder": groups(ladders)}
        if not self.look.pieces:
            self.fill(np.argwhere(~boundary), self.tile("ground"))
            for thing, alike in parts.items():
                tile = self.tile(thing)
                for part in alike:
                    self.fill(part, tile)
            return
        free = ~(platforms | ladders | boundary)
        cut = pieces(free, platforms, ladders, self.rng)
        if self.look.own_textures:
            for thing, unlike in (*parts.items(), ("ground", cut)):
                for part in unlike:
                    self.fill(part, self.tile(thing))
            return
        platform, ladder, *shared = self.textures.draw_crossed(self.look.families[self.things["ground"]])
        for thing, tile in (("platform", platform), ("ladder", ladder)):
            for part in parts[thing]:
                self.fill(part, tile)
        self.fill_sharing(cut, shared)

    def fill_sharing(self, cut: list[np.ndarray], shared: list[np.ndarray]) -> None:
        """Gives each piece one of the textures, if possible no two touching ones the same."""
        chosen = np.full((self.level.height + 2, self.level.width + 2), -1)
        for i in self.rng.permutation(len(cut)):
            rows, columns = cut[i].T + 1
            near = np.concatenate([chosen[rows + r, columns + c] for r, c in ((-1, 0), (1, 0), (0, -1), (0, 1))])
            left = np.setdiff1d(np.arange(len(shared)), near)
            pick = int(self.rng.choice(left if len(left) else np.arange(len(shared))))
            chosen[rows, columns] = pick
            self.fill(cut[i], shared[pick])

    def distract(self, objects: list[Corner], monsters: list[Corner]) -> None:
        """Paints the distractors; under a monster the ground shows once it is gone."""
        blocks = self.look.blocks
        assert blocks is not None
        height, width = TILE * self.level.height, TILE * self.level.width
        picture = self.picture[:height, :width]
        kept = "|H" if blocks.place == "platforms" else "|"
        allowed = np.kron(~np.isin(self.kinds, list(kept)), np.ones((TILE, TILE), bool))
        before = picture.copy()
        scatter(picture, allowed, np.isin(self.kinds, ["#", "*", "^"]), objects, blocks, self.rng)
        for left, top in monsters:
            part = (slice(top, top + TILE), slice(left, left + TILE))
            picture[part] = before[part]

    def goal(self) -> tuple[Sprite, int, int]:
        """(picture, left, top): in the size of the goal, or a block at its foot."""
        width, height = self.level.goal_size
        thing = "door" if self.level.key else "goal"
        x, y = math.floor(self.level.goal[0] + 0.5), math.ceil(self.level.goal[1] - 0.5)
        left, top = x - width // 2 - 1, y - height // 2  # one pixel left, as tiles are drawn; its feet on the floor
        if self.things[thing] == "block":
            return self.figure(thing, TILE, TILE), left + (width - TILE) // 2, top + height - TILE
        return self.figure(thing, width, height), left, top

    def figure(self, thing: str, width: int, height: int) -> Sprite:
        """The picture of a thing in that size."""
        value = self.things[thing]
        if value in self.look.grids:
            grid = self.look.grids[value]
            rows, columns = (np.arange(n) * of // n for n, of in zip((height, width), grid.shape))
            grid = grid[rows][:, columns]
            return Sprite(np.where(grid[..., 3:] > 0, grid[..., :3], 0).astype(np.uint8), grid[..., 3] > 0)
        tile = self.tile(thing)
        rgb = np.tile(tile, (-(-height // TILE), -(-width // TILE), 1))[:height, :width]
        return Sprite(rgb, np.ones((height, width), bool))

    def tile(self, thing: str) -> np.ndarray:
        """uint8 (15, 15, 3), or (15, 15, 4) if parts of it are transparent."""
        value = self.things[thing]
        if value in self.look.grids:
            return self.look.grids[value]
        if value in self.look.families:
            return self.textures.draw(self.look.families[value])
        plain = self.block_colours[thing] if value == "block" else colour(value, thing, self.look.name)
        return np.full((TILE, TILE, 3), plain, np.uint8)

    def fill(self, part: np.ndarray, tile: np.ndarray) -> None:
        """Draws a tile's picture on each of the tiles, int (n, 2), rows and columns."""
        for row, column in part.tolist():
            at = self.picture[TILE * row : TILE * (row + 1), TILE * column : TILE * (column + 1)]
            if tile.shape[2] == 3:
                at[:] = tile
            else:
                at[tile[..., 3] > 0] = tile[..., :3][tile[..., 3] > 0]

    def place(self, sprite: Sprite, left: int, top: int) -> None:
        """Draws the part of the sprite that is within the picture."""
        side = self.picture.shape[0]
        rows, columns = slice(max(0, -top), max(0, side - top)), slice(max(0, -left), max(0, side - left))
        rgb, opaque = sprite.rgb[rows, columns], sprite.opaque[rows, columns]
        if opaque.size:
            top, left = max(top, 0), max(left, 0)
            self.picture[top : top + opaque.shape[0], left : left + opaque.shape[1]][opaque] = rgb[opaque]
