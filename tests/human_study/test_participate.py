"""A complete session at a real window with real keys; and pages, keys and steps by themselves."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pygame
import pytest

from priorlab.envs.game.rules import JUMP, LEFT, UP
from priorlab.envs.plays.sessions import read_session
from priorlab.human_study.protocol.blocks import Text, Title
from priorlab.human_study.protocol.pages import Choice, KeysPage, Page, question_page
from priorlab.human_study.protocol.steps import after_stop, resumed, steps
from priorlab.human_study.study.assignment import taken_places
from priorlab.human_study.study.study_file import Study
from priorlab.human_study.study.texts import Texts
from priorlab.human_study.window.controls import DEFAULT, Controls
from priorlab.human_study.window.forms import ChoiceForm, Form
from priorlab.human_study.window.key_form import KeyForm
from priorlab.human_study.window.paper import Paper
from priorlab.human_study.window.show_page import form_of
from tests.support.commands import refused
from tests.support.participant import Participant
from tests.support.screen import ROOT, Screen, a_screen, needs_x, wait_until


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    yield from a_screen(tmp_path_factory.mktemp("screen"))


@needs_x
def test_a_participant_goes_from_consent_to_thanks(screen: Screen, tmp_path: Path):
    person = Participant(screen, tmp_path)
    assert person.title == "Priorlab"
    person.agree()
    person.await_page("controls")
    person.press("Down", "Up", "space")  # are tried, and do nothing else
    person.press("Tab", "j", "Escape", "Tab", "j", "j", "l", "i", "k", "b", "Return")  # cancelled; j is taken at last
    person.await_page("question:age")
    person.press("Down", "Down", "Return")
    person.await_page("question:plate_2")
    screen.do("type", "12")
    person.press("Down", "Left")  # I see no number, and back
    person.await_page("question:age", times=2)
    person.press("Down", "Return")  # the one below the answer that was given
    person.await_page("question:plate_2", times=2)
    screen.do("type", ".5-")  # none of it is a digit
    person.press("BackSpace", "BackSpace")
    screen.do("type", "57")
    person.press("Return")
    person.await_page("begin:0")
    person.press("Return")
    wait_until(lambda: any(event["event"] == "step" for event in person.events()))
    person.press("Escape")
    person.await_page("stop")
    person.press("Down", "Return")
    person.await_end("stop")
    time.sleep(0.5)
    screen.do("keydown", "l")
    wait_until(lambda: any(event["event"] == "win" for event in person.events()))
    person.press("Escape")  # leaves the word below the last picture, not the session
    person.await_page("question:aim")
    time.sleep(0.5)  # what is still held, and repeated, is not typed
    screen.do("keyup", "l")
    person.press("z", "BackSpace", "x", "Return")
    wait_until(lambda: person.events()[-1]["event"] == "finish")
    time.sleep(0.6)
    person.press("Return")
    assert "saved" in person.end()

    (recorded,) = read_session(next(person.study.folder.glob("*.jsonl")))
    assert recorded.answers == {"age": "25_34", "plate_2": 57, "aim": "x"}
    assert (recorded.play.ended, recorded.play.version, recorded.study) == ("win", "masked_semantics", "short")
    events = person.events()
    answers = [(event["question"], event["answer"]) for event in events if event["event"] == "answer"]
    assert answers[:4] == [("age", "18_24"), ("plate_2", "nothing"), ("age", "25_34"), ("plate_2", 57)]
    (controls,) = (event for event in events if event["event"] == "controls")
    assert Controls.of(controls) == Controls(
        {pygame.KSCAN_J: 1, pygame.KSCAN_L: 2, pygame.KSCAN_I: 4, pygame.KSCAN_K: 5, pygame.KSCAN_B: JUMP}, chosen=True
    )
    assert [event["event"] for event in events[:2]] == ["session", "consent"]
    assert (person.study.folder / "wordings" / f"{events[1]['wording']}.json").exists() and events[0]["machine"]
    pauses = [(event["what"], event["why"]) for event in events if event["event"] == "pause"]
    assert pauses == [("begin", "stop"), ("end", "stop")]
    keys = [event["key"] for event in events if event["event"] == "key"]
    assert set(keys) <= {"return", "escape", "l"}, "what is typed on pages is not logged key by key"
    (place,) = taken_places(person.study)
    assert place.participant == recorded.participant == events[0]["id"] and events[0]["block"] == 0


@needs_x
def test_without_consent_nothing_is_recorded(screen: Screen, tmp_path: Path):
    person = Participant(screen, tmp_path, "--windowed")
    person.await_paper()
    person.press("Down", "Down", "Down", "Down", "Return")
    time.sleep(0.6)
    person.press("Return")
    assert "no consent" in person.end() and not person.study.folder.exists()


@pytest.mark.parametrize("arguments", [[], ["nowhere.toml"], ["README.md"], ["--station", "x", "y.toml"]])
def test_a_wrong_study_gets_a_one_line_error(arguments: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    assert refused("participate", *arguments).startswith("priorlab participate: ")


# pages by themselves

EXAMPLE = Study.load(ROOT / "human_study" / "study" / "example.toml")
TEXTS = Texts.load("en")


@pytest.fixture
def paper() -> Paper:
    return Paper(TEXTS)


def a_form(page: Page | KeysPage) -> Any:
    """The page as the window would show it."""
    return form_of(page, TEXTS, SimpleNamespace(controls=DEFAULT, pads=None))  # type: ignore[arg-type]


def press(page: Form, paper: Paper, *keys: int | str) -> None:
    for key in keys:
        if isinstance(key, str):
            page.take(pygame.Event(pygame.TEXTINPUT, text=key), paper)
        else:
            page.take(pygame.Event(pygame.KEYDOWN, key=key, scancode=0), paper)


@pytest.mark.parametrize("size", [(1280, 960), (640, 480), (1920, 1080), (300, 200)])
def test_a_long_page_scrolls_to_its_end_before_an_option_is_chosen(paper: Paper, size: tuple[int, int]):
    read = [Title("Read"), Text("a word " * 600)]
    page = ChoiceForm(Choice(read, options={"yes": "yes", "no": "no"}), TEXTS)
    surface = pygame.Surface(size)
    paper.draw(surface, page.blocks(), "hint", (1, 9))
    for _ in range(100):
        before = paper.scroll
        press(page, paper, pygame.K_DOWN)
        paper.draw(surface, page.blocks(), "hint", (1, 9))
        assert paper.scroll - before < paper.view, "no line is skipped"
        if page.chosen is not None:
            break
    assert page.chosen == 0 and paper.scroll > 0
    press(page, paper, pygame.K_DOWN, pygame.K_RETURN)
    paper.draw(surface, page.blocks(), "hint", (1, 9))
    press(page, paper, pygame.K_DOWN, pygame.K_RETURN)
    assert page.done and page.answer in ("yes", "no")


def test_nothing_is_chosen_at_first(paper: Paper):
    page = a_form(question_page(TEXTS.questions["age"], TEXTS))
    press(page, paper, pygame.K_RETURN)
    assert not page.done


def test_wrapping_loses_no_word(paper: Paper):
    text = "short " + "l" * 200 + " 日本語は空白なしに書かれる and more"
    lines = paper.wrap(text, 120, 20)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(paper.font(20, False).size(line)[0] <= 120 for line in lines)
    assert paper.wrap("10\xa0000 km", 90, 20) == ["10\xa0000", "km"]


def press_place(page: Form, paper: Paper, key: int, scancode: int) -> None:
    page.take(pygame.Event(pygame.KEYDOWN, key=key, scancode=scancode), paper)


def test_game_keys_light_up_and_do_nothing_else(paper: Paper):
    page = KeyForm(KeysPage({"left": "left", "down": "down"}, remap=True), TEXTS, DEFAULT, None)
    for code in DEFAULT.keys:
        press_place(page, paper, pygame.K_DOWN, code)
        assert page.lit and not page.asked and not page.done
        page.take(pygame.Event(pygame.KEYUP, key=pygame.K_DOWN, scancode=code), paper)
    assert not page.lit
    enter = Controls({pygame.KSCAN_RETURN: JUMP})  # as logs may hold it
    page = KeyForm(KeysPage({"left": "left"}, remap=True), TEXTS, enter, None)
    press_place(page, paper, pygame.K_RETURN, pygame.KSCAN_RETURN)
    assert page.lit and not page.done
    press(page, paper, pygame.K_KP_ENTER)
    assert page.done and page.answer is enter


def test_keys_of_the_page_cannot_be_chosen_and_choosing_can_be_cancelled(paper: Paper):
    page = KeyForm(KeysPage({"left": "left", "up": "up"}, remap=True), TEXTS, DEFAULT, None)
    press(page, paper, pygame.K_TAB)
    for key in (pygame.K_p, pygame.K_F11, pygame.K_RETURN, pygame.K_TAB, pygame.K_BACKSPACE):
        press(page, paper, key)
        assert page.asked == ["left", "up"] and page.note == TEXTS("controls.reserved")
    press_place(page, paper, pygame.K_x, 27)
    assert not page.note and page.cancels
    press_place(page, paper, pygame.K_x, 27)
    assert page.note == TEXTS("controls.taken")
    press(page, paper, pygame.K_ESCAPE)
    assert page.controls is DEFAULT and page.message == TEXTS("controls.cancelled") and not page.cancels
    press(page, paper, pygame.K_TAB)
    press_place(page, paper, pygame.K_x, 27)
    press_place(page, paper, pygame.K_y, 28)
    press(page, paper, pygame.K_RETURN)
    assert page.done and page.answer == Controls({27: LEFT, 28: UP}, chosen=True)
    press(page, paper, pygame.K_BACKSPACE)
    assert page.controls == DEFAULT


TWO_GAMES = replace(EXAMPLE, before=("age",), after_each=("aim",), after=("known",), try_keys=True)


def test_a_participant_who_stops_is_asked_only_about_what_was_played():
    found = steps(TWO_GAMES, 2)
    pages = [step.page for step in found]
    assert pages == [
        "code", "controls", "question:age", "begin:0", "play:0", "question:aim:0", "begin:1", "play:1",
        "question:aim:1", "question:known",
    ]  # fmt: skip
    asked = {page: [step.page for step in after_stop(found, at)] for at, page in enumerate(pages)}
    assert asked["play:0"] == ["question:aim:0", "question:known"]
    assert asked["play:1"] == ["question:aim:1", "question:known"]
    assert asked["begin:1"] == ["question:known"]
    assert not any(
        asked[page] for page in ("code", "controls", "question:age", "begin:0", "question:aim:0", "question:known")
    )


def test_an_interrupted_session_continues_where_it_was():
    def left(plays: int, *pages: tuple[str, str]) -> list[str]:
        events = [{"event": "page", "page": page, "what": what} for page, what in pages]
        found, at = resumed(steps(TWO_GAMES, 2), events, plays)
        return [step.page for step in found[at:]]

    begun = [("code", "end"), ("controls", "end"), ("question:age", "end"), ("begin:0", "end")]
    rest = ["question:aim:0", "begin:1", "play:1", "question:aim:1", "question:known"]
    assert left(0, *begun[:2]) == ["question:age", "begin:0", "play:0", *rest]
    assert left(0, *begun) == ["play:0", *rest], "in the middle of a game"
    assert left(1, *begun) == rest
    stopped = [*begun, ("play:0", "stop")]
    assert left(1, *stopped) == ["question:aim:0", "question:known"], "nothing of a game that was never played"
    assert left(1, *stopped, ("question:aim:0", "end")) == ["question:known"]
    assert left(1, *stopped, ("question:aim:0", "stop")) == []
    assert left(1, *begun, ("question:gone:0", "stop")) == rest, "a question that the study no longer has"
