"""A life in a window."""

from collections.abc import Callable

import pygame

from priorlab.envs.game.rules import TILE
from priorlab.human_study.window.window import NoDisplay, require_display
from priorlab.scripts.watch.layout import HIGH, LEAST, WIDE
from priorlab.scripts.watch.projector import FPS, Projector
from priorlab.scripts.watch.stage import Captions, Stage
from priorlab.scripts.watch.watched import Watched

SHARE = 0.85  # of the desktop that the window takes at first
SPEEDS = tuple(2.0**k for k in range(-3, 7))
KEYS = "space pause   → one input   S next surprise   ↑ ↓ speed   R again   F11 full screen   Esc leave"
Begin = Callable[[], tuple[Watched, Captions]]


def show(begin: Begin, speed: float) -> Watched:
    """Shows lives in a window until it is closed; returns the last. Raises NoDisplay."""
    require_display()
    life = begin()
    try:
        desktop = pygame.display.get_desktop_sizes()[0]
        scale = min(SHARE * desktop[0] / WIDE, SHARE * desktop[1] / HIGH)
        pygame.display.set_mode((round(WIDE * scale), round(HIGH * scale)), pygame.RESIZABLE)
        pygame.display.set_caption("Priorlab: what a player believes")
        return Screen(begin, life, speed).run()
    except pygame.error as error:
        raise NoDisplay(f"no window could be opened ({error})") from None
    finally:
        pygame.display.quit()


class Screen:
    def __init__(self, begin: Begin, life: tuple[Watched, Captions], speed: float):
        self.begin, self.speed, self.paused, self.closed = begin, speed, False, False
        self.full, self.size = False, (0, 0)
        self.start(life)

    def start(self, life: tuple[Watched, Captions]) -> None:
        watched, captions = life
        width, height = pygame.display.get_window_size()
        stage = Stage(max(width, LEAST[0]), max(height, LEAST[1]), len(watched.picture) // TILE, captions)
        self.projector = Projector(watched, stage, self.speed)

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
        screen, projector = pygame.display.get_surface(), self.projector
        assert screen is not None
        layout = projector.stage.layout
        if screen.get_size() != (layout.width, layout.height):
            width, height = screen.get_size()
            projector.stage = projector.stage.resized(max(width, LEAST[0]), max(height, LEAST[1]))
        hint = f"{'paused' if self.paused else f'speed {self.speed:g}'}      {KEYS}"
        screen.blit(projector.stage.sheet(projector.watched, hint), (0, 0))
        pygame.display.flip()

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
            self.projector.step()
        elif event.key == pygame.K_s:
            self.paused = True
            self.projector.to_next()
        elif event.key in (pygame.K_UP, pygame.K_DOWN):
            self.change_speed(event.key == pygame.K_UP)
        elif event.key == pygame.K_r:
            self.start(self.begin())
        elif event.key == pygame.K_F11:
            self.fill_or_leave()

    def fill_or_leave(self) -> None:
        """Fills the screen, or goes back to the window."""
        self.full = not self.full
        if self.full:
            self.size = pygame.display.get_window_size()
            pygame.display.set_mode(pygame.display.get_desktop_sizes()[0], pygame.FULLSCREEN)
        else:
            pygame.display.set_mode(self.size, pygame.RESIZABLE)

    def change_speed(self, faster: bool) -> None:
        others = [each for each in SPEEDS if (each > self.speed if faster else each < self.speed)]
        if others:
            self.speed = self.projector.speed = min(others) if faster else max(others)
