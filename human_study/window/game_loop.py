"""Playing at the window, recorded step by step; and replaying."""

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pygame

from priorlab.envs.game.rules import INPUT_NAMES
from priorlab.envs.plays.atari_course import AtariPlay
from priorlab.envs.plays.courses import AnyCourse, ChosenGame, reopen
from priorlab.envs.plays.play import Outcome, Play
from priorlab.human_study.data.recorder import Recorder
from priorlab.human_study.protocol.keys import END_SECONDS, IDLE_SECONDS, AtariKeys, Keys, StepClock
from priorlab.human_study.study.texts import MODEL, Texts
from priorlab.human_study.window.paper import Paper
from priorlab.human_study.window.screen_check import check_screen
from priorlab.human_study.window.window import Window, require_display

WORD_SIZE, LEAST_SIZE = 24, 16  # the word below it: 1/24 of the window's height, at least 16 px


def keys_for(course: AnyCourse) -> Keys:
    """The rule that turns keys into this game's inputs."""
    return Keys() if course.action_names == INPUT_NAMES else AtariKeys()


def end_words(paper: Paper, high: int) -> dict[str, pygame.Surface]:
    """The words below the last picture, by how a play ended, for a window of height ``high`` px."""
    words: dict[Outcome, str] = {"win": paper.texts("end.won"), "limit": paper.texts("end.time_up")}
    size = max(high // WORD_SIZE, LEAST_SIZE)
    return {ended: paper.letters.line(word, size, False, (255, 255, 255)) for ended, word in words.items()}


def play(game: ChosenGame, minutes: float, folder: Path, participant: str | None = None) -> tuple[Path, Outcome]:
    """A session of one play, at a new window: (its log, how the play ended).

    The play lasts at most that many minutes. The log is ``<folder>/<id>.session.jsonl``, with ``participant`` as id, or
    a random one. Raises NoDisplay; ValueError, one line, for invalid settings or minutes; OSError if nothing can
    be recorded.
    """
    course = game.open()
    require_display()
    course.step(0)  # compiles before the window is up
    limit = round(minutes * 60 * course.rate)
    if limit < 1:
        raise ValueError(f"minutes is {minutes:g}: expected more than 0")
    with Window(course.picture.shape[:2]) as window:
        prepare(window, course)
        window.play(keys_for(course))
        recorder = Recorder.create(folder, participant, **window.about())
        return recorder.path, finish(recorder, recorder.begin(game, limit), window)


def prepare(window: Window, course: AnyCourse) -> None:
    """Measures the screen with a game that nobody plays, and draws the words for the end."""
    check_screen(window, course)
    window.words = end_words(Paper(Texts.load(MODEL)), window.size[1])


def resume(path: Path) -> Outcome:
    """Continues the interrupted play of that session, at a new window; returns how it ended.

    Raises NoDisplay; ValueError, one line, if no play was interrupted or the log is damaged; OSError if another process
    records it.
    """
    require_display()  # before the log is touched
    recorder = Recorder.resume(path)
    if not recorder.course:
        recorder.close()
        raise ValueError(f"{path}: no play was under way: expected an interrupted play")
    with Window(recorder.course.picture.shape[:2]) as window:
        prepare(window, reopen(recorder.course.about()))
        recorder.note("screen", **window.about())
        window.play(keys_for(recorder.course), "resumed")
        return finish(recorder, recorder.course, window)


def finish(recorder: Recorder, course: AnyCourse, window: Window) -> Outcome:
    """Runs the play to its end, and ends the session."""
    try:
        ended, reason = run(recorder, course, window), window.reason
    except KeyboardInterrupt:
        print("stopped from the terminal", file=sys.stderr)
        ended, reason = None, "stopped"
    recorder.end(reason)
    recorder.finish()
    return ended or "quit"


class Taker(Protocol):
    """Who takes inputs: a ``Recorder``, or one for practice."""

    def note(self, event: str, *, at: float | None = None, sync: bool = False, **fields: Any) -> None: ...
    def step(self, action: int, due: float, done: float) -> Outcome | None: ...
    def shown(self, at: float) -> None: ...


def run(
    recorder: Taker, course: AnyCourse, window: Window, interrupts: Callable[[AnyCourse], bool] = lambda _: False
) -> Outcome | None:
    """Takes an input each time one is due until the play ends; returns None if the window was closed, or if
    ``interrupts``, which is called after each input, is true."""
    with frozen_garbage():
        window.redraw()
        window.draw(course.picture, dark=window.paused)
        window.begin()
        window.touched = time.perf_counter()
        clock = StepClock(course.rate, window.touched)
        while True:
            due = clock.next_due(time.perf_counter())
            window.await_step(due)
            done = time.perf_counter()
            if not window.paused and not window.keys.held and done > window.touched + IDLE_SECONDS:
                window.pause("idle")
            drain(window, recorder)
            if window.closed:
                return None
            ended = None if window.paused else recorder.step(window.keys.take(), due, done)
            window.draw(course.picture, dark=window.paused)
            if not window.paused:
                recorder.shown(time.perf_counter())
            if ended:
                window.stay(course.picture, END_SECONDS, window.words.get(ended))
                drain(window, recorder)
                window.closed &= window.reason != "escape"  # Escape only left the last picture
                return ended
            if not window.paused and interrupts(course):
                return None


def drain(window: Window, recorder: Taker) -> None:
    """Writes what happened at the window into the log."""
    happened, window.happened = window.happened, []
    for at, event, fields in happened:
        recorder.note(event, at=at, **fields)


@contextmanager
def frozen_garbage() -> Iterator[None]:
    """Keeps the garbage collector away from all present objects: searching them all would make a step late."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def show_play(play: Play | AtariPlay, speed: float = 1.0) -> None:
    """Shows a play in a new window, ``speed`` times as fast, until it ends or the window is closed.

    Raises NoDisplay.
    """
    frames = play.frames()
    first = next(frames)
    with Window(first.shape[:2]) as window:
        clock = StepClock(play.inputs_per_second * speed, time.perf_counter())
        picture, last = first, len(play.inputs)
        for number in range(last + 1):
            window.stay(picture, END_SECONDS if number == last else clock.next_due(now := time.perf_counter()) - now)
            if window.closed:
                return
            picture = next(frames, picture)
