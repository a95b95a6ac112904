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
PATTERNED = 0.7  # share of textures that are not plain
TEXTURED = (FREE, PLATFORM, LADDERS)


def estranged(rng: np.random.Generator, level: Level, scene: PaintedScene, similarity: float) -> PaintedScene:
    """The scene in a strange look; what moves keeps its picture. ``similarity``: the dial, which it obeys, too."""
    cells = as_cells(scene.background)
    if rng.random() < EXCHANGED:
        return replace(scene, background=as_picture(exchanged(rng, cells)))
    cells = patchwork(rng, cells, roles_of(level), similarity)
    return replace(scene, background=as_picture(cells))


def exchanged(rng: np.random.Generator, cells: np.ndarray) -> np.ndarray:
    """Each distinct cell gets the picture of another."""
    flat = np.ascontiguousarray(cells).reshape(len(cells) ** 2, -1)
    whole = flat.view(np.dtype((np.void, flat.shape[1])))[:, 0]  # far quicker to sort than rows of numbers
    distinct, which = np.unique(whole, return_inverse=True)
    pictures = distinct.view(np.uint8).reshape(-1, *cells.shape[2:])
    return pictures[rng.permutation(len(pictures))][which].reshape(cells.shape)


def patchwork(rng: np.random.Generator, cells: np.ndarray, roles: np.ndarray, similarity: float) -> np.ndarray:
    """Some regions of platforms, ladders and free space get textures. As often as the dial says, a region shares one
    with others, also across roles; otherwise each of its cells has its own."""
    side, seeds = len(cells), int(rng.integers(LEAST_SEEDS, MOST_SEEDS + 1))
    rows, columns = np.indices((side, side))
    at = rng.random((seeds, 2, 1, 1)) * side
    stretch = STRETCH ** (2 * rng.random((seeds, 1, 1)) - 1)
    regions = (((rows - at[:, 0]) * stretch) ** 2 + ((columns - at[:, 1]) / stretch) ** 2).argmin(0)
    parts = regions * len(TEXTURED) + np.searchsorted(np.sort(TEXTURED), roles) % len(TEXTURED)
    most = parts.max() + 1
    count = int(rng.integers(2, most + 1))
    shared, alike = rng.integers(count, size=most)[parts], (rng.random(most) < similarity)[parts]
    which = np.where(alike, shared, count + np.arange(side * side).reshape(side, side))
    drawn = textures(rng, count + side * side)[which]  # (R, R, TILE, TILE, 3)
    covered = (rng.random(most) < rng.random())[parts]
    if rng.random() < 0.5:
        covered &= np.isin(roles, TEXTURED)  # objects keep their pictures
    covered &= roles != BOUNDARY
    return np.where(covered[..., None, None, None], drawn, cells)


def textures(rng: np.random.Generator, count: int) -> np.ndarray:
    """uint8 (count, TILE, TILE, 3): plain or in blocks, stripes or noise of two colours."""
    brightness = rng.random() ** 0.5  # of the whole picture
    first, second = 255 * brightness * rng.random((2, count, 1, 1, 3))
    sides = np.arange(TILE) * rng.choice(FINENESS, (2, count, 1)) // TILE  # the block of each row and column
    blocks = rng.random((count, TILE, TILE))[np.arange(count)[:, None, None], sides[0][:, :, None], sides[1][:, None]]
    mix = (blocks * (rng.random((count, 1, 1)) < PATTERNED))[..., None]
    return np.rint(first * (1 - mix) + second * mix).astype(np.uint8)
