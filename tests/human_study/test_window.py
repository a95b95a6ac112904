"""The window in which people play: the input rule, and a real window with real key events."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pygame
import pytest

from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import DOWN, JUMP, LEFT, NONE, RIGHT, UP
from priorlab.envs.game.solver import Solver
from priorlab.envs.game.versions import find_rules
from priorlab.envs.plays.atari_course import ACTION_NAMES
from priorlab.envs.plays.events import SUFFIX, read_events
from priorlab.envs.plays.play import Play, as_characters
from priorlab.envs.plays.sessions import find_plays, read_session
from priorlab.human_study.protocol.keys import ALE_ACTIONS, AtariKeys, Keys, StepClock
from priorlab.human_study.window.canvas import fit
from tests.support.commands import refused
from tests.support.screen import PATIENCE, ROOT, Screen, a_screen, needs_x, wait_until, win_at_the_window

EASY = """name = "easy"
goal_size = [15, 15]
---
|             |
| *  S      G |
|#############|
"""
KEYED = """name = "keyed"
game = "key_door"
period = 10
---
|      |
| ~m   |
|######|
|      |
|DS k ^|
|######|
"""
OTHER_WINDOW = """
import pygame, time
pygame.display.init()
pygame.display.set_mode((50, 50))
pygame.display.set_caption("Other")
while True:
    pygame.event.pump()
    time.sleep(0.05)
