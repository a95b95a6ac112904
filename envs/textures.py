"""Families of textures, and the cutting of free space into pieces that imitate platforms and ladders.

A texture is a 15x15 picture that continues itself on every side: a pattern in three tones of colours of its family.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

TILE = 15  # pixels
Colour = tuple[int, int, int]
Pattern = Callable[[np.random.Generator, np.ndarray, np.ndarray], np.ndarray]
DARK, PLAIN, LIGHT = 0, 1, 2  # the tones of a pattern
RUN_LENGTHS = (3, 4, 5, 6, 7, 8)  # of imitated platforms where the level has none to imitate
LADDER_SIZES = ((2, 5), (2, 6))  # (width, height) of imitated ladders where the level has none
LADDER_SHARE = (0.25, 0.6)  # least and most of free space that imitates ladders


class Family(NamedTuple):
    """Textures that belong together; ``depth`` is how dark the dark tone is, 1 being black."""

    patterns: tuple[str, ...]
    colours: tuple[Colour, ...]
    depth: float


def bricks(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    length = int(rng.choice([5, 15]))
    course = y // 5
    along = (x + course * int(rng.integers(2, length - 1))) % length
    tones = np.where((y % 5 == 4) | (along == length - 1), DARK, PLAIN)
    return np.where((y % 5 == 0) & (tones == PLAIN), LIGHT, tones)


def stones(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Cells around random points, on a torus."""
    points = rng.integers(0, TILE, (int(rng.integers(4, 7)), 2))
    across = np.abs(x[..., None] - points[:, 0])
    down = np.abs(y[..., None] - points[:, 1])
    far = np.sort(np.hypot(np.minimum(across, TILE - across), np.minimum(down, TILE - down)), axis=-1)
    return np.where(far[..., 1] - far[..., 0] < 1.2, DARK, np.where(far[..., 0] < 1.6, LIGHT, PLAIN))


