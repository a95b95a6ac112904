"""The map that a player believes in: what each cell is by its likeliest role, as large as it is sure that anything is
there. A cell that changed flashes."""

from functools import lru_cache

import numpy as np
import pygame

from priorlab.agents.priors.roles import BOUNDARY, FREE, PLATFORM, ROLES
from priorlab.envs.game.rules import TILE
from priorlab.scripts.watch.glyphs import FILLED, SIGNS, letter, sign, tile
from priorlab.scripts.watch.inks import GLOW, GOLD, INK, ME, PAGE, ROLE_INKS, SURFACE, WHITE, mixed, words
from priorlab.scripts.watch.moment import Moment

UNSEEN = mixed(PAGE, INK, 0.1)  # of cells of which contact taught nothing
FAINT, SURE = 0.04, 0.95  # chances below which nothing is drawn, and above which a cell is full
CLEAR = 0.6  # share of the likeliest role, below which a cell gets a question mark
SLICE = 0.12  # least share of a role that is drawn
LEGIBLE = 0.55  # least share of a cell's width that holds a question mark
CHANGED, SHOWN = 0.2, 0.004  # of a cell's chances: what flashes, and what is drawn again
FLASH, FADE = 1.6, 0.04  # a flash is full at 1 and above, and loses that in each frame
BEAD_APART = 0.36  # cells between two beads of the way
WALL_ROLES = (BOUNDARY, PLATFORM)


