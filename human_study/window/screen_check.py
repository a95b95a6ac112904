"""Whether this screen can show a game in time: measured before anybody plays, in the very window that is played in."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from priorlab.envs.plays.courses import AnyCourse
from priorlab.human_study.window.window import Window

STEPS = 64  # pictures that differ, timed
REDRAWS = 6  # whole pictures, timed
HOLD = 8  # steps that an input is held
SECONDS = 0.3  # that each of the two takes at most
SETTLED = 0.1  # seconds without a change of its size after which a window has come up
STEADY = 0.5  # share of a step that drawing may take


class ScreenTooSlow(ValueError):
    """Drawing a step takes longer than a step lasts."""


@dataclass(frozen=True)
class ScreenSpeed:
    """How long drawing takes in a window, sending it to the screen included."""

    draw_ms: float  # the 95th percentile, of steps in which something changed
    redraw_ms: float  # the median, of whole pictures
    refresh_rate: int  # of the screen, times a second; 0: not known
    rate: int  # steps a second
    size: tuple[int, int]  # of the window, px

    @property
    def is_too_slow(self) -> bool:
        return self.draw_ms > 1000 / self.rate

    @property
    def problem(self) -> str:
        """What a researcher should know, in one line; nothing where all is well."""
        step, where = 1000 / self.rate, f"in this window of {self.size[0]}x{self.size[1]} pixels"
        if self.draw_ms > STEADY * step:
            return f"drawing a step takes {self.draw_ms:.0f} ms {where}, and a step lasts {step:.0f} ms"
        if self.redraw_ms > step:
            return f"drawing a whole picture takes {self.redraw_ms:.0f} ms {where}, and a step lasts {step:.0f} ms"
        if 0 < self.refresh_rate < self.rate - 1:  # 59 may stand for 59.94
            return f"the screen shows {self.refresh_rate} pictures a second, and the game has {self.rate} steps"
        return ""

    def cure(self, is_fullscreen: bool) -> str:
        if max(self.draw_ms / STEADY, self.redraw_ms) <= 1000 / self.rate:
            return "set a higher refresh rate"
        smaller = "use --windowed" if is_fullscreen else "make the window smaller"
        return f"close other programs, {smaller}, or lower the screen's resolution"

    def about(self) -> dict[str, Any]:
        """For the log's header."""
        return {"draw_ms": round(self.draw_ms, 2), "redraw_ms": round(self.redraw_ms, 2)}


def check_screen(window: Window, course: AnyCourse, *, way_on: str = "") -> None:
    """Measures how fast the window shows a game, for the log's header, and warns on stderr where that is too slow.

    With ``way_on``, the option by which one begins all the same, ScreenTooSlow is raised instead where even typical
    steps would be missed. The course goes on by some steps; nothing of them is seen. Takes less than 2 seconds.
    """
    settle(window)
    speed = measure(window, course)
    if speed.problem:  # something else may have kept the machine busy
        speed = min(speed, measure(window, course), key=lambda each: each.draw_ms)
    window.speed = speed.about()
    if not speed.problem:
        return
    found = f"{speed.problem}: {speed.cure(window.is_fullscreen)}"
    if speed.is_too_slow and way_on:
        raise ScreenTooSlow(f"{found}; {way_on} starts the session anyway")
    print(f"warning: {found}", file=sys.stderr)


def settle(window: Window) -> None:
    """Waits until the window has come up; keys that are pressed from now on are meant for no game."""
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
    """Draws black pictures in which the same pixels change as in the game, by inputs at random."""
    chance, last = np.random.default_rng(0), course.picture.copy()
    veil = np.zeros_like(last)  # of 0 and 1: black to the eye
    redraws = []
    for _ in until(SECONDS, REDRAWS):
        window.redraw()
        redraws.append(timed(window, veil))
    draws, action = [], 0
    for number in until(SECONDS, 10 * STEPS):
        if course.solved or len(draws) == STEPS:
            break
        if number % HOLD == 0:
            action = int(chance.integers(len(course.action_names)))
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
    """Counts from 0 for so many seconds, up to ``most``."""
    end = time.perf_counter() + seconds
    for number in range(most):
        yield number
        if time.perf_counter() > end:
            return


def timed(window: Window, picture: np.ndarray) -> float:
    """Milliseconds."""
    window.listen()
    began = time.perf_counter()
    window.draw(picture)
    return 1000 * (time.perf_counter() - began)
