"""Draws pages: text, choices, a line to type in, plates and keys, large and readable on a surface of any size."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pygame

from priorlab.human_study.protocol.blocks import (
    Block,
    Caps,
    Choices,
    Code,
    Commands,
    Entry,
    Note,
    Plate,
    Text,
    Title,
)
from priorlab.human_study.protocol.plates import default_font, plate_picture
from priorlab.human_study.study.texts import Texts
from priorlab.human_study.window.letters import Letters

INK, DIM, GROUND, ACCENT, ON_ACCENT = (17, 17, 17), (95, 95, 95), (250, 250, 248), (11, 87, 208), (255, 255, 255)
WARNING = (176, 0, 32)
LINES = "ABC←→↑↓•"  # characters that pages show with any texts
EMS_WIDE, EMS_HIGH = 38, 31  # the size of a page that is not crowded, in letter sizes
COLUMN, WIDEST = 34, 46  # width of a line in letter sizes, and on a crowded page
SMALLEST, SHRINK = 13, 0.68  # smallest letters, px, and as a share of the usual size; smaller ones: the page scrolls
TIGHT = 0.55  # share of the space between blocks that remains on a crowded page
APART = "   "  # between the hints of a page
CODE, SPACED = 2.2, 0.25  # size of a code in letter sizes, and space between its characters in code sizes


def find_font(texts: Texts, bold: bool = False) -> Path:
    """The file of the texts' font. Raises ValueError, one line, if there is no such font and no such file."""
    wanted = texts.font["file"]
    if not wanted:
        return default_font(bold)
    file = texts.path.parent / wanted
    path = str(file) if file.is_file() else pygame.font.match_font(wanted, bold) or pygame.font.match_font(wanted)
    if path is None:
        raise ValueError(f"{texts.path}: font {wanted!r}: expected an installed font, or a file next to the texts")
    return Path(path)


def check_fonts(languages: Mapping[str, Texts]) -> None:
    """Raises ValueError, one line, that names the characters that a language's font lacks. The page on which a language
    is chosen is in the first one's font."""
    first, *others = languages.values()
    check_font(first, [text for each in others for text in (each.language, each("page.language"))])
    for texts in others:
        check_font(texts)


def check_font(texts: Texts, others: Sequence[str] = ()) -> None:
    """Raises ValueError, one line, that names the characters the font lacks, of its texts and ``others``."""
    pygame.font.init()
    path = find_font(texts)
    font = pygame.font.Font(str(path), 20)
    missing = image(font, "\uffff")  # what is drawn for a character that no font has
    characters = sorted(
        {each for text in [LINES, *others, *texts.every()] for each in text if each.isprintable() and each != " "}
    )
    lacking = [each for each in characters if image(font, each) == missing]
    if lacking:
        listed = " ".join(lacking[:20]) + (f" and {len(lacking) - 20} more" if len(lacking) > 20 else "")
        raise ValueError(f"{texts.path}: the font {path.name} lacks {listed}: expected another in [font], file")


def image(font: pygame.font.Font, character: str) -> bytes:
    return pygame.image.tobytes(font.render(character, True, INK, GROUND), "RGB")


