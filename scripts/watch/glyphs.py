"""Small signs, smooth at any size: drawn four times as large, then shrunk. Each differs in form, not only in colour."""

from collections.abc import Callable
from functools import lru_cache

import pygame

from priorlab.scripts.watch.inks import ALARM, INK, ME, ROLE_INKS, WHITE, Colour, font

FINE = 4  # times as large as shown
Canvas = pygame.Surface
BAR = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))  # corners of a square around 0
Painter = Callable[[Canvas, float, Colour], None]


def blank(side: int, colour: Colour) -> Canvas:
    """Nothing, in the colour of what will be drawn, so that edges stay clean when it is shrunk."""
    canvas = pygame.Surface((side, side), pygame.SRCALPHA, 32)
    canvas.fill((*colour, 0))
    return canvas


def smooth(side: int, colour: Colour, paint: Painter) -> Canvas:
    canvas = blank(FINE * side, colour)
    paint(canvas, float(FINE * side), colour)
    return pygame.transform.smoothscale(canvas, (side, side))


def points(size: float, *pairs: tuple[float, float]) -> list[tuple[float, float]]:
    return [(x * size, y * size) for x, y in pairs]


def spikes(canvas: Canvas, size: float, colour: Colour) -> None:
    for left in (0.14, 0.5):
        pygame.draw.polygon(canvas, colour, points(size, (left, 0.8), (left + 0.18, 0.2), (left + 0.36, 0.8)))


def ghost(canvas: Canvas, size: float, colour: Colour) -> None:
    pygame.draw.circle(canvas, colour, (0.5 * size, 0.46 * size), 0.31 * size)
    pygame.draw.rect(canvas, colour, (0.19 * size, 0.46 * size, 0.62 * size, 0.24 * size))
    for middle in (0.29, 0.5, 0.71):
        pygame.draw.circle(canvas, colour, (middle * size, 0.72 * size), 0.104 * size)
    for eye in (0.38, 0.62):
        pygame.draw.circle(canvas, (*colour, 0), (eye * size, 0.45 * size), 0.075 * size)


def flag(canvas: Canvas, size: float, colour: Colour) -> None:
    pygame.draw.rect(
        canvas, colour, (0.26 * size, 0.14 * size, 0.09 * size, 0.72 * size), border_radius=round(0.04 * size)
    )
    pygame.draw.polygon(canvas, colour, points(size, (0.35, 0.16), (0.82, 0.35), (0.35, 0.55)))


def key(canvas: Canvas, size: float, colour: Colour) -> None:
    pygame.draw.circle(canvas, colour, (0.31 * size, 0.42 * size), 0.19 * size, max(round(0.09 * size), 1))
    pygame.draw.rect(canvas, colour, (0.47 * size, 0.375 * size, 0.4 * size, 0.1 * size))
    for tooth in (0.64, 0.78):
        pygame.draw.rect(canvas, colour, (tooth * size, 0.42 * size, 0.085 * size, 0.21 * size))


def rungs(canvas: Canvas, size: float, colour: Colour) -> None:
    for rail in (0.16, 0.72):
        pygame.draw.rect(canvas, colour, (rail * size, 0, 0.12 * size, size))
    for rung in (0.1, 0.43, 0.76):
        pygame.draw.rect(canvas, colour, (0.16 * size, rung * size, 0.68 * size, 0.11 * size))


def burst(canvas: Canvas, size: float, colour: Colour) -> None:
    """A star of twelve points."""
    spokes = [pygame.Vector2(0, -(0.5 if k % 2 == 0 else 0.37) * size).rotate(15 * k) for k in range(24)]
    pygame.draw.polygon(canvas, colour, [pygame.Vector2(size / 2, size / 2) + spoke for spoke in spokes])


def cross(canvas: Canvas, size: float, colour: Colour) -> None:
    """Two bars on white ones, so that it stands out on everything."""
    for ink, width, length in ((WHITE, 0.3, 0.95), (colour, 0.15, 0.85)):
        for turn in (45, 135):
            corners = [pygame.Vector2(x * length, y * width).rotate(turn) for x, y in BAR]
            pygame.draw.polygon(canvas, ink, [size * (corner + (0.5, 0.5)) for corner in corners])


