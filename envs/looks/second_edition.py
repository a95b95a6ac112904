"""Random looks, second edition, of PriorLab/Random-v1, whose dials also hide their priors from wider views.

- Objects and distractors vary in size alike; some are larger than a cell.
- Floors have harmless inlays, and harmless scenery stands on them, the more the lower semantics.
- Distractors are where objects could be, whether there are any or not, with the pictures of the level's objects; they
  also cover floors, and in some looks ladders.
- Textures and flat shapes of every kind (``envs/looks/plain.py``), also behind objects.

Each choice has a separate random stream, which does not depend on the dials: a dial changes only what it names, and a
small change affects only the things whose random number it passes; but where a harmless thing comes or goes, all
inlays, or all scenery, may get other pictures.
"""

from collections.abc import Sequence

import numpy as np

from priorlab.envs.game.grids import groups, runs
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import TILE
from priorlab.envs.looks import harmless
from priorlab.envs.looks.casting import IN_FLOORS, Casting
from priorlab.envs.looks.decoys import decoys
from priorlab.envs.looks.dials import Dials
from priorlab.envs.looks.exemplars import rgb_of, unpack
from priorlab.envs.looks.families import ALL_ROLES, HARMLESS, Pictures, Style, harmless_share
from priorlab.envs.looks.paint import PaintedScene
from priorlab.envs.looks.painting import FRAME, OBJECTS, Painting, Thing, blit, corner, goal_corner, marked, sprite
from priorlab.envs.looks.textures import PATTERNS, X, Y

FLAT, TEXTURED, PLAIN_BEHIND = 0.3, 0.5, 0.5  # shares of looks, the second at affordance 0
COVERING, EVERYWHERE = 0.5, 0.1  # shares of looks with more distractors in floors; with patches of them that cover all
INLAYS, COVERS, MORE_COVERS = 0.15, 0.15, 0.35  # attempts per tile of floor
PATTERNED, FAINTNESS = 0.5, 0.3  # share of backgrounds; greatest contrast of a pattern
LIGHT = 0.25  # share of backgrounds that are not dim

Parts = Sequence[np.ndarray] | np.ndarray  # the tiles of each thing, int (n, 2)


