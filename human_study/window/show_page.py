"""Showing a page at the window until the participant leaves it, by keyboard alone. Logs nothing."""

import time
from collections.abc import Callable

import numpy as np
import pygame

from priorlab.human_study.protocol.blocks import Plate
from priorlab.human_study.protocol.keys import IDLE_SECONDS, READABLE_SECONDS, REFOCUS_SECONDS
from priorlab.human_study.protocol.pages import Choice, KeysPage, Page, Several, Typed
from priorlab.human_study.protocol.plates import plate_picture
from priorlab.human_study.study.texts import Texts
from priorlab.human_study.window.controls import PAD_AXES
from priorlab.human_study.window.forms import ENTER, ChoiceForm, Form, SeveralForm, TypedForm
from priorlab.human_study.window.key_form import KeyForm
from priorlab.human_study.window.paper import APART, Paper
from priorlab.human_study.window.window import Window

TICK = 1 / 60  # seconds between two polls of the keyboard


def form_of(page: Page | KeysPage, texts: Texts, window: Window) -> Form:
    """The page, ready to be shown at that window; its plate is drawn."""
    for block in () if isinstance(page, KeysPage) else page.blocks:
        if isinstance(block, Plate):
            plate_picture(block)  # before anybody waits for it
    match page:
        case KeysPage():
            return KeyForm(page, texts, window.controls, window.pads)
        case Choice():
            return ChoiceForm(page, texts)
        case Several():
            return SeveralForm(page, texts)
        case Typed():
            return TypedForm(page, texts)
    return Form(page, texts)


class StaleKeys:
    """Recognises keys that are not meant for this page: keys held since the last page or the game, which the keyboard
    repeats; keys held in another window when the focus came back; an Enter pressed before anybody could read."""

    def __init__(self) -> None:
        pressed = pygame.key.get_pressed()
        self._began = time.perf_counter()
        self._held = {code for code in range(len(pressed)) if tuple.__getitem__(pressed, code)}  # by scancode
        self._muted = bool(self._held)  # whether typed text comes from one of them
        self._away, self._focused = False, -1.0  # whether another window has the keyboard; when the focus came back

    def includes(self, event: pygame.Event) -> bool:
        if event.type == pygame.TEXTINPUT:
            return self._muted
        if event.type in (pygame.WINDOWFOCUSLOST, pygame.WINDOWFOCUSGAINED):
            self._away, self._focused = event.type == pygame.WINDOWFOCUSLOST, time.perf_counter()
        if event.type == pygame.KEYUP:
            self._held.discard(event.scancode)
            self._muted = self._muted and bool(self._held)
        if event.type != pygame.KEYDOWN:
            return False
        # X repeats a held key before it reports the focus
        if self._away or time.perf_counter() < self._focused + REFOCUS_SECONDS:
            self._held.add(event.scancode)
        self._muted = event.scancode in self._held
        if event.key in ENTER:
            self._held.add(event.scancode)
            return self._muted or time.perf_counter() < self._began + READABLE_SECONDS
        return self._muted


def show_page(form: Form, window: Window, paper: Paper, dots: tuple[int, int] = (0, 0), back: bool = False) -> str:
    """Shows a page until it is left; returns "done", "back" (only if ``back``), "escape" or "closed".

    ``dots`` are as in ``Paper.draw``.
    """
    window.read(form.typing)
    paper.scroll, is_outdated, is_idle, stale_keys = 0, True, False, StaleKeys()
    hints = [form.hint, (lambda: paper.texts("page.back")) if back else (lambda: "")]
    while True:
        for event in window.listen():
            is_outdated |= event.type not in PAD_AXES  # which a stick sends all the time
            if stale_keys.includes(event):
                continue
            if event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE and not form.cancels:
                return "escape"
            form.take(event, paper)
            if form.done or (form.back and back):
                return "done" if form.done else "back"
            form.back = False
        if window.closed:
            return "closed"
        if isinstance(form, KeyForm) and window.pads is not None:
            is_outdated |= form.take_pads(window.pads.held())
        if is_outdated:
            draw(form, window, paper, dots, hints)
        is_idle, is_outdated = note_idle(window, is_idle), False
        time.sleep(TICK)


def draw(form: Form, window: Window, paper: Paper, dots: tuple[int, int], hints: list[Callable[[], str]]) -> None:
    hint = APART.join(filter(None, (words() for words in hints)))
    paper.draw(window.page(), form.blocks(), hint, dots)
    window.flip()


def note_idle(window: Window, was_idle: bool) -> bool:
    """Whether no key was touched for a while; the window notes each change."""
    is_idle = time.perf_counter() > window.touched + IDLE_SECONDS
    if is_idle != was_idle:
        window.happened.append((time.perf_counter(), "idle", {"what": "begin" if is_idle else "end", "why": "page"}))
    return is_idle


def notice(paper: Paper, text: str, size: int) -> pygame.Surface:
    """A line on a dark ground, to be shown on a game that waits; its letters are ``size`` px."""
    drawn = paper.letters.line(text, size, False, (255, 255, 255))
    board = pygame.Surface(np.array(drawn.get_size()) + size)
    board.fill((30, 30, 30))
    board.blit(drawn, drawn.get_rect(center=board.get_rect().center))
    return board
