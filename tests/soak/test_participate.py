"""Sessions by real keys: one that a crash interrupts and that is withdrawn at its end, and one on each size of screen.

Letters of a German keyboard are typed. PAGES=FOLDER leaves pictures of each page in that folder.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pygame
import pytest

from envs.sessions import read_session
from tests.participant import Participant
from tests.screen import Screen, a_screen, needs_x, wait_until


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    yield from a_screen(tmp_path_factory.mktemp("screen"))


@needs_x
def test_an_interrupted_session_goes_on_and_can_be_withdrawn(screen: Screen, tmp_path: Path):
    screen.env["LC_ALL"] = "C.UTF-8"  # else X has no letters but those of ASCII
    subprocess.run(["setxkbmap", "de"], env=screen.env, check=True)
    person = Participant(screen, tmp_path, "--windowed")
    person.agree()
    person.await_page("controls")
    person.press("Return")
    person.await_page("question:age")
    person.press("Down", "Return")
    person.await_page("question:plate_2")
    person.press("Down", "Return")
    person.await_page("begin:0")
    person.press("Return")
    wait_until(lambda: sum(event["event"] == "step" for event in person.events()) > 10)
    person.process.send_signal(signal.SIGKILL)
    person.process.communicate()
    steps = sum(event["event"] == "step" for event in person.events())

    again = Participant(screen, tmp_path, "--windowed")
    again.await_paper()
    again.press("Down", "Return")  # it is mine
    wait_until(lambda: any(event["event"] == "resumed" for event in again.events()))
    time.sleep(1)
    assert sum(event["event"] == "step" for event in again.events()) == steps, "the game waits for a key"
    again.press("s")
    wait_until(lambda: sum(event["event"] == "step" for event in again.events()) > steps)
    again.press("Escape")
    again.await_page("stop")
    again.press("Down", "Down", "Return")
    again.await_page("question:aim")
    again.press("odiaeresis", "ssharp", "Return")
    wait_until(lambda: again.events()[-1]["event"] == "finish")
    (recorded,) = read_session(next(again.study.folder.glob("*.jsonl")))
    assert recorded.play.ended == "quit" and recorded.answers == {"age": "under_18", "plate_2": "nothing", "aim": "öß"}
    numbers = [event["number"] for event in again.events() if event["event"] == "step"]
    assert numbers == list(range(len(numbers)))
    time.sleep(0.6)
    again.press("Down", "Return")  # delete my record
    time.sleep(0.6)
    again.press("Down", "Down", "Return")
    time.sleep(0.6)
    again.press("Return")
    assert "withdrew" in again.end()
    left = [path.name for path in again.study.folder.rglob("*") if path.is_file()]
    assert sorted(left) == ["00000.json", "withdrawals.csv"]


MINE = """extends = "{language}"
[questions.hours]
kind = "number"
text = "?"
least = -5
most = 168
decimals = 1
"""


@needs_x
@pytest.mark.parametrize("size", ["1024x600", "1366x768", "1920x1080"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_session_on_each_screen(tmp_path: Path, language: str, size: str):
    screens = a_screen(tmp_path, size)
    screen = next(screens)
    (tmp_path / "mine.toml").write_text(MINE.format(language=language), encoding="utf-8")
    before = ["age", "hours", "plate_2"]
    person = Participant(screen, tmp_path, texts="mine.toml", before=before, after=["known", "aim"])

    def look(name: str) -> None:
        if "PAGES" in os.environ:
            shown = pygame.surfarray.make_surface(screen.picture().swapaxes(0, 1))
            pygame.image.save(shown, str(Path(os.environ["PAGES"]) / f"real-{language}-{size}-{name}.png"))

    person.await_paper()
    look("consent")
    person.press("Down", "Return")
    person.await_page("controls")
    person.press("Down", "Up", "space", "Left", "s")
    screen.do("keydown", "Down")
    time.sleep(0.2)
    look("keys")
    screen.do("keyup", "Down")
    person.press("Tab", "f", "Return")
    look("keys_reserved")
    person.press("Escape")
    time.sleep(0.2)
    look("keys_cancelled")
    person.press("Return")
    person.await_page("question:age")
    person.press("Down", "Down")
    look("age")
    person.press("Return")
    person.await_page("question:hours")
    screen.do("type", "--", "-4x")
    time.sleep(0.2)
    look("hours_refused")
    screen.do("type", ",55")
    time.sleep(0.2)
    look("hours_decimals")
    person.press("Return")
    person.await_page("question:plate_2")
    look("plate")
    person.press("Left")
    person.await_page("question:hours", times=2)
    look("hours_again")
    person.press("BackSpace", "9", "Return")
    person.await_page("question:plate_2", times=2)
    person.press("Return")
    time.sleep(0.2)
    look("plate_empty")
    person.press("Down", "Return")
    person.await_page("begin:0")
    look("begin")
    person.press("Return")
    wait_until(lambda: any(event["event"] == "step" for event in person.events()))
    person.press("Escape")
    person.await_page("stop")
    look("stop")
    person.press("Down", "Down", "Return")
    person.await_page("question:known")
    look("known")
    person.press("Down", "Return")
    person.await_page("question:aim")
    person.press("x", "Left", "Left")  # the caret is at the begin, and a fresh press goes back
    person.await_page("question:known", times=2)
    person.press("Return")
    person.await_page("question:aim", times=2)
    look("aim")
    person.press("Return")
    wait_until(lambda: person.events()[-1]["event"] == "finish")
    time.sleep(0.6)
    look("thanks")
    person.press("Return")
    assert "saved" in person.end()
    for _ in screens:
        pass
    answers = [(event["question"], event["answer"]) for event in person.events() if event["event"] == "answer"]
    assert answers == [
        ("age", "18_24"), ("hours", -4.5), ("hours", -4.9), ("plate_2", "nothing"), ("known", "no"), ("aim", "x"),
        ("known", "no"), ("aim", "x"),
    ]  # fmt: skip
    assert not any(event["event"] == "controls" and event["chosen"] for event in person.events())
