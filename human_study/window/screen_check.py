"""Whether this screen can show a game in time, measured in the window that will show it, before anybody plays."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from priorlab.envs.plays.courses import AnyCourse
from priorlab.human_study.window.window import Window

STEPS = 64  # changed pictures that are timed
REDRAWS = 6  # complete pictures that are timed
HOLD = 8  # steps for which an input is held
SECONDS = 0.3  # limit of each of the two measurements
SETTLED = 0.1  # seconds without a change of size after which a window has come up
STEADY = 0.5  # share of a step that drawing may take without a warning


class ScreenTooSlow(ValueError):
    """Drawing a step takes longer than a step lasts."""


@dataclass(frozen=True)
class ScreenSpeed:
    """How long drawing and sending to the screen take in a window."""

    draw_ms: float  # the 95th percentile of steps in which something changed
    redraw_ms: float  # the median of complete pictures
    refresh_rate: int  # of the screen, Hz; 0: unknown
    rate: int  # steps per second
    size: tuple[int, int]  # of the window, px

    @property
    def is_too_slow(self) -> bool:
        return self.draw_ms > 1000 / self.rate

    @property
    def problem(self) -> str:
        """What a researcher should know, in one line; empty if all is well."""
        step, where = 1000 / self.rate, f"in this window of {self.size[0]}x{self.size[1]} pixels"
        if self.draw_ms > STEADY * step:
            return f"drawing a step takes {self.draw_ms:.0f} ms {where}, and a step lasts {step:.0f} ms"
        if self.redraw_ms > step:
            return f"drawing a complete picture takes {self.redraw_ms:.0f} ms {where}, and a step lasts {step:.0f} ms"
        if 0 < self.refresh_rate < self.rate - 1:  # 59 may stand for 59.94
            return f"the screen shows {self.refresh_rate} pictures per second, and the game has {self.rate} steps"
        return ""

    def cure(self, is_fullscreen: bool) -> str:
        if max(self.draw_ms / STEADY, self.redraw_ms) <= 1000 / self.rate:
            return "set a higher refresh rate"
        smaller = "use --windowed" if is_fullscreen else "make the window smaller"
        return f"close other programs, {smaller}, or lower the screen's resolution"

    def about(self) -> dict[str, Any]:
        """For the log's header."""
        return {"draw_ms": round(self.draw_ms, 2), "redraw_ms": round(self.redraw_ms, 2)}


def check_screen(window: Window, course: AnyCourse, *, override: str = "") -> None:
    """Measures how fast the window shows a game, for the log's header, and warns on stderr if it is too slow.

    If ``override`` names the option that starts a session anyway, it raises ScreenTooSlow instead when drawing a step
    takes longer than a step lasts. The course takes some steps, none of which are visible. Takes less than 2 seconds.
    """
    settle(window)
    speed = measure(window, course)
    if speed.problem:  # another program may have kept the machine busy
        speed = min(speed, measure(window, course), key=lambda each: each.draw_ms)
    window.speed = speed.about()
    if not speed.problem:
        return
    warning = f"{speed.problem}: {speed.cure(window.is_fullscreen)}"
    if speed.is_too_slow and override:
        raise ScreenTooSlow(f"{warning}; {override} starts the session anyway")
    print(f"warning: {warning}", file=sys.stderr)


def settle(window: Window) -> None:
    """Waits until the window has come up; keys pressed from now on are not meant for a game."""
    window.read()
    size, since = window.size, time.perf_counter()
    begun = since
    while (now := time.perf_counter()) < min(since + SETTLED, begun + SECONDS):
        window.draw(np.zeros((1, 1, 3), np.uint8))
        window.listen()
        if window.size != size:
            size, since = window.size, now
        time.sleep(0.01)


def measure(window: Window, course: AnyCourse) -> ScreenSpeed:
    """Draws black pictures in which the same pixels change as in the game, with random inputs."""
    random, last = np.random.default_rng(0), course.picture.copy()
    veil = np.zeros_like(last)  # values 0 and 1: black to the eye
    redraws = []
    for _ in until(SECONDS, REDRAWS):
        window.redraw()
        redraws.append(timed(window, veil))
    draws, action = [], 0
    for number in until(SECONDS, 10 * STEPS):
        if course.solved or len(draws) == STEPS:
            break
        if number % HOLD == 0:
            action = int(random.integers(len(course.action_names)))
        course.step(action)
        picture = course.picture
        if (picture != last).any():
            veil ^= (picture != last).view(np.uint8)
            last = picture.copy()
            draws.append(timed(window, veil))
    window.redraw()
    slow, whole = float(np.quantile(draws or redraws, 0.95)), float(np.median(redraws))
    return ScreenSpeed(slow, whole, window.refresh_rate, course.rate, window.size)


def until(seconds: float, most: int) -> Iterator[int]:
    """Counts from 0 to ``most`` - 1, for at most that many seconds."""
    end = time.perf_counter() + seconds
    for number in range(most):
        yield number
        if time.perf_counter() > end:
            return


def timed(window: Window, picture: np.ndarray) -> float:
    """How long it takes to draw and show the picture, ms."""
    window.listen()
    began = time.perf_counter()
    window.draw(picture)
    return 1000 * (time.perf_counter() - began)
