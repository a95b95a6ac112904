"""Strange looks: pictures of random levels that no family of random looks paints, to learn when appearance is no guide.

Either the distinct cells of a picture exchange their pictures, so that only sameness holds; or a patchwork of plain and
patterned textures covers all, alike or unlike for different roles. A perception that met some keeps to evidence and
structure in looks that it never met, rather than to believe what it does not know.
"""

from dataclasses import replace

import numpy as np

from priorlab.agents.priors.cells import as_cells, as_picture
from priorlab.agents.priors.roles import BOUNDARY, FREE, LADDERS, PLATFORM, roles_of
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import TILE
from priorlab.envs.looks.paint import PaintedScene

EXCHANGED = 0.4  # share of strange looks in which pictures are exchanged; the others are patchworks
LEAST_SEEDS, MOST_SEEDS = 2, 60  # of the regions of a patchwork
STRETCH = 4.0  # at most, of regions along an axis
FINENESS = (1, 3, 5, 15)  # blocks a side of a texture
TEXTURED = (FREE, PLATFORM, LADDERS)


def estranged(rng: np.random.Generator, level: Level, scene: PaintedScene) -> PaintedScene:
    """The scene in a strange look; what moves keeps its picture."""
    cells = as_cells(scene.background)
    cells = exchanged(rng, cells) if rng.random() < EXCHANGED else patchwork(rng, cells, roles_of(level))
    return replace(scene, background=as_picture(cells))


def exchanged(rng: np.random.Generator, cells: np.ndarray) -> np.ndarray:
    """Each distinct cell gets the picture of another."""
    side = len(cells)
    distinct, which = np.unique(cells.reshape(side * side, -1), axis=0, return_inverse=True)
    return distinct[rng.permutation(len(distinct))][which].reshape(cells.shape)


def patchwork(rng: np.random.Generator, cells: np.ndarray, roles: np.ndarray) -> np.ndarray:
    """Some regions of platforms, ladders and free space get textures, which may be shared, also across roles."""
    side, seeds = len(cells), int(rng.integers(LEAST_SEEDS, MOST_SEEDS + 1))
    rows, columns = np.indices((side, side))
    at = rng.random((seeds, 2, 1, 1)) * side
    stretch = STRETCH ** (2 * rng.random((seeds, 1, 1)) - 1)
    regions = (((rows - at[:, 0]) * stretch) ** 2 + ((columns - at[:, 1]) / stretch) ** 2).argmin(0)
    parts = regions * len(TEXTURED) + np.searchsorted(np.sort(TEXTURED), roles) % len(TEXTURED)
    count = int(rng.integers(2, parts.max() + 2))
    drawn = textures(rng, count)[rng.integers(count, size=parts.max() + 1)][parts]  # (R, R, TILE, TILE, 3)
    covered = (rng.random(parts.max() + 1) < rng.random())[parts]
    if rng.random() < 0.5:
        covered &= np.isin(roles, TEXTURED)  # objects keep their pictures
    covered &= roles != BOUNDARY
    return np.where(covered[..., None, None, None], drawn, cells)


def textures(rng: np.random.Generator, count: int) -> np.ndarray:
    """uint8 (count, TILE, TILE, 3): plain or in blocks, stripes or noise of two colours."""
    made = np.zeros((count, TILE, TILE, 3), np.uint8)
    brightness = rng.random() ** 0.5  # of the whole picture
    for texture in made:
        first, second = rng.random((2, 3)) * 255 * brightness
        height, width = rng.choice(FINENESS), rng.choice(FINENESS)
        blocks = rng.random((height, width)) * (rng.random() < 0.7)
        mix = np.kron(blocks, np.ones((TILE // height, TILE // width)))[..., None]
        texture[:] = np.rint(first * (1 - mix) + second * mix)
    return made
