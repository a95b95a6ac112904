"""What the things of the second edition show: pictures of all families, with those that mean nothing, and treats.

The families of the first edition come first; ``texture``, ``block`` and ``plain`` (``envs/looks/plain.py``) mean
nothing; ``treat`` (``envs/looks/treats.py``) is shown only where the dials ask for it.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from priorlab.envs.game.rules import TILE
from priorlab.envs.looks import exemplars, sizes
from priorlab.envs.looks.dials import Dials
from priorlab.envs.looks.exemplars import COLOURS, DRAWINGS, ROLES, colour_ranges, coloured, draw_pool, unpack
from priorlab.envs.looks.plain import block, plain, texture
from priorlab.envs.looks.treats import treat

ANY = ((0.0, 1.0), (0.0, 1.0), (0.0, 0.95), (0.3, 1.0))  # hues, saturation, value
FLAT = ((0.0, 1.0), (0.0, 1.0), (0.0, 0.95), (0.5, 1.0))  # brighter than any background
BRIGHT = ((0.0, 1.0), (0.0, 1.0), (0.35, 0.95), (0.6, 1.0))
FURTHER = {"texture": (texture, ANY), "block": (block, FLAT), "plain": (plain, FLAT), "treat": (treat, BRIGHT)}
FAMILIES = (*ROLES, *FURTHER)
TEXTURE, BLOCK, PLAIN, TREAT = (FAMILIES.index(name) for name in FURTHER)
HARMLESS = ("inlay", "scenery")
ALL_ROLES = (*ROLES, *HARMLESS)
DANGERS = ("fire", "spikes", "monster")
STRUCTURE, THREATS, GOOD, NEUTRAL = (
    np.isin(ALL_ROLES, names) for names in (("platform", "ladder"), DANGERS, ("goal", "key", "door"), HARMLESS)
)
SIZED = THREATS | GOOD | NEUTRAL
# Shares of larger pictures: goals and doors of their own family, and scenery drawn as a block; all others. These blocks
# came among the first by equal indices; they stay there, since the players that ship learned from such pictures.
LARGE_OWN, LARGE_OTHER = 0.35, 0.05
LARGE = np.isin(ALL_ROLES, ("goal", "door", "scenery"))  # monsters and keys move or vanish, in one cell
OPPOSITE = np.array([FAMILIES.index(name) for name in DANGERS])  # the families that mislead about what is good
RANGES = colour_ranges([*COLOURS.values(), *(colours for _, colours in FURTHER.values())])
MEANINGLESS = 0.3  # share of blocks and plain tiles among the pictures of objects that are not of their family
TEXTURED = 0.5  # share of textures among the pictures of platforms and ladders that are not of their family
PLAINNESS = 0.15  # share of platforms in one colour among those of their family


@lru_cache
def pool(split: str) -> np.ndarray:
    """uint8 (families, DRAWINGS, TILE, TILE): inks. The splits share none, except that of ``plain``."""
    first = exemplars.drawings(split)
    training = pool("training") if split == "held_out" else np.zeros((0, 0, TILE, TILE), np.uint8)
    drawn = {name: draw for name, (draw, _) in FURTHER.items() if name != "plain"}
    further = dict(zip(drawn, draw_pool(drawn, split, training)))
    further["plain"] = np.repeat(plain(np.random.default_rng(0))[None], DRAWINGS, axis=0)
    return np.concatenate([first, np.stack([further[name] for name in FURTHER])])


class Style(NamedTuple):
    """What the pictures of one look have in common."""

    flat: bool  # objects that are not of their family are plain tiles
    textured: bool  # platforms, ladders and free space all show textures


class Pictures(NamedTuple):
    """n pictures: ``cells`` uint32 (n, TILE, TILE), packed, as they are in a cell; ``whole`` the same, filling it;
    ``large`` bool (n,), whether it is larger than a cell where it stands freely; ``sizes`` float (n, sizes.CHANCES)."""

    cells: np.ndarray
    whole: np.ndarray
    large: np.ndarray
    sizes: np.ndarray

    def take(self, which: np.ndarray | slice | list[int]) -> "Pictures":
        return Pictures(*(part[which] for part in self))

    def picture(self, i: int) -> np.ndarray:
        """uint8 (h, w, 4): picture i, as it stands freely."""
        return sizes.enlarged(unpack(self.whole[i]), self.sizes[i]) if self.large[i] else unpack(self.cells[i])


def exemplars_of(
    roles: np.ndarray, dials: Dials, style: Style, split: str, rng: np.random.Generator, shown: np.ndarray
) -> Pictures:
    """The exemplars numbered ``shown``, int (m,), of n that have ``roles``, int (n,), indices into ALL_ROLES.

    The random numbers are drawn for all n, and do not depend on the dials.
    """
    chances = rng.random((len(roles), exemplars.CHANCES + sizes.CHANCES))
    families, roles = families_of(roles, dials, style, rng)[shown], roles[shown]
    drawn, sized = chances[shown, : exemplars.CHANCES], chances[shown, exemplars.CHANCES :]
    whole = coloured(pool(split), RANGES, families, drawn)
    cells = whole.copy()
    cells[SIZED[roles]] = sizes.within_cells(whole[SIZED[roles]], sized[SIZED[roles]])
    share = np.where(families == roles, LARGE_OWN, LARGE_OTHER)
    return Pictures(cells, whole, LARGE[roles] & (sized[:, 5] < share), sized)


def harmless_share(dials: Dials) -> float:
    """The probability that a place for a harmless thing has one: the less pictures mean, the more such things, and as
    many treats as the dials ask for."""
    return max(min(1 - dials.semantics, 1.0), dials.treats)


def families_of(roles: np.ndarray, dials: Dials, style: Style, rng: np.random.Generator) -> np.ndarray:
    """int (n,): the family that each exemplar shows, an index into FAMILIES."""
    count = len(roles)
    keep, meaningless, plainness, promised, half = rng.random((5, count))
    any_family, danger = rng.integers(len(ROLES), size=count), OPPOSITE[rng.integers(len(OPPOSITE), size=count)]
    structure, neutral = STRUCTURE[roles], NEUTRAL[roles]
    empty = np.where(style.flat | (half < 0.5), PLAIN, BLOCK)
    other = np.where(meaningless < MEANINGLESS, empty, any_family)
    other = np.where(style.flat & ~structure, PLAIN, other)
    other = np.where(structure & (meaningless < TEXTURED), TEXTURE, other)
    if dials.semantics >= 0:
        families = np.where((keep < dials.semantics) & ~neutral, roles, other)
    else:  # dangers look like treats, what is good looks dangerous, harmless things like either
        opposite = np.where(THREATS[roles] | (neutral & (half < 0.5)), TREAT, danger)
        misled = (keep < -dials.semantics) & (THREATS | GOOD | NEUTRAL)[roles]
        expected = (keep < -dials.semantics) & ~misled
        families = np.where(misled, opposite, np.where(expected, roles, other))
    if dials.treats:
        families = np.where(neutral & (promised * harmless_share(dials) < dials.treats), TREAT, families)
        families = np.where(GOOD[roles] & (promised < dials.treats / 2), TREAT, families)
    families = np.where((families == ROLES.index("platform")) & (plainness < PLAINNESS), PLAIN, families)
    if style.textured:
        families = np.where(structure, np.where(plainness < PLAINNESS, PLAIN, TEXTURE), families)
    return families