class MapPanel:
    """Draws what a player believes on a surface of ``side`` x ``side`` cells of ``cell`` px."""

    def __init__(self, side: int, cell: int):
        self.side, self.cell = side, cell
        self.ground = pygame.Surface((side * cell, side * cell))
        self.chances = np.full((side, side, len(ROLES)), -1.0)
        self.marks = np.full((side, side, 2), 2, np.uint8)  # touched, proved, as drawn
        self.flash = np.zeros((side, side))
        self.aimed: list[pygame.Rect] = []  # the ring around its aim and what is written there, as drawn

    def draw(
        self, moment: Moment, deaths: list[tuple[int, int]], beat: int | None, stands: bool = False
    ) -> pygame.Surface:
        """``deaths``: places, half pixels; ``beat``: the number of the frame, for what pulses; None while nothing is
        planned, as it died or the life is over; ``stands``: flashes do not fade."""
        self.update(moment, stands)
        sheet = self.ground.copy()
        self.draw_flashes(sheet)
        for x, y in moment.monsters:
            self.put(sheet, tile("monster", self.cell), x, y)
        for x, y in deaths:
            self.put(sheet, sign("cross", round(0.8 * self.cell), INK), x, y)
        self.aimed = []
        if beat is not None:
            self.draw_way(sheet, moment.way, moment.reached)
            self.draw_aim(sheet, moment, beat)
        if moment.place:
            self.draw_me(sheet, *moment.place, moment.has_key)
        return sheet

    def draw_me(self, sheet: pygame.Surface, x: int, y: int, has_key: bool) -> None:
        """Where the player takes itself to be, and the key in its hand."""
        size = max(round(1.15 * self.cell), 16)
        self.put(sheet, sign("me", size, ME), x, y)
        if has_key:
            across, down = self.spot(x, y)
            small = tile("key", max(round(0.62 * size), 10))
            sheet.blit(small, small.get_rect(center=(across + 0.52 * size, down - 0.42 * size)))

    def update(self, moment: Moment, stands: bool = False) -> None:
        """Draws again the cells whose chances changed, and lets those flash that changed much."""
        apart = np.abs(moment.chances - self.chances).sum(-1) / 2
        marks = np.stack([moment.touched, moment.proved], -1).astype(np.uint8)
        fresh = self.chances[0, 0, 0] < 0
        self.flash = np.maximum(self.flash - FADE * (not stands), 0)
        for row, column in np.argwhere((apart > SHOWN) | (marks != self.marks).any(-1)):
            self.draw_cell(int(row), int(column), moment)
            self.chances[row, column] = moment.chances[row, column]
            if not fresh and apart[row, column] > CHANGED:
                self.flash[row, column] = FLASH
        self.marks = marks

    def draw_cell(self, row: int, column: int, moment: Moment) -> None:
        cell, chances = self.cell, moment.chances[row, column]
        box = pygame.Rect(column * cell, row * cell, cell, cell)
        self.ground.fill(SURFACE if moment.touched[row, column] else UNSEEN, box)
        there = float(1 - chances[FREE])
        if there < FAINT:
            return
        shares = chances / there
        shares[FREE] = 0
        walls = list(WALL_ROLES)  # which of them it is makes no difference to a player
        shares[walls] = shares[walls].sum() * (shares[walls] == shares[walls].max())
        shares /= shares.sum()
        best = int(shares.argmax())
        size = cell if there > SURE else max(round(cell * there**0.5), 3)
        shown = pygame.Rect(0, 0, size, size)
        shown.center = box.center
        if there > SURE:
            shown = box
        if shares[best] > 1 - SLICE:
            self.ground.blit(tile(ROLES[best], size, there > SURE), shown)
        else:
            self.draw_slices(shown, shares)
        if moment.proved[row, column] and ROLES[best] in FILLED and cell >= 12:
            nail = sign("dot", max(round(0.22 * cell), 3), WHITE)
            self.ground.blit(nail, nail.get_rect(center=(box.left + 0.22 * cell, box.bottom - 0.22 * cell)))

    def draw_slices(self, box: pygame.Rect, shares: np.ndarray) -> None:
        """Roles side by side, each as wide as it is likely; the likeliest first."""
        order = [k for k in np.argsort(-shares) if shares[k] >= SLICE] or [int(shares.argmax())]
        total, left = float(shares[order].sum()), float(box.left)
        for k in order:
            right = left + box.width * float(shares[k]) / total
            slice_ = pygame.Rect(round(left), box.top, round(right) - round(left), box.height)
            self.ground.fill(ROLE_INKS[ROLES[k]], slice_)
            left = right
        best = ROLES[order[0]]
        if shares[order[0]] < CLEAR:
            if box.width >= LEGIBLE * self.cell:
                mark = letter("?", box.width)
                self.ground.blit(mark, mark.get_rect(center=box.center))
        elif best in SIGNS:
            width = round(box.width * float(shares[order[0]]) / total)
            drawn = tile(best, width)
            self.ground.blit(drawn, drawn.get_rect(center=(box.left + width / 2, box.centery)))

    def draw_flashes(self, sheet: pygame.Surface) -> None:
        """A frame around each cell that changed lately, and a veil over it."""
        cell = self.cell
        for row, column in np.argwhere(self.flash > 0):
            strength = min(float(self.flash[row, column]), 1.0)
            glow = pygame.Surface((cell, cell), pygame.SRCALPHA, 32)
            glow.fill((*GLOW, round(90 * strength)))
            pygame.draw.rect(glow, (*GOLD, round(255 * strength**0.5)), glow.get_rect(), max(cell // 8, 2))
            sheet.blit(glow, (column * cell, row * cell))

    def draw_way(self, sheet: pygame.Surface, way: np.ndarray, reached: int) -> None:
        """Beads along the way ahead: bold to what it goes for, faint beyond. They stay where they are as it walks."""
        if len(way) < 2:
            return
        spots = way * (self.cell / (2 * TILE))
        lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(spots, axis=0).T))])
        begin, aim = 0.75 * self.cell, float(lengths[reached])
        along = np.arange(lengths[-1], begin, -BEAD_APART * self.cell)[::-1]
        places = np.stack([np.interp(along, lengths, spots[:, k]) for k in (0, 1)], -1)
        for (x, y), far in zip(places.tolist(), along.tolist()):
            near = float(np.exp(-(far - begin) / (14 * self.cell)))
            size, strength = (0.16 + 0.12 * near, 0.55 + 0.45 * near) if far <= aim else (0.14, 0.35)
            bead = bead_of(max(round(self.cell * size), 4), round(12 * strength) / 12)
            sheet.blit(bead, bead.get_rect(center=(x, y)))

    def draw_aim(self, sheet: pygame.Surface, moment: Moment, beat: int) -> None:
        """A ring around what it goes for, and how sure it is that this is there."""
        cell = self.cell
        if moment.aim in ("", "key"):  # where the plan ends
            self.put(sheet, sign("ring", round(0.9 * cell), ME), *map(int, moment.way[-1]))
        if moment.aim_cell is None:
            return
        row, column = moment.aim_cell
        x, y = (column + 0.5) * cell, (row + 0.5) * cell
        size = round(cell * (2.05 + 0.12 * np.sin(beat / 9)))
        around = sign("reticle", size - size % 2, ME)
        sheet.blit(around, around.get_rect(center=(x, y)))
        panel = sheet.get_height()
        high = min(max(0.62 * cell, 0.03 * panel, 12), 0.037 * panel)
        text = words(f"{moment.aim}  {percent(moment.sure)}", high, WHITE, True)
        room = text.get_rect().inflate(round(0.6 * text.get_height()), round(0.24 * text.get_height()))
        away = 1.15 * cell + room.height / 2
        comes_from_above = moment.place is not None and self.spot(*moment.place)[1] < y - cell / 2
        below = (comes_from_above and y + 2 * away < panel) or y - away < room.height / 2
        room.center = (round(x), round(y + away if below else y - away))
        room.clamp_ip(sheet.get_rect().inflate(-4, -4))
        pygame.draw.rect(sheet, WHITE, room.inflate(4, 4), border_radius=room.height)
        pygame.draw.rect(sheet, ME, room, border_radius=room.height)
        sheet.blit(text, text.get_rect(center=room.center))
        self.aimed = [around.get_rect(center=(x, y)), room.copy()]

    def spot(self, x: int, y: int) -> tuple[float, float]:
        """px of a place in half pixels."""
        return x * self.cell / (2 * TILE), y * self.cell / (2 * TILE)

    def put(self, sheet: pygame.Surface, what: pygame.Surface, x: int, y: int) -> None:
        sheet.blit(what, what.get_rect(center=self.spot(x, y)))


@lru_cache(maxsize=256)
def bead_of(size: int, strength: float) -> pygame.Surface:
    """A bead with a white rim; ``strength``: 0 to 1."""
    rim = sign("dot", size + max(size // 3, 2), WHITE).copy()
    inner = sign("dot", size, ME)
    rim.blit(inner, inner.get_rect(center=rim.get_rect().center))
    rim.set_alpha(round(255 * strength))
    return rim


def percent(chance: float) -> str:
    return "sure" if chance > 0.995 else "< 1 %" if chance < 0.01 else f"{100 * chance:.0f} %"
