"""A frame: the game beside what the player believes, what it is about to do, and what that has cost so far."""

from dataclasses import dataclass

import numpy as np
import pygame

from priorlab.agents.priors.deciding import PRESS
from priorlab.scripts.watch.doubt import WIDTH as DOUBT_WIDTH
from priorlab.scripts.watch.doubt import draw_doubt
from priorlab.scripts.watch.game_panel import GamePanel
from priorlab.scripts.watch.glyphs import alarm, sign, tile
from priorlab.scripts.watch.happenings import Happening, Kind, plural
from priorlab.scripts.watch.inks import ALARM, GOOD, INK, LINE, ME, PAGE, SOFT, Colour, fitted, words
from priorlab.scripts.watch.layout import COLUMN, FOOT, PANEL, TOP, WIDE, Layout
from priorlab.scripts.watch.legend import draw_legend
from priorlab.scripts.watch.map_panel import MapPanel, percent
from priorlab.scripts.watch.moment import Moment, moment_of
from priorlab.scripts.watch.watched import Counts, Watched

TITLES = ("What the game shows", "What the player believes")
COUNTED = ("inputs", "deaths", "surprises", "facts")
COLUMNS = (0.0, 0.31, 0.49, 0.73, 1.0)  # shares of a panel's width, at which their numbers begin
STAYS = 60  # frames for which a happening is shown, unless another comes
HOLDS = 30  # the first of these, in which no surprise takes the place of a death or a key
MOST_DOUBTS = 2000  # that are remembered
BURST, FADING = 40, 10  # frames for which its place is marked, and the last of these
CORNERS = (  # where a burst may stand, seen from the player, in its sizes: (inwards, down), the best first
    (0.9, -0.75), (-0.9, -0.75), (0, -1.2), (0.9, 0.75), (-0.9, 0.75), (1.2, 0),
    (2, -0.75), (-2, -0.75), (0, -2), (0, 2),
)  # fmt: skip
INKS: dict[str, Colour] = {"found": ME, "death": INK, "surprise": ALARM, "thought": SOFT, "key": INK, "win": GOOD}


@dataclass
class Captions:
    """Small lines: who plays, above the map; below the panels what is played, and what the player is given."""

    scene: str = ""
    player: str = ""
    given: str = ""


