"""The jsPsych plugin in Chromium, in timelines of the real jsPsych, played by keys; what it saves is imported.

PRIORLAB_JSPSYCH names folders, separated as in PATH. In each, npm has installed jspsych and
@jspsych/plugin-html-button-response. Pictures go to the folder that PRIORLAB_PICTURES names, if any.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from priorlab.envs.plays.events import read_events
from priorlab.envs.plays.sessions import read_session
from priorlab.human_study.data.imported import import_study
from priorlab.human_study.data.verify import verify
from priorlab.human_study.hosting.gathering import gather
from priorlab.human_study.hosting.jspsych import build_jspsych
from priorlab.human_study.study.study_file import Study
from tests.envs.test_play import EASY
from tests.human_study.test_study import a_study

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
INSTALLED = [Path(each) for each in os.environ.get("PRIORLAB_JSPSYCH", "").split(os.pathsep) if each]
pytestmark = pytest.mark.skipif(
    not INSTALLED, reason="set PRIORLAB_JSPSYCH to folders in which npm has installed jspsych and its button plugin"
)
FILES = {  # of jsPsych's folder dist, by where npm has them
    "jspsych.js": "jspsych/dist/index.browser.js", "jspsych.css": "jspsych/css/jspsych.css",
    "plugin-html-button-response.js": "@jspsych/plugin-html-button-response/dist/index.browser.js",
}  # fmt: skip
STUDY = {
    "game": "princess",
    "level": "easy.txt",
    "versions": ["masked_objects", "masked_semantics"],
    "design": "within",
}
BARE = """<!doctype html><meta charset="utf-8"><script src="jspsych/jspsych.js"></script>
<link rel="stylesheet" href="jspsych/jspsych.css"><script src="jspsych-priorlab.js"></script><body></body><script>
function begin(rows, trials) {
  window.jsPsych = initJsPsych();
  for (const row of rows) jsPsych.data.get().push(row);
  window.over = false;
  jsPsych.run(trials.map((trial) => ({ type: jsPsychPriorlab, ...trial }))).then(() => (window.over = true));
}
</script>"""
KEYS = {"KeyJ": "left", "KeyL": "right", "KeyI": "up", "KeyK": "down", "KeyM": "jump"}
FONT = "Failed to load resource"  # which the style of jsPsych 7.0 asks others for
STAGE = "document.querySelector('.priorlab')?.shadowRoot.querySelector('.page')"


class Timeline:
    """An experiment in a browser."""

    def __init__(self, page: Any, address: str):
        self.page, self.errors = page, []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console", lambda each: each.type == "error" and FONT not in each.text and self.errors.append(each.text)
        )
        page.goto(address)

    def reach(self, what: str) -> None:
        """Waits for GAME, or for a page of the games' with that title."""
        shown = f"{STAGE}?.classList.contains('plays') ? 'GAME' : {STAGE}?.querySelector('h1')?.textContent"
        self.page.wait_for_function(f"(what) => ({shown}) === what", arg=what, timeout=60_000)
        self.page.wait_for_timeout(500)
        if folder := os.environ.get("PRIORLAB_PICTURES"):
            self.page.screenshot(path=str(Path(folder) / f"jspsych_{what[:20].replace(' ', '_')}.png"))

    def press(self, key: str) -> None:
        self.page.locator("button", has_text=key).click()

    def hold(self, key: str, seconds: float) -> None:
        self.page.keyboard.down(key)
        self.page.wait_for_timeout(1000 * seconds)
        self.page.keyboard.up(key)

    def choose(self, number: int) -> None:
        for key in ["ArrowDown"] * number + ["Enter"]:
            self.page.keyboard.press(key)
            self.page.wait_for_timeout(50)

    def finish(self) -> list[dict[str, Any]]:
        """What jsPsych collected, once the timeline is over."""
        self.page.wait_for_function("window.over", timeout=60_000)
        assert not self.page.locator(".priorlab").count()
        return json.loads(self.page.evaluate("jsPsych.data.get().json()"))


