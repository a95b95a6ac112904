"""Random looks, first edition, of PriorLab/Random-v0: kept as it is, byte for byte.

Each choice has a separate random stream, which does not depend on the dials: a dial changes only what it names, and a
small change affects only the things whose random number it passes.
"""

import numpy as np

from priorlab.envs.game.grids import groups, runs
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import TILE
from priorlab.envs.looks.dials import Dials
from priorlab.envs.looks.exemplars import CHANCES, ROLES, exemplars, ground, unpack
from priorlab.envs.looks.paint import PaintedScene
from priorlab.envs.looks.painting import FRAME, OBJECTS, Painting, Thing, blit, corner, goal_corner, marked, sprite
from priorlab.envs.looks.textures import pieces

CLUTTER = ("fire", "spikes", "monster", "key", "goal", "door")  # the roles of distractors
VARIANTS = 3  # pictures shared by all distractors of a role, or all textures of free space
CUTS = 1  # of free space to choose from: more would take longer than everything else
PATCHES = 2  # of distractors, 3 x 3 tiles, away from objects, per 100 tiles


class FirstEdition(Painting):
    """One scene being painted."""

    STREAMS = ("ground", "things", "pieces", "textures", "places", "clutter")

    def __init__(self, level: Level, dials: Dials, look_seed: int, split: str) -> None:
        super().__init__(level, dials, look_seed, split)
        self.ground = ground(self.stream("ground"))
        self.open = self.open_tiles()

    def scene(self) -> PaintedScene:
        things = self.things()
        shown = {thing.role: thing for thing in things}
        self.cells[:] = self.ground
        self.cells[self.kinds == "|"] = FRAME
        if self.dials.affordance < 1:
            self.fill_free_space()
        if self.dials.objects < 1:
            self.strew([thing.role for thing in things])
        still = [thing for thing in things if thing.role in ("platform", "ladder", "fire", "spikes")]
        self.paste([thing.tiles for thing in still], [thing.picture.view(np.uint32)[..., 0] for thing in still])
        background = self.canvas()
        blit(background, shown[self.goal].picture, *goal_corner(self.level))
        movers = [sprite(thing.picture) for role in ("monster", "key") for thing in things if thing.role == role]
        return PaintedScene(background, tuple(movers), sprite(marked(shown["player"].picture)))

    def things(self) -> list[Thing]:
        """The things of the level, and the picture of each."""
        placed = [("platform", np.array([(r, c + i) for i in range(n)])) for r, c, n in runs(self.kinds == "#")]
        placed += [("ladder", block) for block in groups(self.kinds == "H")]
        for character, role in OBJECTS.items():
            placed += [(role, place[None]) for place in np.argwhere(self.kinds == character)]
        unplaced = {self.goal, "player"} - {role for role, _ in placed}  # placed only by the settings
        placed += [(role, np.zeros((0, 2), int)) for role in sorted(unplaced)]
        pictures = self.pictures("things", [role for role, _ in placed], 1)
        return [Thing(role, tiles, picture) for (role, tiles), picture in zip(placed, unpack(pictures))]

    def pictures(self, stream: str, roles: list[str], variants: int) -> np.ndarray:
        """uint32 (n, TILE, TILE), packed: the picture of each of n things with these roles.

        With the probability of the similarity dial it is one of the ``variants`` shared by its role. An exemplar is of
        its role's family with the probability of the semantics dial, otherwise of any.
        """
        rng, each = self.stream(stream), np.array([ROLES.index(role) for role in roles], int)
        asked = np.concatenate([np.repeat(np.arange(len(ROLES)), variants), each])  # the shared ones, then the others
        count = len(asked) - len(each)
        keeps = rng.random(len(asked)) < self.dials.semantics
        families = np.where(keeps, asked, rng.integers(len(ROLES), size=len(asked)))
        chances = rng.random((len(asked), CHANCES))
        alike = rng.random(len(each)) < self.dials.similarity
        shared = each * variants + rng.integers(variants, size=len(each))
        shown, which = np.unique(np.where(alike, shared, count + np.arange(len(each))), return_inverse=True)
        return exemplars(families[shown], self.split, chances[shown])[which]

    def fill_free_space(self) -> None:
        """Gives pieces of free space textures of platforms and ladders, on as many tiles as there are in the level."""
        platforms, ladders = self.kinds == "#", self.kinds == "H"
        rng = self.stream("pieces")
        cut = pieces(~(platforms | ladders | (self.kinds == "|")), platforms, ladders, rng, CUTS)
        sizes, upright = np.array([(len(piece), piece[0, 0] < piece[-1, 0]) for piece in cut], int).reshape(-1, 2).T
        order = np.lexsort((rng.random(len(cut)), -upright))
        share = ladders.sum() / max(1, ladders.sum() + platforms.sum())
        climbed = np.zeros(len(cut), bool)
        climbed[order] = np.cumsum(sizes[order]) - sizes[order] / 2 < share * sizes.sum()
        roles = ["ladder" if climbs else "platform" for climbs in climbed]
        filled = rng.random(len(cut)) >= self.dials.affordance
        pictures = self.pictures("textures", roles, VARIANTS)
        self.paste([piece for piece, fill in zip(cut, filled) if fill], pictures[filled])
        self.cells[np.isin(self.kinds, list(" ~SmkGD*^")) & ~self.open] = self.ground  # objects have a plain background

    def strew(self, roles: list[str]) -> None:
        """Places distractors along platforms, around objects and, to hide where these are, in patches elsewhere."""
        rng, (height, width) = self.stream("places"), self.kinds.shape
        solid = np.isin(self.kinds, list("#*^"))
        objects = np.isin(self.kinds, list("*^mkGD"))
        middles = np.argwhere(objects | (rng.random((height, width)) < PATCHES / 100))
        meant = np.zeros((height, width), bool)
        meant[:-1] = solid[1:]
        for row, column in middles.tolist():
            meant[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = True
        kept = rng.random((height, width)) >= self.dials.objects
        tiles = np.argwhere(meant & self.open)
        kinds = [role for role in roles if role in CLUTTER]
        pictures = self.pictures("clutter", [kinds[i] for i in rng.integers(len(kinds), size=len(tiles))], VARIANTS)
        shown = kept[tuple(tiles.T)]
        self.cells[kept & meant & self.open] = self.ground
        self.paste(tiles[shown][:, None], pictures[shown])

    def open_tiles(self) -> np.ndarray:
        """bool (rows, columns): the free tiles that overlap neither an object nor the player's start."""
        free = np.isin(self.kinds, list(" ~"))
        for left, top in (goal_corner(self.level), corner(*self.level.start)):
            rows, columns = (slice(max(at // TILE, 0), max(-(-at // TILE) + 1, 0)) for at in (top, left))
            free[rows, columns] = False
        return free
