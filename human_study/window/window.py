"""The window in which people play and plays are shown again; knows no game and no log."""

import os
import sys
import time
from collections.abc import Hashable, Sequence
from typing import Any, Self

import numpy as np
import pygame

from priorlab.envs.game.rules import NONE
from priorlab.human_study.window.canvas import Canvas, fit
from priorlab.human_study.window.controls import DEFAULT, PAD_EVENTS, Controls, Pads, Plug, Press
from priorlab.human_study.window.keys import Keys

TITLE = "Priorlab"  # never the version's name
DESKTOP_SHARE = 0.8  # of the screen's shorter side that the window takes at first
STAY = 1 / 30  # seconds between two looks at what happened, while a picture stays
POLL = 0.002  # seconds between two looks at the keys while a step is awaited: their times are that exact
IDLE_SECONDS = 20.0  # without a key going down or up after which somebody may not be there any more
FRESH = 0.25  # seconds after the focus came back in which keys that go down were held all the time
REPEAT = 400, 40  # ms until a key held repeats while text is typed, and between repetitions
REDRAWN = (  # events after which the screen may not show what was drawn last
    pygame.WINDOWEXPOSED, pygame.WINDOWSHOWN, pygame.WINDOWRESTORED, pygame.WINDOWMAXIMIZED, pygame.WINDOWRESIZED,
    pygame.WINDOWSIZECHANGED, pygame.WINDOWDISPLAYCHANGED,
)  # fmt: skip
NO_SCREEN = ("dummy", "offscreen")  # drivers of SDL that show nothing
CURE = "run it in a desktop session (over ssh: ssh -X), with DISPLAY set and without SDL_VIDEODRIVER"


class NoDisplay(RuntimeError):
    """There is no screen to open a window on."""


def require_display() -> None:
    """Starts the display; NoDisplay says in one line what is missing and what to do."""
    if sys.platform.startswith("linux") and not os.environ.get("SDL_VIDEODRIVER"):
        if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
            raise NoDisplay(f"no display to open a window on (DISPLAY is not set): {CURE}")
        if not os.environ.get("WAYLAND_DISPLAY"):
            os.environ["SDL_VIDEODRIVER"] = "x11"  # else SDL tries, loudly, what can't be there
    try:
        pygame.display.init()
    except pygame.error as error:
        raise NoDisplay(f"no display to open a window on ({error}): {CURE}") from None
    driver = pygame.display.get_driver()
    if driver in NO_SCREEN:
        pygame.display.quit()
        raise NoDisplay(f"no display to open a window on (SDL's driver is {driver!r}): {CURE}")


