"""A participant with gamepads in Chromium and in Firefox: they come and go, and the game waits where one is gone.

The gamepads are made up in the page, in the place of ``navigator.getGamepads``; all that reads them is the page's own.
"""

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from priorlab.envs.game.rules import JUMP, LEFT, NONE, RIGHT, UP
from priorlab.envs.plays.events import read_events
from priorlab.envs.plays.play import Play
from priorlab.envs.plays.sessions import read_session
from priorlab.human_study.data.chunks import chunk_files, read_chunks
from priorlab.human_study.data.imported import is_imported
from priorlab.human_study.data.verify import verify
from priorlab.human_study.protocol.codes import KEYMAP
from priorlab.human_study.protocol.pads import SETTLE_SECONDS
from priorlab.human_study.study.study_file import Study
from tests.human_study.test_study import a_study
from tests.human_study.test_window import EASY
from tests.soak.test_serve import Served
from tests.support.key_rule import Replayed
from tests.support.screen import a_screen, needs_x, wait_until

pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
pytest.importorskip("websockets", reason="needs websockets: pip install websockets")
from playwright.sync_api import sync_playwright

from tests.support.browser_client import BEGAN, CHROMIUM, Visitor
from tests.support.firefox import FIREFOX, firefox
from tests.support.scripted_pads import INSTEAD, ScriptedPad

SIZE = (1280, 800)
A, BACK, START, DPAD_UP = 0, 8, 9, 12  # as W3C numbers them
HOLD = 200  # ms between two changes of one part of a gamepad, so that both are seen
CHANGES = 100  # of which the times are compared
LATE_MS, MOST_LATE_MS = 10, 50  # on a machine with other work


@pytest.fixture
def study(tmp_path: Path) -> Study:
    (tmp_path / "easy.txt").write_text(EASY, encoding="utf-8")
    return a_study(
        tmp_path, game="princess", level="easy.txt", versions=["masked_semantics"], contact="us", before=["age"],
        after=["aim"], minutes=5,
    )  # fmt: skip


@pytest.fixture
def served(study: Study) -> Iterator[Served]:
    server = Served(study)
    yield server
    server.stop()


@contextmanager
def in_chromium(_: Path) -> Iterator[Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, locale="en-US")
        browser.close()


@contextmanager
def in_firefox(folder: Path) -> Iterator[Any]:
    (folder / "screen").mkdir()
    with contextmanager(a_screen)(folder / "screen") as screen, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISPLAY", screen.env["DISPLAY"])
        with firefox(folder / "profile", SIZE, "en-US") as page:
            yield page


BROWSERS = [
    pytest.param(in_chromium, id="chromium", marks=pytest.mark.skipif(not CHROMIUM, reason="needs chromium")),
    pytest.param(in_firefox, id="firefox", marks=[needs_x, pytest.mark.skipif(not FIREFOX, reason="needs firefox")]),
]


