"""Whole sessions at a window: interrupted, withdrawn, too young, on a disk that fills; and the preview."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from priorlab.envs.plays.sessions import read_session
from priorlab.human_study.data.verify import verify
from priorlab.human_study.protocol.ready import load_study
from priorlab.human_study.protocol.script import Script
from priorlab.human_study.study.assignment import taken_places
from priorlab.human_study.study.study_file import write_example
from priorlab.human_study.window.controls import DEFAULT
from priorlab.human_study.window.paper import GROUND
from priorlab.human_study.window.preview import GROUND as MARK
from priorlab.human_study.window.preview import scenes
from tests.human_study.test_window import OTHER_WINDOW
from tests.support.participant import Participant, complaints
from tests.support.screen import PATIENCE, Screen, a_screen, needs_x, wait_until

is_root = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    yield from a_screen(tmp_path_factory.mktemp("screen"))


def come_to_questions(person: Participant) -> None:
    person.agree()
    person.await_page("controls")
    person.press("Return")
    person.await_page("question:age")


def begin_to_play(person: Participant) -> None:
    come_to_questions(person)
    person.press("Down", "Down", "Return")
    person.await_page("question:plate_2")
    person.press("Down", "Return")
    person.await_page("begin:0")
    person.press("Return")
    wait_until(lambda: sum(event["event"] == "step" for event in person.events()) > 10)


def failed(person: Participant) -> str:
    """What a command prints that had to give up, after the page that says so."""
    with pytest.raises(subprocess.TimeoutExpired):
        person.process.communicate(timeout=2)  # the page stays until somebody came
    person.await_paper()
    person.press("Return")
    out, error = person.process.communicate(timeout=PATIENCE)
    (said,) = complaints(error)
    assert person.process.returncode == 1 and not out and said.startswith("priorlab participate: ")
    return said


@needs_x
def test_an_interrupted_session_goes_on_and_can_be_withdrawn(screen: Screen, tmp_path: Path):
    screen.env["LC_ALL"] = "C.UTF-8"  # else X has no letters but those of ASCII
    subprocess.run(["setxkbmap", "de"], env=screen.env, check=True)
    person = Participant(screen, tmp_path, "--windowed")
    begin_to_play(person)
    person.process.send_signal(signal.SIGKILL)
    person.process.communicate()
    steps = sum(event["event"] == "step" for event in person.events())

    here, screen.env["XDG_STATE_HOME"] = screen.env["XDG_STATE_HOME"], str(tmp_path / "elsewhere")
    other = Participant(screen, tmp_path, "--windowed")
    other.await_paper()
    other.press("Escape")
    time.sleep(0.6)
    other.press("Return")
    assert "no consent" in other.end(), "another computer asks for consent, and offers nobody's session"
    screen.env["XDG_STATE_HOME"] = here

    again = Participant(screen, tmp_path, "--windowed", consent_version="2")
    again.await_paper()
    again.press("Down", "Return")  # it is mine
    wait_until(lambda: any(event["event"] == "resumed" for event in again.events()))
    time.sleep(1)
    assert sum(event["event"] == "step" for event in again.events()) == steps, "the game waits for a key"
    again.press("s")
    wait_until(lambda: sum(event["event"] == "step" for event in again.events()) > steps)
    again.process.send_signal(signal.SIGKILL)
    again.process.communicate()

    (log,) = again.study.folder.glob("*.jsonl")
    screen.env["XDG_STATE_HOME"] = str(tmp_path / "elsewhere")
    again = Participant(screen, tmp_path, "--windowed", "--resume", str(log), consent_version="2")
    wait_until(lambda: sum(event["event"] == "resumed" for event in again.events()) == 2)
    again.press("s")
    again.press("Escape")
    again.await_page("stop")
    again.press("Down", "Down", "Return")
    again.await_page("question:aim")
    again.press("odiaeresis", "ssharp", "Return")
    wait_until(lambda: again.events()[-1]["event"] == "finish")
    (recorded,) = read_session(log)
    assert recorded.play.ended == "quit" and recorded.answers == {"age": "18_24", "plate_2": "nothing", "aim": "öß"}
    numbers = [event["number"] for event in again.events() if event["event"] == "step"]
    assert numbers == list(range(len(numbers)))
    wordings = [event["wording"] for event in again.events() if "wording" in event]
    assert len(wordings) == 2 and len(set(wordings)) == 2, "the consent changed before the session was taken up"
    assert {f"{name}.json" for name in wordings} == {path.name for path in log.parent.glob("wordings/*")}
    time.sleep(0.6)
    again.press("Down", "Return")  # delete my record
    time.sleep(0.6)
    again.press("Down", "Down", "Return")
    time.sleep(0.6)
    again.press("Return")
    assert "withdrew" in again.end()
    left = [path.name for path in again.study.folder.rglob("*") if path.is_file()]
    assert sorted(left) == sorted(["00000.json", "withdrawals.csv", *(f"{name}.json" for name in wordings)])


@needs_x
def test_a_participant_below_the_minimum_age_plays_nothing(screen: Screen, tmp_path: Path):
    person = Participant(screen, tmp_path, "--windowed")
    come_to_questions(person)
    person.press("Down", "Return")  # under 18
    person.await_page("too_young")
    person.press("Return")
    time.sleep(0.6)
    person.press("Return")
    assert "younger than 18" in person.end()
    events = person.events()
    (excluded,) = (event for event in events if event["event"] == "excluded")
    assert excluded["minimum_age"] == 18 and events[-1]["event"] == "finish"
    assert not {"answer", "play"} & {event["event"] for event in events}, "nor is the age kept"
    assert not read_session(next(person.study.folder.glob("*.jsonl"))) and len(taken_places(person.study)) == 1


@needs_x
def test_a_key_held_in_another_window_answers_no_page(screen: Screen, tmp_path: Path):
    person = Participant(screen, tmp_path, "--windowed")
    come_to_questions(person)
    person.press("Down", "Down")
    window = screen.focused()
    screen.start("-c", OTHER_WINDOW, title="Other")
    screen.do("keydown", "Return")
    time.sleep(1)  # until the keyboard repeats it
    screen.do("windowfocus", "--sync", window)
    time.sleep(1.5)
    assert not {"answer"} & {event["event"] for event in person.events()}
    screen.do("keyup", "Return")
    person.press("Return")
    person.await_page("question:plate_2")


@needs_x
@pytest.mark.skipif(not is_root, reason="mounts a disk of 200 kB")
def test_a_full_disk_is_said_to_the_participant_and_what_was_recorded_can_be_taken_up(screen: Screen, tmp_path: Path):
    data, filler = tmp_path / "data", tmp_path / "data" / "filler"
    data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", data], check=True)
    try:
        fill(filler)
        person = Participant(screen, tmp_path, "--windowed")
        person.await_paper()
        person.press("Down", "Up", "Down", "Up", "Return")
        assert "No space left" in failed(person)
        assert [path for path in data.rglob("*") if path.is_file()] == [filler], "no place is taken"
        filler.unlink()
        person = Participant(screen, tmp_path, "--windowed")
        begin_to_play(person)
        fill(filler)
        assert "what was recorded until then is kept" in failed(person)
        (log,) = data.glob("*.jsonl")
        assert read_session(log)[0].play.unfinished
        filler.unlink()
        again = Participant(screen, tmp_path, "--windowed")
        again.await_paper()
        again.press("Down", "Return")
        wait_until(lambda: any(event["event"] == "resumed" for event in again.events()))
    finally:
        for process in screen.started:
            process.kill()
            process.communicate()
        subprocess.run(["umount", data], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                pass


@needs_x
@pytest.mark.parametrize("moment", ["question", "game", "thanks"])
def test_a_folder_that_goes_is_said_and_never_called_saved(screen: Screen, tmp_path: Path, moment: str):
    person = Participant(screen, tmp_path, "--windowed")
    if moment == "question":
        come_to_questions(person)
        shutil.rmtree(person.study.folder)
        person.press("Down", "Down", "Return")
    else:
        begin_to_play(person)
        if moment == "thanks":
            person.press("Escape")
            person.await_page("stop")
            person.press("Down", "Down", "Return")
            person.await_page("question:aim")
            person.press("x", "Return")
            wait_until(lambda: person.events()[-1]["event"] == "finish")
            time.sleep(0.6)
        shutil.rmtree(person.study.folder)
        if moment == "thanks":
            person.press("Return")
    said = failed(person)
    assert ("was deleted" in said or "no longer exists" in said) and not person.study.folder.exists()


@needs_x
def test_a_preview_shows_all_and_keeps_nothing(screen: Screen, tmp_path: Path):
    path = write_example(tmp_path / "lab")
    path.write_text(path.read_text("utf-8").replace('"between"', '"within"'), encoding="utf-8")
    before = {each: each.read_bytes() for each in path.parent.iterdir()}
    screen.env["XDG_STATE_HOME"] = str(tmp_path / "state")
    window: Any = SimpleNamespace(controls=DEFAULT, pads=None)
    study, languages = load_study(path, is_preview=True)
    shown = scenes(Script(study, next(iter(languages.values()))), window)
    process = screen.start("-m", "priorlab", "participate", str(path), "--preview")
    for scene in shown:
        is_page = not scene.version

        def is_shown(is_page: bool = is_page) -> bool:
            picture = screen.picture()
            marked = (picture == MARK).all(axis=2).mean() > 0.005
            return marked and is_page == ((picture == GROUND).all(axis=2).mean() > 0.3)

        wait_until(is_shown)
        time.sleep(0.6)
        assert is_shown(), scene.name
        screen.do("key", "Return" if is_page else "Escape")
        time.sleep(0.3)
    out, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and not error and f"{len(shown)} pages and games seen; nothing was recorded" in out
    assert "consent.text holds" in out, "what is still to be written"
    assert {each: each.read_bytes() for each in path.parent.rglob("*")} == before and not (tmp_path / "state").exists()


@needs_x
def test_a_participant_practises_and_is_asked_in_the_middle_of_a_play(screen: Screen, tmp_path: Path):
    entries: dict[str, Any] = {
        "before": [], "after": [], "try_keys": False, "probes": [{"question": "known", "at": [0.5]}], "practice": 0.5,
    }  # fmt: skip
    person = Participant(screen, tmp_path, **entries)
    person.agree()
    person.await_page("practice")
    person.press("Return")
    person.await_page("begin:0")
    person.press("Return")
    person.await_page("probe:known")
    person.process.send_signal(signal.SIGKILL)
    person.process.communicate()
    (log,) = person.study.folder.glob("*.jsonl")
    person = Participant(screen, tmp_path, "--resume", str(log), **entries)
    person.await_page("probe:known", times=2)
    person.press("Escape")  # asks whether to stop
    person.await_page("stop")
    person.press("Escape")
    person.press("Down", "Down", "Return")
    wait_until(lambda: any(event["event"] == "probe" for event in person.events()))

    def goes_on() -> bool:
        """A press before the game is shown again does not count."""
        screen.do("key", "w")
        return sum(event["event"] == "step" for event in person.events()) > 15

    wait_until(goes_on)
    screen.do("keydown", "d")
    wait_until(lambda: any(event["event"] == "win" for event in person.events()))
    screen.do("keyup", "d")
    wait_until(lambda: person.events()[-1]["event"] == "finish")
    screen.do("key", "Escape")
    wait_until(lambda: person.process.poll() is not None or bool(screen.do("key", "Return")))

    (recorded,) = read_session(log)
    (probe,) = (event for event in person.events() if event["event"] == "probe")
    assert (probe["question"], probe["answer"], probe["step"], probe["why"]) == ("known", "similar", 15, "at")
    assert recorded.play.ended == "win" and len(recorded.play.inputs) > 15 and not recorded.answers
    assert recorded.about["paused_seconds"] > 0.3
    assert not [each.problems for each in verify([person.study.folder]) if each.problems]
    began, ended = (event for event in person.events() if event["event"] == "practice")
    assert began["version"] == "retextured" and (ended["ended"], ended["inputs"]) == ("limit", "." * 15)
