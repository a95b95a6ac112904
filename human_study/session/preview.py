"""Every page and every version of a study, one after another, for the researcher; marked, and nothing is kept."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pygame

from priorlab.envs.plays.events import EventLog
from priorlab.human_study.data.interrupted import Interrupted
from priorlab.human_study.data.recorder import Recorder
from priorlab.human_study.session.protocol import prepare
from priorlab.human_study.session.ready import first_game, load, unready
from priorlab.human_study.session.script import Script
from priorlab.human_study.window.loop import keys_for, run
from priorlab.human_study.window.pages import show
from priorlab.human_study.window.paper import Paper, default_font
from priorlab.human_study.window.questions import ENTER, Page
from priorlab.human_study.window.window import Window, require_display

CODE = "abcd2345"  # stands for a participant's
INK, GROUND = (255, 255, 255), (176, 0, 32)  # of the mark
MARK = "PREVIEW"
LARGEST, SMALLEST = 11, 6  # px of the mark's letters in a game's picture


@dataclass(frozen=True)
class Scene:
    """A page, made when it is shown, or the game of a ``version``."""

    name: str
    page: Callable[[], Page | None] | None = None
    version: str = ""


class Unkept(EventLog):
    """A log that keeps nothing."""

    def __init__(self) -> None:
        self.path, self.began = Path(MARK), time.perf_counter()

    def write(self, event: str, *, at: float | None = None, sync: bool = False, **fields: Any) -> None:
        pass

    def close(self) -> None:
        pass


class MarkedPaper(Paper):
    """Draws pages as they are, and a band at their foot, where a session has its dots, that says what they are."""

    mark = MARK

    def draw(self, surface: pygame.Surface, *arguments: Any, **named: Any) -> None:
        super().draw(surface, *arguments, **named)
        drawn = pygame.font.Font(str(default_font(bold=True)), round(0.6 * self.em)).render(self.mark, True, INK)
        wide, high = surface.get_size()
        band = pygame.Rect(0, high - round(0.9 * self.em), wide, round(0.9 * self.em))
        surface.fill(GROUND, band)
        surface.blit(drawn, drawn.get_rect(center=band.center))


class MarkedWindow(Window):
    """Shows games with the mark in their pictures' upper left corner."""

    mark = MARK

    def draw(self, picture: np.ndarray, *arguments: Any, **named: Any) -> None:
        label = label_of(self.mark, picture.shape[1])
        picture = picture.copy()
        picture[: label.shape[0], : label.shape[1]] = label
        super().draw(picture, *arguments, **named)


@cache
def label_of(text: str, wide: int) -> np.ndarray:
    """uint8 (height, width, 3): the text in letters that fit into ``wide`` px, cut off where even small ones don't."""
    path, size = str(default_font(bold=True)), LARGEST
    while size > SMALLEST and pygame.font.Font(path, size).size(f" {text} ")[0] > wide:
        size -= 1
    drawn = pygame.font.Font(path, size).render(f" {text} ", True, INK, GROUND)
    return pygame.surfarray.array3d(drawn).swapaxes(0, 1)[:, :wide]


class Leafed(Page):
    """A page as it is, but that Enter goes on from it whether or not it was answered, and the left arrow back."""

    def __init__(self, page: Page):
        super().__init__(page.texts)
        self._page, self.typing = page, page.typing

    @property
    def cancels(self) -> bool:
        """Whether Escape is the page's own."""
        return getattr(self._page, "cancels", False)

    def blocks(self) -> list[Any]:
        return self._page.blocks()

    def hint(self) -> str:
        return self._page.hint()

    def take(self, event: pygame.Event, paper: Paper) -> None:
        if event.type == pygame.KEYDOWN and event.key in ENTER:
            self.done = True
            return
        self._page.take(event, paper)
        self.back, self._page.back = self._page.back, False


def scenes(script: Script, window: Window) -> list[Scene]:
    """All that the study can show, in the order of a session; then what few participants see."""
    study = script.study
    is_within = study.design == "within"

    def asked(names: tuple[str, ...]) -> list[Scene]:
        return [Scene(f"question {name}", lambda name=name: script.question(name)) for name in names]

    found = [
        Scene("consent", script.consent), Scene("consent, refused", script.refused),
        Scene("code", lambda: script.code(CODE)),
    ]  # fmt: skip
    if study.try_keys:
        found.append(Scene("keys", lambda: script.keys(window.controls, window.pads)))
    found += asked(study.before)
    for number, version in enumerate(study.versions):
        if number == 0 or is_within:
            found.append(Scene("begin", lambda number=number: script.begin(number, window.controls)))
        found.append(Scene(f"game, {version}", version=version))
        if number == 0:
            found.append(Scene("stop, in a game", lambda: script.stop(is_last=not is_within)))
        found += asked(study.after_each)
    found += asked(study.after)
    if script.debriefing():
        found.append(Scene("debriefing", script.debriefing))
    found += [
        Scene("thanks", lambda: script.thanks(CODE)), Scene("withdrawal", script.sure),
        Scene("withdrawal, done", script.deleted), Scene("all places taken", script.full),
        Scene("an interrupted session", lambda: script.resume(interrupted())),
    ]  # fmt: skip
    if study.minimum_age:
        found.append(Scene("too young", script.too_young))
    return found + [Scene("failure", lambda: script.failed(is_kept=True))]


def interrupted() -> Interrupted:
    now = datetime.now()
    return Interrupted(Path(MARK), now - timedelta(minutes=20), now)


def preview(script: Script, window: MarkedWindow) -> int:
    """Shows every scene; how many were seen. Enter goes on, the left arrow back; Escape leaves a game or ends it."""
    paper = MarkedPaper(script.texts)
    shown = scenes(script, window)
    at, seen = 0, set[int]()
    while at < len(shown):
        scene = shown[at]
        mark = f"{MARK} {at + 1}/{len(shown)}: {scene.name}"
        paper.mark, window.mark = f"{mark} (nothing is kept; Enter: on, Escape: end)", mark
        seen.add(at)
        if scene.page and (page := scene.page()):
            how = show(Leafed(page), window, paper, back=at > 0)
        else:
            prepare(window, paper)
            how = play(script, scene.version, window)
        window.happened.clear()
        if how not in ("done", "back"):
            break
        at += 1 if how == "done" else -1
    return len(seen)


def play(script: Script, version: str, window: Window) -> str:
    """The game of that version until it ends or is left; "done", or "closed"."""
    recorder = Recorder(Unkept(), MARK)
    course = recorder.begin(script.study.settings(version), script.study.limit)
    window.play(keys_for(course))
    if run(recorder, course, window) or window.reason == "escape":
        window.closed = False
        return "done"
    return "closed"


def preview_study(path: Path, windowed: bool = False) -> str:
    """The preview of a study's file, at a window of its own; what it came to, a line and one for each entry that is
    still to be written. Raises ValueError and FileNotFoundError as ``load``."""
    study, texts = load(path, is_preview=True)
    script = Script(study, texts)
    require_display()
    with MarkedWindow(first_game(study).picture.shape[:2], gamepad=study.gamepad, fullscreen=not windowed) as window:
        seen = preview(script, window)
    return "\n".join([f"preview: {seen} pages and games seen; nothing was kept", *unready(script)])
