"""Drawing pages: text, choices, a line to type in, pictures and keys, large and readable on a surface of any size."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pygame

from human_study.plates import SIDE
from human_study.texts import Texts

INK, DIM, GROUND, ACCENT, ON_ACCENT = (17, 17, 17), (95, 95, 95), (250, 250, 248), (11, 87, 208), (255, 255, 255)
LINES = "ABC←→↑↓•"  # characters that pages have whatever the texts are
EMS_WIDE, EMS_HIGH = 38, 31  # how many letter sizes fit a page at least
SMALLEST = 13  # px of a letter; below it a page scrolls
WORD = re.compile(r"\s+|[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uff60]|[^\s\u2e80-\u9fff\uac00-\ud7af]+")


@dataclass(frozen=True)
class Title:
    text: str


@dataclass(frozen=True)
class Text:
    text: str
    dim: bool = False


@dataclass(frozen=True)
class Choices:
    options: Sequence[str]
    chosen: int | None  # by number


@dataclass(frozen=True)
class Entry:
    text: str
    caret: int
    composing: str = ""  # what an input method holds, not yet part of the text
    active: bool = True


@dataclass(frozen=True)
class Picture:
    pixels: np.ndarray  # uint8 (height, width, 3)


@dataclass(frozen=True)
class Caps:
    """Rows of a name and the caps of the keys that do it; ``lit`` are those that are held."""

    rows: Sequence[tuple[str, Sequence[str], bool]]


Block = Title | Text | Choices | Entry | Picture | Caps


def default_font(bold: bool) -> Path:
    """DejaVu Sans, which matplotlib has with it; nothing is imported."""
    found = find_spec("matplotlib")
    assert found and found.origin
    return Path(found.origin).parent / f"mpl-data/fonts/ttf/DejaVuSans{'-Bold' if bold else ''}.ttf"


def find_font(texts: Texts, bold: bool = False) -> Path:
    """The file of the texts' font. ValueError, one line, where there is none of that name or file."""
    wanted = texts.font["file"]
    if not wanted:
        return default_font(bold)
    beside = texts.path.parent / wanted
    path = str(beside) if beside.is_file() else pygame.font.match_font(wanted, bold) or pygame.font.match_font(wanted)
    if path is None:
        raise ValueError(f"{texts.path}: font {wanted!r}: expected one installed here, or a file beside the texts")
    return Path(path)


def check_font(texts: Texts) -> None:
    """ValueError, one line, that names the characters which the font lacks."""
    pygame.font.init()
    path = find_font(texts)
    font = pygame.font.Font(str(path), 20)
    nothing = image(font, "\uffff")  # what is drawn for a character that no font has
    characters = sorted(
        {each for text in [LINES, *texts.every()] for each in text if each.isprintable() and each != " "}
    )
    lacking = [each for each in characters if image(font, each) == nothing]
    if lacking:
        shown = " ".join(lacking[:20]) + (f" and {len(lacking) - 20} more" if len(lacking) > 20 else "")
        raise ValueError(f"{texts.path}: the font {path.name} lacks {shown}: expected another in [font], file")


def image(font: pygame.font.Font, character: str) -> bytes:
    return pygame.image.tobytes(font.render(character, True, INK, GROUND), "RGB")