@pytest.fixture(params=INSTALLED, ids=lambda path: path.name)
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder for a study, and jsPsych's files."""
    (tmp_path / "easy.txt").write_text(EASY, encoding="utf-8")
    (tmp_path / "dist").mkdir()
    for name, path in FILES.items():
        shutil.copy(request.param / "node_modules" / path, tmp_path / "dist" / name)
    return tmp_path


@pytest.fixture
def page() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-US")
        browser.close()


def experiment(lab: Path, **entries: object) -> tuple[Study, Path]:
    """A study, and the folder with its plugin and jsPsych beside it."""
    study = a_study(lab, **STUDY, **{"before": [], "after": [], "minutes": 1, **entries})
    build_jspsych(study.path, lab / "web")
    shutil.copytree(lab / "dist", lab / "web" / "jspsych")
    (lab / "web" / "bare.html").write_text(BARE, encoding="utf-8")
    return study, lab / "web"


def imported(study: Study, path: Path) -> tuple[list[Any], list[dict[str, Any]], list[str]]:
    """(plays, events, problems) of the one session in that file, which becomes an intact log."""
    problems = [each.problem for each in gather(study, [path]) if each.problem]
    assert [each.problem for each in import_study(study)] == [""]
    (log,) = study.folder.glob("*.session.jsonl")
    assert [line for each in verify([log]) for line in each.problems] == []
    return read_session(log), read_events(log).events, problems


def test_the_example_is_played_by_keys_and_imported(lab: Path, page: Any):
    study, web = experiment(lab, practice=2)
    timeline = Timeline(page, (web / "example.html").as_uri())
    timeline.press("I agree")
    timeline.reach("GAME")
    timeline.hold("ArrowRight", 2)
    timeline.press("Begin")
    timeline.reach("GAME")
    timeline.hold("ArrowLeft", 0.3)
    page.keyboard.press("p")
    page.wait_for_timeout(500)
    page.evaluate("dispatchEvent(new Event('blur'))")
    page.wait_for_timeout(500)
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.wait_for_timeout(500)
    timeline.hold("ArrowRight", 2)
    timeline.press("Begin")
    timeline.reach("GAME")
    page.keyboard.press("Escape")
    timeline.reach("Stop?")
    page.keyboard.press("Escape")
    timeline.reach("GAME")
    timeline.hold("ArrowRight", 2)
    with page.expect_download() as download:
        timeline.press("Save")
    download.value.save_as(lab / "data.json")
    assert not timeline.errors
    plays, events, problems = imported(study, lab / "data.json")
    rows = [row for row in json.loads((lab / "data.json").read_text("utf-8")) if row["trial_type"] == "priorlab"]
    assert not problems and [row["ended"] for row in rows] == ["limit", "win", "win"]
    assert [row["inputs"] for row in rows[1:]] == [len(each.play.inputs) for each in plays]
    assert [each.play.ended for each in plays] == ["win", "win"] and events[-1]["event"] == "finish"
    practised = [event["ended"] for event in events if event["event"] == "practice" and event["what"] == "end"]
    paused = [event["why"] for event in events if event["event"] == "pause" and event["what"] == "begin"]
    assert (
        practised == ["limit"] and paused == ["key", "stop"] and {"focus", "controls"} <= {e["event"] for e in events}
    )
    assert {each.play.version for each in plays} == {*study.versions}


