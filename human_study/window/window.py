"""The window in which people play and replays are shown. It knows neither games nor logs."""

import math
import os
import sys
import time
from collections.abc import Hashable, Sequence
from typing import Any, Self

import numpy as np
import pygame

from priorlab.envs.game.rules import NONE
from priorlab.human_study.protocol.keys import IDLE_SECONDS, REFOCUS_SECONDS, Keys
from priorlab.human_study.window.canvas import Canvas, fit
from priorlab.human_study.window.controls import DEFAULT, PAD_EVENTS, Connection, Controls, Gamepads, Press

TITLE = "Priorlab"  # never names the version
DESKTOP_SHARE = 0.8  # share of the screen's shorter side that the window takes at first
STAY = 1 / 30  # seconds between two polls for events while a picture stays
POLL = 0.002  # seconds between two polls for events before a step: the precision of key times
REPEAT = 400, 40  # ms until a held key repeats while text is typed, and between repetitions
REDRAWN = (  # events after which the screen may have lost the last picture
    pygame.WINDOWEXPOSED, pygame.WINDOWSHOWN, pygame.WINDOWRESTORED, pygame.WINDOWMAXIMIZED, pygame.WINDOWRESIZED,
    pygame.WINDOWSIZECHANGED, pygame.WINDOWDISPLAYCHANGED,
)  # fmt: skip
NO_SCREEN = ("dummy", "offscreen")  # drivers of SDL that show nothing
CURE = "run it in a desktop session (over ssh: ssh -X), with DISPLAY set and without SDL_VIDEODRIVER"


class NoDisplay(RuntimeError):
    """There is no display to open a window on."""


def require_display() -> None:
    """Starts the display. Raises NoDisplay, which says in one line what is missing and what to do."""
    if sys.platform.startswith("linux") and not os.environ.get("SDL_VIDEODRIVER"):
        if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
            raise NoDisplay(f"no display to open a window on (DISPLAY is not set): {CURE}")
        if not os.environ.get("WAYLAND_DISPLAY"):
            os.environ["SDL_VIDEODRIVER"] = "x11"  # else SDL first tries other drivers, and prints errors
    try:
        pygame.display.init()
    except pygame.error as error:
        raise NoDisplay(f"no display to open a window on ({error}): {CURE}") from None
    driver = pygame.display.get_driver()
    if driver in NO_SCREEN:
        pygame.display.quit()
        raise NoDisplay(f"no display to open a window on (SDL's driver is {driver!r}): {CURE}")


