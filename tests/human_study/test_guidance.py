"""Who can take part, instructions, questions about them, and questions that test attention."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from priorlab.envs.plays.events import SUFFIX, read_events
from priorlab.envs.plays.sessions import timed_events
from priorlab.human_study.data.export import absent_row
from priorlab.human_study.data.progress import progress
from priorlab.human_study.data.verify import verify
from priorlab.human_study.protocol.described import described
from priorlab.human_study.protocol.ready import load_languages, load_study
from priorlab.human_study.protocol.script import Script
from priorlab.human_study.study.study_file import Study
from priorlab.human_study.window import session as session_module
from priorlab.human_study.window.controls import DEFAULT
from priorlab.human_study.window.preview import scenes
from priorlab.human_study.window.session import Session
from priorlab.scripts.analysis.flow import lost_as, session_of
from priorlab.scripts.report.preregistration import Assumptions, text_of
from tests.human_study.test_pages import ScriptedWindow
from tests.human_study.test_study import a_study

TEXTS = """extends = "en"
[instructions.story]
title = "The story"
text = "There is a door."
[questions.goal]
kind = "choice"
text = "Where must you go?"
options = { door = "to the door", fire = "into the fire" }
[questions.keys]
kind = "several"
text = "Which keys are there?"
options = { left = "left", jump = "jump", shoot = "shoot" }
[questions.colour]
kind = "scale"
text = "Choose 2."
points = 3
labels = {}
"""
GUIDED = {
    "texts": "texts.toml", "versions": ["original"], "try_keys": False, "before": ["colour"],
    "instructions": ["story"], "checks": ["goal", "keys"], "rounds": 2, "after": [],
    "right": {"goal": "door", "keys": ["jump", "left"], "colour": 2},
}  # fmt: skip
READ, CLOSED, STORY = (None, "done"), (None, "closed"), "The story"
RIGHT, WRONG = [("door", "done"), (["left", "jump"], "done")], [("fire", "done"), (["left"], "done")]
BEGIN = [("agree", "done"), READ, ("2", "done")]  # consent, the code, the question that tests attention


def guided(folder: Path, **entries: Any) -> Study:
    (folder / "texts.toml").write_text(TEXTS, encoding="utf-8")
    return a_study(folder, **{**GUIDED, **entries})


class Hands(ScriptedWindow):
    """Marks options, too, if a list of them is given; keeps the titles of pages."""

    def __init__(self, *steps: tuple[Any, str]):
        super().__init__(*steps)
        self.titles: list[str] = []

    def show(self, page: Any, window: Any, paper: Any, *rest: Any, **named: Any) -> str:
        self.titles.append(page.blocks()[0].text)
        if isinstance(given := self.steps[0][0], list):
            page.marked, self.steps[0] = given, (None, self.steps[0][1])
        return super().show(page, window, paper, *rest, **named)


@pytest.fixture
def lead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Leads one participant through these steps: (titles of the pages, how it ended)."""
    monkeypatch.setattr("priorlab.human_study.data.interrupted.state_folder", lambda: tmp_path / "state")
    monkeypatch.setattr(session_module, "drain", lambda *_: None)

    def run(study: Study, *steps: tuple[Any, str], resume: bool = False) -> tuple[list[str], str]:
        hands = Hands(*steps)
        monkeypatch.setattr("priorlab.human_study.window.speaker.show_page", hands.show)
        log = log_of(study) if resume else None
        ended = Session(study, load_study(study.path)[1], hands).run(log)  # type: ignore[arg-type]
        assert not hands.steps
        return hands.titles, ended

    return run


def log_of(study: Study) -> Path:
    return next(study.folder.glob(f"*{SUFFIX}"))


def events_of(study: Study, name: str) -> list[dict[str, Any]]:
    return [event for event in read_events(log_of(study)).events if event["event"] == name]


def test_wrong_answers_bring_the_instructions_again(tmp_path: Path, lead: Any):
    study = guided(tmp_path)
    titles, _ = lead(study, *BEGIN, READ, *WRONG, READ, READ, *RIGHT, CLOSED)
    assert titles[3:] == [
        STORY, "Where must you go?", "Which keys are there?", "Not quite yet", STORY, "Where must you go?",
        "Which keys are there?", "The game begins",
    ]  # fmt: skip
    rights = [(event["question"], event["right"]) for event in events_of(study, "answer")]
    assert rights == [("colour", True), ("goal", False), ("keys", False), ("goal", True), ("keys", True)]
    rounds = [
        (event["round"], event["wrong"], event["again"]) for event in events_of(study, "page") if "round" in event
    ]
    assert rounds == [(1, ["goal", "keys"], True), (2, [], False)]
    wording = next((study.folder / "wordings").iterdir()).read_text("utf-8")
    assert "There is a door." in wording and "Where must you go?" in wording
    assert not [each.problems for each in verify([study.folder]) if each.problems]


