"""Drawing only what changed shows the same as drawing everything; and slow screens are detected."""

import time
from typing import Any

import numpy as np
import pygame
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priorlab.envs.plays.courses import ChosenGame
from priorlab.human_study.window import screen_check
from priorlab.human_study.window.canvas import GAP, Area, Canvas, arrange, changed, fit
from priorlab.human_study.window.screen_check import ScreenSpeed, ScreenTooSlow, check_screen

TALL, WIDE = 24, 32
WORD = pygame.Surface((20, 4))
WORD.fill((255, 255, 255))


class Glass:
    """A window, and the screen behind it, which shows what was sent there."""

    def __init__(self, width: int, height: int):
        self.surface = pygame.Surface((width, height), depth=32)
        self.surface.fill((7, 7, 7))
        self.screen = self.surface.copy()
        self.flips = 0

    def get_surface(self) -> pygame.Surface:
        return self.surface

    def flip(self) -> None:
        self.screen.blit(self.surface, (0, 0))
        self.flips += 1


class OnGlass(Canvas):
    def _present(self, areas: list[Area]) -> None:
        for area in areas:
            self._window.screen.blit(self._window.surface, area[:2], area)  # type: ignore[attr-defined]


def pixels(surface: pygame.Surface) -> np.ndarray:
    return pygame.surfarray.array3d(surface)


@pytest.mark.parametrize(
    ("shape", "window", "placed"),
    [
        ((240, 240), (720, 720), (0, 0, 720, 720)), ((240, 240), (1000, 700), (260, 110, 480, 480)),
        ((240, 240), (100, 300), (0, 100, 100, 100)), ((240, 240), (1, 1), (0, 0, 1, 1)),
        ((210, 160), (1000, 700), (260, 35, 480, 630)),
    ],
)  # fmt: skip
def test_the_picture_is_in_the_middle_at_an_integer_scale(shape, window, placed):
    assert fit(shape, *window) == placed


@given(st.integers(0, 2**32 - 1), st.sampled_from([(100, 80), (64, 48), (97, 131), (20, 20), (32, 24)]))
@settings(max_examples=60, deadline=None)
def test_drawing_changes_shows_the_same_as_drawing_everything(seed: int, size: tuple[int, int]):
    chance, glass = np.random.default_rng(seed), Glass(*size)
    canvas: Any = OnGlass(glass)  # type: ignore[arg-type]
    picture = chance.integers(0, 256, (TALL, WIDE, 3), np.uint8)
    for _ in range(12):
        for _ in range(chance.integers(4)):  # of things that move: some pixels, or many, change
            y, x, high, wide = chance.integers((TALL, WIDE, 9, 9))
            picture[y : y + high, x : x + wide] = chance.integers(0, 256, 3)
        if chance.random() < 0.1:
            glass.screen.fill((9, 9, 9))  # another window was over it
            canvas.forget()
        how: dict[str, Any] = {"dark": bool(chance.random() < 0.2), "word": WORD if chance.random() < 0.2 else None}
        canvas.draw(picture, **how)
        whole = Glass(*size)
        Canvas(whole).draw(picture, **how)  # type: ignore[arg-type]
        assert (pixels(glass.screen) == pixels(whole.screen)).all()


def test_only_changed_areas_are_sent():
    glass = Glass(640, 480)
    canvas: Any = OnGlass(glass)  # type: ignore[arg-type]
    picture = np.zeros((TALL, WIDE, 3), np.uint8)
    for _ in range(3):
        canvas.draw(picture)
        assert glass.flips == 1
    canvas._present = lambda areas: sent.extend(areas)
    sent: list[Area] = []
    canvas.draw(picture)
    assert not sent
    picture[2:4, 3] = picture[20, 30] = 1
    canvas.draw(picture)
    assert sent == [(60, 40, 20, 40), (600, 400, 20, 20)] and glass.flips == 1


