"""How unsure the player is of the map, as a curve over its inputs."""

import pygame

from priorlab.scripts.watch.glyphs import sign
from priorlab.scripts.watch.happenings import Kind
from priorlab.scripts.watch.inks import ALARM, INK, LINE, ME, SOFT, fitted, words
from priorlab.scripts.watch.layout import COLUMN, FOOT, Layout

WIDTH, HEIGHT = 200, 58
MOST_MARKS = 60
Y = FOOT - 6


def draw_doubt(
    sheet: pygame.Surface, layout: Layout, doubts: list[tuple[int, float]], marks: list[tuple[int, Kind]]
) -> None:
    """``doubts``: (inputs, bits), in order; ``marks``: (inputs, what happened), of surprises and deaths."""
    now = doubts[-1][1]
    left, top = layout.at(COLUMN, Y)
    label = words("unsure", layout.px(24), SOFT)
    sheet.blit(label, label.get_rect(topleft=(left, layout.at(0, FOOT + 64)[1])))
    value = fitted(f"{now:,.0f} bits", layout.px(24), layout.px(WIDTH - 8) - label.get_width(), INK)
    sheet.blit(value, value.get_rect(topright=(layout.at(COLUMN + WIDTH, 0)[0], layout.at(0, FOOT + 64)[1])))
    width, height = layout.px(WIDTH), layout.px(HEIGHT)
    last, most = max(doubts[-1][0], 1), max(max(bits for _, bits in doubts), 1.0)
    pygame.draw.line(sheet, LINE, (left, top + height), (left + width, top + height), layout.px(2))
    line = [(left + width * at / last, top + height * (1 - bits / most)) for at, bits in thinned(doubts, width)]
    if len(line) > 1:
        pygame.draw.lines(sheet, ME, False, line, max(layout.px(4), 2))
    for at, kind in marks[-MOST_MARKS:]:
        mark = sign("cross", layout.px(24), INK) if kind == "death" else sign("dot", layout.px(11), ALARM)
        sheet.blit(mark, mark.get_rect(center=(left + width * at / last, top + height)))


def thinned(doubts: list[tuple[int, float]], most: int) -> list[tuple[int, float]]:
    """At most about that many of them, with the last."""
    step = -(-len(doubts) // most)
    return [*doubts[:-1:step], doubts[-1]]
