"""What is typed as an answer, what a page shows again, and how a session keeps it; lines in any script."""

from pathlib import Path
from typing import Any

import numpy as np
import pygame
import pytest

from priorlab.envs.plays.events import read_events
from priorlab.human_study.data.recorder import Recorder
from priorlab.human_study.session import protocol
from priorlab.human_study.session.protocol import Session
from priorlab.human_study.study.study import Study
from priorlab.human_study.study.texts import Question, Texts
from priorlab.human_study.window.controls import DEFAULT
from priorlab.human_study.window.letters import runs
from priorlab.human_study.window.paper import GROUND, Paper, Text, Title
from priorlab.human_study.window.questions import Choice, Typed, ask
from tests.human_study.test_participate import press

TEXTS = Texts.load("en")


@pytest.fixture
def paper() -> Paper:
    return Paper(TEXTS)


def typed(text: str, **entries: Any) -> Any:
    """The page of a question at which that was typed at once, as input methods do."""
    question = Question("q", entries.pop("kind", "number"), "?", entries.pop("options", {}), **entries)
    page = ask(question, TEXTS)
    press(page, Paper(TEXTS), text)
    return page


def test_text_is_typed_in_any_script_and_edited(paper: Paper):
    page = ask(Question("q", "text", "?", {}), TEXTS)
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
def test_what_scripts_need_stays_in_a_text(text: str):
    assert typed(f"  {text}\n", kind="text").given() == text
    assert typed(f"\x00{text}\x1b", kind="text").given() == text, "control characters don't enter"


def test_a_text_too_long_is_refused_and_says_so(paper: Paper):
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
def test_a_number_is_what_was_typed_or_refused(paper: Paper, text: str, entries: dict[str, Any], answer: float | None):
    page = typed(text, **(BOUNDS | entries))
    assert (page.given(), type(page.given())) == (answer, type(answer))
    assert bool(page.note) == (answer is None) and (answer is not None or not page.text), "refused as a whole"
    press(page, paper, pygame.K_RETURN)
    assert page.done == (answer is not None) and page.note == ("" if page.done else TEXTS("answer.empty"))


def test_numbers_hold_to_their_bounds_and_can_be_declined(paper: Paper):
    question = Question("q", "number", "?", {"not_said": "no"}, least=18, most=99)
    page = ask(question, TEXTS)
    press(page, paper, "1", "x")
    assert isinstance(page, Typed) and page.text == "1" and page.note == "Only digits here"
    press(page, paper, pygame.K_RETURN)
    assert not page.done and page.note == "1 is not between 18 and 99"
    press(page, paper, "9", pygame.K_RETURN)
    assert page.done and page.answer == 19
    page = ask(question, TEXTS)
    press(page, paper, "5", pygame.K_DOWN, pygame.K_RETURN)
    assert page.done and page.answer == "not_said"


@pytest.mark.parametrize("question", [
    (TEXTS.questions["age"], "25_34"), (TEXTS.questions["plate_1"], 12), (TEXTS.questions["plate_1"], "nothing"),
    (TEXTS.questions["aim"], "to win"), (Question("q", "number", "?", {}, -9, 9, decimals=2), -1.25),
])  # fmt: skip
def test_going_back_to_a_question_shows_its_answer(paper: Paper, question: tuple[Question, Any]):
    asked, former = question
    page = ask(asked, TEXTS, former)
    assert page.given() == former
    press(page, paper, pygame.K_RETURN)
    assert page.done and page.answer == former
    press(page := ask(asked, TEXTS), paper, pygame.K_LEFT)
    assert page.back and page.given() is None, "nothing was answered"


@pytest.mark.parametrize("former", [4.5, -5, "gone", None])
def test_an_answer_to_a_question_that_was_changed_since_is_not_shown(former: Any):
    assert ask(Question("q", "number", "?", {}, 0, 9), TEXTS, former).text == ""  # type: ignore[attr-defined]


