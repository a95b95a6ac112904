"""Showing pages at the window, and the page of the keys. By keyboard alone; knows no log."""

import time
from collections.abc import Callable

import numpy as np
import pygame

from priorlab.human_study.study.texts import Texts
from priorlab.human_study.window.controls import DEFAULT, INPUTS, PAD_AXES, RESERVED, Controls, Pads, name_of
from priorlab.human_study.window.paper import APART, Block, Caps, Commands, Note, Paper, Text, Title
from priorlab.human_study.window.questions import ENTER, Page
from priorlab.human_study.window.window import FRESH, IDLE_SECONDS, Window

TICK = 1 / 60  # seconds between two looks at the keyboard
READABLE = 0.3  # seconds that a page is up before Enter counts
COMMANDS = (*ENTER, pygame.K_TAB, pygame.K_BACKSPACE)  # of the page of the keys, which can't be chosen for the game


class KeysPage(Page):
    """Keys to be tried and, where that is allowed, chosen; the answer is the controls.

    A key that is among the controls lights up and does nothing else; what goes on is done by keys that can't be among
    them. While keys are chosen Escape leaves them as they were.
    """

    def __init__(self, texts: Texts, controls: Controls, pads: Pads | None, names: dict[str, str], remap: bool):
        """``names``: what each input, by its name in ``INPUTS``, is called."""
        super().__init__(texts, hint="")
        self.controls, self.pads, self.names, self.remap = controls, pads, names, remap
        self.lit: dict[object, int] = {}  # what is held, and the input it gives
        self.asked: list[str] = []  # inputs whose keys are still to be chosen
        self.new: dict[int, int] = {}
        self.note = ""  # what is wrong with a key
        self.said = texts("controls.text")

    @property
    def cancels(self) -> bool:
        return bool(self.asked)

    def blocks(self) -> list[Block]:
        said = self.texts("controls.press", input=self.names[self.asked[0]]) if self.asked else self.said
        rows = [self._row(each, name) for each, name in self.names.items()]
        blocks: list[Block] = [Title(self.texts("controls.title")), Text(said), Caps(rows)]
        if self.pads is not None and self.pads.count:
            blocks.append(Text(self.texts("controls.pad"), dim=True))
        if self.asked:
            blocks.append(Note(self.note))
        commands = [(self.texts(f"keys.{key}"), self.texts(f"controls.{does}")) for key, does in self._commands()]
        return [*blocks, Commands(commands)]

    def _row(self, each: str, name: str) -> tuple[str, list[str], bool]:
        """An input's name, the caps of its keys, and whether they are lit."""
        if [each] == self.asked[:1]:
            return name, ["?"], True
        keys = self.new if self.asked else self.controls.keys
        caps = [name_of(code, self.texts) for code, given in keys.items() if given == INPUTS[each]]
        return name, caps, INPUTS[each] in self.lit.values()

    def _commands(self) -> list[tuple[str, str]]:
        """(the key, what it does) of what can be done now."""
        if self.asked:
            return [("escape", "cancel")]
        chosen = [("tab", "choose"), *([("backspace", "default")] if self.controls.chosen else [])]
        return [("return", "keep"), *(chosen if self.remap else [])]

    def take(self, event: pygame.Event, paper: Paper) -> None:
        if event.type == pygame.KEYUP:
            self.lit.pop(event.scancode, None)
        elif event.type != pygame.KEYDOWN:
            return
        elif self.asked:
            self._choose(event)
        elif event.scancode in self.controls.keys:
            self.lit[event.scancode] = self.controls.keys[event.scancode]
        elif self.remap and event.key == pygame.K_TAB:
            self.asked, self.new, self.lit, self.note = list(self.names), {}, {}, ""
        elif self.remap and event.key == pygame.K_BACKSPACE and self.controls.chosen:
            self._set(DEFAULT, "controls.text")
        else:
            super().take(event, paper)

    def take_pads(self, held: dict[tuple[int, str, int], int]) -> bool:
        """What is held on gamepads lights up; whether that is something else than before."""
        before, keys = self.lit, {key: number for key, number in self.lit.items() if isinstance(key, int)}
        self.lit = {**keys, **held}
        return self.lit != before

    def _choose(self, event: pygame.Event) -> None:
        if event.key == pygame.K_ESCAPE:
            self.asked = []
            self._set(self.controls, "controls.cancelled")
        elif event.key in (*RESERVED, *COMMANDS):
            self.note = self.texts("controls.reserved")
        elif event.scancode in self.new:
            self.note = self.texts("controls.taken")
        else:
            self.new[event.scancode], self.note = INPUTS[self.asked.pop(0)], ""
            if not self.asked:
                self._set(Controls(self.new, chosen=True), "controls.changed")

    def _set(self, controls: Controls, said: str) -> None:
        self.controls, self.lit, self.said = controls, {}, self.texts(said)

    def enter(self) -> None:
        self.answer, self.done = self.controls, True


class Fresh:
    """Tells keys meant for this page from those held since the last page or the game, which the keyboard repeats, from
    those held in another window from which the focus came, and from an Enter pressed before anybody could read."""

    def __init__(self) -> None:
        pressed = pygame.key.get_pressed()
        self._began = time.perf_counter()
        self._held = {code for code in range(len(pressed)) if tuple.__getitem__(pressed, code)}  # by scancode
        self._muted = bool(self._held)  # whether what is typed comes from one of them
        self._away, self._focused = False, -1.0  # whether another window has the keyboard; when the focus came back

    def is_stale(self, event: pygame.Event) -> bool:
        if event.type == pygame.TEXTINPUT:
            return self._muted
        if event.type in (pygame.WINDOWFOCUSLOST, pygame.WINDOWFOCUSGAINED):
            self._away, self._focused = event.type == pygame.WINDOWFOCUSLOST, time.perf_counter()
        if event.type == pygame.KEYUP:
            self._held.discard(event.scancode)
            self._muted = self._muted and bool(self._held)
        if event.type != pygame.KEYDOWN:
            return False
        if self._away or time.perf_counter() < self._focused + FRESH:  # X repeats it before it tells of the focus
            self._held.add(event.scancode)
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
            if fresh.is_stale(event):
                continue
            if event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE and not page.cancels:
                return escape
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
    hint = APART.join(filter(None, (words() for words in hints)))
    paper.draw(window.page(), page.blocks(), hint, dots)
    window.flip()


def note_idle(window: Window, was_idle: bool) -> bool:
    """Whether no key was touched for a while; where that changes the window notes it."""
    is_idle = time.perf_counter() > window.touched + IDLE_SECONDS
    if is_idle != was_idle:
        window.happened.append((time.perf_counter(), "idle", {"what": "begin" if is_idle else "end", "why": "page"}))
    return is_idle


def notice(paper: Paper, text: str, size: int) -> pygame.Surface:
    """A line on a dark ground, to be shown on a game that waits; ``size`` px of its letters."""
    drawn = paper.letters.line(text, size, False, (255, 255, 255))
    board = pygame.Surface(np.array(drawn.get_size()) + size)
    board.fill((30, 30, 30))
    board.blit(drawn, drawn.get_rect(center=board.get_rect().center))
    return board