class Window:
    """A resizable window, F11 for the whole screen. ``paused`` from a loss of focus, or P, to the next fresh press.

    ``happened`` gathers what a log should hold: (time by ``time.perf_counter``, event, its fields). While the window
    shows a page (``reading``) keys are whoever's who shows it, and not logged: nobody's words are, letter by letter.
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
        """For pictures of ``shape`` (height, width) px; ``keys`` is the rule by which keys, and gamepads unless
        ``gamepad`` is False, give inputs."""
        require_display()
        room = [int(DESKTOP_SHARE * length) for length in pygame.display.get_desktop_sizes()[0]]
        size = fit(shape, *room)[2:] if min(room[0] // shape[1], room[1] // shape[0]) else shape[::-1]
        self.controls, self.reading = controls, False
        self.notice: pygame.Surface | None = None  # shown in the middle of a dark picture
        self.words: dict[str, pygame.Surface] = {}  # shown below the last picture, by how the play ended
        self.speed: dict[str, float] = {}  # what was measured of it, for the log's header
        self._touched = False  # whether a key was pressed or the focus lost
        self._focused = -1.0  # when the focus came back
        self._down: set[int] = set()  # keys, by scancode
        self._stale: set[Hashable] = set()  # not fresh until they come up: down since before the game or the focus
        self.keys, self.closed, self.reason = keys or Keys(), False, ""
        self.happened: list[tuple[float, str, dict[str, Any]]] = []
        self.touched = time.perf_counter()  # when a key last went down or up
        self._early = False  # whether nothing has been shown yet that a key could be meant for
        try:
            place = {"position": (0, 0), "fullscreen_desktop": True} if fullscreen else {}
            whole = pygame.display.get_desktop_sizes()[0]  # in this size also where no window manager enlarges it
            self._window = pygame.Window(TITLE, whole if fullscreen else size, resizable=True, **place)
        except pygame.error as error:
            raise NoDisplay(f"no display to open a window on ({error}): {CURE}") from None
        self._canvas = Canvas(self._window)
        self.is_fullscreen = fullscreen
        self.pads = Pads() if gamepad else None
        pygame.key.stop_text_input()  # else a key held down offers accents on macOS
        pygame.mouse.set_visible(False)
        self.paused, self._why = False, ""
        if not pygame.key.get_focused():
            self.pause("focus")
        if self.pads is not None:
            self._plug(self.pads.find())

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
        """Of the screen, times a second; 0 where the system does not tell."""
        return pygame.display.get_desktop_refresh_rates()[0]

    def about(self) -> dict[str, Any]:
        """What the window is shown on, for the log's header."""
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
        """To draw a page on; ``flip`` shows it."""
        return self._canvas.page()

    def flip(self) -> None:
        self._canvas.flip()

    def redraw(self) -> None:
        """The next picture is drawn whole."""
        self._canvas.forget()

    def read(self, typing: bool = False) -> None:
        """A page is shown from now on; ``typing``: whether text is typed."""
        self.reading = True
        self.keys.release_all()
        (pygame.key.start_text_input if typing else pygame.key.stop_text_input)()
        pygame.key.set_repeat(*(REPEAT if typing else ()))

    def play(self, keys: Keys, wait: str = "") -> None:
        """A game is shown from now on, which waits for a fresh press where ``wait`` tells why."""
        pygame.key.stop_text_input()
        pygame.key.set_repeat()
        self.reading, self.keys = False, keys
        if wait or not pygame.key.get_focused():
            self.pause(wait or "focus")
        else:
            self._go_on()

    def begin(self) -> None:
        """The game's first picture is on the screen: keys that went down before count once they are pressed anew."""
        self._early = True
        self.listen()
        self._early = False
        self.keys.release_all()
        self._stale |= self._down
        self._down.clear()

    def await_step(self, due: float) -> None:
        """Returns when a step is due, by ``time.perf_counter``; takes in what happens until then as it happens."""
        self.listen()
        while (left := due - time.perf_counter()) > 0:
            time.sleep(min(left, POLL))
            self.listen()

    def listen(self) -> list[pygame.Event]:
        """Takes in what happened to the window and the keys since it was last asked; all of it, for pages."""
        if self.pads is not None and time.perf_counter() > self.touched + IDLE_SECONDS:
            for key in self.pads.leaning():  # a stick that drifts, or lies on its side, is nobody who plays
                self.keys.release(key)
        events = pygame.event.get()
        for event in events:
            if event.type in (pygame.KEYDOWN, pygame.KEYUP):
                self._take_key(event)
            elif self.pads is not None and event.type in PAD_EVENTS:
                presses, plugs = self.pads.take(event)
                self._press(presses)
                self._plug(plugs)
            elif event.type == pygame.QUIT:
                self.closed, self.reason = True, "window closed"
            elif event.type == pygame.WINDOWFOCUSLOST:
                self._note("focus", what="lost")
                # keys that are still held when the focus comes back go down anew at that moment, which FRESH catches
                self._stale = set(self.pads.held() if self.pads is not None else ())
                self._down.clear()
                self._touched = True
                if not self.reading:
                    self.pause("focus")
            elif event.type == pygame.WINDOWFOCUSGAINED:
                self._note("focus", what="gained")
                self._focused = time.perf_counter() if self._touched else self._focused
                if not self._touched and self._why == "focus":
                    self._end_pause()  # the window has just come up
            elif event.type in REDRAWN:
                self.redraw()
        return events

    def name_pads(self) -> None:
        """Notes the gamepads that are connected, for a log that was begun after they were."""
        if self.pads is not None:
            self._plug(self.pads.connected())

    def pause(self, why: str) -> None:
        """The game waits for a fresh press; ``why``: key, focus, gamepad, idle, stop or resumed."""
        self.keys.release_all()
        if not self.paused:
            self.paused, self._why = True, why
            self._note("idle" if why == "idle" else "pause", what="begin", why=why)
        elif why == "resumed":
            self._why = why  # nor does it go on by itself when the window has come up

    def _go_on(self) -> None:
        """By a press, which counts for nothing before the first picture is shown."""
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
            self._touched = True
        else:
            self._note("key", what="down" if is_down else "up", code=code, key=pygame.key.name(event.key))
        if is_down and event.key == pygame.K_F11 and code not in self._down and self._is_fresh(code):
            self._down.add(code)  # where text is typed a key that is held goes down again and again
            self._toggle_fullscreen()
        if not is_down:
            self.keys.release(code)
            if pygame.key.get_focused():  # losing the focus brings up every key, whether it is up or not
                self._down.discard(code)
                self._stale.discard(code)
        elif self.reading or event.key == pygame.K_F11:
            pass
        elif event.key == pygame.K_ESCAPE:
            self.closed, self.reason = True, "escape"
        elif event.key == pygame.K_p and not self.paused:
            self.pause("key")
        elif self._is_fresh(code):
            self._go_on()
            self._touched = True
            self._down.add(code)
            if code in self.controls.keys:
                self.keys.press(code, self.controls.keys[code])

    def _press(self, presses: Sequence[Press]) -> None:
        for press in presses:
            self.touched = time.perf_counter()
            if not press.is_down:
                self._stale.discard(press.key)
            if self.reading:
                self._touched = True
                continue
            self._note("key", what="down" if press.is_down else "up", code=press.input, key=press.name)
            if not press.is_down:
                self.keys.release(press.key)
            elif press.pauses and not self.paused:
                self.pause("key")
            elif press.is_fresh and pygame.key.get_focused() and self._is_fresh(press.key):
                self._go_on()
                self._touched = True
                if press.input != NONE:
                    self.keys.press(press.key, press.input)

    def _plug(self, plugs: Sequence[Plug]) -> None:
        """Whoever's gamepad is gone can't play: the game waits."""
        for plug in plugs:
            self._note("gamepad", what=plug.what, **plug.about)
            if plug.what == "disconnected" and not self.reading:
                self.pause("gamepad")

    def _is_fresh(self, key: Hashable) -> bool:
        """Whether a key that goes down was pressed just now, and not held since before the focus came back."""
        return key not in self._stale and time.perf_counter() > self._focused + FRESH

    def _toggle_fullscreen(self) -> None:
        self.is_fullscreen = not self.is_fullscreen
        if self.is_fullscreen:
            self._window.set_fullscreen(desktop=True)
        else:
            self._window.set_windowed()

    def stay(self, picture: np.ndarray, seconds: float, word: pygame.Surface | None = None) -> None:
        """Keeps the picture up for a while, with a word below it, or until the window is closed."""
        end = time.perf_counter() + seconds
        self.draw(picture, word=word)
        while not self.closed and (left := end - time.perf_counter()) > 0:
            time.sleep(min(left, STAY))
            self.listen()
            self.draw(picture, word=word)