@pytest.fixture(params=BROWSERS)
def visitor(served: Served, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """At the study's first page."""
    with request.param(tmp_path) as page:
        page.add_init_script(INSTEAD)
        visitor = Visitor(page)
        page.goto(f"http://127.0.0.1:{served.port}/")
        yield visitor


class Seen:
    """What a session's chunks and page show."""

    def __init__(self, study: Study, visitor: Visitor):
        self.study, self.visitor = study, visitor

    def entries(self) -> list[list[Any]]:
        (path,) = chunk_files(self.study.folder)
        return [entry for _, entry in read_chunks(path).all()]

    def inputs(self) -> list[int]:
        return [entry[1] for entry in self.entries() if entry[0] == "s"]

    def lit(self) -> int:
        """How many lines of the page of keys are."""
        self.visitor.page.wait_for_timeout(HOLD)
        return self.visitor.page.evaluate("document.querySelectorAll('.caps.lit').length")

    def waits(self) -> bool:
        """Whether the game does."""
        self.visitor.page.wait_for_timeout(HOLD)
        return self.visitor.page.evaluate("document.getElementById('stage').classList.contains('paused')")


def test_a_session_with_gamepads(study: Study, visitor: Visitor):
    page, seen = visitor.page, Seen(study, visitor)
    first, second = ScriptedPad(page, "First", 0), ScriptedPad(page, "Second", 1, mapping="")

    def do(pad: ScriptedPad, button: int, *values: float) -> None:
        for value in values:
            pad.button(button, value)
            page.wait_for_timeout(HOLD)

    visitor.until("Taking part in a study")
    do(first, A, 1, 0)
    visitor.choose(1)
    visitor.until("Your code")
    do(first, A, 1, 0)
    visitor.press("Enter")
    visitor.until("The keys")
    assert page.evaluate("document.body.innerText.split('Gamepad connected').length") == 2 and seen.lit() == 0
    first.axis(0, -1)
    assert seen.lit() == 1
    do(first, A, 1)
    assert seen.lit() == 2
    first.axis(0, 0)
    do(first, A, 0)
    assert seen.lit() == 0
    visitor.press("Enter")
    visitor.until("How old are you?")
    do(second, A, 1, 0)
    do(first, 13, 1, 0)
    assert visitor.title == "How old are you?"
    visitor.choose(2)
    visitor.until("The game begins")
    do(first, START, 1, 0)
    visitor.press("Enter")
    visitor.until("game")

    wait_until(lambda: len(seen.inputs()) > 5)
    assert not seen.waits()
    first.axis(0, -1)
    wait_until(lambda: LEFT in seen.inputs())
    first.unplug()
    assert seen.waits()
    first.button(A, 1)  # held while it is plugged in
    page.wait_for_timeout(1000 * SETTLE_SECONDS)
    assert seen.waits()
    do(first, A, 0, 1)
    assert not seen.waits()
    do(first, A, 0)
    do(second, A, 1, 0)
    do(first, START, 1)
    assert seen.waits()
    do(first, START, 0, 1, 0)
    assert not seen.waits()
    do(first, DPAD_UP, 1, 0)
    began = page.evaluate(BEGAN)
    moved = [(at - began, is_down) for at, is_down in first.at_random(BACK, CHANGES)]
    first.axis(0, 1)  # to the right, to the goal

    visitor.until("What did you think the aim of the game was?")
    first.unplug()
    visitor.type("?")
    visitor.until("Thank you!")
    visitor.press("Enter")
    visitor.until("Everything was sent. You can close this page now.")
    assert not visitor.problems
    check(study, moved)


def check(study: Study, moved: list[tuple[float, bool]]) -> None:
    """The session becomes an intact log, in which the inputs follow from what was done."""
    (path,) = chunk_files(study.folder)
    log = study.folder / f"{path.name.partition('.')[0]}.session.jsonl"
    wait_until(lambda: is_imported(log, path))  # by the server
    assert [problem for each in verify([study.folder]) for problem in each.problems] == []
    events = read_events(log).events
    events[0]["keymap"] = {str(code): number for code, number in KEYMAP.items()}
    found = Replayed(events)
    assert found.checked > 200 and not found.wrong, found.wrong[:10]
    assert events[-1]["event"] == "finish"
    (recorded,) = read_session(log)
    assert isinstance(recorded.play, Play) and recorded.play.ended == "win" and recorded.play.inputs.endswith("r")
    assert {NONE, LEFT, RIGHT, JUMP, UP} == {event["input"] for event in events if event["event"] == "step"}

    def rows(event: str, *names: str) -> list[tuple[Any, ...]]:
        return [tuple(each[name] for name in names) for each in events if each["event"] == event]

    assert rows("gamepad", "what", "name", "known") == [
        ("connected", "First", True), ("connected", "Second", False), ("disconnected", "First", True),
        ("connected", "First", True), ("disconnected", "First", True),
    ]  # fmt: skip
    assert rows("controls", "gamepads") == [(1,)]
    assert rows("pause", "what", "why") == [(what, why) for why in ("gamepad", "key") for what in ("begin", "end")]
    assert ("down", "pad 0, leftx", LEFT) in rows("key", "what", "key", "code")
    assert ("down", "pad 1, button 0", JUMP) in rows("key", "what", "key", "code")
    compare_times(moved, [event for event in events if event["event"] == "key" and event["key"].endswith(", back")])


def compare_times(moved: list[tuple[float, bool]], keys: list[dict[str, Any]]) -> None:
    """Of changes at random moments, ms since the consent, with those in the log."""
    assert [is_down for _, is_down in moved] == [key["what"] == "down" for key in keys]
    late = sorted(1000 * key["t"] - at for (at, _), key in zip(moved, keys, strict=True))
    median, most = statistics.median(late), late[round(0.95 * len(late)) - 1]
    print(f"{len(late)} changes: {median:.1f} ms late (median), {most:.1f} ms (95 %), at least {late[0]:.1f} ms")
    assert late[0] > -1 and median < LATE_MS and most < MOST_LATE_MS
