"""Pages: what each shows, what keys do on it, and what it is answered with. By keyboard alone; knows no log."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pygame

from human_study.controls import DEFAULT, INPUTS, PAD_AXES, RESERVED, Controls, Pads, name_of
from human_study.paper import Block, Caps, Choices, Entry, Paper, Picture, Text, Title, digits
from human_study.plates import plate
from human_study.texts import Question, Texts
from human_study.window import IDLE_SECONDS, Window

LONGEST = 4000  # characters of an answer
TICK = 1 / 60  # seconds between two looks at the keyboard
READABLE = 0.3  # seconds that a page is up before Enter counts
SCROLL = 0.6  # of what is seen of a page that is scrolled at most at once
ENTER = (pygame.K_RETURN, pygame.K_KP_ENTER)


class Page:
    """A page of text that Enter ends, and what other pages have in common."""

    typing = False  # whether text is typed

    def __init__(self, texts: Texts, *blocks: Block, hint: str = "page.next"):
        self.texts, self._blocks, self._hint = texts, blocks, hint
        self.done, self.back = False, False
        self.answer: Any = None

    def blocks(self) -> list[Block]:
        return [*self._blocks]

    def hint(self) -> str:
        return self.texts(self._hint)

    def take(self, event: pygame.Event, paper: Paper) -> None:
        if event.type != pygame.KEYDOWN:
            return
        if event.key in ENTER:
            self.enter()
        elif event.key in (pygame.K_DOWN, pygame.K_UP):
            self.move(1 if event.key == pygame.K_DOWN else -1, paper)
        elif event.key in (pygame.K_PAGEDOWN, pygame.K_PAGEUP):
            paper.scroll += round(SCROLL * paper.view) * (1 if event.key == pygame.K_PAGEDOWN else -1)
        elif event.key == pygame.K_LEFT:
            self.back = True

    def enter(self) -> None:
        self.done = True

    def move(self, way: int, paper: Paper) -> None:
        """Up (-1) or down (1): scrolls."""
        paper.scroll += way * round(SCROLL * paper.view)


class Choice(Page):
    """One of some options, by name; at first none is chosen."""

    def __init__(self, texts: Texts, options: dict[str, str], *blocks: Block, chosen: str | None = None):
        super().__init__(texts, *blocks, hint="page.choose")
        self.options, self.chosen = options, list(options).index(chosen) if chosen in options else None

    def blocks(self) -> list[Block]:
        return [*self._blocks, Choices(list(self.options.values()), self.chosen)]

    def enter(self) -> None:
        if self.chosen is not None:
            self.answer, self.done = list(self.options)[self.chosen], True

    def move(self, way: int, paper: Paper) -> None:
        """The next option where it can be seen; else the page scrolls until it can, or as far as one reads at once."""
        target = (-1 if self.chosen is None else self.chosen) + way
        if not 0 <= target < len(self.options):
            return super().move(way, paper)
        box = paper.options[target]
        wanted = min(max(paper.scroll, box.bottom + paper.em - paper.view), max(box.top - paper.em, 0))
        reach = round(SCROLL * paper.view)
        paper.scroll = min(max(wanted, paper.scroll - reach), paper.scroll + reach)
        if box.top >= paper.scroll and box.bottom <= paper.scroll + paper.view:
            self.chosen = target


class Typed(Page):
    """Something typed: a text or, with ``is_number``, digits; or the one option that stands for no answer."""

    typing = True

    def __init__(self, question: Question, texts: Texts, *blocks: Block):
        super().__init__(texts, *blocks, hint="page.type")
        self.question, self.is_number = question, question.kind != "text"
        self.text, self.caret, self.composing, self.declined = "", 0, "", False

    def blocks(self) -> list[Block]:
        entry = Entry(self.text, self.caret, self.composing, active=not self.declined)
        options = list(self.question.options.values())
        return [*self._blocks, entry, *([Choices(options, 0 if self.declined else None)] if options else [])]

    def take(self, event: pygame.Event, paper: Paper) -> None:
        if event.type == pygame.TEXTINPUT:
            self._type(event.text)
        elif event.type == pygame.TEXTEDITING:
            self.composing = event.text
        elif event.type == pygame.KEYDOWN and not self.composing:
            self._take_key(event, paper)

    def _take_key(self, event: pygame.Event, paper: Paper) -> None:
        if event.key == pygame.K_BACKSPACE and self.caret:
            self.text, self.caret = self.text[: self.caret - 1] + self.text[self.caret :], self.caret - 1
        elif event.key == pygame.K_DELETE:
            self.text = self.text[: self.caret] + self.text[self.caret + 1 :]
        elif event.key in (pygame.K_LEFT, pygame.K_RIGHT) and not (event.key == pygame.K_LEFT and not self.text):
            self.caret = min(max(self.caret + (1 if event.key == pygame.K_RIGHT else -1), 0), len(self.text))
        elif event.key in (pygame.K_HOME, pygame.K_END):
            self.caret = 0 if event.key == pygame.K_HOME else len(self.text)
        else:
            super().take(event, paper)

    def _type(self, text: str) -> None:
        typed = "".join(each for each in text if each.isprintable() and (each.isdecimal() or not self.is_number))
        typed = typed[: (9 if self.is_number else LONGEST) - len(self.text)]
        self.text = self.text[: self.caret] + typed + self.text[self.caret :]
        self.caret += len(typed)
        self.composing, self.declined = "", False

    def move(self, way: int, paper: Paper) -> None:
        self.declined = way > 0 and bool(self.question.options)
        super().move(way, paper)

    def enter(self) -> None:
        if self.declined:
            self.answer, self.done = next(iter(self.question.options)), True
        elif not self.is_number:
            self.answer, self.done = self.text.strip(), True
        elif self.text:
            number, question = int(self.text), self.question
            is_within = question.kind == "plate" or question.least <= number <= question.most
            self.answer, self.done = number, is_within


def ask(question: Question, texts: Texts) -> Page:
    """The page of a question."""
    if question.kind == "choice":
        return Choice(texts, question.options, Title(question.text))
    if question.kind == "plate":
        dots = plate(digits(question.shows), question.cones, seed=question.shows)
        return Typed(question, texts, Text(question.text), Picture(dots))
    bounds = [Text(f"{question.least}-{question.most}", dim=True)] if question.kind == "number" else []
    return Typed(question, texts, Title(question.text), *bounds)


class KeysPage(Choice):
    """Keys to be tried and, where that is allowed, chosen; the answer is the controls."""

    def __init__(self, texts: Texts, controls: Controls, pads: Pads | None, names: dict[str, str], remap: bool):
        """``names``: what each input, by its name in ``INPUTS``, is called."""
        self.texts, self.controls, self.pads, self.names, self.remap = texts, controls, pads, names, remap
        self.lit: dict[object, int] = {}  # what is held, and the input it gives
        self.asked: list[str] = []  # inputs whose keys are still to be chosen
        self.new: dict[int, int] = {}
        self.note = ""
        super().__init__(texts, self._options(), chosen="keep")

    def _options(self) -> dict[str, str]:
        words = ["keep"]
        if self.remap:
            words += ["choose"] + (["default"] if self.controls.chosen else [])
        return {word: self.texts(f"controls.{word}") for word in words}

    def blocks(self) -> list[Block]:
        codes = self.new if self.asked else self.controls.keys
        rows = [
            (name, [name_of(code, self.texts) for code, given in codes.items() if given == INPUTS[each]],
             INPUTS[each] in self.lit.values())
            for each, name in self.names.items()
        ]  # fmt: skip
        blocks: list[Block] = [Title(self.texts("controls.title"))]
        if self.asked:
            blocks.append(Text(self.texts("controls.press", input=self.names[self.asked[0]])))
        else:
            blocks.append(Text(self.texts("controls.text")))
        blocks.append(Caps(rows))
        if self.pads is not None and self.pads.count:
            blocks.append(Text(self.texts("controls.pad"), dim=True))
        if self.asked:
            return [*blocks, Text(self.note)]
        return [*blocks, Choices(list(self.options.values()), self.chosen)]

    def hint(self) -> str:
        return "" if self.asked else super().hint()

    def take(self, event: pygame.Event, paper: Paper) -> None:
        if event.type == pygame.KEYUP:
            self.lit.pop(event.scancode, None)
        elif event.type == pygame.KEYDOWN and self.asked:
            self._choose(event)
        elif event.type == pygame.KEYDOWN:
            if event.scancode in self.controls.keys:
                self.lit[event.scancode] = self.controls.keys[event.scancode]
            if event.key != pygame.K_LEFT:  # it is tried here
                super().take(event, paper)

    def take_pads(self, held: dict[tuple[int, str, int], int]) -> bool:
        """What is held on gamepads lights up; whether that is something else than before."""
        before, keys = self.lit, {key: number for key, number in self.lit.items() if isinstance(key, int)}
        self.lit = {**keys, **held}
        return self.lit != before

    def _choose(self, event: pygame.Event) -> None:
        is_free = event.scancode not in self.new and event.key not in RESERVED
        self.note = "" if is_free else self.texts("controls.taken")
        if is_free:
            self.new[event.scancode] = INPUTS[self.asked.pop(0)]
        if not self.asked:
            self._set(Controls(self.new, chosen=True))

    def _set(self, controls: Controls) -> None:
        self.controls, self.lit = controls, {}
        self.options, self.chosen = self._options(), 0

    def enter(self) -> None:
        word = list(self.options)[self.chosen or 0]
        if word == "choose":
            self.asked, self.new, self.lit = list(self.names), {}, {}
        elif word == "default":
            self._set(DEFAULT)
        else:
            self.answer, self.done = self.controls, True


class Fresh:
    """Tells keys meant for this page from those held since the last page or the game, which the keyboard repeats, and
    from an Enter pressed before anybody could read."""

    def __init__(self) -> None:
        pressed = pygame.key.get_pressed()
        self._began = time.perf_counter()
        self._held = {code for code in range(len(pressed)) if tuple.__getitem__(pressed, code)}  # by scancode
        self._muted = bool(self._held)  # whether what is typed comes from one of them

    def is_stale(self, event: pygame.Event) -> bool:
        if event.type == pygame.TEXTINPUT:
            return self._muted
        if event.type == pygame.KEYUP:
            self._held.discard(event.scancode)
            self._muted = self._muted and bool(self._held)
        if event.type != pygame.KEYDOWN:
            return False
        self._muted = event.scancode in self._held
        if event.key in ENTER:
            self._held.add(event.scancode)
            return self._muted or time.perf_counter() < self._began + READABLE
        return self._muted


def show(
    page: Page, window: Window, paper: Paper, dots: tuple[int, int] = (0, 0), escape: str = "escape", back: bool = False
) -> str:
    """Shows a page until it is answered; "done", "back" (where that is possible), ``escape``, or "closed".

    ``dots`` are as in ``Paper.draw``.
    """
    window.read(page.typing)
    paper.scroll, stale, idle, fresh = 0, True, False, Fresh()
    hints = [page.hint, (lambda: paper.texts("page.back")) if back else (lambda: "")]
    while True:
        for event in window.listen():
            stale |= event.type not in PAD_AXES  # which a stick sends all the time
            if event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE:
                return escape
            if fresh.is_stale(event):
                continue
            page.take(event, paper)
            if page.done or (page.back and back):
                return "done" if page.done else "back"
            page.back = False
        if window.closed:
            return "closed"
        if isinstance(page, KeysPage) and window.pads is not None:
            stale |= page.take_pads(window.pads.held())
        if stale:
            draw(page, window, paper, dots, hints)
        idle, stale = note_idle(window, idle), False
        time.sleep(TICK)


def draw(page: Page, window: Window, paper: Paper, dots: tuple[int, int], hints: list[Callable[[], str]]) -> None:
    surface = window.page()
    for _ in range(2):  # what is scrolled is known once it was laid out
        hint = [paper.texts("page.more") if paper.scroll < paper.most else "", *(words() for words in hints)]
        paper.draw(surface, page.blocks(), "   ".join(filter(None, hint)), dots)
    window.flip()


def note_idle(window: Window, was_idle: bool) -> bool:
    """Whether no key was touched for a while; where that changes the window notes it."""
    is_idle = time.perf_counter() > window.touched + IDLE_SECONDS
    if is_idle != was_idle:
        window.happened.append((time.perf_counter(), "idle", {"what": "begin" if is_idle else "end", "why": "page"}))
    return is_idle


def notice(paper: Paper, text: str, size: int) -> pygame.Surface:
    """A line on a dark ground, to be shown on a game that waits; ``size`` px of its letters."""
    drawn = paper.font(size, False).render(text, True, (255, 255, 255))
    board = pygame.Surface(np.array(drawn.get_size()) + size)
    board.fill((30, 30, 30))
    board.blit(drawn, drawn.get_rect(center=board.get_rect().center))
    return board