class Stage:
    """Draws frames of a life. It remembers what it drew, so that changes flash and deaths stay marked.

    One stage draws one life; ``resized`` gives another for the same life.
    """

    def __init__(self, width: int, height: int, side: int, captions: Captions | None = None):
        """For frames of ``width`` x ``height`` px and a level of ``side`` x ``side`` cells."""
        self.layout, self.captions = Layout(width, height, side), captions or Captions()
        self.game, self.map = GamePanel(side, self.layout.cell), MapPanel(side, self.layout.cell)
        self.deaths: list[tuple[int, int]] = []
        self.doubts: list[tuple[int, float]] = []  # (inputs, bits)
        self.marks: list[tuple[int, Kind]] = []  # (inputs, a surprise or death)
        self.news: Happening | None = None
        self.left = 0  # frames for which it is still shown
        self.spots: dict[int, tuple[float, float]] = {}  # where its burst stands in each panel, px from its place
        self.beat = 0
        self.still = self.draw_still()

    def resized(self, width: int, height: int) -> "Stage":
        other = Stage(width, height, self.layout.side, self.captions)
        other.deaths, other.doubts, other.marks = self.deaths, self.doubts, self.marks
        other.news, other.left, other.map.flash = self.news, self.left, self.map.flash
        return other

    def note(self, happening: Happening | None, inputs: int) -> None:
        """To be called after each input, drawn or not; ``inputs``: how many there were."""
        if happening is None:
            return
        if happening.kind == "death":
            self.deaths.append(happening.place)
        if happening.kind in ("death", "surprise"):
            self.marks.append((inputs, happening.kind))
        held = self.news is not None and self.news.kind in ("death", "key") and self.left > STAYS - HOLDS
        if not (held and happening.kind in ("surprise", "thought")):
            self.news, self.left, self.spots = happening, STAYS, {}

    def settle(self, watched: Watched) -> None:
        """Lets what happened and what changed so far be old, so that only the next input's news are shown."""
        moment = moment_of(watched.player)
        self.map.update(moment)
        self.map.flash[:] = 0
        self.left = 0
        self.remember(watched.counts.inputs, moment.doubt)

    def remember(self, inputs: int, bits: float) -> None:
        """How unsure the player is after so many inputs."""
        if not self.doubts or self.doubts[-1][0] != inputs:
            self.doubts.append((inputs, bits))
        if len(self.doubts) > MOST_DOUBTS:
            self.doubts = self.doubts[::2]

    def frame(self, watched: Watched) -> np.ndarray:
        """uint8 (height, width, 3)."""
        sheet = self.sheet(watched)
        width, height = sheet.get_size()
        return np.frombuffer(pygame.image.tobytes(sheet, "RGB"), np.uint8).reshape(height, width, 3)

    def sheet(self, watched: Watched, hint: str = "", cut: bool = False, stands: bool = False) -> pygame.Surface:
        """The frame as a surface. ``hint``: a small line at the bottom; ``cut``: the life goes on, if it is not won;
        ``stands``: no time passes, and what is shown stays."""
        over = watched.solved or (watched.over and not cut)
        moment, layout = moment_of(watched.player), self.layout
        self.beat += not stands
        sheet = self.still.copy()
        sheet.blit(self.game.draw(watched.picture), layout.panel(0))
        beat = None if over or watched.dead else self.beat
        sheet.blit(self.map.draw(moment, self.deaths, beat, stands), layout.panel(1))
        news = self.news if self.left > 0 or watched.solved or watched.dead else None
        if news and news.kind in ("surprise", "death", "win", "found"):
            self.draw_burst(sheet, news, watched.living.turns)
        self.left = max(self.left - (not stands), 0)
        self.draw_thought(sheet, news, moment, watched, over)
        self.draw_counts(sheet, watched.counts)
        self.remember(watched.counts.inputs, moment.doubt)
        draw_doubt(sheet, layout, self.doubts, self.marks)
        if hint:
            line = words(hint, layout.px(20), SOFT)
            sheet.blit(line, line.get_rect(midbottom=layout.at(WIDE / 2, 1074)))
        return sheet

    def draw_still(self) -> pygame.Surface:
        """What never changes."""
        layout = self.layout
        sheet = pygame.Surface((layout.width, layout.height))
        sheet.fill(PAGE)
        captions = self.captions
        rooms = layout.panel(0).width, layout.at(COLUMN + DOUBT_WIDTH, 0)[0] - layout.panel(1).left
        for number, (title, above, below) in enumerate(
            zip(TITLES, ("", captions.player), (captions.scene, captions.given))
        ):
            panel = layout.panel(number)
            pygame.draw.rect(sheet, LINE, panel.inflate(2 * layout.px(2), 2 * layout.px(2)))
            line = words(title, layout.px(34), INK, True)
            left, base = panel.left, layout.at(0, TOP - 16)[1]
            sheet.blit(line, line.get_rect(bottomleft=(left, base)))
            small = fitted(above, layout.px(26), panel.width - line.get_width() - layout.px(30))
            sheet.blit(small, small.get_rect(bottomright=(panel.right, base - layout.px(2))))
            small = fitted(below, layout.px(24), rooms[number])
            sheet.blit(small, (left, layout.at(0, FOOT + 108)[1]))
        draw_legend(sheet, layout)
        return sheet

    def draw_burst(self, sheet: pygame.Surface, news: Happening, turns: int) -> None:
        """Where it happened, and, on the map, where the player believes that; it fades away.

        The left panel is ``turns`` quarter turns from upright.
        """
        layout = self.layout
        size = layout.px(64) + layout.cell // 2
        if news.kind == "found":
            burst = sign("reticle", 2 * size, ME).copy()
        elif news.kind == "death":
            burst = sign("cross", size, INK).copy()
        elif news.kind == "win":
            burst = sign("reticle", 2 * size, GOOD).copy()
        else:
            burst = alarm(size)
        for number in (0, 1):
            panel = layout.panel(number)
            x, y = self.map.spot(*(news.believed if number and news.believed else news.place))
            for _ in range(turns if number == 0 else 0):
                x, y = panel.width - y, x
            place = pygame.Vector2(panel.topleft) + (x, y)
            if news.kind == "surprise":  # beside the player, not on it
                if number not in self.spots:
                    self.spots[number] = self.beside(x, y, size, number == 1)
                place += self.spots[number]
            burst.set_alpha(
                255 if news.kind == "win" else max(min(255 * (self.left - STAYS + BURST) // FADING, 255), 0)
            )
            sheet.set_clip(panel)
            shown = burst.get_rect(center=place)
            sheet.blit(burst, shown.clamp(panel) if news.kind in ("death", "surprise") else shown)
            sheet.set_clip(None)

    def beside(self, x: float, y: float, size: int, on_map: bool) -> tuple[float, float]:
        """Where a burst of that size stands, px from a place in a panel: beside it, and on the map clear of the aim."""
        panel = pygame.Rect(0, 0, *self.layout.panel(0).size)
        inwards = 1 if x < panel.width / 2 else -1
        taken = [pygame.Rect(x - size / 4, y - size / 4, size / 2, size / 2), *(self.map.aimed if on_map else ())]
        spots: list[tuple[float, float]] = []
        for across, down in CORNERS:
            room = pygame.Rect(0, 0, size, size)
            room.center = round(x + across * size * inwards), round(y + down * size)
            room.clamp_ip(panel)
            spots.append((room.centerx - x, room.centery - y))
            if room.collidelist(taken) < 0:
                return spots[-1]
        return spots[0]

    def draw_thought(
        self, sheet: pygame.Surface, news: Happening | None, moment: Moment, watched: Watched, over: bool
    ) -> None:
        """In large letters, what happened or what it is after."""
        layout = self.layout
        if news:
            headline, detail, ink = news.headline, news.detail, INKS[news.kind]
            if news.kind == "win":
                detail = f"after {watched.counts.inputs:,} inputs and {plural(watched.counts.deaths, 'death')}"
            icon = icon_of(news.kind, layout.px(76))
        elif over:
            headline, detail, ink = "It has not won", f"in {watched.limit:,} inputs", INK
            icon = sign("me", layout.px(76), ME)
        else:
            headline, detail = intention(moment)
            aims = moment.aim not in (None, "", PRESS)
            ink, icon = INK, tile(str(moment.aim), layout.px(76)) if aims else sign("me", layout.px(76), ME)
        left, top = layout.panel(0).left, layout.at(0, FOOT + 6)[1]
        sheet.blit(icon, (left, top + layout.px(6)))
        left += layout.px(100)
        sheet.blit(fitted(headline, layout.px(50), layout.px(PANEL - 100), ink, True), (left, top - layout.px(8)))
        sheet.blit(fitted(detail, layout.px(29), layout.px(PANEL - 100), SOFT), (left, top + layout.px(58)))

    def draw_counts(self, sheet: pygame.Surface, counts: Counts) -> None:
        layout = self.layout
        for name, begin, end in zip(COUNTED, COLUMNS, COLUMNS[1:]):
            left = layout.panel(1).left + layout.px(begin * PANEL)
            room = layout.px((end - begin) * PANEL - 16)
            large = fitted(f"{getattr(counts, name):,}", layout.px(54), room, INK, True)
            sheet.blit(large, (left, layout.at(0, FOOT - 6)[1]))
            sheet.blit(words(name, layout.px(25), SOFT), (left, layout.at(0, FOOT + 64)[1]))


def intention(moment: Moment) -> tuple[str, str]:
    """What it is after, and how far that is, in words."""
    left = plural(moment.reached, "input")
    if moment.place is None:
        return "It looks for itself", "which of all this moves as it presses?"
    if moment.aim is None:
        return "It tries anything", "it sees no way to win"
    if moment.aim == PRESS:
        return "It acts as it learned", f"it holds this for {left} at most"
    if not moment.aim:
        return "It looks around", f"{left} to go"
    chance = percent(moment.sure)
    sure = "it is sure that it is there" if chance == "sure" else f"{chance} likely to be there"
    return f"It goes for the {moment.aim}", f"{sure}, {left} to go"


def icon_of(kind: str, side: int) -> pygame.Surface:
    if kind in ("surprise", "thought", "found"):
        return alarm(side) if kind == "surprise" else sign("me", side, ME)
    return sign("cross", side, INK) if kind == "death" else tile("key" if kind == "key" else "goal", side)
