"""The preview for researchers: every page and every version of a study, marked; nothing is recorded."""

import time
from collections.abc import Callable, Mapping
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
from priorlab.human_study.protocol.blocks import Block
from priorlab.human_study.protocol.pages import KeysPage, Page
from priorlab.human_study.protocol.plates import default_font
from priorlab.human_study.protocol.ready import load_study, unready
from priorlab.human_study.protocol.script import Script, language_page
from priorlab.human_study.study.texts import Texts
from priorlab.human_study.window.controls import key_names
from priorlab.human_study.window.forms import ENTER, Form
from priorlab.human_study.window.game_loop import keys_for, run
from priorlab.human_study.window.paper import Paper, check_fonts
from priorlab.human_study.window.session import prepare
from priorlab.human_study.window.show_page import form_of, show_page
from priorlab.human_study.window.take_part import first_game
from priorlab.human_study.window.window import Window, require_display

CODE = "abcd2345"  # stands for a participant's
INK, GROUND = (255, 255, 255), (176, 0, 32)  # of the mark
MARK = "PREVIEW"
LARGEST, SMALLEST = 11, 6  # size of the mark's letters in a game's picture, px


@dataclass(frozen=True)
class Scene:
    """A page, filled in when it is shown, or the game of a ``version``."""

    name: str
    page: Callable[[], Page | KeysPage] | None = None
    version: str = ""


class NoLog(EventLog):
    """A log that writes nothing."""

    def __init__(self) -> None:
        self.path, self.began = Path(MARK), time.perf_counter()

    def write(self, event: str, *, at: float | None = None, sync: bool = False, **fields: Any) -> None:
        pass

    def close(self) -> None:
        pass


class MarkedPaper(Paper):
    """Draws pages as they are, with a band at the foot, where a session has its dots, that names the page."""

    mark = MARK

    def draw(self, surface: pygame.Surface, *arguments: Any, **named: Any) -> None:
        super().draw(surface, *arguments, **named)
        drawn = pygame.font.Font(str(default_font(bold=True)), round(0.6 * self.em)).render(self.mark, True, INK)
        wide, high = surface.get_size()
        band = pygame.Rect(0, high - round(0.9 * self.em), wide, round(0.9 * self.em))
        surface.fill(GROUND, band)
        surface.blit(drawn, drawn.get_rect(center=band.center))


class MarkedWindow(Window):
    """Shows games with the mark in the upper left corner of the picture."""

    mark = MARK

    def draw(self, picture: np.ndarray, *arguments: Any, **named: Any) -> None:
        label = label_of(self.mark, picture.shape[1])
        picture = picture.copy()
        picture[: label.shape[0], : label.shape[1]] = label
        super().draw(picture, *arguments, **named)


@cache
def label_of(text: str, wide: int) -> np.ndarray:
    """uint8 (height, width, 3): the text in letters that fit into ``wide`` px, or cut off if even small ones don't."""
    path, size = str(default_font(bold=True)), LARGEST
    while size > SMALLEST and pygame.font.Font(path, size).size(f" {text} ")[0] > wide:
        size -= 1
    drawn = pygame.font.Font(path, size).render(f" {text} ", True, INK, GROUND)
    return pygame.surfarray.array3d(drawn).swapaxes(0, 1)[:, :wide]


class PreviewForm(Form):
    """A form that Enter leaves whether it is answered or not, and that the left arrow always leaves backwards."""

    def __init__(self, form: Form):
        super().__init__(form.page, form.texts)
        self._form, self.typing = form, form.typing

    @property
    def cancels(self) -> bool:
        return self._form.cancels

    def blocks(self) -> list[Block]:
        return self._form.blocks()

    def hint(self) -> str:
        return self._form.hint()

    def take(self, event: pygame.Event, paper: Paper) -> None:
        if event.type == pygame.KEYDOWN and event.key in ENTER:
            self.done = True
            return
        self._form.take(event, paper)
        self.back, self._form.back = self._form.back, False