@pytest.mark.parametrize("when_failed", ["end", "continue"])
def test_after_the_last_round_the_session_ends_or_continues(tmp_path: Path, lead: Any, when_failed: str):
    study = guided(tmp_path, when_failed=when_failed)
    rest = [CLOSED] if when_failed == "continue" else [READ, ("done", "done")]
    titles, ended = lead(study, *BEGIN, READ, *WRONG, READ, READ, *WRONG, *rest)
    if when_failed == "continue":
        assert titles[-1] == "The game begins" and not events_of(study, "excluded")
        return
    assert titles[-2:] == ["Thank you for coming", "Thank you!"]
    assert ended.startswith("goal, keys answered wrongly in round 2, which ended the session; saved ")
    (excluded,) = events_of(study, "excluded")
    assert (excluded["why"], excluded["round"]) == ("checks", 2)
    events = read_events(log_of(study)).events
    assert progress(study, [])["original"]["failed checks"] == 1
    assert absent_row(log_of(study), timed_events(events), {})["quit_reason"] == "excluded: checks"
    assert lost_as(session_of(events)) == "failed_checks"


def test_an_interrupted_round_continues_where_it_was(tmp_path: Path, lead: Any):
    study = guided(tmp_path)
    lead(study, *BEGIN, READ, *WRONG, CLOSED)  # at the page that says that it comes again
    titles, _ = lead(study, READ, ("door", "done"), CLOSED, resume=True)
    assert titles == [STORY, "Where must you go?", "Which keys are there?"]
    titles, _ = lead(study, (["left"], "done"), READ, ("done", "done"), resume=True)
    assert titles == ["Which keys are there?", "Thank you for coming", "Thank you!"], "it was the second round"


def test_one_can_go_back_to_the_instructions(tmp_path: Path, lead: Any):
    titles, _ = lead(guided(tmp_path), *BEGIN, READ, ("door", "back"), (None, "back"), CLOSED)
    assert titles[3:] == [STORY, "Where must you go?", STORY, "Choose 2."]


def test_nothing_is_recorded_of_somebody_who_is_not_eligible(tmp_path: Path, lead: Any):
    study = guided(tmp_path, eligible={"plays": ["never", "yearly"]}, before=[], right={}, checks=[])
    titles, ended = lead(study, ("agree", "done"), ("daily", "done"), READ)
    assert titles[-1] == "Thank you for your interest" and ended == "not eligible: nothing was recorded"
    assert not study.folder.exists()
    assert lead(study, ("agree", "done"), (None, "escape"), READ)[1] == "no consent: nothing was recorded"
    lead(study, ("agree", "done"), ("yearly", "done"), CLOSED)
    assert [(event["question"], event["answer"]) for event in events_of(study, "answer")] == [("plays", "yearly")]


def test_the_description_says_what_follows(tmp_path: Path):
    study = guided(tmp_path, eligible={"plays": ["never", "yearly"]})
    english = described(study, load_languages(study))["languages"]["en"]
    assert english["eligibility"] == ["question:plays"]
    excluded = {"options": ["monthly", "weekly", "daily", "not_said"], "page": "not_eligible"}
    assert english["pages"]["question:plays"]["excludes"] == excluded
    assert english["pages"]["question:keys"]["right"] == ["jump", "left"]
    steps = english["steps"]
    assert [step["log"] for step in steps[1:6]] == [
        "question:colour", "instructions:story", "check:goal", "check:keys", "begin:0",
    ]  # fmt: skip
    assert steps[4]["again"] == {"to": 2, "checks": ["goal", "keys"], "rounds": 2, "when_failed": "end"}
    assert [step["back"] for step in steps[:6]] == [False, False, True, True, True, False]


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({"right": {"goal": "door", "colour": 2}}, "checks: 'keys' has no right answer"),
        ({"right": {**GUIDED["right"], "aim": "x"}}, "right: 'aim': expected a question of before, checks"),
        ({"right": {**GUIDED["right"], "goal": "window"}}, "right.goal is 'window': expected an answer that"),
        ({"right": {**GUIDED["right"], "colour": 4}}, "right.colour is 4: expected an answer that"),
        ({"instructions": ["tale"]}, "no instructions.tale: expected one of story"),
        ({"eligible": {"plays": ["sometimes"]}}, "expected a question of kind choice, and some of its options: never"),
        ({"eligible": {"plays": []}}, "eligible is {'plays': []}: expected by question"),
        ({"rounds": 0}, "rounds is 0"),
        ({"when_failed": "stop"}, "when_failed is 'stop'"),
    ],
)
def test_a_wrong_entry_gets_a_one_line_error(tmp_path: Path, entries: dict[str, Any], reason: str):
    with pytest.raises(ValueError) as caught:
        load_study(guided(tmp_path, **entries).path)
    assert reason in str(caught.value) and "\n" not in str(caught.value)


def test_the_preview_and_the_preregistration_show_them(tmp_path: Path):
    study = guided(tmp_path, eligible={"plays": ["never", "yearly"]}, practice=20)
    window: Any = SimpleNamespace(controls=DEFAULT, pads=None)
    names = [scene.name for scene in scenes(Script(study, load_languages(study)["en"]), window)]
    assert names[2:10] == [
        "question plays", "code", "question colour", "instructions story", "practice", "question goal", "question keys",
        "begin",
    ]  # fmt: skip
    assert {"wrong answers", "checks failed", "not eligible"} < set(names)
    written = text_of(study, Assumptions())
    assert 'whose answer to "plays" is none of never, yearly' in written
    assert "with a wrong answer to goal or keys in the last of 2 rounds" in written and "Right: door." in written