class Window:
    """A resizable window; F11 fills the screen. ``paused`` from a loss of focus, or P, to the next fresh press.

    ``happened`` collects what a log should hold: (time by ``time.perf_counter``, event, its fields). While the window
    shows a page (``reading``), keys belong to the page and are not logged, so that nobody's words are logged letter by
    letter.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        keys: Keys | None = None,
        *,
        controls: Controls = DEFAULT,
        gamepad: bool = True,
        fullscreen: bool = False,
    ):
        """For pictures of ``shape`` (height, width) px. ``keys`` is the rule that turns keys into inputs; gamepads give
        inputs, too, unless ``gamepad`` is False."""
        require_display()
        room = [int(DESKTOP_SHARE * length) for length in pygame.display.get_desktop_sizes()[0]]
        size = fit(shape, *room)[2:] if min(room[0] // shape[1], room[1] // shape[0]) else shape[::-1]
        self.controls, self.reading = controls, False
        self.notice: pygame.Surface | None = None  # shown in the middle of a dark picture
        self.words: dict[str, pygame.Surface] = {}  # shown below the last picture; by how the play ended
        self.speed: dict[str, float] = {}  # what was measured of it, for the log's header
        self._used = False  # whether a key was pressed or the focus was lost
        self._focused = -1.0  # when the focus came back; infinite while it is away
        self._down: set[int] = set()  # keys, by scancode
        self._stale: set[Hashable] = set()  # held since before the game or the focus: not fresh until released
        self.keys, self.closed, self.reason = keys or Keys(), False, ""
        self.happened: list[tuple[float, str, dict[str, Any]]] = []
        self.touched = time.perf_counter()  # when a key last went down or up
        self._early = False  # whether no picture has been shown yet that a key could be meant for
        try:
            options = {"position": (0, 0), "fullscreen_desktop": True} if fullscreen else {}
            screen = pygame.display.get_desktop_sizes()[0]  # the size, too, in case no window manager enlarges it
            self._window = pygame.Window(TITLE, screen if fullscreen else size, resizable=True, **options)
        except pygame.error as error:
            raise NoDisplay(f"no display to open a window on ({error}): {CURE}") from None
        self._canvas = Canvas(self._window)
        self.is_fullscreen = fullscreen
        self.pads = Gamepads() if gamepad else None
        pygame.key.stop_text_input()  # else macOS offers accents for a key that is held
        pygame.mouse.set_visible(False)
        self.paused, self._why = False, ""
        if not pygame.key.get_focused():
            self.pause("focus")
        if self.pads is not None:
            self._note_pads(self.pads.find())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.pads is not None:
            self.pads.close()
        self._window.destroy()
        pygame.display.quit()

    @property
    def size(self) -> tuple[int, int]:
        return self._window.size

    @property
    def refresh_rate(self) -> int:
        """Of the screen, Hz; 0 if unknown."""
        return pygame.display.get_desktop_refresh_rates()[0]

    def about(self) -> dict[str, Any]:
        """The system, the screen and the window, for the log's header."""
        wide, tall = pygame.display.get_desktop_sizes()[0]
        return {
            "system": sys.platform, "display_driver": pygame.display.get_driver(), "screen": [wide, tall],
            "refresh_rate": self.refresh_rate, "window": list(self.size),
            "window_scale": self._window.get_surface().get_width() / max(self.size[0], 1),
            "keymap": self.controls.about()["keys"], "pygame": pygame.ver, **self.speed,
        }  # fmt: skip

    def draw(self, picture: np.ndarray, dark: bool = False, word: pygame.Surface | None = None) -> None:
        """Shows a picture, uint8 (height, width, 3), as large as it fits, without smoothing; see ``Canvas.draw``."""
        self._canvas.draw(picture, dark=dark, notice=self.notice if dark else None, word=word)

    def page(self) -> pygame.Surface:
        """A surface to draw a page on; ``flip`` shows it."""
        return self._canvas.page()

    def flip(self) -> None:
        self._canvas.flip()

    def redraw(self) -> None:
        """The next picture is drawn completely."""
        self._canvas.forget()

    def read(self, typing: bool = False) -> None:
        """From now on the window shows a page; ``typing``: whether text is typed."""
        self.reading = True
        self.keys.release_all()
        (pygame.key.start_text_input if typing else pygame.key.stop_text_input)()
        pygame.key.set_repeat(*(REPEAT if typing else ()))

    def play(self, keys: Keys, wait: str = "") -> None:
        """From now on the window shows a game; it waits for a fresh press if ``wait`` gives a reason."""
        pygame.key.stop_text_input()
        pygame.key.set_repeat()
        self.reading, self.keys = False, keys
        if wait or not pygame.key.get_focused():
            self.pause(wait or "focus")
        else:
            self._continue()

    def begin(self) -> None:
        """The game's first picture is on the screen: keys that went down before count once they are pressed again."""
        self._early = True
        self.listen()
        self._early = False
        self.keys.release_all()
        self._stale |= self._down
        self._down.clear()

    def await_step(self, due: float) -> None:
        """Returns when a step is due, by ``time.perf_counter``; handles events until then as they happen."""
        self.listen()
        while (left := due - time.perf_counter()) > 0:
            time.sleep(min(left, POLL))
            self.listen()

    def listen(self) -> list[pygame.Event]:
        """Handles what happened to the window and the keys since the last call; returns all events, for pages."""
        if self.pads is not None and time.perf_counter() > self.touched + IDLE_SECONDS:
            for key in self.pads.leaning():  # nobody plays with a stick that drifts or lies on its side
                self.keys.release(key)
        events = pygame.event.get()
        for event in events:
            if event.type in (pygame.KEYDOWN, pygame.KEYUP):
                self._take_key(event)
            elif self.pads is not None and event.type in PAD_EVENTS:
                presses, connections = self.pads.take(event)
                self._press(presses)
                self._note_pads(connections)
            elif event.type == pygame.QUIT:
                self.closed, self.reason = True, "window closed"
            elif event.type == pygame.WINDOWFOCUSLOST:
                self._note("focus", what="lost")
                # keys that are still held when the focus comes back go down again then (see REFOCUS_SECONDS), or before
                # it is reported: X repeats a held key as soon as the window has the focus
                self._focused = math.inf
                self._stale = set(self.pads.held() if self.pads is not None else ())
                self._down.clear()
                self._used = True
                if not self.reading:
                    self.pause("focus")
            elif event.type == pygame.WINDOWFOCUSGAINED:
                self._note("focus", what="gained")
                self._focused = time.perf_counter() if self._used else self._focused
                if not self._used and self._why == "focus":
                    self._end_pause()  # the window has just come up
            elif event.type in REDRAWN:
                self.redraw()
        return events

    def name_pads(self) -> None:
        """Notes the connected gamepads, for a log that begins after they were connected."""
        if self.pads is not None:
            self._note_pads(self.pads.connected())

    def pause(self, why: str) -> None:
        """The game waits for a fresh press; ``why``: key, focus, gamepad, idle, stop or resumed."""
        self.keys.release_all()
        if not self.paused:
            self.paused, self._why = True, why
            self._note("idle" if why == "idle" else "pause", what="begin", why=why)
        elif why == "resumed":
            self._why = why  # so that the game does not continue by itself once the window has come up

    def _continue(self) -> None:
        """After a press, which does not count before the first picture is shown."""
        if not self._early:
            self._end_pause()

    def _end_pause(self) -> None:
        if self.paused:
            self.paused = False
            self._note("idle" if self._why == "idle" else "pause", what="end", why=self._why)

    def _note(self, event: str, **fields: Any) -> None:
        self.happened.append((time.perf_counter(), event, fields))

    def _take_key(self, event: pygame.Event) -> None:
        is_down, code = event.type == pygame.KEYDOWN, event.scancode
        self.touched = time.perf_counter()
        if self.reading:
            self._used = True
        else:
            self._note("key", what="down" if is_down else "up", code=code, key=pygame.key.name(event.key))
        if is_down and event.key == pygame.K_F11 and code not in self._down and self._is_fresh(code):
            self._down.add(code)  # while text is typed, a held key goes down again and again
            self._toggle_fullscreen()
        if not is_down:
            self.keys.release(code)
            if pygame.key.get_focused():  # losing the focus releases every key, even if it is still held
                self._down.discard(code)
                self._stale.discard(code)
        elif self.reading or event.key == pygame.K_F11:
            pass
        elif event.key == pygame.K_ESCAPE:
            if self._is_fresh(code):  # and was not meant for another window
                self.closed, self.reason = True, "escape"
        elif event.key == pygame.K_p and not self.paused:
            self.pause("key")
        elif self._is_fresh(code):
            self._continue()
            self._used = True
            self._down.add(code)
            if code in self.controls.keys:
                self.keys.press(code, self.controls.keys[code])

    def _press(self, presses: Sequence[Press]) -> None:
        for press in presses:
            self.touched = time.perf_counter()
            if not press.is_down:
                self._stale.discard(press.key)
            if self.reading:
                self._used = True
                continue
            self._note("key", what="down" if press.is_down else "up", code=press.input, key=press.name)
            if not press.is_down:
                self.keys.release(press.key)
            elif press.pauses and not self.paused:
                self.pause("key")
            elif press.is_fresh and pygame.key.get_focused() and self._is_fresh(press.key):
                self._continue()
                self._used = True
                if press.input != NONE:
                    self.keys.press(press.key, press.input)

    def _note_pads(self, connections: Sequence[Connection]) -> None:
        """Without their gamepad a participant can't play, so the game waits."""
        for each in connections:
            self._note("gamepad", what=each.what, **each.about)
            if each.what == "disconnected" and not self.reading:
                self.pause("gamepad")

    def _is_fresh(self, key: Hashable) -> bool:
        """Whether a key that goes down was just pressed, and not held since before the focus came back."""
        return key not in self._stale and time.perf_counter() > self._focused + REFOCUS_SECONDS

    def _toggle_fullscreen(self) -> None:
        self.is_fullscreen = not self.is_fullscreen
        if self.is_fullscreen:
            self._window.set_fullscreen(desktop=True)
        else:
            self._window.set_windowed()

    def stay(self, picture: np.ndarray, seconds: float, word: pygame.Surface | None = None) -> None:
        """Shows the picture for a while, with a word below it, or until the window is closed."""
        end = time.perf_counter() + seconds
        self.draw(picture, word=word)
        while not self.closed and (left := end - time.perf_counter()) > 0:
            time.sleep(min(left, STAY))
            self.listen()
            self.draw(picture, word=word)