"""


def test_keys_give_inputs():
    keys = Keys()
    assert keys.take() == NONE
    keys.press("left", LEFT)
    assert [keys.take(), keys.take()] == [LEFT, LEFT], "held"
    keys.press("right", RIGHT)
    assert [keys.take(), keys.take()] == [RIGHT, RIGHT], "the last one pressed"
    keys.release("right")
    assert keys.take() == LEFT, "still held"
    keys.press("space", JUMP)
    keys.press("up", UP)
    keys.release("space")
    keys.release("up")
    assert [keys.take(), keys.take()] == [JUMP, LEFT], "a tap between two steps counts once, jump first"
    keys.press("d", RIGHT)
    keys.press("a", LEFT)
    keys.release("left")
    keys.release("a")
    assert [keys.take(), keys.take()] == [LEFT, RIGHT], "two keys of one input are two keys"
    keys.press("down", DOWN)
    keys.release_all()
    assert keys.take() == NONE
    keys.release("down")
    assert keys.take() == NONE, "released after the focus was lost"


def test_a_key_that_the_keyboard_repeats_is_pressed_once():
    keys = Keys()
    keys.press("left", LEFT)
    keys.press("right", RIGHT)
    keys.take()
    keys.press("left", LEFT)
    assert keys.take() == RIGHT


def test_steps_are_due_at_absolute_times_and_missed_ones_are_skipped():
    beat = StepClock(rate=30, start=100.0)
    due = [beat.next_due(now) for now in (100.0, 100.034, 100.066)]  # the last one awoke a little early
    assert due == pytest.approx([100 + 1 / 30, 100 + 2 / 30, 100 + 3 / 30])
    assert beat.next_due(100.51) == pytest.approx(100 + 16 / 30), "15 beats are past, and stay so"
    assert beat.next_due(100.534) == pytest.approx(100 + 17 / 30)
    times = [beat.next_due(100.534) for _ in range(100_000)]
    assert times[-1] == pytest.approx(100 + 100_017 / 30, abs=1e-6), "no drift"


def test_in_atari_games_keys_count_together():
    stick = AtariKeys()
    stick.press("left", LEFT)
    stick.press("up", UP)
    assert ACTION_NAMES[stick.take()] == "upleft"
    stick.press("space", JUMP)
    stick.press("right", RIGHT)
    stick.release("space")
    assert ACTION_NAMES[stick.take()] == "uprightfire", "the later of two sides, and a tapped button"
    stick.release("up")
    stick.release("right")
    assert ACTION_NAMES[stick.take()] == "left"
    stick.release_all()
    assert ACTION_NAMES[stick.take()] == "noop"
    names = {"".join(part for part in (along, across, fire) if part) or "noop"
             for along in ("", "up", "down") for across in ("", "left", "right") for fire in ("", "fire")}  # fmt: skip
    assert {ACTION_NAMES[number] for number in ALE_ACTIONS.values()} == names == set(ACTION_NAMES)


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    yield from a_screen(tmp_path_factory.mktemp("screen"))


def inputs_so_far(folder: Path) -> str:
    """Of the log as it is at this moment."""
    return the_play(folder).inputs


def await_steps(folder: Path) -> None:
    """Until the first picture is shown no key counts."""
    wait_until(lambda: len(inputs_so_far(folder)) > 2)


def the_log(folder: Path) -> Path:
    """As soon as a play has begun in it."""
    wait_until(lambda: any(b'"event":"play"' in path.read_bytes() for path in folder.glob(f"*{SUFFIX}")))
    return next(folder.glob(f"*{SUFFIX}"))


def the_play(folder: Path) -> Play:
    play = read_session(the_log(folder))[0].play
    assert isinstance(play, Play)
    return play


@needs_x
def test_a_person_plays(screen: Screen, tmp_path: Path):
    process = screen.start("-m", "priorlab", "play", "--out", str(tmp_path), "--version", "masked_objects")
    window = screen.focused()
    assert "masked" not in screen.do("getwindowname", window)

    await_steps(tmp_path)
    screen.do("keydown", "Left")
    wait_until(lambda: inputs_so_far(tmp_path).endswith("lll"))
    screen.do("keyup", "Left")
    wait_until(lambda: inputs_so_far(tmp_path).endswith(".."))
    screen.do("key", "--delay", "0", "space", "d", "s")
    wait_until(lambda: "j" in inputs_so_far(tmp_path))
    before_pause = inputs_so_far(tmp_path)
    run = before_pause.strip(".")
    assert set(run.split("j")[0]) <= {"l", "."} and run.startswith("lll"), "Left was held"
    assert run.count("j") in (1, 2), "space was tapped"

    screen.do("keydown", "Right")
    wait_until(lambda: inputs_so_far(tmp_path).endswith("r"))
    other = screen.start("-c", OTHER_WINDOW, title="Other")
    screen.do("windowfocus", "--sync", screen.focused())
    time.sleep(0.2)
    held = inputs_so_far(tmp_path)
    time.sleep(0.3)
    assert inputs_so_far(tmp_path) == held, "the game waits while the window lacks the keyboard"
    other.kill()
    other.communicate()
    screen.do("windowfocus", "--sync", window)
    time.sleep(0.3)
    assert inputs_so_far(tmp_path) == held, "and until a key is pressed again"
    screen.do("keyup", "Right")

    def goes_on() -> bool:
        """A press within a moment of the focus counts as held before; on a busy machine the first may be that early."""
        if screen.focused() != window:  # the other window may go, and the keyboard with it, only now
            screen.do("windowfocus", "--sync", window)
            time.sleep(0.3)
        screen.do("key", "w")
        time.sleep(0.3)
        return len(inputs_so_far(tmp_path)) > len(held)

    wait_until(goes_on)
    assert inputs_so_far(tmp_path)[len(held) :].lstrip("r").startswith("u"), "Right was let go with the focus"

    wait_until(lambda: inputs_so_far(tmp_path).endswith("." * 31))  # stands still
    wait_until(lambda: shows(screen, window, tmp_path, 720, 720))  # also where the other window was
    for size in ((1000, 700), (300, 250), (150, 200)):
        screen.do("windowsize", "--sync", window, *map(str, size))
        wait_until(lambda size=size: shows(screen, window, tmp_path, *size))

    screen.do("key", "Escape")
    out, err = process.communicate(timeout=PATIENCE)
    (path,) = tmp_path.glob("*")
    (recorded,), play = read_session(path), the_play(tmp_path)
    assert process.returncode == 0 and not err and str(path) in out and f"priorlab replay {path}" in out
    assert (play.ended, play.version, play.player, play.unfinished) == ("quit", "masked_objects", "person", False)
    assert recorded.about["quit_reason"] == "escape" and recorded.about["paused_seconds"] > 0.5
    told = [event for event in read_events(path).events if event["event"] == "key"]
    assert [event["key"] for event in told][:2] == ["left", "left"] and "escape" in {event["key"] for event in told}
    assert play.inputs.startswith(before_pause) and "masked" not in path.name


def shows(screen: Screen, window: str, folder: Path, width: int, height: int) -> bool:
    """Whether the window shows the recording's last picture exactly, at an integer scale between bars."""
    *_, last = the_play(folder).frames()
    left, top, size, _ = fit(last.shape[:2], width, height)
    expected = np.zeros((height, width, 3), np.uint8)
    if size < len(last):
        return bool(screen.part(window).any())
    expected[top : top + size, left : left + size] = last.repeat(size // len(last), 0).repeat(size // len(last), 1)
    return np.array_equal(screen.part(window), expected)


@needs_x
def test_the_window_closes_at_the_win_and_the_play_can_be_replayed(screen: Screen, tmp_path: Path):
    (tmp_path / "easy.txt").write_text(EASY, encoding="utf-8")
    screen.do("keydown", "d")  # held since before the first picture: no input until it is pressed again
    process = screen.start("-m", "priorlab", "play", "--out", str(tmp_path), "--level", str(tmp_path / "easy.txt"))
    window = screen.focused()
    await_steps(tmp_path)
    screen.do("keyup", "d")
    screen.do("keydown", "d")
    wait_until(lambda: read_events(the_log(tmp_path)).events[-1]["event"] == "win")
    wait_until(lambda: bool((screen.part(window)[-24:] == 255).all(axis=2).any()))  # a word below the picture
    out, err = process.communicate(timeout=PATIENCE)
    screen.do("keyup", "d")
    (path,) = tmp_path.glob(f"*{SUFFIX}")
    play = the_play(tmp_path)
    assert process.returncode == 0 and not err and out.splitlines()[1].startswith("win after ")
    assert play.ended == "win" and play.inputs.strip(".") == "r" * 13

    process = screen.start("-m", "priorlab", "replay", str(path), "--speed", "0.001")
    wait_until(lambda: process.poll() is not None or bool(screen.do("key", "Escape")))  # again, till it listens
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and not err and "unique states" in out and "win" in out
    assert [file.name for file in tmp_path.glob("*.session*")] == [path.name], "showing a play writes nothing"


@needs_x
def test_key_and_door_on_its_side_is_won_through_a_death(screen: Screen, tmp_path: Path):
    """In gravity the player's right is the screen's down; a key held through the death still counts."""
    (tmp_path / "keyed.txt").write_text(KEYED, encoding="utf-8")
    way = Solver(Level.read(KEYED), find_rules("key_door_gravity")).run(exhaustive=False).inputs
    assert way is not None
    wanted = Play.of("d" * 31 + as_characters(way), "gravity", level=KEYED)
    play, printed = win_at_the_window(screen, tmp_path, wanted, "--level", str(tmp_path / "keyed.txt"))
    assert printed.splitlines()[1].startswith("win after ")
    assert (play.ended, play.measure().total_deaths, play.level.game) == ("win", 1, "key_door")
    assert play.inputs.lstrip(".") == wanted.inputs, "before the first press the game went on"


@needs_x
def test_a_crash_loses_no_more_than_the_last_second(screen: Screen, tmp_path: Path):
    process = screen.start("-m", "priorlab", "play", "--out", str(tmp_path))
    await_steps(tmp_path)
    screen.do("keydown", "Up")
    wait_until(lambda: inputs_so_far(tmp_path).endswith("uuuuu"))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    screen.do("keyup", "Up")
    before = the_play(tmp_path)
    assert before.unfinished and before.ended == "quit" and before.inputs.endswith("uuuuu")
    (path,) = tmp_path.glob(f"*{SUFFIX}")
    process = screen.start("-m", "priorlab", "play", "--resume", str(path))
    time.sleep(0.3)
    assert inputs_so_far(tmp_path) == before.inputs, "the same play waits at the same step"

    def goes_on() -> bool:
        screen.do("key", "Right")
        return len(inputs_so_far(tmp_path)) > len(before.inputs)

    wait_until(goes_on)
    screen.do("key", "Escape")
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and not err and out.splitlines()[1].startswith("quit after ")
    (recorded,) = read_session(path)
    after = recorded.play
    assert recorded.about["resumed"] == 1 and not after.unfinished and the_play(tmp_path) == after
    assert the_play(tmp_path).inputs.startswith(before.inputs)


IDLE = """
import sys
from pathlib import Path
from priorlab.envs.plays.courses import ChosenGame
from priorlab.human_study.window import game_loop
game_loop.IDLE_SECONDS = 1.0
game_loop.play(ChosenGame(), 1.0, Path(sys.argv[1]))
"""


@needs_x
def test_the_game_waits_for_an_idle_player(screen: Screen, tmp_path: Path):
    process = screen.start("-c", IDLE, str(tmp_path))
    window = screen.focused()

    def told(event: str, what: str) -> int:
        events = read_events(the_log(tmp_path)).events
        return sum((each["event"], each.get("what")) == (event, what) for each in events)

    wait_until(lambda: told("idle", "begin") == 1)
    time.sleep(0.2)
    held, dark = inputs_so_far(tmp_path), screen.part(window).max()
    screen.do("keydown", "Left")
    wait_until(lambda: told("idle", "end") == 1)
    time.sleep(1.5)
    assert told("idle", "begin") == 1, "a held key is not idle"
    assert set(inputs_so_far(tmp_path)[len(held) :]) == {"l"} and screen.part(window).max() > dark
    screen.do("keyup", "Left")
    screen.do("key", "p")
    wait_until(lambda: told("pause", "begin") >= 1)
    screen.do("key", "Escape")
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and not err
    (recorded,) = find_plays(tmp_path)[0]
    assert recorded.about["idle_seconds"] > 0.1 and recorded.about["quit_reason"] == "escape"


DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
only_linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")


@pytest.mark.parametrize("display", [{"SDL_VIDEODRIVER": "dummy"}, {}])
@only_linux
def test_without_a_display_one_line_says_what_to_do(
    display: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in DISPLAYS:
        monkeypatch.delenv(name, raising=False)
    for name, value in display.items():
        monkeypatch.setenv(name, value)
    pygame.display.quit()
    told = refused("play", "--out", str(tmp_path / "people"))
    assert "no display" in told and "DISPLAY set" in told
    assert not (tmp_path / "people").exists(), "nothing is recorded"


@only_linux
def test_a_display_that_is_not_there_is_told_in_one_line(tmp_path: Path):
    """In a process of its own, where SDL would print."""
    env = {name: value for name, value in os.environ.items() if name not in DISPLAYS} | {"DISPLAY": ":9876"}
    command = [sys.executable, "-m", "priorlab", "play", "--out", str(tmp_path / "people")]
    process = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert process.returncode == 1 and len(process.stderr.splitlines()) == 1
    assert "no display" in process.stderr and "DISPLAY set" in process.stderr
    assert not (tmp_path / "people").exists(), "nothing is recorded"


def test_an_unknown_version_is_rejected_with_a_list_of_all():
    assert "masked_objects" in refused("play", "--version", "nonesuch")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nowhere.play"], "nowhere.play"),
        (["nowhere.session.jsonl"], "nowhere.session.jsonl"),
        (["README.md"], "README.md: cut off or altered"),
        (["tests/data/first.play", "--video", "film.avi"], "expected a file name that ends in .mp4"),
    ],
)
def test_a_file_that_cannot_be_replayed_gets_a_one_line_error(
    arguments: list[str], reason: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(ROOT)
    assert reason in refused("replay", *arguments)


def test_a_play_becomes_a_video(tmp_path: Path):
    cv2 = pytest.importorskip("cv2", exc_type=ImportError)
    from priorlab.human_study.data.video import write_video

    play = Play.of("lllllrrj")
    write_video(play, tmp_path / "a.mp4", speed=2.0)
    video = cv2.VideoCapture(str(tmp_path / "a.mp4"))
    frames = [frame[:, :, ::-1] for read, frame in iter(video.read, (False, None)) if read]
    assert video.get(cv2.CAP_PROP_FPS) == 60 and len(frames) == len(play.inputs) + 1 + 120
    error = np.abs(frames[5].astype(int) - list(play.frames())[5].repeat(3, 0).repeat(3, 1)).mean()
    assert error < 10, "the compressed picture is the one that was seen"
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]
