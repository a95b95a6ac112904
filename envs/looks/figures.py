"""Random drawings of living things: monsters, people who wait to be reached, and the figures that a player moves.

Inks and helpers are those of ``envs/looks/drawings.py``.
"""

import numpy as np

from priorlab.envs.looks.drawings import (
    LINE,
    WHITE,
    A,
    B,
    C,
    D,
    Drawing,
    blank,
    box,
    ellipse,
    mould,
    outline,
    pick,
    stroke,
)
from priorlab.envs.looks.textures import X, Y


def monster(rng: np.random.Generator) -> Drawing:
    """A body that is mostly a face: slime, ghost, bug, bat, imp or block, with eyes and a mouth."""
    art = blank()
    kind = pick(rng, ("slime", "ghost", "bug", "bat", "imp", "block"))
    wide, high = rng.uniform(4.4, 6.4), rng.uniform(4.2, 6)
    if kind in ("bug", "bat"):
        limb = legs(rng) if kind == "bug" else wing(rng)
        mould(art, limb | limb[:, ::-1], B)
    if kind == "imp" or rng.random() < 0.35:
        horn = stroke(9, 4.5, 9 + rng.uniform(0.5, 3), 1, rng.uniform(0.75, 1.3))
        mould(art, horn | horn[:, ::-1], D)
    body = body_of(kind, wide, high, rng) & box(1, 1, 13, 13)
    mould(art, body, A)
    plain = body & (art == A + 1)
    if rng.random() < 0.4:
        art[plain & ellipse(7, 12, wide - 1.5, rng.uniform(2, 4))] = B + 2  # a belly
    elif rng.random() < 0.4:
        art[plain & ((X + Y * int(rng.integers(0, 3))) % 4 == 0) & (Y < 6)] = B + 1  # stripes or spots
    eyes(art, rng, int(rng.integers(5, 8)))
    mouth(art, rng)
    return outline(art)


def body_of(kind: str, wide: float, high: float, rng: np.random.Generator) -> np.ndarray:
    """bool (TILE, TILE); ``wide`` and ``high`` are half the width and height."""
    if kind == "slime":
        drop = np.hypot(X - 7 - rng.uniform(-2, 2), Y - 13.5 + 1.7 * high) < 1.2
        dome = (np.abs(X - 7) / wide) ** 2 + np.clip((13.5 - Y) / (1.7 * high), 0, 9) ** 2 <= 1
        return dome | drop | box(7 - wide, 12, 7 + wide, 13)
    if kind == "ghost":
        hem = 12.5 + 1.3 * np.sin(int(rng.integers(2, 5)) * X * 2 * np.pi / 13 + rng.uniform(0, 6))
        return (ellipse(7, 7, wide, 5.8) | box(7 - wide, 7, 7 + wide, 13)) & (hem > Y)
    if kind == "bug":
        return ellipse(7, 8, min(wide, 5), high - 0.5)
    if kind == "bat":
        return ellipse(7, 8, 3.6, high - 0.8)
    if kind == "imp":
        return ellipse(7, 7.6, min(wide, 5.2), 4.8) | box(4, 11, 5, 13) | box(9, 11, 10, 13)
    return box(7 - np.floor(wide), 14 - np.floor(2 * high), 7 + np.floor(wide), 13)


def legs(rng: np.random.Generator) -> np.ndarray:
    """bool (TILE, TILE): a bug's right legs and feeler."""
    drawn = stroke(8, 4, 8 + rng.uniform(1, 3.5), 1, 0.7)
    for i in range(int(rng.integers(2, 4))):
        y = 6 + 2.6 * i
        drawn |= stroke(7, y, 7 + rng.uniform(5.6, 6.4), y + rng.uniform(0, 3), 0.7)
    return drawn


def wing(rng: np.random.Generator) -> np.ndarray:
    """bool (TILE, TILE): a bat's right wing."""
    return stroke(8, 8, 13, rng.uniform(2, 6), 1.6) | (stroke(8, 9, 13, 9, 1.2) & (X % 2 == 1)) | box(10, 6, 12, 8)


def eyes(art: Drawing, rng: np.random.Generator, y: int) -> None:
    """One, two or three eyes looking in one direction, sometimes under brows."""
    count = pick(rng, (1, 2, 2, 2, 2, 3))
    apart = int(rng.integers(2, 4)) if count == 2 else 4
    size = rng.uniform(2, 2.9) if count == 1 else rng.uniform(1.1, 1.9 if apart == 3 else 1.45)
    look_x, look_y = rng.uniform(-0.7, 0.7, 2)
    for x in {1: (7,), 2: (7 - apart, 7 + apart), 3: (3, 7, 11)}[count]:
        art[ellipse(x, y, size, size + rng.uniform(0, 0.3))] = WHITE
        art[ellipse(x + look_x, y + look_y, 0.75 + (count == 1) * 0.4, 0.75 + (count == 1) * 0.6)] = LINE
    if count == 2 and rng.random() < 0.5:
        brow = stroke(7 + apart + 1.5, y - size - 1.2, 7 + apart - 1.5, y - size + 0.6, 0.7)
        art[(brow | brow[:, ::-1]) & (art > 0)] = LINE


