"""The window in which people play and plays are shown again. It calls nothing but the engine's step and picture."""

import os
import sys
import time
from typing import Self

import numpy as np

from envs.play import INPUTS_PER_SECOND, Play
from envs.record import Recording
from envs.rules import DOWN, JUMP, LEFT, RIGHT, UP
from human_study.keys import Beat, Keys

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
os.environ.setdefault("SDL_WINDOWS_DPI_AWARENESS", "permonitorv2")  # else Windows blurs the picture

import pygame

TITLE = "Priorlab"  # never the version's name
KEYMAP = {
    pygame.KSCAN_LEFT: LEFT, pygame.KSCAN_RIGHT: RIGHT, pygame.KSCAN_UP: UP, pygame.KSCAN_DOWN: DOWN,
    pygame.KSCAN_A: LEFT, pygame.KSCAN_D: RIGHT, pygame.KSCAN_W: UP, pygame.KSCAN_S: DOWN, pygame.KSCAN_SPACE: JUMP,
}  # fmt: skip
DESKTOP_SHARE = 0.8  # of the screen's shorter side that the window takes at first
BORDER = (0, 0, 0)
PAUSED = (110, 110, 110)  # what the picture is multiplied with, of 255
END_SECONDS = 2.0  # that the last picture stays
FRESH = 0.25  # seconds after the focus came back in which keys that go down were held all the time
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


def fit(side: int, width: int, height: int) -> tuple[int, int, int]:
    """(size, left, top) in px of a picture of ``side`` px in the middle of a window.

    A whole multiple of the picture where one fits, so that all its pixels come out alike.
    """
    room = max(min(width, height), 1)
    size = room // side * side or room
    return size, (width - size) // 2, (height - size) // 2


class Window:
    """A resizable window, F11 for the whole screen. ``paused`` from a loss of focus to the next fresh press."""

    def __init__(self, side: int):
        require_display()
        room = DESKTOP_SHARE * min(pygame.display.get_desktop_sizes()[0])
        size = side * max(int(room / side), 1)
        self._fullscreen = False
        self._touched = False  # whether a key was pressed or the focus lost
        self._focused = -1.0  # when the focus came back
        self._down: set[int] = set()  # keys, by scancode
        self._stale: set[int] = set()  # keys that were down when the focus was lost: not fresh until they come up
        self.keys, self.closed = Keys(), False
        try:
            self._window = pygame.Window(TITLE, (size, size), resizable=True)
        except pygame.error as error:
            raise NoDisplay(f"no display to open a window on ({error}): {CURE}") from None
        pygame.key.stop_text_input()  # else a key held down offers accents on macOS
        pygame.mouse.set_visible(False)
        self.paused = not pygame.key.get_focused()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._window.destroy()
        pygame.display.quit()

    def draw(self, picture: np.ndarray, dark: bool = False) -> None:
        """Shows a picture, uint8 (side, side, 3), as large as it fits, without smoothing."""
        screen, side = self._window.get_surface(), picture.shape[0]
        size, left, top = fit(side, *screen.get_size())
        image = pygame.image.frombuffer(picture.tobytes(), (side, side), "RGB")
        image = pygame.transform.scale(image.convert(screen), (size, size))
        if dark:
            image.fill(PAUSED, special_flags=pygame.BLEND_MULT)
        screen.fill(BORDER)
        screen.blit(image, (left, top))
        self._window.flip()

    def listen(self) -> None:
        """Takes in what happened to the window and the keys since it was last asked."""
        for event in pygame.event.get():
            if event.type == pygame.QUIT or (event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE):
                self.closed = True
            elif event.type == pygame.KEYDOWN and event.key == pygame.K_F11:
                self._toggle_fullscreen()
            elif event.type == pygame.KEYDOWN and self._is_fresh(event.scancode):
                self.paused, self._touched = False, True
                self._down.add(event.scancode)
                if event.scancode in KEYMAP:
                    self.keys.press(event.scancode, KEYMAP[event.scancode])
            elif event.type == pygame.KEYUP:
                self.keys.release(event.scancode)
                if pygame.key.get_focused():  # losing the focus brings up every key, whether it is up or not
                    self._down.discard(event.scancode)
                    self._stale.discard(event.scancode)
            elif event.type == pygame.WINDOWFOCUSLOST:
                self.keys.release_all()
                self._stale |= self._down
                self._down.clear()
                self.paused, self._touched = True, True
            elif event.type == pygame.WINDOWFOCUSGAINED and self._touched:
                self._focused = time.perf_counter()
            elif event.type == pygame.WINDOWFOCUSGAINED:
                self.paused = False  # the window has just come up

    def _is_fresh(self, scancode: int) -> bool:
        """Whether a key that goes down was pressed just now, and not held since before the focus came back."""
        return scancode not in self._stale and time.perf_counter() > self._focused + FRESH

    def _toggle_fullscreen(self) -> None:
        self._fullscreen = not self._fullscreen
        if self._fullscreen:
            self._window.set_fullscreen(desktop=True)
        else:
            self._window.set_windowed()

    def stay(self, picture: np.ndarray, seconds: float) -> None:
        """Keeps the picture up for a while, or until the window is closed."""
        end = time.perf_counter() + seconds
        self.draw(picture)
        while not self.closed and (left := end - time.perf_counter()) > 0:
            time.sleep(min(left, 1 / INPUTS_PER_SECOND))
            self.listen()
            self.draw(picture)


def play(recording: Recording) -> Play:
    """Somebody plays at the window to the win, the limit or the quit; the finished recording."""
    try:
        with Window(recording.course.picture.shape[0]) as window:
            run(recording, window)
    except KeyboardInterrupt:
        print("stopped from the terminal", file=sys.stderr)
    return recording.end()


def run(recording: Recording, window: Window) -> None:
    """Takes an input each time one is due, until the play ends or the window is closed."""
    course = recording.course
    beat = Beat(INPUTS_PER_SECOND, time.perf_counter())
    while True:
        window.draw(course.picture, dark=window.paused)
        now = time.perf_counter()
        time.sleep(max(beat.next_due(now) - now, 0))
        window.listen()
        if window.closed:
            return
        if not window.paused and recording.step(window.keys.take()):
            window.stay(course.picture, END_SECONDS)
            return


def show(play: Play, speed: float = 1.0) -> None:
    """Shows a play in the window at ``speed`` times its pace, until it ends or the window is closed."""
    with Window(play.level.side) as window:
        beat = Beat(play.inputs_per_second * speed, time.perf_counter())
        for number, picture in enumerate(play.frames()):
            last = number == len(play.inputs)
            window.stay(picture, END_SECONDS if last else beat.next_due(time.perf_counter()) - time.perf_counter())
            if window.closed:
                return
