"""Storms of keys and gamepads: every one is in the log at its time, and the inputs follow from them by the rule."""

import itertools
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pygame
import pytest

from priorlab.envs.plays.courses import ChosenGame
from priorlab.envs.plays.events import SUFFIX, read_events
from priorlab.human_study.data.recorder import Recorder
from priorlab.human_study.window.game_loop import keys_for, run
from priorlab.human_study.window.window import REFOCUS_SECONDS, Window
from tests.human_study.test_window import OTHER_WINDOW
from tests.support.key_rule import Replayed, key_times
from tests.support.pads import UNKNOWN, VirtualPad, needs_virtual_pads
from tests.support.screen import PATIENCE, Screen, a_screen, needs_x, wait_until

SECONDS = 20
TAP = 0.03  # seconds at least until a key that went up goes down again; in 2 ms SDL takes it for one that is repeated
KEYS = ("113", "114", "111", "116", "65", "38", "40", "25", "39", "50", "62", "53")  # by place, as X numbers them:
# arrow keys, space, A D W S, both shift keys and X
P = "33"


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    yield from a_screen(tmp_path_factory.mktemp("screen"))


def storm(screen: Screen, rate: float, chance: random.Random, seconds: float, names: tuple[str, ...]) -> int:
    """Presses keys at random, about ``rate`` a second, some for longer than a step, and lets all go; how many."""
    down, up_since, presses = set[str](), dict.fromkeys(names, 0.0), 0
    with subprocess.Popen(["xdotool", "-"], stdin=subprocess.PIPE, env=screen.env, text=True, bufsize=1) as hands:
        assert hands.stdin
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            name = chance.choice(names)
            if name in down:
                hands.stdin.write(f"keyup {name}\n")
                down.remove(name)
                up_since[name] = time.perf_counter()
            elif time.perf_counter() > up_since[name] + TAP:
                hands.stdin.write(f"keydown {name}\n")
                down.add(name)
                presses += 1
            time.sleep(chance.expovariate(2 * rate))
        hands.stdin.writelines(f"keyup {name}\n" for name in down)
    return presses


def check(folder: Path, steps: int = 400) -> list[str]:
    """The names of the keys that went down, after everything in the log, of so many steps at least, was checked."""
    (path,) = folder.glob(f"*{SUFFIX}")
    events = read_events(path).events
    found = Replayed(events)
    assert found.checked > steps and not found.wrong, found.wrong[:10]
    assert all(before <= at <= after for before, at, after in key_times(events))
    assert all(event["t"] <= later["t"] for event, later in itertools.pairwise(events))
    return [event["key"] for event in events if event["event"] == "key" and event["what"] == "down"]


@needs_x
@pytest.mark.parametrize(
    ("game", "rate", "layout"), [("princess", 200, "us"), ("atari/breakout", 200, "de"), ("key_door", 20, "fr")]
)
def test_no_key_is_lost_and_inputs_follow_from_keys(
    screen: Screen, tmp_path: Path, game: str, rate: float, layout: str
):
    subprocess.run(["setxkbmap", layout], env=screen.env, check=True)
    process = screen.start("-m", "priorlab", "play", "--game", game, "--out", str(tmp_path))
    wait_until(lambda: any(b'"step"' in path.read_bytes() for path in tmp_path.glob(f"*{SUFFIX}")))
    presses = storm(screen, rate, random.Random(0), SECONDS, KEYS)
    screen.do("key", "Escape")
    _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and not error
    assert len(check(tmp_path)) == presses + 1


@needs_x
def test_pauses_and_losses_of_the_focus_in_a_storm(screen: Screen, tmp_path: Path):
    process = screen.start("-m", "priorlab", "play", "--out", str(tmp_path))
    window, chance = screen.focused(), random.Random(1)
    end = time.monotonic() + SECONDS * 1.5
    while time.monotonic() < end:
        storm(screen, 30, chance, chance.uniform(0.5, 3), (*KEYS, P))
        hands = threading.Thread(target=storm, args=(screen, 30, chance, 2, KEYS))
        hands.start()  # keys are held while the focus goes, and go up elsewhere
        other = screen.start("-c", OTHER_WINDOW, title="Other")
        hands.join()
        other.kill()
        other.communicate()
        screen.do("windowfocus", "--sync", window)
    time.sleep(2 * REFOCUS_SECONDS)  # before, Escape might have been meant for the other window
    screen.do("key", "Escape")
    _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and not error
    assert {"left", "p", "escape"} <= set(check(tmp_path, 100))


@needs_x
@needs_virtual_pads
def test_gamepads_and_keys_together(screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Two gamepads press opposite ways, are unplugged and plugged in again; keys are pressed beside them."""
    monkeypatch.setenv("DISPLAY", screen.env["DISPLAY"])
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    game = ChosenGame("princess")
    pygame.joystick.init()
    course = game.open()
    course.step(0)
    with Window(course.picture.shape[:2], keys_for(course)) as window:
        recorder = Recorder.create(tmp_path, **window.about())
        course = recorder.begin(game, 30 * 60 * 30)
        hands = threading.Thread(target=move, args=(window, screen, random.Random(2)))
        hands.start()
        run(recorder, course, window)
        hands.join()
        recorder.end("over")
        recorder.finish()
        for pad in [*VirtualPad.plugged]:
            pad.unplug()
    pressed = check(tmp_path)
    assert len({name.partition(",")[0] for name in pressed if name.startswith("pad ")}) > 10 and "left" in pressed


def move(window: Window, screen: Screen, chance: random.Random) -> None:
    """Moves two gamepads and presses keys until the time is over."""
    pads = [VirtualPad("First"), VirtualPad("Second", UNKNOWN, 2, 12, 1)]
    end = time.monotonic() + SECONDS
    keys = threading.Thread(target=storm, args=(screen, 5, chance, SECONDS, KEYS[:5]))
    keys.start()
    while time.monotonic() < end:
        for _ in range(60):
            time.sleep(chance.uniform(0.01, 0.04))
            pads[0].axis(chance.randrange(6), chance.choice((-1, -0.6, -0.4, 0, 0.3, 0.4, 0.7, 1)))
            pads[0].button(chance.choice((0, 4, 5, 6, 7, 9, 11, 12, 13, 14)), chance.random() < 0.5)
            pads[1].axis(chance.randrange(2), chance.choice((-1, 0, 1)))
            pads[1].hat(0, chance.choice((0, 1, 2, 4, 8)))
            pads[1].button(chance.randrange(12), chance.random() < 0.5)
        number = chance.randrange(2)
        pads[number].unplug()
        time.sleep(0.1)
        pads[number] = VirtualPad("Again") if number == 0 else VirtualPad("Again", UNKNOWN, 2, 12, 1)
    keys.join()
    window.closed = True
