"""A session that a crash interrupts goes on, and is withdrawn at its end; letters of a German keyboard are typed."""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

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