def digits(number: int) -> np.ndarray:
    """bool (SIDE, SIDE): where a plate's number is."""
    pygame.font.init()
    font = pygame.font.Font(str(default_font(bold=True)), 300)
    drawn = font.render(str(number), True, (255, 255, 255))
    drawn = drawn.subsurface(drawn.get_bounding_rect())
    size = np.array(drawn.get_size()) * min(0.66 * SIDE / drawn.get_width(), 0.5 * SIDE / drawn.get_height())
    plate = pygame.Surface((SIDE, SIDE))
    drawn = pygame.transform.smoothscale(drawn, size.astype(int).tolist())
    plate.blit(drawn, drawn.get_rect(center=(SIDE // 2, SIDE // 2)))
    return pygame.surfarray.array_red(plate).T > 127


class Paper:
    """Draws blocks, one below the other, in a column in the middle of a surface; what does not fit can be scrolled.

    After ``draw``: ``scroll`` px of ``most`` are hidden above, and ``options`` are where the choices are, from the top
    of the page.
    """

    def __init__(self, texts: Texts):
        self.texts, self.right_to_left = texts, texts.font["direction"] == "rtl"
        pygame.font.init()
        self._paths = find_font(texts), find_font(texts, bold=True)
        self.font = cache(self._font)
        self._line = cache(self._draw_line)
        self.scroll = self.most = self.view = 0
        self.options: list[pygame.Rect] = []
        self.em = SMALLEST

    def _font(self, size: int, bold: bool) -> pygame.font.Font:
        font = pygame.font.Font(str(self._paths[bold]), size)
        if self.texts.font["script"]:
            font.set_script(self.texts.font["script"])
        font.set_direction(pygame.DIRECTION_RTL if self.right_to_left else pygame.DIRECTION_LTR)
        return font

    def _draw_line(self, text: str, size: int, bold: bool, colour: tuple[int, int, int]) -> pygame.Surface:
        return self.font(size, bold).render(text, True, colour)

    def draw(self, surface: pygame.Surface, blocks: Sequence[Block], hint: str, dots: tuple[int, int]) -> None:
        """``dots``: how many pages are past, of how many; of 0 none are drawn."""
        wide, high = surface.get_size()
        self.em = max(int(min(wide / EMS_WIDE, high / EMS_HIGH)), SMALLEST)
        em, margin = self.em, self.em
        column = min(wide - 2 * margin, 34 * em)
        hints = self.wrap(hint, column, round(0.8 * em)) if hint else []
        foot = round(len(hints) * 1.1 * em) + round(1.4 * em)
        self.view = max(high - foot, em)
        sheet = pygame.Surface((wide, self._lay(None, blocks, (wide - column) // 2, column) + margin))
        sheet.fill(GROUND)
        self._lay(sheet, blocks, (wide - column) // 2, column)
        self.most = max(sheet.get_height() - self.view, 0)
        self.scroll = min(max(self.scroll, 0), self.most)
        surface.fill(GROUND)
        top = max((self.view - sheet.get_height()) // 3, 0)
        surface.blit(sheet, (0, top), (0, self.scroll, wide, self.view))
        self._foot(surface, hints, dots, foot)

    def _foot(self, surface: pygame.Surface, hints: list[str], dots: tuple[int, int], foot: int) -> None:
        (wide, high), em = surface.get_size(), self.em
        y = high - foot + em // 4
        if self.scroll < self.most:
            pygame.draw.line(surface, DIM, (0, high - foot), (wide, high - foot))
        for line in hints:
            drawn = self._line(line, round(0.8 * em), False, DIM)
            surface.blit(drawn, drawn.get_rect(midtop=(wide // 2, y)))
            y += round(1.1 * em)
        past, count = dots
        for number in range(count):
            across = count - 1 - number if self.right_to_left else number
            centre = (wide / 2 + (across - (count - 1) / 2) * 0.9 * em, high - 0.6 * em)
            pygame.draw.aacircle(surface, ACCENT if number <= past else (200, 200, 200), centre, 0.2 * em)

    def wrap(self, text: str, width: int, size: int, bold: bool = False) -> list[str]:
        """Lines of at most ``width`` px; words too long for one are broken anywhere."""
        font, lines = self.font(size, bold), []
        for paragraph in text.split("\n"):
            line = ""
            for word in WORD.findall(paragraph):
                if line and font.size((line + word).rstrip())[0] > width:
                    lines.append(line.rstrip())
                    line = ""
                    if word.isspace():
                        continue
                while font.size(word)[0] > width and len(word) > 1:
                    fitting = next(n for n in range(len(word) - 1, 0, -1) if n == 1 or font.size(word[:n])[0] <= width)
                    lines.append(word[:fitting])
                    word = word[fitting:]
                line += word
            lines.append(line)
        return lines

    def _lay(self, sheet: pygame.Surface | None, blocks: Sequence[Block], left: int, width: int) -> int:
        """Draws the blocks on the sheet, or only finds out how high they are."""
        y = self.em
        self.options = []
        for block in blocks:
            y += self._lay_block(sheet, block, pygame.Rect(left, y, width, 0)) + round(0.7 * self.em)
        return y

    def _lay_block(self, sheet: pygame.Surface | None, block: Block, room: pygame.Rect) -> int:
        em = self.em
        if isinstance(block, Title):
            return self._lay_lines(sheet, block.text, room, round(1.5 * em), INK, bold=True)
        if isinstance(block, Text):
            return self._lay_lines(sheet, block.text, room, em, DIM if block.dim else INK)
        if isinstance(block, Choices):
            return self._lay_choices(sheet, block, room)
        if isinstance(block, Entry):
            return self._lay_entry(sheet, block, room)
        if isinstance(block, Picture):
            side = min(room.width, 15 * em)
            if sheet:
                image = pygame.image.frombuffer(block.pixels.tobytes(), block.pixels.shape[1::-1], "RGB")
                sheet.blit(pygame.transform.smoothscale(image, (side, side)), (room.centerx - side // 2, room.top))
            return side
        return self._lay_caps(sheet, block, room)

    def _lay_lines(
        self, sheet: pygame.Surface | None, text: str, room: pygame.Rect, size: int,
        colour: tuple[int, int, int], bold: bool = False,
    ) -> int:  # fmt: skip
        lines, step = self.wrap(text, room.width, size, bold), round(1.3 * size)
        for number, line in enumerate(lines if sheet else []):
            assert sheet
            drawn = self._line(line, size, bold, colour)
            x = room.right - drawn.get_width() if self.right_to_left else room.left
            sheet.blit(drawn, (x, room.top + number * step))
        return len(lines) * step

    def _lay_choices(self, sheet: pygame.Surface | None, block: Choices, room: pygame.Rect) -> int:
        em, y, inside = self.em, room.top, room.inflate(-1.4 * self.em, 0)
        for number, option in enumerate(block.options):
            is_chosen = number == block.chosen
            high = self._lay_lines(None, option, inside, em, INK) + round(0.5 * em)
            box = pygame.Rect(room.left, y, room.width, high)
            self.options.append(box)
            if sheet:
                pygame.draw.rect(sheet, ACCENT if is_chosen else DIM, box, 0 if is_chosen else 1, em // 3)
                line = inside.move(0, y - room.top + round(0.25 * em))
                self._lay_lines(sheet, option, line, em, ON_ACCENT if is_chosen else INK)
            y += high + round(0.3 * em)
        return y - room.top

    def _lay_entry(self, sheet: pygame.Surface | None, block: Entry, room: pygame.Rect) -> int:
        """The caret is drawn as a bar in the text, so that it stays where the text is wrapped."""
        em, inside = self.em, room.inflate(-self.em, 0)
        caret = "|" if block.active else ""
        text = block.text[: block.caret] + block.composing + caret + block.text[block.caret :]
        high = max(self._lay_lines(None, text, inside, em, INK), round(1.3 * em)) + round(0.8 * em)
        box = pygame.Rect(room.left, room.top, room.width, high)
        if sheet:
            pygame.draw.rect(sheet, (255, 255, 255), box, 0, em // 3)
            pygame.draw.rect(sheet, ACCENT if block.active else DIM, box, 2 if block.active else 1, em // 3)
            self._lay_lines(sheet, text, inside.move(0, round(0.4 * em)), em, INK)
        return high

    def _lay_caps(self, sheet: pygame.Surface | None, block: Caps, room: pygame.Rect) -> int:
        em, y = self.em, room.top
        size, high = em, round(1.9 * em)
        names = max((self.font(size, False).size(name)[0] for name, _, _ in block.rows), default=0) + em
        for name, caps, lit in block.rows:
            if sheet:
                self._lay_lines(sheet, name, pygame.Rect(room.left, y + round(0.3 * em), room.width, 0), size, INK)
            x = room.left + names
            for cap in caps:
                drawn = self._line(cap, size, False, ON_ACCENT if lit else INK)
                box = pygame.Rect(x, y, max(drawn.get_width() + em, high), high)
                if box.right > room.right and x > room.left + names:  # into the next line
                    y += high + em // 4
                    box.topleft = (room.left + names, y)
                if sheet:
                    pygame.draw.rect(sheet, ACCENT if lit else DIM, box, 0 if lit else 1, em // 3)
                    sheet.blit(drawn, drawn.get_rect(center=box.center))
                x = box.right + em // 2
            y += high + em // 3
        return y - room.top
