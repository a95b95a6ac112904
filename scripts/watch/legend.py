"""What the signs mean, in a column beside the panels."""

from collections.abc import Callable

import pygame

from priorlab.agents.priors.roles import ROLES
from priorlab.scripts.watch.glyphs import alarm, letter, sign, tile
from priorlab.scripts.watch.inks import GLOW, GOLD, INK, LINE, ME, ROLE_INKS, SOFT, SURFACE, WHITE, mixed, words
from priorlab.scripts.watch.layout import COLUMN, TOP, Layout

NAMES = {"platform": "floor", "goal": "goal, door"}  # what a hall calls a role
ROW, SIDE = 45, 34


def draw_legend(sheet: pygame.Surface, layout: Layout) -> None:
    side, y = layout.px(SIDE), float(TOP)
    for role in ROLES[1:]:
        row(sheet, layout, y, tile(role, side), NAMES.get(role, role))
        y += ROW
    y += 10
    left, top = layout.at(COLUMN, y)
    pygame.draw.line(sheet, LINE, (left, top), layout.at(COLUMN + 200, y), layout.px(2))
    y += 18
    for paint, text in SIGNS:
        row(sheet, layout, y, paint(side), text)
        y += ROW


def row(sheet: pygame.Surface, layout: Layout, y: float, image: pygame.Surface, text: str) -> None:
    left, top = layout.at(COLUMN, y)
    middle = top + layout.px(SIDE) // 2
    sheet.blit(image, image.get_rect(center=(left + layout.px(SIDE) // 2, middle)))
    line = words(text, layout.px(24), INK)
    sheet.blit(line, line.get_rect(midleft=(left + layout.px(SIDE + 14), middle)))


def board(side: int) -> pygame.Surface:
    sheet = pygame.Surface((side, side))
    sheet.fill(SURFACE)
    return sheet


def doubtful(side: int) -> pygame.Surface:
    """A small cell with two candidates."""
    sheet = board(side)
    size = round(0.66 * side)
    box = pygame.Rect(0, 0, size, size)
    box.center = sheet.get_rect().center
    sheet.fill(ROLE_INKS["deadly"], box)
    sheet.fill(ROLE_INKS["platform"], (box.left + size // 2, box.top, size - size // 2, size))
    mark = letter("?", size)
    sheet.blit(mark, mark.get_rect(center=box.center))
    return sheet


def proved(side: int) -> pygame.Surface:
    sheet = tile("platform", side).copy()
    nail = sign("dot", round(0.26 * side), WHITE)
    sheet.blit(nail, nail.get_rect(center=(0.25 * side, 0.75 * side)))
    return sheet


def touched(side: int) -> pygame.Surface:
    sheet = board(side)
    pygame.draw.rect(sheet, SOFT, sheet.get_rect(), 1)
    return sheet


def changed(side: int) -> pygame.Surface:
    sheet = board(side)
    sheet.fill(mixed(SURFACE, GLOW, 0.35))
    pygame.draw.rect(sheet, GOLD, sheet.get_rect(), max(side // 8, 2))
    return sheet


def beads(side: int) -> pygame.Surface:
    sheet = pygame.Surface((side, side), pygame.SRCALPHA, 32)
    for x, y in ((0.15, 0.75), (0.5, 0.4), (0.85, 0.3)):
        bead = sign("dot", round(0.24 * side), ME)
        sheet.blit(bead, bead.get_rect(center=(x * side, y * side)))
    return sheet


SIGNS: tuple[tuple[Callable[[int], pygame.Surface], str], ...] = (
    (doubtful, "unsure"),
    (proved, "proved"),
    (touched, "explored"),
    (changed, "just changed"),
    (alarm, "surprise"),
    (lambda side: sign("me", side, ME), "itself"),
    (beads, "its plan"),
    (lambda side: sign("reticle", side, ME), "its aim"),
    (lambda side: sign("cross", side, INK), "died here"),
)
