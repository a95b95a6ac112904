"""Random looks, second edition, of PriorLab/Random-v1, whose dials also hide their priors from wider views.

- Objects and distractors vary in size alike; some are larger than a cell.
- Floors have harmless inlays, and harmless scenery stands on them, the more the lower semantics.
- Distractors are where objects could be, whether there are any or not, with the pictures of the level's objects; they
  also cover floors, and in some looks ladders.
- Textures and flat shapes of every kind (``envs/looks/plain.py``), also behind objects.

Each choice has a separate random stream, which does not depend on the dials: a dial changes only what it names, and a
small change affects only the things whose random number it passes.
"""

from collections.abc import Sequence

import numpy as np

from priorlab.envs.game.grids import groups, runs
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import TILE
from priorlab.envs.looks import harmless
from priorlab.envs.looks.casting import IN_FLOORS, Casting
from priorlab.envs.looks.dials import Dials
from priorlab.envs.looks.exemplars import rgb_of, unpack
from priorlab.envs.looks.families import ALL_ROLES, HARMLESS, Pictures, Style, harmless_share
from priorlab.envs.looks.paint import PaintedScene
from priorlab.envs.looks.painting import FRAME, OBJECTS, Painting, Thing, blit, corner, goal_corner, marked, sprite
from priorlab.envs.looks.textures import PATTERNS, X, Y, pieces

CUTS = 1  # of free space to choose from: more would take longer than everything else
FLAT, TEXTURED, PLAIN_BEHIND = 0.3, 0.5, 0.5  # shares of looks, the second at affordance 0
COVERING, EVERYWHERE = 0.75, 0.3  # shares of looks whose patches of distractors cover floors; and ladders too
INLAYS, COVERS = 0.1, 0.12  # attempts per tile of floor
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
        coverable = (covering < COVERING) & (self.kinds == "#") | (everywhere < EVERYWHERE) & (self.kinds == "H")
        self.coverable: np.ndarray = coverable
        self.ground = ground(self.stream("ground"))
        self.marks = self.marked_kinds()
        self.placed = self.places()
        self.harmless = {role: self.harmless_places(role) for role in HARMLESS}
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
        self.sink(self.harmless["inlay"], self.casting.harmless("inlay", len(self.harmless["inlay"])))
        if self.dials.objects < 1:
            self.strew(shared)
        self.stand(self.harmless["scenery"], self.casting.harmless("scenery", len(self.harmless["scenery"])))
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
            pictures = self.casting.harmless(role, len(parts))
            found += [Thing(role, tiles, pictures.picture(i)) for i, tiles in enumerate(parts)]
        return found

    def object_pictures(self) -> tuple[Pictures, Pictures]:
        """The picture of each of ``self.placed``, and the one that each of ALL_ROLES shares."""
        return self.casting.objects(np.array([ALL_ROLES.index(role) for role, _ in self.placed]))

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

    def harmless_places(self, role: str) -> list[np.ndarray]:
        """The tiles, int (n, 2), of each inlay or piece of scenery that these dials show."""
        rng, free = self.stream(role), np.isin(self.marks, list(" ~"))
        if role == "inlay":
            parts = harmless.inlays(self.kinds, free, rng, INLAYS)
        else:
            parts = list(harmless.scenery(self.marks, free, rng)[:, None])
        shown = rng.random(len(parts)) < harmless_share(self.dials)
        return [part for part, is_shown in zip(parts, shown) if is_shown]

    def fill_free_space(self) -> None:
        """Gives pieces of free space textures of platforms and ladders, on as many tiles as there are in the level."""
        platforms, ladders = self.kinds == "#", self.kinds == "H"
        rng = self.stream("pieces")
        cut = pieces(np.isin(self.kinds, list(" ~SmkGD")), platforms, ladders, rng, CUTS)
        if not cut:
            return
        lengths, upright = np.array([(len(piece), piece[0, 0] < piece[-1, 0]) for piece in cut], int).T
        order = np.lexsort((rng.random(len(cut)), -upright))
        share = ladders.sum() / max(1, ladders.sum() + platforms.sum())
        climbed = np.zeros(len(cut), bool)
        climbed[order] = np.cumsum(lengths[order]) - lengths[order] / 2 < share * lengths.sum()
        filled = rng.random(len(cut)) >= self.dials.affordance
        pictures = self.casting.textures(climbed)
        self.show([piece for piece, fill in zip(cut, filled) if fill], pictures.take(filled))
        if not self.plain_behind:
            rng = self.stream("backs")
            chosen = pictures.cells[rng.integers(len(cut), size=self.kinds.shape)]
            empty = rng.random(self.kinds.shape) < self.dials.affordance
            self.backs = np.where((chosen == 0) | empty[..., None, None], self.ground, chosen)

    def strew(self, shared: Pictures) -> None:
        """Places distractors wherever objects can be: on floors, in floors and, in patches, anywhere."""
        free, rng = np.isin(self.kinds, list(" ~")) & (self.marks != "S"), self.stream("covers")
        sunk = np.zeros(self.kinds.shape, bool)
        for part in harmless.inlays(self.kinds, free, rng, COVERS):
            sunk[tuple(part.T)] = True
        meant = harmless.standing_places(self.kinds, free) | sunk
        meant |= harmless.patches(self.kinds.shape, rng) & (free | self.coverable)
        tiles = np.argwhere(meant)
        shown = rng.random(self.kinds.shape)[meant] >= self.dials.objects
        pictures = self.casting.distractors(sunk[meant], [role for role, _ in self.placed], shared)
        for part in self.harmless["scenery"]:  # stands there itself
            shown &= (tiles != part).any(axis=1)
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


def ground(rng: np.random.Generator) -> np.ndarray:
    """uint32 (TILE, TILE), packed: a background in one colour, mostly dim, plain or with a faint pattern."""
    hue, saturation, value, depth, patterned, light = rng.random(6)
    names = tuple(PATTERNS)
    tones = PATTERNS[names[int(rng.integers(len(names)))]](rng, X, Y)
    high = 0.2 + 0.4 * value if light < LIGHT else 0.05 + 0.12 * value
    plain = rgb_of(np.array([hue, 0.1 + 0.5 * saturation, high]))
    contrast = FAINTNESS * depth * (patterned < PATTERNED)
    rgb = 255 * plain * (1 + contrast * (tones[..., None] - 1))
    return np.dstack([np.rint(rgb), np.full((TILE, TILE), 255)]).astype(np.uint8).view(np.uint32)[..., 0]
