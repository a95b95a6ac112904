"""A life in a window."""

from collections.abc import Callable

import pygame

from priorlab.envs.game.rules import TILE
from priorlab.human_study.window.window import NoDisplay, require_display
from priorlab.scripts.watch.layout import HIGH, LEAST, WIDE
from priorlab.scripts.watch.projector import FPS, Projector
from priorlab.scripts.watch.stage import Captions, Stage
from priorlab.scripts.watch.watched import Watched

TITLE = "Priorlab: what a player believes"
SHARE = 0.85  # of the desktop that the window takes at first
SPEEDS = tuple(2.0**k for k in range(-3, 7))
KEYS = "space pause   → one input   S next surprise   ↑ ↓ speed   R again   N another   F11 full screen   Esc leave"
Begin = Callable[[int], tuple[Watched, Captions]]  # the number of the life, from 0


def show(begin: Begin, speed: float) -> Watched:
    """Shows lives in a window until it is closed; returns the last. Raises NoDisplay."""
    life = begin(0)  # what does not exist is refused first
    require_display()
    try:
        desktop = pygame.display.get_desktop_sizes()[0]
        scale = min(SHARE * desktop[0] / WIDE, SHARE * desktop[1] / HIGH)
        window = pygame.Window(TITLE, (round(WIDE * scale), round(HIGH * scale)), resizable=True)
    except pygame.error as error:
        raise NoDisplay(f"no window could be opened ({error})") from None
    try:
        return Screen(window, begin, life, speed).run()
    finally:
        window.destroy()
        pygame.display.quit()


class Screen:
    """A window, and what its keys do."""

    def __init__(self, window: pygame.Window, begin: Begin, life: tuple[Watched, Captions], speed: float):
        self.window, self.begin, self.number, self.speed = window, begin, 0, speed
        self.paused = self.closed = self.full = False
        self.start(*life)

    def start(self, watched: Watched, captions: Captions) -> None:
        stage = Stage(*self.size, len(watched.picture) // TILE, captions)
        self.projector = Projector(watched, stage, self.speed)

    @property
    def size(self) -> tuple[int, int]:
        """Of the frames, px: that of the window, if it is not very small."""
        width, height = self.window.size
        return max(width, LEAST[0]), max(height, LEAST[1])

    def run(self) -> Watched:
        clock = pygame.time.Clock()
        while not self.closed:
            for event in pygame.event.get():
                self.take(event)
            if not self.paused:
                self.projector.turn()
            self.draw()
            clock.tick(FPS)
        return self.projector.watched

    def draw(self) -> None:
        projector = self.projector
        layout = projector.stage.layout
        if self.size != (layout.width, layout.height):
            projector.stage = projector.stage.resized(*self.size)
        hint = f"{'paused' if self.paused else f'speed {self.speed:g}'}      {KEYS}"
        sheet = projector.stage.sheet(projector.watched, hint, stands=self.paused)
        self.window.get_surface().blit(sheet, (0, 0))
        self.window.flip()

    def take(self, event: pygame.Event) -> None:
        if event.type == pygame.QUIT:
            self.closed = True
        if event.type != pygame.KEYDOWN:
            return
        if event.key in (pygame.K_ESCAPE, pygame.K_q):
            self.closed = True
        elif event.key in (pygame.K_SPACE, pygame.K_p):
            self.paused = not self.paused
        elif event.key in (pygame.K_RIGHT, pygame.K_PERIOD):
            self.paused = True
            self.projector.step_alone()
        elif event.key == pygame.K_s:
            self.paused = True
            self.projector.to_next()
        elif event.key in (pygame.K_UP, pygame.K_DOWN):
            self.change_speed(event.key == pygame.K_UP)
        elif event.key in (pygame.K_r, pygame.K_n):
            self.number += event.key == pygame.K_n
            self.start(*self.begin(self.number))
        elif event.key == pygame.K_F11:
            self.fill_or_leave()

    def fill_or_leave(self) -> None:
        """Fills the screen, or goes back to the window."""
        self.full = not self.full
        if self.full:
            self.window.set_fullscreen(desktop=True)
        else:
            self.window.set_windowed()

    def change_speed(self, faster: bool) -> None:
        others = [each for each in SPEEDS if (each > self.speed if faster else each < self.speed)]
        if others:
            self.speed = self.projector.speed = min(others) if faster else max(others)