def dot(canvas: Canvas, size: float, colour: Colour) -> None:
    pygame.draw.circle(canvas, colour, (size / 2, size / 2), size / 2)


def ring(canvas: Canvas, size: float, colour: Colour) -> None:
    pygame.draw.circle(canvas, colour, (size / 2, size / 2), size / 2, round(0.075 * size))


def reticle(canvas: Canvas, size: float, colour: Colour) -> None:
    """A ring with four marks, on a ring of white so that it stands out on everything."""
    middle = (size / 2, size / 2)
    for ink, width, out in ((WHITE, 0.13, 0.44), (colour, 0.075, 0.415)):
        pygame.draw.circle(canvas, ink, middle, out * size, round(width * size))
    for turn in range(4):
        mark = [(pygame.Vector2(0.22 * x, 0.08 * y) + (0.39, 0)).rotate(90 * turn) for x, y in BAR]
        pygame.draw.polygon(canvas, colour, [size * (corner + (0.5, 0.5)) for corner in mark])


def person(canvas: Canvas, size: float, colour: Colour) -> None:
    """Where the player is: a face in a disc with a white rim."""
    middle = (size / 2, size / 2)
    for ink, radius in ((INK, 0.5), (WHITE, 0.47), (colour, 0.38)):
        pygame.draw.circle(canvas, ink, middle, radius * size)
    for eye in (0.38, 0.62):
        pygame.draw.circle(canvas, WHITE, (eye * size, 0.46 * size), 0.075 * size)


SIGNS: dict[str, Painter] = {"deadly": spikes, "monster": ghost, "goal": flag, "key": key}
OTHERS: dict[str, Painter] = {
    "burst": burst, "cross": cross, "dot": dot, "ring": ring, "reticle": reticle, "me": person,
}  # fmt: skip
FILLED = ("boundary", "platform")  # they fill their cells, so that neighbours join


@lru_cache(maxsize=1024)
def tile(role: str, side: int, whole: bool = True) -> Canvas:
    """The sign of a role, ``side`` px; ``whole``: joined with its neighbours where floors and ladders are."""
    colour = ROLE_INKS[role]
    if role == "ladder":
        return smooth(side, colour, rungs)
    canvas = blank(FINE * side, colour)
    size = float(FINE * side)
    if role in FILLED:
        pygame.draw.rect(canvas, colour, (0, 0, size, size), border_radius=0 if whole else round(0.12 * size))
    elif role in SIGNS:
        inset = 0.03 * size
        pygame.draw.rect(
            canvas, colour, (inset, inset, size - 2 * inset, size - 2 * inset), border_radius=round(0.2 * size)
        )
        ink = INK if role == "key" else WHITE
        over = blank(FINE * side, ink)
        SIGNS[role](over, size, ink)
        if role == "monster":  # its eyes are holes
            for eye in (0.38, 0.62):
                pygame.draw.circle(over, (*colour, 255), (eye * size, 0.45 * size), 0.085 * size)
        canvas.blit(over, (0, 0))
    return pygame.transform.smoothscale(canvas, (side, side))


@lru_cache(maxsize=256)
def sign(name: str, side: int, colour: Colour = ME) -> Canvas:
    return smooth(max(side, 2), colour, OTHERS[name])


@lru_cache(maxsize=64)
def letter(text: str, side: int, colour: Colour = WHITE) -> Canvas:
    """A bold character, as high as a cell of ``side`` px allows."""
    return font(max(round(0.72 * side), 8), True).render(text, True, colour)


def alarm(side: int) -> Canvas:
    """A burst with an exclamation mark."""
    canvas = sign("burst", side, ALARM).copy()
    mark = font(round(0.62 * side), True).render("!", True, WHITE)
    canvas.blit(mark, mark.get_rect(center=(side / 2, side / 2)))
    return canvas
