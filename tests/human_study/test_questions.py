"""Scales, questions with several answers, and studies in several languages."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pygame
import pytest

from priorlab.envs.plays.events import SUFFIX, read_events
from priorlab.human_study.data.export import answer_columns, plain
from priorlab.human_study.protocol.described import described
from priorlab.human_study.protocol.pages import question_page
from priorlab.human_study.protocol.ready import can_answer, load_languages, load_study
from priorlab.human_study.study.study_file import Study
from priorlab.human_study.study.texts import Question, Texts
from priorlab.human_study.window import session as session_module
from priorlab.human_study.window.paper import Paper
from priorlab.human_study.window.session import Session
from priorlab.scripts.analysis.excluding import worded
from tests.human_study.test_pages import ScriptedWindow
from tests.human_study.test_participate import a_form, press
from tests.human_study.test_study import a_study

TEXTS = Texts.load("en")
DOWN, UP, SPACE, ENTER = pygame.K_DOWN, pygame.K_UP, pygame.K_SPACE, pygame.K_RETURN
QUESTIONS = """extends = "LANGUAGE"
[questions.fun]
kind = "scale"
text = "How much fun was it?"
points = 5
labels = { 1 = "none", 5 = "a lot" }
decline = "I'd rather not say"
[questions.tools]
kind = "several"
text = "What did you use?"
options = { keys = "keys", pad = "a gamepad", stick = "a stick" }
most = 2
"""


def asked(folder: Path, changes: tuple[str, str] = ("", ""), language: str = "en") -> Texts:
    path = folder / f"{language}.toml"
    path.write_text(QUESTIONS.replace("LANGUAGE", language).replace(*changes), encoding="utf-8")
    return Texts.load(str(path))


def shown(page: Any, paper: Paper, *keys: int) -> Any:
    """The form after these keys, drawn after each."""
    for key in (None, *keys):
        if key is not None:
            press(page, paper, key)
        paper.draw(pygame.Surface((800, 600)), page.blocks(), page.hint(), (0, 1))
    return page


def test_a_point_of_a_scale_is_recorded_as_a_number(tmp_path: Path):
    paper, question = Paper(TEXTS), asked(tmp_path).questions["fun"]
    page = shown(a_form(question_page(question, TEXTS)), paper, ENTER)
    assert not page.done and [*question.options] == ["1", "2", "3", "4", "5", "not_said"]
    assert page.blocks()[-1].options[:2] == ["1   none", "2"]
    assert shown(page, paper, DOWN, DOWN, DOWN, UP, ENTER).answer == 2
    page = shown(a_form(question_page(question, TEXTS, former=4)), paper, DOWN, DOWN, ENTER)
    assert page.done and page.answer == "not_said"


def test_several_options_are_recorded_in_the_order_of_the_question(tmp_path: Path):
    paper, question = Paper(TEXTS), asked(tmp_path, ("most", "least = 1\nmost")).questions["tools"]
    page = shown(a_form(question_page(question, TEXTS)), paper, SPACE, ENTER)
    assert not page.done and page.note == "Choose at least 1" and page.given() is None
    shown(page, paper, DOWN, SPACE, DOWN, SPACE, DOWN, SPACE, ENTER)
    assert not page.done and page.note == "Choose at most 2"
    assert shown(page, paper, UP, SPACE, ENTER).answer == ["keys", "stick"]
    again = a_form(question_page(question, TEXTS, former=["keys", "stick"]))
    assert again.given() == ["keys", "stick"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (("points = 5", "points = 1"), "questions.fun.points is 1: expected 2 to 11"),
        (("5 = ", "6 = "), "questions.fun.labels: expected texts, by points from 1 to 5"),
        (("most = 2", "most = 4"), "questions.tools: least is 0, and most is 4: expected least up to most, and most"),
        (("most = 2", "least = 3\nmost = 2"), "questions.tools: least is 3, and most is 2: expected least up to"),
        (("[questions.fun]", '[questions."fun.0"]'), "questions.fun.0: expected a name without . : = ! < > and"),
        (("[questions.fun]", '[questions." fun"]'), "questions. fun: expected a name without"),
        (('kind = "scale"', 'kind = ["scale"]'), "questions.fun: kind is ['scale']: expected one of choice"),
        (("stick = ", '"a;b" = '), "'a;b': expected a name without ';'"),
    ],
)
def test_a_wrong_entry_gets_a_one_line_error(tmp_path: Path, changes: tuple[str, str], reason: str):
    with pytest.raises(ValueError) as caught:
        asked(tmp_path, changes)
    assert reason in str(caught.value) and "en.toml" in str(caught.value) and "\n" not in str(caught.value)


CAN_ANSWER: dict[str, tuple[list[Any], list[Any]]] = {  # by question: what can be answered, and what can't
    "fun": ([1, 5, "not_said"], [0, 6, True, 2.0, "1", "", [1], None, {}]),
    "tools": ([["keys"], ["pad", "keys"]], [[], ["keys", "keys"], ["keys", "pad", "stick"], ["x"], [[]], [{}], "keys"]),
    "plate_1": ([12, 0, "nothing"], ["12", 12.5, -12, float("inf"), float("nan"), True, ["nothing"]]),
    "sleep": ([7, 7.5, 0.0, "not_said"], [7.25, 13, -1, "7", False, [], {}]),
    "known": (["yes"], ["maybe", 1, ["yes"], {"yes": 1}, True]),
    "aim": ([], ["anything", 1, [], True]),
}


@pytest.mark.parametrize("name", CAN_ANSWER)
def test_a_right_answer_is_one_that_can_be_given(tmp_path: Path, name: str):
    sleep = '[questions.sleep]\nkind = "number"\ntext = "?"\nleast = 0\nmost = 12\ndecimals = 1\ndecline = "no"\n'
    question = asked(tmp_path, ("[questions.tools]", f"{sleep}[questions.tools]")).questions[name]
    question = replace(question, least=1) if name == "tools" else question
    can, cannot = CAN_ANSWER[name]
    assert [each for each in can if not can_answer(question, each)] == []
    assert [each for each in cannot if can_answer(question, each)] == []


def test_nobody_is_eligible_who_is_too_young(tmp_path: Path):
    entries: dict[str, Any] = {"before": [], "eligible": {"age": ["under_18", "18_24"]}}
    with pytest.raises(ValueError, match=r"eligible\.age has 'under_18': expected nobody below minimum_age = 18"):
        load_languages(a_study(tmp_path, **entries))
    assert load_languages(a_study(tmp_path, **entries, minimum_age=0))


def test_in_tables_several_options_are_one_cell():
    assert plain(["a", "b"]) == worded(["a", "b"]) == "a;b" and plain([]) == ""
    assert answer_columns([{"tools": ["a", "b"], "fun": 2}])["answer_tools"][0] == "text"


def test_the_description_has_them(tmp_path: Path):
    texts = {"en": asked(tmp_path)}
    study = a_study(tmp_path, before=["fun", "tools"], after=[])
    pages = described(study, texts)["languages"]["en"]["pages"]
    fun, tools = pages["question:fun"], pages["question:tools"]
    assert (fun["kind"], fun["options"][:2], fun["decline"][0]) == ("scale", [["1", "none"], ["2", ""]], "not_said")
    assert (tools["kind"], tools["least"], tools["most"], tools["chosen"]) == ("several", 0, 2, [])


def test_languages_must_ask_the_same(tmp_path: Path):
    asked(tmp_path)
    asked(tmp_path, ("pad = ", "joypad = "), "de")
    study = a_study(tmp_path, texts=["en.toml", "de.toml"], before=["tools"], after=[])
    differs = r"de.toml: questions.tools differs from the one in .*en.toml: expected the same kind, names of options in"
    with pytest.raises(ValueError, match=differs):
        load_study(study.path)
    asked(tmp_path, ('{ keys = "keys", pad = "a gamepad",', '{ pad = "ein Gamepad", keys = "Tasten",'), "de")
    with pytest.raises(ValueError, match=differs):
        load_study(study.path)
    asked(tmp_path, ("What did you use?", "Womit?"), "de")
    assert [*load_languages(study)] == ["en", "de"]
    with pytest.raises(ValueError, match=r"texts: en.toml and en.toml have the same language, en"):
        load_languages(a_study(tmp_path, texts=["en", "en.toml"], before=[], after=[]))
    with pytest.raises(ValueError, match=r"texts is \[\]: expected a language or"):
        a_study(tmp_path, texts=[])


def test_the_wording_of_the_chosen_language_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("priorlab.human_study.data.interrupted.state_folder", lambda: tmp_path / "state")
    monkeypatch.setattr(session_module, "drain", lambda *_: None)
    study = a_study(tmp_path, texts=["en", "de"], before=["plays"], after=[], try_keys=False)
    titles: list[str] = []

    def lead(window: ScriptedWindow, resume: Path | None = None) -> list[dict[str, Any]]:
        """The log after a session whose window is closed."""

        def show(form: Any, *rest: Any, **named: Any) -> str:
            titles.append(form.blocks()[0].text)
            return window.show(form, *rest, **named)

        monkeypatch.setattr("priorlab.human_study.window.speaker.show_page", show)
        Session(study, load_languages(study), window).run(resume)  # type: ignore[arg-type]
        return read_events(next(study.folder.glob(f"*{SUFFIX}"))).events

    events = lead(ScriptedWindow(("de", "done"), ("agree", "done"), (None, "done"), (None, "closed")))
    assert titles[:2] == ["Language / Sprache", "Teilnahme an einer Studie"]
    (consent,) = (event for event in events if event["event"] == "consent")
    wording = (study.folder / "wordings" / f"{consent['wording']}.json").read_text("utf-8")
    assert consent["language"] == "Deutsch" and "Teilnahme an einer Studie" in wording
    log = next(study.folder.glob(f"*{SUFFIX}"))
    lead(ScriptedWindow(("daily", "done"), (None, "closed")), log)
    assert titles[-2] == Texts.load("de").questions["plays"].text, "resumed in the same language"
    titles.clear()
    lead(ScriptedWindow(("en", "done"), ("mine", "done"), (None, "closed")))
    assert titles[1] == "Continue?" and titles[2] == Texts.load("de")("begin.title")


def test_a_study_in_one_language_has_no_page_to_choose_it(tmp_path: Path):
    study = Study(tmp_path / "x", "t", ("original",), texts=("en",))
    assert [*load_languages(study)] == ["en"] and Question("q", "choice", "?", {"a": "a"}).answer("a") == "a"
