"""Typed answers, pages that show earlier answers, how a session keeps them; lines in any script."""

from pathlib import Path
from typing import Any

import numpy as np
import pygame
import pytest

from priorlab.envs.plays.events import read_events
from priorlab.human_study.data.recorder import Recorder
from priorlab.human_study.protocol.blocks import Text, Title
from priorlab.human_study.protocol.pages import Choice, question_page
from priorlab.human_study.study.study_file import Study
from priorlab.human_study.study.texts import Question, Texts
from priorlab.human_study.window import session as session_module
from priorlab.human_study.window.controls import DEFAULT
from priorlab.human_study.window.forms import TypedForm
from priorlab.human_study.window.letters import runs
from priorlab.human_study.window.paper import GROUND, Paper
from priorlab.human_study.window.session import Session
from priorlab.human_study.window.speaker import WindowClosed
from tests.human_study.test_participate import a_form, press

TEXTS = Texts.load("en")


@pytest.fixture
def paper() -> Paper:
    return Paper(TEXTS)


def typed(text: str, **entries: Any) -> Any:
    """The page of a question after that text was entered at once, as input methods do."""
    question = Question("q", entries.pop("kind", "number"), "?", entries.pop("options", {}), **entries)
    page = a_form(question_page(question, TEXTS))
    press(page, Paper(TEXTS), text)
    return page


def test_text_is_typed_in_any_script_and_edited(paper: Paper):
    page = a_form(question_page(Question("q", "text", "?", {}), TEXTS))
    press(page, paper, "a", "日本", "ß", pygame.K_LEFT, pygame.K_BACKSPACE, pygame.K_HOME, "é", pygame.K_RETURN)
    assert page.answer == "éa日ß"
    family, accent, flag = "👨\u200d👩\u200d👧", "e\u0301", "🇩🇪"
    page = typed(f"x{family}{accent}{flag}", kind="text")
    press(page, paper, pygame.K_LEFT, pygame.K_BACKSPACE)
    assert page.text == f"x{family}{flag}", "what looks like one character is one"
    press(page, paper, pygame.K_LEFT, pygame.K_DELETE, pygame.K_DELETE)
    assert page.text == "x"


@pytest.mark.parametrize(
    "text", ["東京\u3000大阪", "می\u200cروم", "👨\u200d👩\u200d👧", "10\u202f000", "a\xa0b", "क्\u200dष"]
)
def test_characters_that_scripts_need_stay_in_a_text(text: str):
    assert typed(f"  {text}\n", kind="text").given() == text
    assert typed(f"\x00{text}\x1b", kind="text").given() == text, "control characters don't enter"


def test_a_text_that_is_too_long_is_rejected_with_a_note(paper: Paper):
    page = typed("x" * 4000, kind="text")
    press(page, paper, "y")
    assert page.text == "x" * 4000 and page.note == TEXTS("answer.long")
    press(page, paper, pygame.K_BACKSPACE)
    assert not page.note


BOUNDS = {"least": -20, "most": 168}


@pytest.mark.parametrize(
    ("text", "entries", "answer"),
    [
        ("45", {}, 45), ("\u0664\u0665", {}, 45), ("\uff14\uff15", {}, 45), ("007", {}, 7),  # digits of other scripts
        ("-5", {}, -5), ("\u22125", {}, -5), ("-0", {}, 0), ("57", {"kind": "plate"}, 57),
        ("4.5", {"decimals": 1}, 4.5), ("4,5", {"decimals": 1}, 4.5), ("\u0664\u066b\u0665", {"decimals": 1}, 4.5),
        ("-.5", {"decimals": 1}, -0.5), ("4", {"decimals": 1}, 4.0), ("4.", {"decimals": 1}, 4.0),
        ("0.25", {"decimals": 2}, 0.25),
        ("4.5", {}, None), ("1,5", {}, None), ("4 5", {}, None), ("1e2", {}, None), ("²", {}, None), ("--5", {}, None),
        ("5-", {}, None), ("-5", {"least": 0}, None), ("-5", {"kind": "plate"}, None), ("4.25", {"decimals": 1}, None),
        ("1.2.3", {"decimals": 3}, None), ("1.000,5", {"decimals": 3}, None),
    ],
)  # fmt: skip
def test_a_number_is_what_was_typed_or_rejected(paper: Paper, text: str, entries: dict[str, Any], answer: float | None):
    page = typed(text, **(BOUNDS | entries))
    assert (page.given(), type(page.given())) == (answer, type(answer))
    assert bool(page.note) == (answer is None) and (answer is not None or not page.text), "rejected completely"
    press(page, paper, pygame.K_RETURN)
    assert page.done == (answer is not None) and page.note == ("" if page.done else TEXTS("answer.empty"))