def test_the_caret_at_the_begin_goes_back_only_by_a_fresh_press(paper: Paper):
    page = ask(TEXTS.questions["aim"], TEXTS, "ab")
    press(page, paper, pygame.K_LEFT, pygame.K_LEFT, pygame.K_LEFT)
    assert not page.back, "the key was held"
    page.take(pygame.Event(pygame.KEYUP, key=pygame.K_LEFT, scancode=0), paper)
    press(page, paper, pygame.K_LEFT)
    assert page.back


@pytest.mark.parametrize("count", [12, 80, 400])
def test_a_dot_for_each_step_however_many(paper: Paper, count: int):
    surface = pygame.Surface((1024, 600))
    paper.draw(surface, [Title("?")], "", (count // 2, count))
    dotted = (pygame.surfarray.array3d(surface)[:, 570:] != GROUND).any(axis=(1, 2))
    assert not dotted[:8].any() and not dotted[-8:].any(), "none is cut off"
    assert count == 400 or (np.diff(dotted.astype(int)) == 1).sum() == count


def test_nothing_is_left_below_the_last_option(paper: Paper):
    """ "there is more below" must not stand under what is chosen when there is nothing."""
    page, surface = Choice(TEXTS, {"a": "a", "b": "b"}, Text("words " * 900)), pygame.Surface((1024, 600))
    paper.draw(surface, page.blocks(), page.hint(), (0, 0))
    for _ in range(40):
        page.move(1, paper)
        paper.draw(surface, page.blocks(), page.hint(), (0, 0))
        if page.chosen == 1:
            break
    assert page.chosen == 1 and paper.scroll == paper.most > 0


def test_lines_are_drawn_in_the_order_in_which_they_are_read():
    assert runs("שלום abcd2345!", right_to_left=True) == [("!", True), ("abcd2345", False), ("שלום ", True)]
    assert runs("12 שלום 3,5", right_to_left=True) == [("3,5", False), (" שלום ", True), ("12", False)]
    assert runs("code שלום 12 there", right_to_left=False) == [
        ("code ", False), ("12", False), ("שלום ", True), (" there", False),
    ]  # fmt: skip
    assert runs("-5 (x)", right_to_left=False) == [("-5 (x)", False)]


class Hands:
    """Answers pages as they come, with no window: (what is typed or chosen, how the page is left)."""

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
        if isinstance(page, Typed) and given is not None:
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
    monkeypatch.setattr(protocol, "drain", lambda *_: None)

    def lead(hands: Hands, path: Path) -> list[tuple[str, Any]]:
        """The session until its window is closed; what its log holds of answers."""
        monkeypatch.setattr(protocol, "show", hands.show)
        session = Session(study, TEXTS, hands)  # type: ignore[arg-type]
        session._resume(path)
        with pytest.raises(protocol.Left):
            session._walk()
        session._recorder.close()
        assert not hands.steps
        events = read_events(path).events
        return [(event["question"], event["answer"]) for event in events if event["event"] == "answer"]

    recorder = Recorder.create(study.folder, id="abcd2345", versions=["original"])
    recorder.close()
    path = recorder.path
    hands = Hands(
        (None, "done"),  # the code
        ("25_34", "done"), ("never", "back"), (None, "done"), (None, "done"),  # age, plays, age, plays
        (None, "back"), ("daily", "done"), ("12", "back"), (None, "closed"),  # plate_1, plays, plate_1, plays
    )  # fmt: skip
    expected = [
        ("age", "25_34"), ("plays", "never"), ("age", "25_34"), ("plays", "never"), ("plays", "daily"), ("plate_1", 12),
    ]  # fmt: skip
    assert lead(hands, path) == expected
    assert hands.found == [None, None, None, "25_34", "never", None, "never", None, "daily"]
    hands = Hands((None, "back"), (None, "back"), ("45_54", "closed"))
    assert lead(hands, path) == expected, "nothing was changed and left"
    assert hands.found == [12, "daily", "25_34"], "also after an interruption"