def scenes(script: Script, window: Window) -> list[Scene]:
    """Everything the study can show, in the order of a session; last, what few participants see."""
    study = script.study
    is_within = study.design == "within"

    def questions(names: tuple[str, ...]) -> list[Scene]:
        return [Scene(f"question {name}", lambda name=name: script.question(name)) for name in names]

    planned = [
        Scene("consent", script.consent), Scene("consent, refused", script.refused), *questions(tuple(study.eligible)),
        Scene("code", lambda: script.code(CODE)),
    ]  # fmt: skip
    if study.try_keys:
        planned.append(Scene("keys", script.keys))
    planned += questions(study.before)
    for name in study.instructions:
        planned.append(Scene(f"instructions {name}", lambda name=name: script.instructions(name)))
    caps = key_names(window.controls, script.texts)
    if study.practice_limit:
        planned.append(Scene("practice", lambda: script.practice(caps)))
    planned += questions(study.checks)
    for number, version in enumerate(study.versions):
        if number == 0 or is_within:
            planned.append(Scene("begin", lambda number=number: script.begin(number, caps)))
        planned.append(Scene(f"game, {version}", version=version))
        if number == 0:
            planned.append(Scene("stop, in a game", lambda: script.stop(is_last=not is_within)))
            planned += questions(tuple(dict.fromkeys(probe.question for probe in study.probes)))
        planned += questions(study.after_each)
    planned += questions(study.after)
    if debriefing := script.debriefing():
        planned.append(Scene("debriefing", lambda: debriefing))
    planned += [
        Scene("thanks", lambda: script.thanks(CODE)), Scene("withdrawal", script.sure),
        Scene("withdrawal, done", script.deleted), Scene("all places taken", script.full),
        Scene("an interrupted session", lambda: script.resume(interrupted())),
    ]  # fmt: skip
    if study.checks:
        planned += [Scene("wrong answers", script.again), Scene("checks failed", script.failed_checks)]
    if study.eligible:
        planned.append(Scene("not eligible", script.not_eligible))
    if study.minimum_age:
        planned.append(Scene("too young", script.too_young))
    return planned + [Scene("failure", lambda: script.failed(is_kept=True))]


def interrupted() -> Interrupted:
    now = datetime.now()
    return Interrupted(Path(MARK), now - timedelta(minutes=20), now)


def preview(script: Script, window: MarkedWindow) -> int:
    """Shows every scene, and returns how many were seen.

    Enter goes forward, the left arrow back; Escape leaves a game or ends the preview.
    """
    paper = MarkedPaper(script.texts)
    planned = scenes(script, window)
    at, seen = 0, set[int]()
    while at < len(planned):
        scene = planned[at]
        mark = f"{MARK} {at + 1}/{len(planned)}: {scene.name}"
        paper.mark, window.mark = f"{mark} (nothing is recorded; Enter: next, Escape: end)", mark
        seen.add(at)
        if scene.page:
            form = PreviewForm(form_of(scene.page(), script.texts, window))
            how = show_page(form, window, paper, back=at > 0)
        else:
            prepare(window, paper)
            how = play(script, scene.version, window)
        window.happened.clear()
        if how not in ("done", "back"):
            break
        at += 1 if how == "done" else -1
    return len(seen)


def play(script: Script, version: str, window: Window) -> str:
    """Plays the game of that version until it ends or the researcher leaves it; returns "done" or "closed"."""
    recorder = Recorder(NoLog(), MARK)
    course = recorder.begin(script.study.settings(version), script.study.limit)
    window.play(keys_for(course))
    if run(recorder, course, window) or window.reason == "escape":
        window.closed = False
        return "done"
    return "closed"


def preview_study(path: Path, windowed: bool = False) -> str:
    """Previews the study of that file at a new window; nothing is recorded.

    Returns one line about what was seen, and one for each entry that must still be written. Raises ValueError and
    FileNotFoundError as ``load_study``, and NoDisplay.
    """
    study, languages = load_study(path, is_preview=True)
    check_fonts(languages)
    require_display()
    with MarkedWindow(first_game(study).picture.shape[:2], gamepad=study.gamepad, fullscreen=not windowed) as window:
        script = Script(study, chosen_language(languages, window))
        seen = preview(script, window)
    missing = [line for texts in languages.values() for line in unready(Script(study, texts))]
    return "\n".join([f"preview: {seen} pages and games seen; nothing was recorded", *missing])


def chosen_language(languages: Mapping[str, Texts], window: Window) -> Texts:
    """The language that the preview shows; the first one if none is chosen."""
    first = next(iter(languages.values()))
    if len(languages) == 1:
        return first
    form = form_of(language_page(languages), first, window)
    show_page(form, window, MarkedPaper(first))
    window.happened.clear()
    return languages.get(form.answer, first)
