"""A session with a participant, real window and real keys, from consent to thanks; pages and controls alone."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pygame
import pytest

from envs.rules import DOWN, JUMP, LEFT, RIGHT
from envs.sessions import read_session
from human_study.assign import places
from human_study.controls import DEFAULT, Controls, Pads
from human_study.pages import Choice, KeysPage, Page, Typed, ask
from human_study.paper import Paper, Text, Title
from human_study.steps import after_stop, steps, taken_up
from human_study.study import Study
from human_study.texts import Question, Texts
from tests.participant import Participant
from tests.screen import PATIENCE, ROOT, Screen, a_screen, needs_x, wait_until


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    yield from a_screen(tmp_path_factory.mktemp("screen"))


@needs_x
def test_a_participant_goes_from_consent_to_thanks(screen: Screen, tmp_path: Path):
    person = Participant(screen, tmp_path)
    assert person.title == "Priorlab"
    person.agree()
    person.await_page("controls")
    person.press("Down", "Return", "j", "j", "l", "i", "k", "b", "Return")  # j is taken the second time
    person.await_page("question:age")
    person.press("Down", "Down", "Return")
    person.await_page("question:plate_2")
    person.press("Left")
    person.await_page("question:age", times=2)
    person.press("Down", "Down", "Down", "Return")
    person.await_page("question:plate_2", times=2)
    screen.do("type", "57")
    person.press("Return")
    person.await_page("begin:0")
    person.press("Return")
    wait_until(lambda: any(event["event"] == "step" for event in person.events()))
    person.press("Escape")
    person.await_page("stop")
    person.press("Down", "Return")
    time.sleep(0.5)
    screen.do("keydown", "l")
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
    (place,) = places(person.study)
    assert place.participant == recorded.participant == events[0]["id"] and events[0]["block"] == 0


@needs_x
def test_without_consent_nothing_is_kept(screen: Screen, tmp_path: Path):
    person = Participant(screen, tmp_path, "--windowed")
    person.await_paper()
    person.press("Down", "Down", "Down", "Down", "Return")
    time.sleep(0.6)
    person.press("Return")
    assert "no consent" in person.end() and not person.study.folder.exists()


@pytest.mark.parametrize("arguments", [[], ["nowhere.toml"], ["README.md"], ["--station", "x", "y.toml"]])
def test_what_is_no_study_is_named(arguments: list[str]):
    command = [sys.executable, "-m", "scripts.participate", *arguments]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert process.returncode == 1 and len(process.stderr.splitlines()) == 1
    assert process.stderr.startswith("priorlab participate: ")


# pages by themselves

EXAMPLE = Study.load(ROOT / "human_study" / "example.toml")
TEXTS = Texts.load("en")


@pytest.fixture
def paper() -> Paper:
    return Paper(TEXTS)


def press(page: Page, paper: Paper, *keys: int | str) -> None:
    for key in keys:
        if isinstance(key, str):
            page.take(pygame.Event(pygame.TEXTINPUT, text=key), paper)
        else:
            page.take(pygame.Event(pygame.KEYDOWN, key=key, scancode=0), paper)


@pytest.mark.parametrize("size", [(1280, 960), (640, 480), (1920, 1080), (300, 200)])
def test_a_long_page_is_read_to_its_end_before_anything_is_chosen(paper: Paper, size: tuple[int, int]):
    page = Choice(TEXTS, {"yes": "yes", "no": "no"}, Title("Read"), Text("a word " * 600))
    surface = pygame.Surface(size)
    paper.draw(surface, page.blocks(), "hint", (1, 9))
    for _ in range(100):
        before = paper.scroll
        press(page, paper, pygame.K_DOWN)
        paper.draw(surface, page.blocks(), "hint", (1, 9))
        assert paper.scroll - before < paper.view, "no line is jumped over"
        if page.chosen is not None:
            break
    assert page.chosen == 0 and paper.scroll > 0
    press(page, paper, pygame.K_DOWN, pygame.K_RETURN)
    paper.draw(surface, page.blocks(), "hint", (1, 9))
    press(page, paper, pygame.K_DOWN, pygame.K_RETURN)
    assert page.done and page.answer in ("yes", "no")


def test_nothing_is_chosen_at_first(paper: Paper):
    page = ask(TEXTS.questions["age"], TEXTS)
    press(page, paper, pygame.K_RETURN)
    assert not page.done


def test_text_is_typed_in_any_script_and_edited(paper: Paper):
    page = ask(Question("q", "text", "?", {}), TEXTS)
    press(page, paper, "a", "日本", "ß", pygame.K_LEFT, pygame.K_BACKSPACE, pygame.K_HOME, "é", pygame.K_RETURN)
    assert page.answer == "éa日ß"


def test_numbers_hold_to_their_bounds_and_can_be_declined(paper: Paper):
    question = Question("q", "number", "?", {"not_said": "no"}, least=18, most=99)
    page = ask(question, TEXTS)
    press(page, paper, "1", "x", pygame.K_RETURN)
    assert not page.done and isinstance(page, Typed) and page.text == "1"
    press(page, paper, "9", pygame.K_RETURN)
    assert page.done and page.answer == 19
    page = ask(question, TEXTS)
    press(page, paper, "5", pygame.K_DOWN, pygame.K_RETURN)
    assert page.done and page.answer == "not_said"


def test_words_are_wrapped_and_none_is_lost(paper: Paper):
    text = "short " + "l" * 200 + " 日本語は空白なしに書かれる and more"
    lines = paper.wrap(text, 120, 20)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(paper.font(20, False).size(line)[0] <= 120 for line in lines)


def test_keys_that_stop_or_pause_cannot_be_chosen(paper: Paper):
    page = KeysPage(TEXTS, DEFAULT, None, {"left": "left"}, remap=True)
    paper.draw(pygame.Surface((640, 480)), page.blocks(), "", (0, 0))
    press(page, paper, pygame.K_DOWN, pygame.K_RETURN, pygame.K_p, pygame.K_F11)
    assert page.asked == ["left"]
    page.take(pygame.Event(pygame.KEYDOWN, key=pygame.K_x, scancode=27), paper)
    press(page, paper, pygame.K_RETURN)
    assert page.done and page.answer == Controls({27: LEFT}, chosen=True)


@pytest.fixture
def pads(monkeypatch: pytest.MonkeyPatch) -> Pads:
    def joystick(number: int) -> Any:
        return SimpleNamespace(get_instance_id=lambda: number, get_numhats=lambda: number)  # pad 1 has a hat, 0 none

    monkeypatch.setattr(pygame.joystick, "Joystick", joystick)
    found = Pads()
    for number in (0, 1):
        found.take(pygame.Event(pygame.JOYDEVICEADDED, device_index=number))
    return found


def test_gamepads_give_inputs(pads: Pads):
    def does(kind: int, pad: int = 1, **fields: Any) -> list[tuple[bool, int]]:
        return [(press.is_down, press.input) for press in pads.take(pygame.Event(kind, instance_id=pad, **fields))]

    stick: Callable[[float], list[tuple[bool, int]]] = lambda value: does(pygame.JOYAXISMOTION, axis=0, value=value)  # noqa: E731
    assert [stick(value) for value in (0.2, 0.6, 0.4, 0.45, 0.1)] == [[], [(True, RIGHT)], [], [], [(False, RIGHT)]]
    assert stick(-1.0) == [(True, LEFT)] and stick(1.0) == [(False, LEFT), (True, RIGHT)]
    assert does(pygame.JOYHATMOTION, hat=0, value=(0, -1)) == [(True, DOWN)]
    assert does(pygame.JOYBUTTONDOWN, button=14) == [(True, JUMP)], "a pad with a hat: any button"
    assert does(pygame.JOYBUTTONDOWN, pad=0, button=14) == [(True, RIGHT)], "a pad whose cross are buttons"
    assert set(pads.held().values()) == {RIGHT, DOWN, JUMP}
    assert sorted(does(pygame.JOYDEVICEREMOVED)) == sorted((False, number) for number in (RIGHT, JUMP, DOWN))
    assert list(pads.held().values()) == [RIGHT] and len(pads) == 1, "the other pad's, which is still there"


TWO_GAMES = replace(EXAMPLE, before=("age",), after_each=("aim",), after=("known",), try_keys=True)


def test_who_stops_is_asked_what_belongs_to_what_was_played():
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


def test_an_interrupted_session_goes_on_where_it_was():
    def left(plays: int, *pages: tuple[str, str]) -> list[str]:
        events = [{"event": "page", "page": page, "what": what} for page, what in pages]
        found, at = taken_up(steps(TWO_GAMES, 2), events, plays)
        return [step.page for step in found[at:]]

    begun = [("code", "end"), ("controls", "end"), ("question:age", "end"), ("begin:0", "end")]
    rest = ["question:aim:0", "begin:1", "play:1", "question:aim:1", "question:known"]
    assert left(0, *begun[:2]) == ["question:age", "begin:0", "play:0", *rest]
    assert left(0, *begun) == ["play:0", *rest], "in the midst of a game"
    assert left(1, *begun) == rest
    stopped = [*begun, ("play:0", "stop")]
    assert left(1, *stopped) == ["question:aim:0", "question:known"], "nothing of a game that was never played"
    assert left(1, *stopped, ("question:aim:0", "end")) == ["question:known"]
    assert left(1, *stopped, ("question:aim:0", "stop")) == []
    assert left(1, *begun, ("question:gone:0", "stop")) == rest, "a question that the study has no more"
