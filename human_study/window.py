"""The window in which people play and plays are shown again. It calls nothing but the engine's step and picture."""

import os
import sys
import time
from typing import Self

import numpy as np

from envs.play import INPUTS_PER_SECOND, Outcome, Play
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
NO_SCREEN = ("dummy", "offscreen")  # drivers of SDL that show nothing
CURE = "run it in a desktop session (over ssh: ssh -X), with DISPLAY set and without SDL_VIDEODRIVER"


class NoDisplay(RuntimeError):
    """There is no screen to open a window on."""


def require_display() -> None:
    """Starts the display; NoDisplay says in one line what is missing and what to do."""
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
        self._size = (side * max(int(room / side), 1),) * 2
        self._fullscreen, self._touched = False, False
        self.keys, self.closed = Keys(), False
        try:
            self._open()
        except pygame.error as error:
            raise NoDisplay(f"no display to open a window on ({error}): {CURE}") from None
        pygame.display.set_caption(TITLE)
        pygame.key.stop_text_input()  # else a key held down offers accents on macOS
        pygame.mouse.set_visible(False)
        self.paused = not pygame.key.get_focused()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pygame.display.quit()

    def _open(self) -> None:
        whole = self._fullscreen
        pygame.display.set_mode((0, 0) if whole else self._size, pygame.FULLSCREEN if whole else pygame.RESIZABLE)

    def draw(self, picture: np.ndarray, dark: bool = False) -> None:
        """Shows a picture, uint8 (side, side, 3), as large as it fits, without smoothing."""
        screen, side = pygame.display.get_surface(), picture.shape[0]
        assert screen
        size, left, top = fit(side, *screen.get_size())
        image = pygame.image.frombuffer(picture.tobytes(), (side, side), "RGB")
        image = pygame.transform.scale(image.convert(screen), (size, size))
        if dark:
            image.fill(PAUSED, special_flags=pygame.BLEND_MULT)
        screen.fill(BORDER)
        screen.blit(image, (left, top))
        pygame.display.flip()

    def listen(self) -> None:
        """Takes in what happened to the window and the keys since it was last asked."""
        for event in pygame.event.get():
            if event.type == pygame.QUIT or (event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE):
                self.closed = True
            elif event.type == pygame.KEYDOWN and event.key == pygame.K_F11:
                self._toggle_fullscreen()
            elif event.type in (pygame.KEYDOWN, pygame.MOUSEBUTTONDOWN):
                self.paused, self._touched = False, True
                if event.type == pygame.KEYDOWN and event.scancode in KEYMAP:
                    self.keys.press(event.scancode, KEYMAP[event.scancode])
            elif event.type == pygame.KEYUP:
                self.keys.release(event.scancode)
            elif event.type == pygame.WINDOWFOCUSLOST:
                self.keys.release_all()
                self.paused, self._touched = True, True
            elif event.type == pygame.WINDOWFOCUSGAINED and not self._touched:
                self.paused = False  # the window has just come up

    def _toggle_fullscreen(self) -> None:
        if not self._fullscreen:
            self._size = pygame.display.get_window_size()
        self._fullscreen = not self._fullscreen
        self._open()

    def stay(self, picture: np.ndarray, seconds: float) -> None:
        """Keeps the picture up for a while, or until the window is closed."""
        end = time.perf_counter() + seconds
        while not self.closed and time.perf_counter() < end:
            self.draw(picture)
            time.sleep(1 / INPUTS_PER_SECOND)
            self.listen()


def play(recording: Recording) -> Play:
    """Somebody plays at the window to the win, the limit or the quit; the finished recording."""
    ended: Outcome = "quit"
    try:
        with Window(recording.course.picture.shape[0]) as window:
            ended = run(recording, window)
    except KeyboardInterrupt:
        print("quit from the terminal", file=sys.stderr)
    return recording.end(ended)


def run(recording: Recording, window: Window) -> Outcome:
    """Takes an input each time one is due until the play ends; how it ended."""
    course = recording.course
    beat = Beat(INPUTS_PER_SECOND, time.perf_counter())
    while True:
        window.draw(course.picture, dark=window.paused)
        now = time.perf_counter()
        time.sleep(max(beat.next_due(now) - now, 0))
        window.listen()
        if window.closed:
            return "quit"
        if window.paused:
            continue
        ended = recording.step(window.keys.take())
        if ended:
            window.stay(course.picture, END_SECONDS)
            return ended


def show(play: Play, speed: float = 1.0) -> None:
    """Shows a play in the window at ``speed`` times its pace, until it ends or the window is closed."""
    with Window(play.level.side) as window:
        beat = Beat(play.inputs_per_second * speed, time.perf_counter())
        picture = None
        for picture in play.frames():
            window.draw(picture)
            now = time.perf_counter()
            time.sleep(max(beat.next_due(now) - now, 0))
            window.listen()
            if window.closed:
                return
        assert picture is not None  # a play has a picture before its first input
        window.stay(picture, END_SECONDS)
