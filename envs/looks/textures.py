"""Families of textures, and the cutting of free space into pieces that imitate platforms and ladders.

A texture is a seamless 15x15 picture: a pattern in three tones of its family's colours.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from priorlab.envs.game.grids import groups, runs
from priorlab.envs.game.rules import TILE

Colour = tuple[int, int, int]
Pattern = Callable[[np.random.Generator, np.ndarray, np.ndarray], np.ndarray]
DARK, PLAIN, LIGHT = 0, 1, 2  # the tones of a pattern
RUN_LENGTHS = (3, 4, 5, 6, 7, 8)  # of imitated platforms, if the level has none
LADDER_SIZES = ((2, 5), (2, 6))  # (width, height) of imitated ladders, if the level has none
LADDER_SHARE = (0.25, 0.6)  # least and most of free space that imitates ladders
LEAST_GAP, MOST_GAP = 3, 6  # tiles that may be left open next to an imitated ladder, if any
CUT_TILES = 4000  # tiles cut, in total, over all random cuts to choose from
MOST_CUTS = 20


class Family(NamedTuple):
    """Textures that belong together; ``depth`` is the darkness of the dark tone, 1 for black."""

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
    step, middle = 5, 2
    ring = np.maximum(np.abs(x % step - middle), np.abs((y + (x // step) * int(rng.integers(1, 5))) % step - middle))
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
    """Draws textures of families, never the same twice."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.drawn: set[bytes] = set()
        self.kinds: set[tuple[str, Colour, Colour]] = set()  # pattern, main colour, colour of the dark tone

    def draw(self, family: Family) -> np.ndarray:
        """uint8 (TILE, TILE, 3), different from every texture before: in pattern or colours while any are left, and
        always in drawing."""
        for attempt in range(10_000):
            pattern = family.patterns[int(self.rng.integers(len(family.patterns)))]
            plain, shade = (family.colours[i] for i in self.rng.integers(len(family.colours), size=2))
            if (pattern, plain, shade) in self.kinds and attempt < 50:
                continue
            texture = three_tones(plain, shade, family.depth)[self.tones(pattern)]
            if texture.tobytes() not in self.drawn:
                self.kinds.add((pattern, plain, shade))
                self.drawn.add(texture.tobytes())
                return texture
        raise ValueError(f"a family of {len(family.patterns)} patterns and {len(family.colours)} colours is too small")

    def draw_crossed(self, family: Family) -> list[np.ndarray]:
        """Nine textures, three drawings in three colours each, in random order, except that the first two, for
        platforms and ladders, share neither. So in one picture neither drawing nor colour identifies a thing."""
        rng = self.rng
        drawings = [self.tones(family.patterns[i]) for i in rng.choice(len(family.patterns), 3, replace=False)]
        colours = [family.colours[i] for i in rng.choice(len(family.colours), 3, replace=False)]
        shades = [colours[i] for i in rng.permutation(3)]
        crossed = [(i, j) for i in range(3) for j in range(3)]
        crossed = [(0, 0), (1, 1), *(crossed[k] for k in rng.permutation(9) if crossed[k] not in ((0, 0), (1, 1)))]
        return [three_tones(colours[j], shades[j], family.depth)[drawings[i]] for i, j in crossed]

    def tones(self, pattern: str) -> np.ndarray:
        """int (TILE, TILE): a drawing of the pattern, rotated and shifted at random."""
        tones = PATTERNS[pattern](self.rng, X, Y)
        if self.rng.random() < 0.5:
            tones = tones.T
        return np.roll(tones, tuple(self.rng.integers(TILE, size=2)), (0, 1))


def three_tones(plain: Colour, shade: Colour, depth: float) -> np.ndarray:
    """uint8 (3, 3): the colours of DARK, PLAIN and LIGHT."""
    base, below = np.array(plain, float), np.array(shade, float)
    light = base + (255 - base) * 0.45 * depth
    return np.rint([below * (1 - depth), base, light]).astype(np.uint8)