class SecondEdition(Painting):
    """One scene being painted."""

    STREAMS = (
        "style", "ground", "things", "pieces", "textures", "backs", "inlay", "inlay pictures", "scenery",
        "scenery pictures", "covers", "clutter", "clutter pictures", "order",
    )  # fmt: skip
    OF_EDITION = (2,)

    def __init__(self, level: Level, dials: Dials, look_seed: int, split: str) -> None:
        super().__init__(level, dials, look_seed, split)
        flat, textured, behind, covering, everywhere = self.stream("style").random(5)
        self.casting = Casting(
            dials, Style(flat < FLAT, textured < TEXTURED * (1 - dials.affordance)), split, self.stream
        )
        self.plain_behind = behind < PLAIN_BEHIND
        self.covering, self.everywhere = covering < COVERING, everywhere < EVERYWHERE
        self.ground = ground(self.stream("ground"))
        self.marks = self.marked_kinds()
        self.placed = self.places()
        self.harmless = self.harmless_places()
        self.backs = np.broadcast_to(self.ground, self.cells.shape)  # what is behind things let into floors
        self.upright: list[tuple[np.ndarray, np.ndarray]] = []  # the tile of each large thing, and its picture

    def scene(self) -> PaintedScene:
        roles = np.array([role for role, _ in self.placed])
        tiles = [part for _, part in self.placed]
        pictures, shared = self.object_pictures()
        self.cells[:] = self.ground
        self.cells[self.kinds == "|"] = FRAME
        if self.dials.affordance < 1:
            self.fill_free_space()
        for names, show in ((("platform", "ladder"), self.show), (IN_FLOORS, self.sink)):
            chosen = np.flatnonzero(np.isin(roles, names))
            show([tiles[i] for i in chosen], pictures.take(chosen))
        if len(self.harmless["inlay"]):
            self.sink(self.harmless["inlay"], self.harmless_pictures("inlay"))
        if self.dials.objects < 1:
            self.strew(shared)
        if len(self.harmless["scenery"]):
            self.stand(self.harmless["scenery"], self.harmless_pictures("scenery"))
        if self.plain_behind:
            self.cells[np.isin(self.kinds, list("SmkGD"))] = self.ground
        background = self.canvas()
        self.erect(background, pictures.picture(int(np.flatnonzero(roles == self.goal)[0])))
        movers = [*np.flatnonzero(roles == "monster"), *np.flatnonzero(roles == "key")]
        player = marked(unpack(pictures.cells[np.flatnonzero(roles == "player")[0]]))
        return PaintedScene(background, tuple(sprite(unpack(pictures.cells[i])) for i in movers), sprite(player))

    def things(self) -> list[Thing]:
        """The things of the level, then the harmless ones, and the picture of each."""
        pictures, _ = self.object_pictures()
        found = [Thing(role, tiles, pictures.picture(i)) for i, (role, tiles) in enumerate(self.placed)]
        for role, parts in self.harmless.items():
            pictures = self.harmless_pictures(role)
            found += [Thing(role, tiles, pictures.picture(i)) for i, tiles in enumerate(parts)]
        return found

    def object_pictures(self) -> tuple[Pictures, Pictures]:
        """The picture of each of ``self.placed``, and the one that each of ALL_ROLES shares."""
        return self.casting.objects(np.array([ALL_ROLES.index(role) for role, _ in self.placed]))

    def harmless_pictures(self, role: str) -> Pictures:
        return self.casting.harmless(role, self.harmless[role].reshape(-1, 2))

    def places(self) -> list[tuple[str, np.ndarray]]:
        """The role and the tiles of each thing of the level."""
        placed = [("platform", np.array([(r, c + i) for i in range(n)])) for r, c, n in runs(self.kinds == "#")]
        placed += [("ladder", block) for block in groups(self.kinds == "H")]
        for character, role in OBJECTS.items():
            placed += [(role, place[None]) for place in np.argwhere(self.kinds == character)]
        unplaced = {self.goal, "player"} - {role for role, _ in placed}  # placed only by the settings
        return placed + [(role, np.zeros((0, 2), int)) for role in sorted(unplaced)]

    def marked_kinds(self) -> np.ndarray:
        """The kinds, with G and S also on all tiles that the goal and the player's start overlap."""
        kinds = self.kinds.copy()
        for character, (left, top) in (("G", goal_corner(self.level)), ("S", corner(*self.level.start))):
            rows, columns = (slice(max(at // TILE, 0), max(-(-at // TILE) + 1, 0)) for at in (top, left))
            kinds[rows, columns] = np.where(np.isin(kinds[rows, columns], list(" ~")), character, kinds[rows, columns])
        return kinds

    def harmless_places(self) -> dict[str, np.ndarray]:
        """The tiles, int (n, 1, 2), of the inlays and of the scenery that these dials show, row by row."""
        share = harmless_share(self.dials)
        if not share:
            return {role: np.zeros((0, 1, 2), int) for role in HARMLESS}
        free = np.isin(self.marks, list(" ~"))
        inlays = harmless.inlays(self.kinds, free, rng := self.stream("inlay"), INLAYS)
        for part in inlays:  # nothing stands on dangers either
            free[part[:, 0] - 1, part[:, 1]] = False
        inlays = [part for part in inlays if rng.random() < share]
        scenery = harmless.scenery(self.marks, free, rng := self.stream("scenery"))
        scenery = scenery[rng.random(len(scenery)) < share]
        sunk = np.concatenate([np.zeros((0, 2), int), *inlays])
        return {role: in_order(tiles)[:, None] for role, tiles in zip(HARMLESS, (sunk, scenery))}

    def fill_free_space(self) -> None:
        """Gives parts of free space textures of platforms and ladders."""
        rng = self.stream("pieces")
        cut, climbed, whole = decoys(np.isin(self.kinds, list(" ~SmkGD")), self.kinds == "#", self.kinds == "H", rng)
        if not cut:
            return
        filled = rng.random(len(cut)) >= self.dials.affordance
        pictures = self.casting.textures(climbed, whole)
        self.show([piece for piece, fill in zip(cut, filled) if fill], pictures.take(filled))
        if not self.plain_behind:
            rng = self.stream("backs")
            chosen = pictures.cells[rng.integers(len(cut), size=self.kinds.shape)]
            empty = rng.random(self.kinds.shape) < self.dials.affordance
            self.backs = np.where((chosen == 0) | empty[..., None, None], self.ground, chosen)

    def strew(self, shared: Pictures) -> None:
        """Places distractors wherever objects can be: on floors, in floors and, in patches, anywhere."""
        free, rng = np.isin(self.kinds, list(" ~")) & (self.marks != "S"), self.stream("covers")
        sunk, empty = np.zeros(self.kinds.shape, bool), ~np.isin(self.kinds, ("|", "H", *harmless.SOLID))
        for part in harmless.inlays(self.kinds, empty, rng, MORE_COVERS if self.covering else COVERS):
            sunk[tuple(part.T)] = True
        meant = harmless.standing_places(self.kinds, free) | sunk
        meant |= harmless.patches(self.kinds.shape, rng) & (free | self.everywhere & np.isin(self.kinds, ("#", "H")))
        tiles = np.argwhere(meant)
        present = [role for role, _ in self.placed]
        pictures = self.casting.distractors(tiles, ~free[meant], present, shared)
        barred = np.zeros((self.kinds.shape[0] + 1, self.kinds.shape[1]), bool)
        for row, column in self.harmless["scenery"][:, 0]:  # stands there itself, and on floor
            barred[row : row + 2, column] = True
        shown = (rng.random(self.kinds.shape) >= self.dials.objects)[meant] & ~barred[:-1][meant]
        for place, here in ((self.sink, ~free[meant]), (self.stand, free[meant])):
            place(tiles[shown & here][:, None], pictures.take(shown & here))

    def show(self, parts: Parts, pictures: Pictures) -> None:
        """Draws each picture on all tiles of its part, over what is there."""
        self.paste(parts, pictures.cells)

    def sink(self, parts: Parts, pictures: Pictures) -> None:
        """Lets things into floors."""
        if len(parts):
            at = tuple(np.concatenate(parts).T)
            self.cells[at] = self.backs[at]
            self.paste(parts, pictures.cells)

    def stand(self, parts: Parts, pictures: Pictures) -> None:
        """Draws things of one tile in free space; the large ones later, by ``erect``."""
        if len(parts):
            at = tuple(np.concatenate(parts).T)
            if self.plain_behind:
                self.cells[at] = self.ground
            self.paste(np.asarray(parts)[~pictures.large], pictures.cells[~pictures.large])
            self.upright += [(parts[i][0], pictures.picture(i)) for i in np.flatnonzero(pictures.large).tolist()]

    def erect(self, background: np.ndarray, goal: np.ndarray) -> None:
        """Draws the goal and all large things, the latter in random order; they stand on the floor of their tile."""
        left, top = goal_corner(self.level)
        large = [(TILE * int(c), TILE * int(r), picture) for (r, c), picture in self.upright]
        if goal.shape == (TILE, TILE, 4):
            if self.dials.objects < 1 and (left % TILE or top % TILE):  # the place of an object is its own
                blit(background, unpack(self.ground), left, top)
            blit(background, goal, left, top)
        else:
            large.append((left, top, goal))
        for i in self.stream("order").permutation(len(large)):
            left, top, picture = large[i]
            height, width = picture.shape[:2]
            blit(background, picture, left - (width - TILE) // 2, top + TILE - height)


def in_order(tiles: np.ndarray) -> np.ndarray:
    """The tiles, int (n, 2), row by row."""
    return tiles[np.lexsort(tiles.T[::-1])]


def ground(rng: np.random.Generator) -> np.ndarray:
    """uint32 (TILE, TILE), packed: a background in one colour, mostly dim, plain or with a faint pattern."""
    hue, saturation, value, depth, patterned, light = rng.random(6)
    names = tuple(PATTERNS)
    tones = PATTERNS[names[int(rng.integers(len(names)))]](rng, X, Y)
    high = 0.2 + 0.25 * value if light < LIGHT else 0.05 + 0.12 * value
    plain = rgb_of(np.array([hue, 0.1 + 0.5 * saturation, high]))
    contrast = FAINTNESS * depth * (patterned < PATTERNED)
    rgb = 255 * plain * (1 + contrast * (tones[..., None] - 1))
    return np.dstack([np.rint(rgb), np.full((TILE, TILE), 255)]).astype(np.uint8).view(np.uint32)[..., 0]
