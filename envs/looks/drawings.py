"""Random drawings of inanimate things: platforms, ladders, dangers, keys, doors.

A drawing is uint8 (TILE, TILE) of inks: 0 is transparent, LINE the dark of outlines, WHITE nearly white; each of A, B,
C, D is three inks: a colour's shade, the colour (+ 1) and its light (+ 2); C is skin, D gold or steel. All sizes and
shapes in a drawing come from the generator passed to it.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from priorlab.envs.game.rules import TILE
from priorlab.envs.looks.textures import PATTERNS, X, Y

LINE, WHITE, A, B, C, D = 1, 2, 3, 6, 9, 12
INKS = 15
Drawing = np.ndarray
Draw = Callable[[np.random.Generator], Drawing]
SOLID = ("bricks", "stones", "planks", "weave", "scales", "studs", "mottle")  # patterns of platforms
LAST = TILE - 1
T = TypeVar("T")


def blank() -> Drawing:
    return np.zeros((TILE, TILE), np.uint8)


def ellipse(x: float, y: float, wide: float, high: float) -> np.ndarray:
    """bool (TILE, TILE): the ellipse around (x, y) with that half width and half height."""
    return ((X - x) / wide) ** 2 + ((Y - y) / high) ** 2 <= 1


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """bool (TILE, TILE): the rectangle, including its edges."""
    return (left <= X) & (right >= X) & (top <= Y) & (bottom >= Y)


def stroke(x: float, y: float, to_x: float, to_y: float, thick: float = 0.8) -> np.ndarray:
    """bool (TILE, TILE): the pixels closer than ``thick`` to the line between two points."""
    along_x, along_y = to_x - x, to_y - y
    part = ((X - x) * along_x + (Y - y) * along_y) / max(along_x**2 + along_y**2, 1e-6)
    part = np.clip(part, 0, 1)
    return np.hypot(X - x - part * along_x, Y - y - part * along_y) < thick


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """A uniformly random one (``Generator.choice`` takes ten times as long)."""
    return options[int(rng.integers(len(options)))]


def around(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The values of ``mask`` above, below, left and right of each pixel; false outside."""
    wide = np.zeros((TILE + 2, TILE + 2), bool)
    wide[1:-1, 1:-1] = mask
    return wide[:-2, 1:-1], wide[2:, 1:-1], wide[1:-1, :-2], wide[1:-1, 2:]


def mould(art: Drawing, mask: np.ndarray, colour: int) -> None:
    """Fills ``mask`` with a colour, lit from the top left."""
    above, below, before, after = around(mask)
    art[mask] = colour + 1
    art[mask & ~(below & after)] = colour
    art[mask & ~(above & before) & (below | after)] = colour + 2


def outline(art: Drawing) -> Drawing:
    """The drawing with a dark line around everything that is not transparent."""
    above, below, before, after = around(art > 0)
    art[(above | below | before | after) & (art == 0)] = LINE
    return art


