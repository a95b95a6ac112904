"""How unsure the player is of the map, as a curve over its inputs."""

import pygame

from priorlab.scripts.watch.inks import INK, LINE, ME, SOFT, words
from priorlab.scripts.watch.layout import COLUMN, FOOT, Layout

WIDTH, HEIGHT = 200, 62
Y = FOOT - 6


def draw_doubt(sheet: pygame.Surface, layout: Layout, doubts: list[tuple[int, float]]) -> None:
    """``doubts``: (inputs, bits), in order."""
    now = doubts[-1][1]
    left, top = layout.at(COLUMN, Y)
    label = words("unsure", layout.px(24), SOFT)
    sheet.blit(label, label.get_rect(topleft=(left, layout.at(0, FOOT + 64)[1])))
    value = words(f"{now:,.0f} bits", layout.px(24), INK, True)
    sheet.blit(value, value.get_rect(topright=(layout.at(COLUMN + WIDTH, 0)[0], layout.at(0, FOOT + 64)[1])))
    width, height = layout.px(WIDTH), layout.px(HEIGHT)
    last, most = max(doubts[-1][0], 1), max(max(bits for _, bits in doubts), 1.0)
    pygame.draw.line(sheet, LINE, (left, top + height), (left + width, top + height), layout.px(2))
    line = [(left + width * at / last, top + height * (1 - bits / most)) for at, bits in thinned(doubts, width)]
    if len(line) > 1:
        pygame.draw.lines(sheet, ME, False, line, max(layout.px(4), 2))


def thinned(doubts: list[tuple[int, float]], most: int) -> list[tuple[int, float]]:
    """At most about that many of them, with the last."""
    step = -(-len(doubts) // most)
    return [*doubts[:-1:step], doubts[-1]]