class Paper:
    """Draws blocks, one below the other, in a column in the middle of a surface.

    If they don't fit, the space between them shrinks, then their letters; if that is not enough, the letters keep their
    size and the page scrolls. Nothing is ever cut off: what would be is hidden until the page scrolls to it.

    After ``draw``, ``scroll`` px of at most ``most`` are hidden above, and ``view`` px are visible. ``options`` are the
    boxes of the choices, from the top of the page, and ``units`` those of everything that is shown complete or not at
    all.
    """

    def __init__(self, texts: Texts):
        self.texts, self.right_to_left = texts, texts.font["direction"] == "rtl"
        pygame.font.init()
        paths = find_font(texts), find_font(texts, bold=True)
        self.letters = Letters(paths, self.right_to_left, texts.font["script"])
        self.font, self.wrap = self.letters.font, self.letters.wrap
        code = default_font(bold=True, kind="Mono")
        self._code = Letters((code, code), False, "")
        self.scroll = self.most = self.view = 0
        self.options: list[pygame.Rect] = []
        self.em, self._air = SMALLEST, 1.0
        self.follow = False  # whether to scroll to the caret
        self._caret = pygame.Rect(0, 0, 0, 0)
        self.units: list[pygame.Rect] = []

    def draw(self, surface: pygame.Surface, blocks: Sequence[Block], hint: str, dots: tuple[int, int]) -> None:
        """``dots``: (number of the page, how many pages there are); one dot is drawn for each."""
        wide, high = surface.get_size()
        column, hints, foot = self._fit(wide, high, blocks, hint)
        left, margin = (wide - column) // 2, round(self._air * self.em)
        height = self._lay(None, blocks, left, column) + margin
        bar = round(1.5 * self.em) if height > high - foot else 0
        self.view = max(high - foot - bar, self.em)
        self.most = max(height - self.view, 0)
        sheet = pygame.Surface((wide, height))
        sheet.fill(GROUND)
        self._lay(sheet, blocks, left, column)
        if self.follow:
            highest = max(self._caret.bottom + self.em - self.view, 0)
            self.scroll, self.follow = min(max(self.scroll, highest), max(self._caret.top - self.em, highest)), False
        self.scroll = min(max(self.scroll, 0), self.most)
        surface.fill(GROUND)
        top = max((self.view - height) // 3, 0)
        surface.blit(sheet, (0, top), (0, self.scroll, wide, self.view))
        self._hide_cut_units(surface)
        if self.scroll < self.most:
            pygame.draw.rect(surface, ACCENT, (0, self.view, wide, bar))
            more = self.letters.line(self.texts("page.more"), self.em, True, ON_ACCENT)
            surface.blit(more, more.get_rect(center=(wide // 2, self.view + bar // 2)))
        self._foot(surface, hints, dots, foot)

    def _fit(self, wide: int, high: int, blocks: Sequence[Block], hint: str) -> tuple[int, list[str], int]:
        """(width of the column, lines of the hint, px below the page) at the largest sizes at which the page fits.

        Typed text does not count, so that letters don't change while a participant types.
        """
        rest = [replace(each, text="", composing="") if isinstance(each, Entry) else each for each in blocks]
        base = max(int(min(wide / EMS_WIDE, high / EMS_HIGH)), SMALLEST)
        least = max(SMALLEST, round(SHRINK * base))
        sizes = [(base, 1.0), *((em, TIGHT) for em in range(base, least - 1, -1))]
        best = next(
            (fit for em, air in sizes if (fit := self._fit_at(em, air, base, (wide, high), rest, hint))[0]), None
        )
        return (best or self._fit_at(base, TIGHT, base, (wide, high), rest, hint))[1:]

    def _fit_at(
        self, em: int, air: float, base: int, size: tuple[int, int], blocks: Sequence[Block], hint: str
    ) -> tuple[bool, int, list[str], int]:
        """Sets the sizes; returns whether the blocks fit with them, then as ``_fit``."""
        self.em, self._air = em, air
        column = min(size[0] - 2 * em, max(COLUMN * em, min(COLUMN * base, WIDEST * em)))
        hints = self.wrap(hint, column, self._small) if hint else []
        hints = hints if len(hints) < 2 else self.wrap(hint.replace(APART, "\n"), column, self._small)
        foot = round(len(hints) * 1.35 * self._small) + round(1.4 * em)
        height = self._lay(None, blocks, (size[0] - column) // 2, column) + round(air * em)
        return height <= size[1] - foot, column, hints, foot

    @property
    def _small(self) -> int:
        """px of the letters of hints."""
        return max(round(0.8 * self.em), 12)

    def _hide_cut_units(self, surface: pygame.Surface) -> None:
        """Hides lines, options and plates that the edge of the view cuts, unless they fill more than half of it."""
        wide = surface.get_width()
        for unit in self.units:
            if unit.height > self.view // 2:
                continue
            if unit.top < self.scroll < unit.bottom:
                surface.fill(GROUND, (0, 0, wide, unit.bottom - self.scroll))
            if unit.top < self.scroll + self.view < unit.bottom:
                top = unit.top - self.scroll
                surface.fill(GROUND, (0, top, wide, self.view - top))

    def _foot(self, surface: pygame.Surface, hints: list[str], dots: tuple[int, int], foot: int) -> None:
        (wide, high), em = surface.get_size(), self.em
        y = high - foot + em // 4
        for line in hints:
            drawn = self.letters.line(line, self._small, False, DIM)
            surface.blit(drawn, drawn.get_rect(midtop=(wide // 2, y)))
            y += round(1.35 * self._small)
        past, count = dots
        apart = min(0.9 * em, (wide - 2 * em) / max(count, 1))  # closer together if there are many
        for number in range(count):
            across = count - 1 - number if self.right_to_left else number
            centre = (wide / 2 + (across - (count - 1) / 2) * apart, high - 0.6 * em)
            pygame.draw.aacircle(
                surface, ACCENT if number <= past else (200, 200, 200), centre, min(0.2 * em, apart / 4)
            )

    def _lay(self, sheet: pygame.Surface | None, blocks: Sequence[Block], left: int, width: int) -> int:
        """Draws the blocks on the sheet, if there is one; returns their height."""
        y = round(self._air * self.em)
        self.options, self.units = [], []
        for block in blocks:
            y += self._lay_block(sheet, block, pygame.Rect(left, y, width, 0)) + round(0.7 * self._air * self.em)
        return y

    def _lay_block(self, sheet: pygame.Surface | None, block: Block, room: pygame.Rect) -> int:
        em = self.em
        match block:
            case Title():
                return self._lay_lines(sheet, block.text, room, round(1.5 * em), INK, bold=True)
            case Text():
                return self._lay_lines(sheet, block.text, room, em, DIM if block.dim else INK)
            case Note():
                return self._lay_lines(sheet, block.text, room, em, WARNING, bold=True)
            case Choices():
                return self._lay_choices(sheet, block, room)
            case Entry():
                return self._lay_entry(sheet, block, room)
            case Plate():
                return self._lay_plate(sheet, block, room)
            case Code():
                return self._lay_code(sheet, block, room)
            case Commands():
                return self._lay_commands(sheet, block, room)
        return self._lay_caps(sheet, block, room)

    def _lay_lines(
        self, sheet: pygame.Surface | None, text: str, room: pygame.Rect, size: int,
        colour: tuple[int, int, int], bold: bool = False, parts: bool = True,
    ) -> int:  # fmt: skip
        """``parts``: whether each line is a unit."""
        lines, step = self.wrap(text, room.width, size, bold), round(1.3 * size)
        for number, line in enumerate(lines):
            y = room.top + number * step
            if parts:
                self.units.append(pygame.Rect(room.left, y, room.width, step))
            if sheet:
                drawn = self.letters.line(line, size, bold, colour)
                sheet.blit(drawn, (room.right - drawn.get_width() if self.right_to_left else room.left, y))
        return len(lines) * step

    def _lay_plate(self, sheet: pygame.Surface | None, block: Plate, room: pygame.Rect) -> int:
        side = min(room.width, 15 * self.em)
        box = pygame.Rect(room.centerx - side // 2, room.top, side, side)
        self.units.append(box)
        if sheet:
            pixels = plate_picture(block)
            image = pygame.image.frombuffer(pixels.tobytes(), pixels.shape[1::-1], "RGB")
            sheet.blit(pygame.transform.smoothscale(image, box.size), box)
        return side

    def _lay_choices(self, sheet: pygame.Surface | None, block: Choices, room: pygame.Rect) -> int:
        em, y, inside = self.em, room.top, room.inflate(-1.4 * self.em, 0)
        if block.marked is not None:  # room for the boxes
            inside = pygame.Rect(inside.left + (0 if self.right_to_left else 1.3 * em), y, inside.width - 1.3 * em, 0)
        for number, option in enumerate(block.options):
            is_chosen = number == block.chosen
            high = self._lay_lines(None, option, inside, em, INK, parts=False) + round(0.5 * em)
            box = pygame.Rect(room.left, y, room.width, high)
            self.options.append(box)
            self.units.append(box)
            if sheet:
                pygame.draw.rect(sheet, ACCENT if is_chosen else DIM, box, 0 if is_chosen else 1, em // 3)
                line = inside.move(0, y - room.top + round(0.25 * em))
                self._lay_lines(sheet, option, line, em, ON_ACCENT if is_chosen else INK, parts=False)
                if block.marked is not None:
                    self._draw_mark(sheet, box, block.marked[number], ON_ACCENT if is_chosen else INK)
            y += high + round(0.3 * em)
        return y - room.top

    def _draw_mark(
        self, sheet: pygame.Surface, option: pygame.Rect, is_marked: bool, colour: tuple[int, int, int]
    ) -> None:
        """A box beside the option's first line, ticked if it is marked."""
        em = self.em
        box = pygame.Rect(0, option.top + round(0.5 * em), round(0.8 * em), round(0.8 * em))
        box.centerx = option.right - em if self.right_to_left else option.left + em
        pygame.draw.rect(sheet, colour, box, max(em // 12, 1), em // 6)
        if is_marked:
            left, middle, right = ((0.2, 0.55), (0.42, 0.78), (0.82, 0.25))
            points = [(box.left + x * box.width, box.top + y * box.height) for x, y in (left, middle, right)]
            pygame.draw.lines(sheet, colour, False, points, max(em // 7, 2))

    def _lay_entry(self, sheet: pygame.Surface | None, block: Entry, room: pygame.Rect) -> int:
        """The caret is a bar in the text, so that it moves with the text when lines wrap."""
        em, inside, step = self.em, room.inflate(-self.em, 0), round(1.3 * self.em)
        caret = "|" if block.active else ""
        before = block.text[: block.caret] + block.composing + caret
        text, inner = before + block.text[block.caret :], inside.move(0, round(0.4 * em))
        high = max(self._lay_lines(None, text, inner, em, INK), block.lines * step) + round(0.8 * em)
        above = (len(self.wrap(before, inside.width, em, False)) - 1) * step
        self._caret = pygame.Rect(inner.left, inner.top + above, 1, step)
        box = pygame.Rect(room.left, room.top, room.width, high)
        if sheet:
            pygame.draw.rect(sheet, (255, 255, 255), box, 0, em // 3)
            pygame.draw.rect(sheet, ACCENT if block.active else DIM, box, 2 if block.active else 1, em // 3)
            self._lay_lines(sheet, text, inner, em, INK, parts=False)
        return high

    def _lay_code(self, sheet: pygame.Surface | None, block: Code, room: pygame.Rect) -> int:
        """Each character apart, in letters of equal width."""
        size, count = round(CODE * self.em), max(len(block.text), 1)
        width = self._code.width("0", size, True)
        apart = min(round(SPACED * size), max((room.width - self.em) // count - width, 0))
        box = pygame.Rect(0, room.top, count * (width + apart) + self.em, round(1.6 * size))
        box.centerx = room.centerx
        self.units.append(box)
        if sheet:
            pygame.draw.rect(sheet, ACCENT, box, 2, self.em // 3)
            for number, character in enumerate(block.text):
                drawn = self._code.line(character, size, True, INK)
                centre = (box.left + self.em // 2 + (number + 0.5) * (width + apart), box.centery)
                sheet.blit(drawn, drawn.get_rect(center=centre))
        return box.height

    def _cap(self, text: str, x: int, y: int) -> pygame.Rect:
        """The box of a cap whose upper left corner is there."""
        high = round(1.9 * self.em)
        return pygame.Rect(x, y, max(self.letters.width(text, self.em) + self.em, high), high)

    def _draw_cap(self, sheet: pygame.Surface, text: str, box: pygame.Rect, lit: bool) -> None:
        pygame.draw.rect(sheet, ACCENT if lit else DIM, box, 0 if lit else 1, self.em // 3)
        drawn = self.letters.line(text, self.em, False, ON_ACCENT if lit else INK)
        sheet.blit(drawn, drawn.get_rect(center=box.center))

    def _lay_caps(self, sheet: pygame.Surface | None, block: Caps, room: pygame.Rect) -> int:
        em, y, high = self.em, room.top, round(1.9 * self.em)
        names = max((self.letters.width(name, em) for name, _, _ in block.rows), default=0) + em
        for name, caps, lit in block.rows:
            label = pygame.Rect(room.left, y + round(0.3 * em), room.width, 0)
            self._lay_lines(sheet, name, label, em, INK, parts=False)
            first = room.left + (0 if self.right_to_left else names)
            last, x = first + room.width - names, first
            self.units.append(pygame.Rect(room.left, y, room.width, high))
            for cap in caps:
                box = self._cap(cap, x, y)
                if box.right > last and x > first:  # into the next line
                    y += high + em // 4
                    box.topleft = first, y
                    self.units.append(pygame.Rect(room.left, y, room.width, high))
                x = box.right + em // 2
                if self.right_to_left:
                    box.right = first + last - box.left
                if sheet:
                    self._draw_cap(sheet, cap, box, lit)
            y += high + round(0.45 * self._air * em)
        return y - room.top

    def _lay_commands(self, sheet: pygame.Surface | None, block: Commands, room: pygame.Rect) -> int:
        em, y = self.em, room.top
        widest = max((self._cap(cap, 0, 0).width for cap, _ in block.rows), default=0)
        for cap, does in block.rows:
            box = self._cap(cap, room.left, y)
            words = pygame.Rect(room.left + widest + em, y + round(0.3 * em), room.width - widest - em, 0)
            if self.right_to_left:
                box.right, words.left = room.right, room.left
            high = max(self._lay_lines(sheet, does, words, em, INK, parts=False) + round(0.6 * em), box.height)
            self.units.append(pygame.Rect(room.left, y, room.width, high))
            if sheet:
                self._draw_cap(sheet, cap, box, False)
            y += high + round(0.45 * self._air * em)
        return y - room.top