def test_everything_is_sent_if_parts_cannot_be(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("priorlab.human_study.window.canvas.sdl", lambda: None)
    glass, picture = Glass(640, 480), np.zeros((TALL, WIDE, 3), np.uint8)
    canvas = Canvas(glass)  # type: ignore[arg-type]
    for value in (0, 200):
        picture[5, 7] = value
        canvas.draw(picture)
        assert (pixels(glass.screen) == pixels(glass.surface)).all() and pixels(glass.screen).max() == value
    assert glass.flips == 2


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.2))
def test_areas_cover_every_change(seed: int, share: float):
    chance = np.random.default_rng(seed)
    flags, before = chance.random((TALL, WIDE)) < share, np.zeros((TALL, WIDE, 3), np.uint8)
    held = np.zeros_like(flags)
    for left, top, wide, high in changed(before, before + flags[:, :, None].astype(np.uint8)):
        assert flags[top, left : left + wide].any() or flags[top : top + high, left].any(), "no wider than needed"
        held[top : top + high, left : left + wide] = True
    assert (held >= flags).all() and GAP > 0


@pytest.mark.parametrize("window", [(720, 720), (1366, 768), (1024, 600), (300, 100), (10, 10), (3, 1)])
@pytest.mark.parametrize("shape", [(240, 240), (210, 160)])
def test_the_word_never_covers_the_picture(shape: tuple[int, int], window: tuple[int, int]):
    (left, top, wide, high), (x, y, word_wide, word_high) = arrange(shape, window, (200, 30))
    assert left >= 0 and top >= 0 and left + wide <= window[0] and top + high <= y
    assert x >= 0 and x + word_wide <= window[0] and y + word_high <= window[1]


@pytest.mark.parametrize(
    ("draw", "redraw", "refresh", "rate", "problem"),
    [
        (34, 34, 60, 30, "drawing a step takes 34 ms"), (17, 18, 60, 30, "drawing a step takes 17 ms"),
        (1, 34, 60, 30, "drawing a complete picture takes 34 ms"),
        (1, 20, 60, 60, "drawing a complete picture takes 20 ms"),
        (1, 2, 50, 60, "shows 50 pictures per second, and the game has 60"), (16, 33, 30, 30, ""), (1, 2, 0, 60, ""),
        (1, 2, 59, 60, ""),
    ],
)  # fmt: skip
def test_researchers_are_warned_of_slow_screens(draw: float, redraw: float, refresh: int, rate: int, problem: str):
    speed = ScreenSpeed(draw, redraw, refresh, rate, (1920, 1080))
    assert problem in speed.problem and bool(problem) == bool(speed.problem)
    assert speed.is_too_slow == (draw > 33)


class SlowWindow:
    """A window that takes that many seconds for each picture."""

    def __init__(self, seconds: float, refresh_rate: int = 60):
        self.seconds, self.refresh_rate = seconds, refresh_rate
        self.size, self.is_fullscreen, self.speed = (1920, 1080), True, {}
        self.seen = 0

    def draw(self, picture: np.ndarray) -> None:
        self.seen = max(self.seen, int(picture.max()))
        time.sleep(self.seconds)

    def read(self) -> None: ...
    def redraw(self) -> None: ...
    def listen(self) -> None: ...


def test_a_screen_that_is_too_slow_is_rejected(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(screen_check, "SECONDS", 0.1)

    def check(window: Any, override: str = "") -> str:
        check_screen(window, ChosenGame("princess").open(), override=override)
        assert {*window.speed} == {"draw_ms", "redraw_ms"} and window.seen <= 1, "nothing of the game is seen"
        return capsys.readouterr().err

    with pytest.raises(ScreenTooSlow, match=r"takes \d+ ms .*1920x1080.* lasts 33 ms.*--windowed.*--anyway"):
        check(SlowWindow(0.04), "--anyway")
    assert "drawing a step takes" in check(SlowWindow(0.04)), "only a warning without an override"
    assert "24 pictures per second, and the game has 30 steps: set a higher" in check(SlowWindow(0.0, 24), "--anyway")
    assert check(SlowWindow(0.0, 0), "--anyway") == check(SlowWindow(0.0), "--anyway") == ""