def platform(rng: np.random.Generator) -> Drawing:
    """Masonry, wood, earth, ice: a seamless pattern under a lit edge or a cap of grass, snow, moss."""
    tones = PATTERNS[pick(rng, SOLID)](rng, X, Y)
    art = (A + np.roll(tones, int(rng.integers(TILE)), 1)).astype(np.uint8)
    art[LAST] = LINE
    depth = int(rng.integers(1, 5))
    if rng.random() < 0.5:  # a cap with a wavy lower edge
        edge = depth + np.rint(1.2 * np.sin(2 * np.pi * (X * int(rng.integers(1, 5)) / TILE + rng.random())))
        art[edge + 1 == Y] = LINE
        art[edge >= Y] = B + 1
        art[edge == Y] = B
    elif rng.random() < 0.5:  # a beam, or plates held by rivets
        art[depth >= Y] = A + 1
        art[depth + 1 == Y] = LINE
        art[(depth // 2 + 1 == Y) & (int(rng.integers(5)) == X % 5)] = D + 2
    art[0] = np.where(art[0] >= B, B + 2, A + 2)
    return art


def ladder(rng: np.random.Generator) -> Drawing:
    """Rungs between rails or ropes, chains, a vine, a trellis, a pole with pegs; it continues upward and downward."""
    art = blank()
    kind = pick(rng, (rungs, rungs, rungs, chains, vine, trellis, pegs))
    upright, across = kind(rng)
    colour = B if kind is vine else pick(rng, (A, B))
    art[across] = colour + 1
    art[across & ~around(across)[0]] = colour + 2
    art[upright] = A + 1
    _, _, before, after = around(upright)
    art[upright & ~after] = A
    art[upright & ~before] = A + 2
    shadow = np.roll(art > 0, 1, 0) | around(art > 0)[2]  # below and beside, continued from tile to tile
    art[shadow & (art == 0)] = LINE
    return art


Climbed = tuple[np.ndarray, np.ndarray]  # bool (TILE, TILE) each: the upright parts, the cross parts


def rungs(rng: np.random.Generator) -> Climbed:
    rail, step, thick = int(rng.integers(1, 4)), pick(rng, (3, 5)), int(rng.integers(1, 3))
    sway = np.rint(pick(rng, (0, 0, 0.5, 1)) * np.sin(2 * np.pi * (Y / TILE + rng.random())))
    sag = np.rint(pick(rng, (0, 0, 1, 1.6)) * (1 - ((X - 7) / 7) ** 2))
    left, right = rail + sway, LAST - rail - thick + 1 + sway
    rails = ((left <= X) & (left + thick > X)) | ((right <= X) & (right + thick > X))
    return rails, ((Y - sag) % step == int(rng.integers(step))) & (left < X) & (right + thick > X)


def chains(rng: np.random.Generator) -> Climbed:
    rail, joint = int(rng.integers(1, 4)), int(rng.integers(5)) == Y % 5
    aside = 6 - rail - np.abs(X - 7)  # from the middle of the nearer chain
    links = (np.abs(aside) == 1) & ~joint
    return links | ((aside == 0) & joint), joint & (aside >= 0)


def vine(rng: np.random.Generator) -> Climbed:
    stem = 7 + np.rint(rng.uniform(1.5, 3.5) * np.sin(2 * np.pi * (Y / TILE + rng.random())))
    leaf = ((np.abs(X - stem) - 3) / rng.uniform(2.3, 3.3)) ** 2 + ((Y % 5 - 2) / 1.7) ** 2 <= 1
    return np.abs(X - stem - 0.5) < 1, leaf & (np.sign(X - stem) == np.where(Y // 5 % 2 == 0, 1, -1))


def trellis(rng: np.random.Generator) -> Climbed:
    rail, step = int(rng.integers(1, 4)), pick(rng, (3, 5))
    aside = 7 - rail - np.abs(X - 7)
    return (aside == 0) | (aside == int(rng.integers(2))), ((X + Y) % step == 0) & (aside > 0) | (
        ((X - Y) % step == 0) & (aside > 0)
    )


def pegs(rng: np.random.Generator) -> Climbed:
    thick, reach, at = int(rng.integers(1, 3)), int(rng.integers(4, 7)), int(rng.integers(5))
    knobs = (np.abs(X - 7) == reach) & (at == (Y + 1) % 5) & bool(rng.integers(2))
    return np.abs(X - 7) < thick, (at == Y % 5) & (np.abs(X - 7) <= reach) | knobs


def fire(rng: np.random.Generator) -> Drawing:
    """Tongues of flame side by side, one large flame, or a ball of fire; hotter inside."""
    art = blank()
    if rng.random() < 0.25:
        angle = np.arctan2(Y - 7, X - 7)
        ray = np.abs(np.sin(angle * int(rng.integers(2, 6)) + rng.uniform(0, 6)))
        size = np.hypot(X - 7, Y - 7) / (rng.uniform(3.2, 4.4) + rng.uniform(2.5, 3.6) * ray ** rng.uniform(0.7, 2.5))
        heat = 1 - size
    else:
        count = int(rng.integers(1, 5))
        middle = (np.arange(count) + 0.5) * TILE / count + rng.uniform(-1, 1, count) - 0.5
        high, wide = rng.uniform(8, 15, count), np.full(count, rng.uniform(0.75, 1.1) * TILE / (count + 0.8))
        high[int(rng.integers(count))] = 14.5
        middle, high, wide = middle[:, None, None], high[:, None, None], wide[:, None, None]
        up = 14.5 - Y
        sway = rng.uniform(-2, 2, (count, 1, 1)) * np.sin(up / rng.uniform(3, 6)) * up / TILE
        aside = np.abs(X - middle - sway) / (wide * (1 if count > 1 else np.clip(0.5 + up / 8, 0, 1)))
        heat = (1 - up / high - aside ** rng.uniform(0.9, 1.5)).max(axis=0)
    for least, ink in ((0, A), (rng.uniform(0.08, 0.2), A + 1), (0.3, B + 1), (rng.uniform(0.42, 0.6), B + 2)):
        art[heat > least] = ink
    art[heat > 0.68] = WHITE
    return art


def spikes(rng: np.random.Generator) -> Drawing:
    """Sharp things: teeth, saws, thorns, blades."""
    return outline(pick(rng, (teeth, teeth, saw, thorns, blades))(rng))


def teeth(rng: np.random.Generator) -> Drawing:
    art, count, base = blank(), int(rng.integers(2, 6)), int(rng.integers(0, 4))
    # (count, 1, 1) each, to be crossed with (TILE, TILE)
    high = rng.uniform(8, 14 - base, count)[:, None, None]
    middle = ((np.arange(count) + 0.5) * TILE / count - 0.5)[:, None, None]
    up = LAST - base - Y
    aside = X - middle - rng.uniform(-2, 2) * rng.integers(2) * up / 12
    inside = (np.abs(aside) * count * 2 / TILE + up / high < 1.02) & (up >= 0)
    art[inside.any(axis=0)] = A
    art[(inside & (aside < 0.3)).any(axis=0)] = A + 1
    art[(inside & (aside < -0.2 * TILE / count)).any(axis=0)] = A + 2
    if base:
        mould(art, box(0, LAST - base + 1, LAST, LAST), B)
    return art


def saw(rng: np.random.Generator) -> Drawing:
    art, size, deep = blank(), rng.uniform(3.6, 5.2), rng.uniform(1.8, 3)
    turn = (np.arctan2(Y - 7, X - 7) / (2 * np.pi) * int(rng.integers(5, 13)) + rng.random()) % 1
    bite = turn if rng.random() < 0.5 else 1 - np.abs(2 * turn - 1)
    mould(art, np.hypot(X - 7, Y - 7) < np.minimum(size + deep * bite, 6.9), A)
    mould(art, ellipse(7, 7, size - 1.6, size - 1.6), pick(rng, (A, B)))
    art[ellipse(7, 7, 1.2, 1.2)] = LINE
    return art


def thorns(rng: np.random.Generator) -> Drawing:
    art, bend, turns, phase = blank(), rng.uniform(0.3, 1.8), int(rng.integers(1, 3)), rng.uniform(0, 6)
    stem = 9.5 + bend * np.sin(2 * np.pi * turns * np.arange(TILE) / TILE + phase)  # its height in each column
    for i, x in enumerate(range(1, TILE, int(rng.integers(3, 5)))):
        part = (Y - stem[x]) * (-1 if i % 3 else 1) / rng.uniform(5, 7.5)  # 0 at the stem, 1 at the tip
        aside = X - x - rng.uniform(-2, 2) * part
        thorn = (np.abs(aside) < 2 * (1 - part)) & (part >= 0)
        art[thorn] = A + 1
        art[thorn & (aside < 0.3)] = A + 2
    mould(art, np.abs(Y - stem) < 1.3, B)
    return art


def blades(rng: np.random.Generator) -> Drawing:
    art, count = blank(), int(rng.integers(1, 4))
    for i in range(count):
        x, tip, half = (i + 0.5) * TILE / count - 0.5, rng.uniform(0, 3), rng.uniform(1.2, 2.4)
        blade = (np.abs(X - x) < np.minimum(half, 0.6 * (Y - tip))) & (Y < 11)
        art[blade] = A + 1
        art[blade & (x > X)] = A + 2
        art[blade & (np.abs(X - x) < 0.6) & (tip + 3 < Y)] = A
        art[box(x - half - 0.8, 10, x + half + 0.8, 10)] = D + 1
        art[box(x - 0.5, 11, x + 0.5, LAST)] = B + 1
    return art


def key(rng: np.random.Generator) -> Drawing:
    """A ring, a shaft and teeth, lying or upright."""
    art, size = blank(), rng.uniform(2.6, 3.7)
    x, end = 1 + size, int(rng.integers(12, 14))
    kind = pick(rng, ("round", "square", "diamond", "clover"))
    far = {
        "round": np.hypot(X - x, Y - 7),
        "square": np.maximum(np.abs(X - x), np.abs(Y - 7)) + 0.4,
        "diamond": 0.8 * (np.abs(X - x) + np.abs(Y - 7)),
        "clover": np.min(
            [np.hypot(X - x - i, Y - 7 - j) + 1.4 for i, j in ((-1.3, 0), (0.8, -1.6), (0.8, 1.6))], axis=0
        ),
    }[kind]
    shape = (far < size) & (far >= size - rng.uniform(1.3, 1.9))
    half = pick(rng, (0.5, 1.0))
    shape |= box(x + size - 1, 7, end, 7 + half)
    for at in range(end, int(x + size) + 1, -int(rng.integers(2, 4))):
        shape |= box(at, 7, at, 7 + int(rng.integers(2, 5)))
    mould(art, shape, A)
    art = outline(art)
    art = art[:, ::-1] if rng.random() < 0.5 else art
    art = art[::-1] if rng.random() < 0.5 else art
    return np.ascontiguousarray(art.T if rng.random() < 0.5 else art)


def door(rng: np.random.Generator) -> Drawing:
    """A framed door, arched or straight, with a knob and hinges, bars or a window."""
    art = blank()
    half, top, frame = rng.integers(5, 8), int(rng.integers(0, 3)), int(rng.integers(1, 3))
    kind = pick(rng, ("arch", "flat", "pointed"))

    def opening(inset: int) -> np.ndarray:
        wide = half - inset + 0.3
        aside = np.abs(X - 7)
        arch = 4 - 4 * np.sqrt(np.clip(1 - (aside / (wide + 0.5)) ** 2, 0, 1))
        rise = {"arch": arch, "flat": 0, "pointed": 0.8 * aside}[kind]
        return (aside < wide) & (top + inset + rise <= Y)

    mould(art, opening(0), B)
    panel = opening(frame)
    art[panel] = A + 1
    step = int(rng.integers(2, 5))
    if rng.random() < 0.5:
        art[panel & ((X - 7) % step == 0)] = A
    else:
        art[panel & (Y % (step + 1) == 0)] = A
    above, _, before, _ = around(panel)
    art[panel & ~(above & before)] = LINE
    if rng.random() < 0.4:
        art[ellipse(7, top + frame + 4, *rng.uniform(1, 2.2, 2))] = pick(rng, (WHITE, LINE, B + 2))
    if rng.random() < 0.5:
        art[panel & (np.abs(Y - 10.5) < 4) & ((Y - int(rng.integers(3))) % 5 == 0)] = D
    side = pick(rng, (-1, 1))
    knob = 7 + side * (int(half) - frame - 2)
    art[box(knob, 9, knob + 1, 10)] = D + 1
    art[9, knob] = D + 2
    return outline(art)