def pieces(
    free: np.ndarray, platforms: np.ndarray, ladders: np.ndarray, rng: np.random.Generator, most_cuts: int = MOST_CUTS
) -> list[np.ndarray]:
    """Cuts free space into upright blocks like the ladders and horizontal runs like the platforms.

    ``free``, ``platforms``, ``ladders``: bool (rows, columns). Returns int (n, 2), the rows and columns of each piece;
    together they are the free tiles. Of at most ``most_cuts`` random cuts, it takes the one whose tiles adjoin their
    neighbours most as those of platforms and ladders do.
    """
    lengths = sorted(length for _, _, length in runs(platforms)) or list(RUN_LENGTHS)
    blocks = groups(ladders)
    sizes = [(int(w), int(h)) for h, w in (np.ptp(block, axis=0) + 1 for block in blocks)] or list(LADDER_SIZES)
    share = float(np.clip(ladders.sum() / max(1, ladders.sum() + platforms.sum()), *LADDER_SHARE))
    count = min(max(CUT_TILES // free.size, 2), most_cuts)
    cuts = [cut(free, lengths, sizes, share, rng) for _ in range(count)]
    best = cuts[0]
    if count > 1:
        real = np.full(free.shape, -1)
        for i, (r, c, length) in enumerate(runs(platforms)):
            real[r, c : c + length] = i
        for i, block in enumerate(blocks):
            real[block[:, 0], block[:, 1]] = free.size + i
        wanted = meetings(real)
        best = min(cuts, key=lambda labels: float(np.abs(meetings(labels) - wanted).sum()))
    order = np.argsort(best, axis=None, kind="stable")
    places = np.stack(np.unravel_index(order, free.shape), axis=1)
    parts = np.split(places, np.flatnonzero(np.diff(best.ravel()[order])) + 1)
    return [part for part in parts if len(part) and best[tuple(part[0])] >= 0]


def meetings(labels: np.ndarray) -> np.ndarray:
    """float (16,): the share of things' tiles for each set of the four neighbours that belong to the same thing.

    ``labels``: int (rows, columns), a thing's number for each of its tiles, -1 elsewhere.
    """
    wide = np.pad(labels, 1, constant_values=-1)
    code = np.zeros(labels.shape, int)
    for bit, other in enumerate((wide[1:-1, :-2], wide[1:-1, 2:], wide[:-2, 1:-1], wide[2:, 1:-1])):
        code |= (other == labels) << bit
    counts = np.bincount(code[labels >= 0], minlength=16)
    return counts / max(1, counts.sum())


def cut(
    free: np.ndarray, lengths: list[int], sizes: list[tuple[int, int]], share: float, rng: np.random.Generator
) -> np.ndarray:
    """int (rows, columns): one random cut of free space, a piece's number for each free tile, -1 elsewhere.

    ``share`` of it, where there is room, becomes blocks of ``sizes`` (width, height), the rest runs of ``lengths``.
    """
    labels = np.full(free.shape, -1)
    packed = np.packbits(free, axis=1, bitorder="little")
    # bit c + MOST_GAP of a row's number: column c is open
    rows = [int.from_bytes(bits.tobytes(), "little") << MOST_GAP for bits in packed]
    wanted, count = share * int(free.sum()), 0
    gap = int(rng.integers(LEAST_GAP, MOST_GAP + 1))
    spots = rng.permutation(np.argwhere(free))
    for shrink in range(4):  # first as high as the ladders, then lower
        shapes = [(width, max(min(3, height), height - shrink)) for width, height in sizes]
        room = {shape: open_spots(free, *shape) for shape in set(shapes)}
        picks = rng.integers(len(sizes), size=len(spots))
        possible = np.array([room[shape] for shape in shapes])[picks, *spots.T]
        for (r, c), pick in zip(spots[possible].tolist(), picks[possible].tolist()):
            if wanted <= 0:
                break
            width, height = shapes[pick]
            if fits(rows, r, c, width, height, gap):
                labels[r : r + height, c : c + width] = count
                for row in range(r, r + height):
                    rows[row] ^= ((1 << width) - 1) << (c + MOST_GAP)
                count, wanted = count + 1, wanted - height * width
    for r, c, length in runs(free & (labels < 0)):
        while length > 0:
            part = part_of(length, lengths, rng.random())
            labels[r, c : c + part] = count
            c, length, count = c + part, length - part, count + 1
    return labels


def open_spots(free: np.ndarray, width: int, height: int) -> np.ndarray:
    """bool (rows, columns): where a block with its top left tile there covers only free tiles."""
    total = np.zeros((free.shape[0] + 1, free.shape[1] + 1), int)
    total[1:, 1:] = free.cumsum(axis=0).cumsum(axis=1)
    upper, lower = total[:-height], total[height:]
    tiles = lower[:, width:] - lower[:, :-width] - upper[:, width:] + upper[:, :-width]
    open_corners = np.zeros_like(free)
    open_corners[: tiles.shape[0], : tiles.shape[1]] = tiles == width * height
    return open_corners


def fits(rows: list[int], row: int, column: int, width: int, height: int, gap: int) -> bool:
    """Whether a block fits there: on open tiles, with no open tiles next to it in each row, or at least ``gap``.

    ``rows``: bit c + MOST_GAP of a row's number is set if column c is open.
    """
    if row + height > len(rows):
        return False
    first, whole = column + MOST_GAP, (1 << gap) - 1
    block = ((1 << width) - 1) << first
    for bits in rows[row : row + height]:
        if bits & block != block:
            return False
        before, after = bits >> (first - gap) & whole, bits >> (first + width) & whole
        if (before >> (gap - 1) and before != whole) or (after & 1 and after != whole):
            return False
    return True


def part_of(length: int, lengths: list[int], chance: float) -> int:
    """The length of the first part of a run: one of ``lengths``, as often as its tiles, or all of it; the rest is never
    shorter than all of them.

    ``chance``: the random number, 0 to 1, that chooses.
    """
    shortest = max(2, lengths[0])
    possible = [part for part in lengths if part == length or part <= length - shortest]
    chance *= sum(possible)
    for part in possible:
        chance -= part
        if chance < 0:
            return part
    return length