def mouth(art: Drawing, rng: np.random.Generator) -> None:
    """A line, a grin, fangs or a row of teeth."""
    y, half = int(rng.integers(10, 12)), int(rng.integers(1, 4))
    solid = art > 0
    kind = pick(rng, ("line", "grin", "fangs", "teeth"))
    if kind == "grin":
        art[solid & ellipse(7, y - 0.5, half + 0.3, 1.9) & (y - 1 < Y)] = LINE
    else:
        art[solid & box(7 - half, y, 7 + half, y)] = LINE
    if kind == "fangs":
        art[solid & (np.abs(X - 7) == half) & (y + 1 == Y)] = WHITE
    elif kind == "teeth":
        art[solid & box(7 - half, y, 7 + half, y + 1)] = LINE
        art[solid & box(7 - half, y, 7 + half, y) & ((X + half) % 2 == 1)] = WHITE


def goal(rng: np.random.Generator) -> Drawing:
    """A person: in a gown, a robe or trousers, crowned, hooded or bareheaded, arms down, out or waving."""
    art = blank()
    head = rng.uniform(2, 2.7)
    y = 5 + int(rng.integers(0, 2))  # the middle of the head
    hips, neck = int(rng.integers(2, 4)), int(y + head)
    hem = rng.uniform(3, 5.6)
    hair = pick(rng, ("long", "long", "short", "short", "bun", "bald"))
    if hair == "long":
        mould(art, ellipse(7, y + 0.5, head + 1.4, head + 1) | box(6 - head, y, 8 + head, y + rng.uniform(2, 5)), B)
    arms(art, rng, neck + 1)
    kind = pick(rng, ("gown", "robe", "trousers"))
    if kind == "trousers":
        legs = box(7 - hips, 11, 6, 13) | box(8, 11, 7 + hips, 13)
        mould(art, legs, B)
        mould(art, box(7 - hips, neck, 7 + hips, 11), A)
        art[13, 7 - hips : 8 + hips][art[13, 7 - hips : 8 + hips] > 0] = LINE
        if rng.random() < 0.6:
            art[box(7 - hips, 11, 7 + hips, 11)] = D + 1
    else:
        flare = 1.5 + (hem - 1.5) * np.clip((Y - neck) / (13 - neck), 0, 1) ** (1.4 if kind == "gown" else 0.4)
        dress = (np.abs(X - 7) <= flare) & box(0, neck, 14, 13)
        mould(art, dress, A)
        if rng.random() < 0.5:
            art[dress & (13 - int(rng.integers(0, 3)) == Y)] = B + 1
        if rng.random() < 0.5:
            art[dress & (neck + 2 == Y)] = D + 1
    face = ellipse(7, y, head, head)
    art[face] = C + 2
    art[face & ~ellipse(6.5, y - 0.5, head, head)] = C + 1
    if hair != "bald":
        fringe = ellipse(7, y - 0.5, head + 0.6, head + 0.4) & (y - 1 - int(rng.integers(0, 2)) >= Y)
        mould(art, fringe, B)
    if hair == "bun":
        mould(art, ellipse(7, y - head - 0.6, 1.6, 1.3), B)
    elif hair == "bald" and rng.random() < 0.8:
        mould(art, ellipse(7, y + 2, head, rng.uniform(1.6, 3)) & (y < Y), B)
    art[y, [6, 8]] = LINE
    headgear(art, rng, y, head)
    return outline(art)


def arms(art: Drawing, rng: np.random.Generator, y: int) -> None:
    """Two arms in sleeves, with hands. Half of all people wave."""
    raised = pick(rng, ((-1, 1), (-1, 1), (1, -1), (-1, -1), (1, 1), (0, 0)))
    for side, up in zip((-1, 1), raised):
        x, hand_y = 7 + side * 5.2, min(y + (-4, 1, 4)[int(up) + 1] + rng.uniform(-0.6, 0.6), 12)
        art[stroke(7 + side * 1.5, y, x, hand_y, 1)] = A
        art[ellipse(x, hand_y, 1.1, 1.1)] = C + 2


