"""A participant with gamepads, at a real window: they come and go, and the game waits where one is gone."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from priorlab.envs.plays.play import Play
from priorlab.envs.plays.sessions import read_session
from priorlab.human_study.data.verify import verify
from tests.human_study.test_window import OTHER_WINDOW
from tests.support.pads import needs_virtual_pads
from tests.support.participant import Participant
from tests.support.screen import Screen, a_screen, needs_x, wait_until

HOLD = 0.2  # seconds between two changes of one part of a gamepad, so that both are seen


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    yield from a_screen(tmp_path_factory.mktemp("screen"))


@needs_x
@needs_virtual_pads
def test_a_session_with_gamepads(
    screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
):
    fifo = tmp_path / "hands"
    os.mkfifo(fifo)
    hands = os.fdopen(os.open(fifo, os.O_RDWR), "w", buffering=1)  # opened for both it waits for no reader
    request.addfinalizer(hands.close)

    def do(*lines: str) -> None:
        for line in lines:
            hands.write(f"{line}\n")
            time.sleep(HOLD)

    def tap(pad: str, button: int) -> None:
        do(f"{pad} button {button} 1", f"{pad} button {button} 0")

    def steps() -> list[int]:
        return [event["input"] for event in person.events() if event["event"] == "step"]

    def told(event: str, *names: str) -> list[tuple[Any, ...]]:
        return [tuple(each[name] for name in names) for each in person.events() if each["event"] == event]

    def waits() -> None:
        """The game does."""
        time.sleep(HOLD)
        before = len(steps())
        time.sleep(0.5)
        assert len(steps()) == before

    hands.write("plug First\n")
    monkeypatch.setattr(
        screen, "start", lambda *words: Screen.start(screen, "-m", "tests.support.pads", str(fifo), *words[3:])
    )
    person = Participant(screen, tmp_path)
    tap("First", 0)
    person.agree()
    person.await_page("controls")
    unlit = screen.picture().copy()
    do("First axis 0 -1")
    wait_until(lambda: (screen.picture() != unlit).any())
    do("First axis 0 0")
    wait_until(lambda: (screen.picture() == unlit).all())
    person.press("Return")
    person.await_page("question:age")
    do("plug Second", "Second axis 1 1", "Second axis 1 0")
    tap("Second", 0)
    person.press("Down", "Down", "Return")
    person.await_page("question:plate_2")
    person.press("Down", "Return")
    person.await_page("begin:0")
    tap("First", 6)
    person.press("Return")

    wait_until(lambda: len(steps()) > 5)
    do("First axis 0 -1")
    wait_until(lambda: 1 in steps())
    do("First unplug")
    wait_until(lambda: ("begin", "gamepad") in told("pause", "what", "why"))
    waits()
    do("plug First")
    waits()
    tap("Second", 11)
    wait_until(lambda: 4 in steps())
    tap("First", 6)
    waits()
    tap("First", 6)
    wait_until(lambda: told("pause", "what", "why")[-2:] == [("begin", "key"), ("end", "key")])

    window = screen.focused()
    other = subprocess.Popen([sys.executable, "-c", OTHER_WINDOW], env=screen.env)
    screen.started.append(other)  # type: ignore[arg-type]
    wait_until(lambda: screen.do("getwindowfocus", "getwindowname") == "Other")
    wait_until(lambda: told("pause", "what", "why")[-1] == ("begin", "focus"))
    do("Second button 14 1")
    waits()
    screen.do("windowfocus", window)
    waits()  # it is held, and was pressed elsewhere
    do("Second button 14 0", "Second button 14 1")  # to the right, to the goal

    person.await_page("question:aim")
    do("Second button 14 0", "Second unplug", "First unplug")
    person.press("x", "Return")
    wait_until(lambda: person.events()[-1]["event"] == "finish")
    time.sleep(0.6)
    person.press("Return")
    assert "saved" in person.end()

    (recorded,) = read_session(next(person.study.folder.glob("*.jsonl")))
    assert isinstance(recorded.play, Play) and recorded.play.ended == "win" and recorded.play.inputs.endswith("r")
    assert "j" not in recorded.play.inputs and recorded.answers["age"] == "18_24"
    assert told("gamepad", "what", "name") == [
        ("connected", "First"), ("connected", "Second"), ("disconnected", "First"), ("connected", "First"),
        ("disconnected", "Second"), ("disconnected", "First"),
    ]  # fmt: skip
    assert told("controls", "gamepads") == [(1,)]
    assert not [problem for found in verify([person.study.folder]) for problem in found.problems]