def test_numbers_stay_within_bounds_and_can_be_declined(paper: Paper):
    question = Question("q", "number", "?", {"not_said": "no"}, least=18, most=99)
    page = a_form(question_page(question, TEXTS))
    press(page, paper, "1", "x")
    assert isinstance(page, TypedForm) and page.text == "1" and page.note == "Only digits here"
    press(page, paper, pygame.K_RETURN)
    assert not page.done and page.note == "1 is not between 18 and 99"
    press(page, paper, "9", pygame.K_RETURN)
    assert page.done and page.answer == 19
    page = a_form(question_page(question, TEXTS))
    press(page, paper, "5", pygame.K_DOWN, pygame.K_RETURN)
    assert page.done and page.answer == "not_said"


@pytest.mark.parametrize("question", [
    (TEXTS.questions["age"], "25_34"), (TEXTS.questions["plate_1"], 12), (TEXTS.questions["plate_1"], "nothing"),
    (TEXTS.questions["aim"], "to win"), (Question("q", "number", "?", {}, -9, 9, decimals=2), -1.25),
])  # fmt: skip
def test_going_back_to_a_question_shows_its_answer(paper: Paper, question: tuple[Question, Any]):
    asked, former = question
    page = a_form(question_page(asked, TEXTS, former))
    assert page.given() == former
    press(page, paper, pygame.K_RETURN)
    assert page.done and page.answer == former
    press(page := a_form(question_page(asked, TEXTS)), paper, pygame.K_LEFT)
    assert page.back and page.given() is None, "nothing was answered"


@pytest.mark.parametrize("former", [4.5, -5, "gone", None])
def test_an_answer_that_no_longer_fits_the_question_is_not_shown(former: Any):
    assert a_form(question_page(Question("q", "number", "?", {}, 0, 9), TEXTS, former)).text == ""  # type: ignore[attr-defined]


def test_a_held_arrow_stops_at_the_beginning_of_the_text(paper: Paper):
    page = a_form(question_page(TEXTS.questions["aim"], TEXTS, "ab"))
    press(page, paper, pygame.K_LEFT, pygame.K_LEFT, pygame.K_LEFT)
    assert not page.back, "the key was held"
    page.take(pygame.Event(pygame.KEYUP, key=pygame.K_LEFT, scancode=0), paper)
    press(page, paper, pygame.K_LEFT)
    assert page.back