def headgear(art: Drawing, rng: np.random.Generator, y: int, head: float) -> None:
    """A crown, a pointed hat, a hood, a bow, or nothing."""
    top = int(y - head)
    kind = pick(rng, ("crown", "crown", "crown", "hat", "bow", "nothing"))
    if kind == "crown":
        art[box(5, top - 1, 9, top)] = D + 1
        art[top - 2, [5, 7, 9]] = D + 2
        art[top - 1, 7] = pick(rng, (A + 2, WHITE, B + 2))
    elif kind == "hat":
        mould(art, (np.abs(X - 7) <= 0.7 * (Y - top + 4)) & box(0, 1, 14, top), A)
        art[box(4, top, 10, top)] = A
    elif kind == "bow":
        bow = stroke(8, top, 10, top - 1.5, 1) | box(7, top, 7, top)
        mould(art, bow | bow[:, ::-1], A)


def player(rng: np.random.Generator) -> Drawing:
    """A robot, a knight, a beast or a bird: a figure, but not a person."""
    return outline(pick(rng, (robot, knight, beast, bird))(rng))


def feet(half: int) -> np.ndarray:
    return box(8 - half, 12, 6, 13) | box(8, 12, 6 + half, 13)


def robot(rng: np.random.Generator) -> Drawing:
    art, half, y, apart = blank(), int(rng.integers(3, 6)), int(rng.integers(5, 7)), int(rng.integers(1, 3))
    mould(art, feet(half), B)
    art[box(6 - half, 9, 8 + half, int(rng.integers(10, 12)))] = B + 1
    mould(art, box(8 - half, 9, 6 + half, 12), A)
    mould(art, box(7 - half, y - 2, 7 + half, 8), A)
    art[box(8 - half, y - 1, 6 + half, y + int(rng.integers(1, 3)))] = LINE
    art[y, [7 - apart, 7 + apart]] = B + 2
    aerials = list(pick(rng, ((7,), (8 - half, 6 + half), (6 + half,))))
    art[y - 3, aerials] = A
    art[y - 4, aerials] = B + 2
    art[box(7 - int(rng.integers(0, 2)), 10, 7 + int(rng.integers(0, 2)), 10)] = D + 2
    return art


def knight(rng: np.random.Generator) -> Drawing:
    art, half, y = blank(), int(rng.integers(3, 6)), int(rng.integers(5, 7))
    mould(art, feet(half), D)
    mould(art, box(8 - half, 8, 6 + half, 12), B)
    mould(art, box(10, 7, 13, 11) & ellipse(11.5, 8.6, rng.uniform(1.6, 2.4), rng.uniform(2.4, 3.6)), A)
    mould(art, ellipse(7, y, min(half, 4), 3.6) | box(4, y, 10, 7), D)
    art[box(5, y, 10, y)] = LINE
    art[box(7, y, 7, 7)] = LINE
    mould(art, stroke(7, y - 3, 7 + rng.uniform(-5, 5), 1.6, 1.2), A)
    return art


def beast(rng: np.random.Generator) -> Drawing:
    art, wide, y = blank(), rng.uniform(3.4, 4.8), int(rng.integers(5, 7))
    mould(art, feet(int(rng.integers(3, 6))), A)
    mould(art, stroke(9, 12, 13, rng.uniform(6, 11), 1), A)
    ear = stroke(9, y - 2, 9 + rng.uniform(0, 2.5), rng.uniform(0.6, 2.5), rng.uniform(0.8, 1.5))
    mould(art, ear | ear[:, ::-1], A)
    body_and_head(art, rng, wide, y)
    art[ellipse(7, y + 2, 1.6, 1)] = B + 2
    art[y + 1, 7] = LINE
    return art


def bird(rng: np.random.Generator) -> Drawing:
    art, wide, y = blank(), rng.uniform(3.4, 4.8), int(rng.integers(5, 7))
    mould(art, feet(int(rng.integers(3, 6))), B)
    flap = stroke(10, 8, 12.5, rng.uniform(6, 11), rng.uniform(1, 1.7))
    mould(art, flap | flap[:, ::-1], A)
    body_and_head(art, rng, wide, y)
    art[box(6, y + 1, 8, y + 2)] = D + 2
    return art


def body_and_head(art: Drawing, rng: np.random.Generator, wide: float, y: int) -> None:
    """A round body and head, with a light belly and two eyes at height ``y``."""
    apart = int(rng.integers(1, 3))
    mould(art, ellipse(7, 10, wide - 0.6, 3.2), A)
    art[ellipse(7, 10.6, wide - 2, rng.uniform(1.4, 2.4))] = B + 2
    mould(art, ellipse(7, y, wide, 3.4), A)
    for x in (7 - apart, 7 + apart):
        art[ellipse(x, y, 1, 1)] = WHITE
        art[y, x] = LINE