def test_a_timeline_of_ones_own_with_its_wishes_and_a_reload(lab: Path, page: Any):
    study, web = experiment(lab, texts=["en", "de"], probes=[{"question": "aim", "at": [1]}])
    timeline = Timeline(page, (web / "bare.html").as_uri())
    page.evaluate("trials => begin([], trials)", [{"seed": 5, "seconds": 2, "language": "de", "keys": KEYS}])
    timeline.reach("GAME")
    timeline.hold("KeyJ", 0.5)
    page.wait_for_function(f"!{STAGE}.classList.contains('plays')")
    assert page.evaluate(f"{STAGE}.lang") == "de"
    page.wait_for_timeout(500)
    page.keyboard.type("käse")
    page.keyboard.press("Enter")
    timeline.reach("GAME")
    page.keyboard.press("j")
    rows = timeline.finish()
    assert (rows[0]["ended"], rows[0]["inputs"]) == ("limit", 60)
    page.reload()
    page.evaluate("([rows, trials]) => begin(rows, trials)", [rows, [{}]])
    timeline.reach("GAME")
    page.keyboard.press("Escape")
    page.wait_for_timeout(700)
    timeline.choose(2)
    rows = timeline.finish()
    assert not timeline.errors and [row["play"] for row in rows] == [0, 1] and rows[1]["ended"] == "stopped"
    (lab / "data.csv").write_text(page.evaluate("jsPsych.data.get().csv()"), encoding="utf-8", newline="")
    plays, events, problems = imported(study, lab / "data.csv")
    happened = [event["event"] for event in events]
    assert not problems and [each.play.ended for each in plays] == ["limit", "quit"] and "resumed" in happened
    assert [event["answer"] for event in events if event["event"] == "probe"] == ["käse"]


def test_a_trial_that_something_else_ends_leaves_nothing_behind(lab: Path, page: Any):
    study, web = experiment(lab)
    timeline = Timeline(page, (web / "bare.html").as_uri())
    page.evaluate("trials => begin([], trials)", [{}, {"seconds": 1}, {}])
    timeline.reach("GAME")
    page.keyboard.press("Escape")
    timeline.reach("Stop?")
    page.evaluate("jsPsych.finishTrial({})")
    timeline.reach("GAME")
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(4000)
    timeline.reach("GAME")
    page.evaluate("() => { (jsPsych.abortExperiment ?? jsPsych.endExperiment)('Over.'); }")
    rows = timeline.finish()
    page.wait_for_timeout(500)
    page.evaluate("addEventListener('keydown', (event) => (window.isFree = !event.defaultPrevented))")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("isFree") and "Over." in page.inner_text("body") and not timeline.errors
    assert ["record" in row for row in rows] == [False, True, False] and rows[1]["play"] == 0
    (lab / "data.json").write_text(json.dumps(rows))
    plays, events, problems = imported(study, lab / "data.json")
    assert len(plays) == 1 and events[-1]["event"] != "finish"
    empty = "record is empty: expected a trial that ended by itself"
    assert [problem.partition(": row ")[2] for problem in problems] == [f"1: {empty}", f"3: {empty}"]


def test_a_wish_that_cannot_be_met_is_said_on_the_page_and_nothing_runs(lab: Path, page: Any):
    _, web = experiment(lab)
    timeline = Timeline(page, (web / "bare.html").as_uri())
    page.evaluate("trials => begin([], trials)", [{"seconds": 61}])
    page.wait_for_function("document.body.innerText.includes('priorlab: seconds is 61: expected at most')")
    assert not page.locator(".priorlab").count() and len(timeline.errors) == 1


def test_a_simulation_passes_over_the_games(lab: Path, page: Any):
    _, web = experiment(lab)
    timeline = Timeline(page, (web / "bare.html").as_uri())
    if not page.evaluate("'simulate' in initJsPsych()"):
        pytest.skip("jsPsych simulates from 7.1 on")
    page.evaluate("""() => {
        window.jsPsych = initJsPsych();
        const trial = { type: jsPsychPriorlab, simulation_options: { data: { inputs: 7 } } };
        jsPsych.simulate([trial, trial], "visual").then(() => (window.over = true));
    }""")
    rows = timeline.finish()
    assert [(row["inputs"], row["record"]) for row in rows] == [(7, None)] * 2 and not timeline.errors