def planks(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    tones = np.where(y % 5 == 4, DARK, PLAIN)
    nail = (y % 5 == 2) & (x % 15 == int(rng.integers(15)))
    grain = (y % 5 == 1) & ((x + 6 * (y // 5) + int(rng.integers(15))) % 15 < 6)
    return np.where(nail, DARK, np.where(grain, LIGHT, tones))


def rungs(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    step = int(rng.choice([5, 15], p=[0.8, 0.2]))
    rail, thick = int(rng.integers(1, 3)), int(rng.integers(1, 3))
    sides = (x - rail) % TILE < 2
    sides |= (TILE - 1 - x - rail) % TILE < 2
    rung = (y % step >= 2) & (y % step < 2 + thick + (step == 15) * 2)
    return np.where(sides, PLAIN, np.where(rung, LIGHT, DARK))


def chain(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    step = int(rng.choice([3, 5]))
    middle = step // 2
    ring = np.maximum(np.abs(x % step - middle), np.abs((y + (x // step) * middle) % step - middle))
    return np.where(ring == middle, PLAIN, np.where(ring == 0, LIGHT, DARK))


def lattice(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    width = int(rng.integers(2, 4))
    one, other = (x + y) % TILE < width, (x - y) % TILE < width
    return np.where(one & other, LIGHT, np.where(one | other, PLAIN, DARK))


def slants(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    step = int(rng.choice([5, 15]))
    at = (x + y * int(rng.integers(1, 3))) % step
    return np.where(at < step // 3, DARK, np.where(at < step // 3 + 1 + step // 8, LIGHT, PLAIN))


def weave(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    step = 5
    upright = (x // step + y // step + int(rng.integers(2))) % 2 == 0
    at = np.where(upright, x, y) % step
    return np.where(at == step - 1, DARK, np.where(at == int(rng.integers(1, 3)), LIGHT, PLAIN))


def scales(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    course = y // 5
    across = (x + course * int(rng.choice([5, 7]))) % TILE - 7
    arc = np.hypot(across, 1.4 * (y % 5)) / 7.5
    return np.where(np.abs(arc - 0.85) < 0.13, DARK, np.where(arc < 0.45, LIGHT, PLAIN))


def studs(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    step = int(rng.choice([5, 15]))
    far = np.hypot(x % step - step // 2, y % step - step // 2) / (step / 5)
    return np.where(far < 0.8, LIGHT, np.where(far < 1.9, PLAIN, DARK))


def waves(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    bend = np.rint(rng.uniform(1, 2.5) * np.sin(2 * np.pi * x / TILE)).astype(int)
    at = (y + bend) % 5
    return np.where(at == 0, DARK, np.where(at == int(rng.integers(1, 4)), LIGHT, PLAIN))


def mottle(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    noise = rng.standard_normal((TILE, TILE))
    for axis in (0, 1):
        noise = noise + np.roll(noise, 1, axis) + np.roll(noise, -1, axis)
    low, high = np.quantile(noise, [0.3, 0.75])
    return np.where(noise < low, DARK, np.where(noise > high, LIGHT, PLAIN))


PATTERNS: dict[str, Pattern] = {
    pattern.__name__: pattern
    for pattern in (bricks, stones, planks, rungs, chain, lattice, slants, weave, scales, studs, waves, mottle)
}
Y, X = np.mgrid[:TILE, :TILE]


class Textures:
    """Draws textures of families, never one twice."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.drawn: set[bytes] = set()
        self.kinds: set[tuple[str, int, int]] = set()

    def draw(self, family: Family) -> np.ndarray:
        """uint8 (TILE, TILE, 3), unlike every texture drawn before: another pattern or other colours while any are
        left, another drawing always."""
        rng = self.rng
        for attempt in range(10_000):
            pattern = family.patterns[int(rng.integers(len(family.patterns)))]
            plain, shade = (int(i) for i in rng.integers(len(family.colours), size=2))
            if (pattern, plain, shade) in self.kinds and attempt < 50:
                continue
            tones = PATTERNS[pattern](rng, X, Y)
            if rng.random() < 0.5:
                tones = tones.T
            tones = np.roll(tones, tuple(rng.integers(TILE, size=2)), (0, 1))
            texture = three_tones(family.colours[plain], family.colours[shade], family.depth)[tones]
            if texture.tobytes() not in self.drawn:
                self.kinds.add((pattern, plain, shade))
                self.drawn.add(texture.tobytes())
                return texture
        raise ValueError(f"a family of {len(family.patterns)} patterns and {len(family.colours)} colours is too small")


def three_tones(plain: Colour, shade: Colour, depth: float) -> np.ndarray:
    """uint8 (3, 3): the colours of DARK, PLAIN and LIGHT."""
    base, below = np.array(plain, float), np.array(shade, float)
    light = base + (255 - base) * 0.45 * depth
    return np.rint([below * (1 - depth), base, light]).astype(np.uint8)


def runs(mask: np.ndarray) -> list[tuple[int, int, int]]:
    """(row, first column, length) of every maximal horizontal run of true tiles, row by row."""
    edges = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    begins, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    return [(int(r), int(c), int(end - c)) for (r, c), (_, end) in zip(begins, ends)]


def groups(mask: np.ndarray) -> list[np.ndarray]:
    """int (n, 2) rows and columns of every connected block of true tiles, in the order of their first tiles."""
    left = {(int(r), int(c)): None for r, c in np.argwhere(mask)}
    found = []
    while left:
        block = [next(iter(left))]
        del left[block[0]]
        for r, c in block:
            for beside in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
                if beside in left:
                    del left[beside]
                    block.append(beside)
        found.append(np.array(sorted(block)))
    return found


def pieces(free: np.ndarray, platforms: np.ndarray, ladders: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Cuts free space into upright blocks like the ladders and horizontal runs like the platforms.

    ``free``, ``platforms``, ``ladders``: bool (rows, columns). Returns int (n, 2) rows and columns of each piece; together
    they are the free tiles. As much of it imitates ladders as ladders are of platforms and ladders, within LADDER_SHARE.
    """
    open_tiles = free.copy()
    lengths = [length for _, _, length in runs(platforms)] or list(RUN_LENGTHS)
    sizes = [tuple(np.ptp(block, axis=0)[::-1] + 1) for block in groups(ladders)] or list(LADDER_SIZES)
    share = np.clip(ladders.sum() / max(1, ladders.sum() + platforms.sum()), *LADDER_SHARE)
    wanted, cut = share * free.sum(), []
    for r, c in rng.permutation(np.argwhere(free)):
        if wanted <= 0:
            break
        width, height = sizes[int(rng.integers(len(sizes)))]
        height = max(2, height + int(rng.integers(-1, 2)))
        if fits(open_tiles, int(r), int(c), int(width), int(height)):
            open_tiles[r : r + height, c : c + width] = False
            cut.append(np.argwhere(np.ones((height, width), bool)) + (r, c))
            wanted -= height * width
    for r, c, length in runs(open_tiles):
        for begin, end in split(length, lengths, rng):
            cut.append(np.array([(r, c + i) for i in range(begin, end)]))
    return cut


def fits(open_tiles: np.ndarray, row: int, column: int, width: int, height: int) -> bool:
    """Whether a block may stand there: on open tiles, leaving beside it no tile alone in its row."""
    rows, columns = open_tiles.shape
    if row + height > rows or column + width > columns:
        return False
    if not open_tiles[row : row + height, column : column + width].all():
        return False
    padded = np.pad(open_tiles[row : row + height], ((0, 0), (2, 2)))
    alone_left = padded[:, column + 1] & ~padded[:, column]
    alone_right = padded[:, column + width + 2] & ~padded[:, column + width + 3]
    return not (alone_left | alone_right).any()


def split(length: int, lengths: list[int], rng: np.random.Generator) -> list[tuple[int, int]]:
    """(begin, end) of parts as long as ``lengths`` go; no part but a whole is shorter than the shortest of them."""
    parts, begin, shortest, longest = [], 0, min(lengths), max(lengths)
    while begin < length:
        left = length - begin
        part = min(left, lengths[int(rng.integers(len(lengths)))])
        if 0 < left - part < shortest:
            part = left if left <= longest else left // 2
        parts.append((begin, begin + part))
        begin += part
    return parts