@pytest.mark.parametrize("count", [12, 80, 400])
def test_each_step_has_a_dot(paper: Paper, count: int):
    surface = pygame.Surface((1024, 600))
    paper.draw(surface, [Title("?")], "", (count // 2, count))
    dotted = (pygame.surfarray.array3d(surface)[:, 570:] != GROUND).any(axis=(1, 2))
    assert not dotted[:8].any() and not dotted[-8:].any(), "none is cut off"
    assert count == 400 or (np.diff(dotted.astype(int)) == 1).sum() == count


def test_nothing_is_left_below_the_last_option(paper: Paper):
    """The page must not say "there is more below" when the last option is chosen."""
    page = a_form(Choice([Text("words " * 900)], options={"a": "a", "b": "b"}))
    surface = pygame.Surface((1024, 600))
    paper.draw(surface, page.blocks(), page.hint(), (0, 0))
    for _ in range(40):
        page.move(1, paper)
        paper.draw(surface, page.blocks(), page.hint(), (0, 0))
        if page.chosen == 1:
            break
    assert page.chosen == 1 and paper.scroll == paper.most > 0


def test_lines_are_drawn_in_reading_order():
    assert runs("שלום abcd2345!", right_to_left=True) == [("!", True), ("abcd2345", False), ("שלום ", True)]
    assert runs("12 שלום 3,5", right_to_left=True) == [("3,5", False), (" שלום ", True), ("12", False)]
    assert runs("code שלום 12 there", right_to_left=False) == [
        ("code ", False), ("12", False), ("שלום ", True), (" there", False),
    ]  # fmt: skip
    assert runs("-5 (x)", right_to_left=False) == [("-5 (x)", False)]


class ScriptedWindow:
    """Answers pages without a window; steps are (what is typed or chosen, how the page is left)."""

    def __init__(self, *steps: tuple[str | None, str]):
        self.steps, self.found = list(steps), []
        self.controls, self.pads, self.happened, self.closed, self.notice = DEFAULT, None, [], False, None
        self.size = 640, 480

    def about(self) -> dict[str, Any]:
        return {}

    def name_pads(self) -> None:
        """There are none."""

    def show(self, page: Any, window: Any, paper: Paper, *_: Any, **__: Any) -> str:
        given, how = self.steps.pop(0)
        self.found.append(page.given())
        if isinstance(page, TypedForm) and given is not None:
            page._set("", 0)
            press(page, paper, given)
        elif given is not None:
            page.chosen = list(page.options).index(given)
        if how == "done":
            page.enter()
            assert page.done
        return how


def test_a_session_keeps_and_logs_what_was_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "study.toml").write_text(
        'name = "t"\nversions = ["original"]\ntry_keys = false\nbefore = ["age", "plays", "plate_1"]\nafter = []\n'
    )
    study = Study.load(tmp_path / "study.toml")
    monkeypatch.setattr(session_module, "drain", lambda *_: None)

    def lead(hands: ScriptedWindow, path: Path) -> list[tuple[str, Any]]:
        """Runs the session until its window is closed; returns the answers in its log."""
        monkeypatch.setattr("priorlab.human_study.window.speaker.show_page", hands.show)
        session = Session(study, {"en": TEXTS}, hands)  # type: ignore[arg-type]
        session._resume(path)
        with pytest.raises(WindowClosed):
            session._walk()
        session._recorder.close()
        assert not hands.steps
        events = read_events(path).events
        return [(event["question"], event["answer"]) for event in events if event["event"] == "answer"]

    recorder = Recorder.create(study.folder, id="abcd2345", versions=["original"])
    recorder.close()
    path = recorder.path
    hands = ScriptedWindow(
        (None, "done"),  # the code
        ("25_34", "done"), ("never", "back"), (None, "done"), (None, "done"),  # age, plays, age, plays
        (None, "back"), ("daily", "done"), ("12", "back"), (None, "closed"),  # plate_1, plays, plate_1, plays
    )  # fmt: skip
    expected = [
        ("age", "25_34"), ("plays", "never"), ("age", "25_34"), ("plays", "never"), ("plays", "daily"), ("plate_1", 12),
    ]  # fmt: skip
    assert lead(hands, path) == expected
    assert hands.found == [None, None, None, "25_34", "never", None, "never", None, "daily"]
    hands = ScriptedWindow((None, "back"), (None, "back"), ("45_54", "closed"))
    assert lead(hands, path) == expected, "nothing was changed and left"
    assert hands.found == [12, "daily", "25_34"], "also after an interruption"
