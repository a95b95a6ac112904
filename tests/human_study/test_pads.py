"""Gamepads at the window: SDL's virtual ones, through the real event queue."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pygame
import pytest

from priorlab.envs.game.rules import DOWN, JUMP, LEFT, NONE, RIGHT, UP
from priorlab.envs.plays.courses import ChosenGame
from priorlab.envs.plays.play import Play
from priorlab.envs.plays.sessions import read_session
from priorlab.human_study.data.recorder import Recorder
from priorlab.human_study.data.verify import verify
from priorlab.human_study.protocol.blocks import Caps, Text, Title
from priorlab.human_study.protocol.keys import ALE_ACTIONS, IDLE_SECONDS, REFOCUS_SECONDS, AtariKeys, Keys
from priorlab.human_study.protocol.pads import SETTLE_SECONDS
from priorlab.human_study.protocol.pages import KeysPage, Page
from priorlab.human_study.study.texts import Texts
from priorlab.human_study.window import window as module
from priorlab.human_study.window.controls import DEFAULT
from priorlab.human_study.window.forms import Form
from priorlab.human_study.window.game_loop import run
from priorlab.human_study.window.key_form import KeyForm
from priorlab.human_study.window.paper import Paper
from priorlab.human_study.window.show_page import show_page
from priorlab.human_study.window.window import Window
from tests.support.pads import UNKNOWN, VirtualPad, needs_virtual_pads, teach

pytestmark = needs_virtual_pads
TEXTS = Texts.load("en")
NAMES = {name: name for name in ("left", "right", "up", "down", "jump")}
A, BACK, GUIDE, START, LEFT_STICK, DPAD_UP = 0, 4, 5, 6, 7, 11  # buttons of a virtual gamepad that SDL knows


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Window]]:
    """Opens the window without a screen; at the end everything is unplugged and closed."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr(module, "NO_SCREEN", ())
    pygame.joystick.init()
    windows: list[Window] = []

    def a_window() -> Window:
        windows.append(Window((60, 60), gamepad=True))
        windows[0].play(Keys())
        return windows[0]

    yield a_window
    for pad in [*VirtualPad.plugged]:
        pad.unplug()
    for window in windows:
        window.__exit__()
    pygame.joystick.quit()


@pytest.fixture
def window(opened: Callable[[], Window]) -> Window:
    return opened()


def plug(window: Window, name: str, *about: int) -> VirtualPad:
    """A gamepad that is plugged in, after it has reported what was held before."""
    pad = VirtualPad(name, *about)
    window.listen()
    time.sleep(SETTLE_SECONDS + 0.01)
    return pad


def after(window: Window, change: Callable[..., object] | None = None, *how: Any) -> int:
    """The input of the step after a gamepad changed."""
    if change:
        change(*how)
    window.listen()
    return window.keys.take()


def notes(window: Window, *events: str) -> list[tuple[Any, ...]]:
    kept = {"gamepad": ("what", "name"), "pause": ("what", "why"), "key": ("what", "key")}
    return [tuple(fields[name] for name in kept[event]) for _, event, fields in window.happened if event in events]


def test_a_pad_that_sdl_knows_gives_inputs_and_start_back_and_guide_do_not_jump(window: Window):
    pad = plug(window, "Known")
    (note,) = (fields for _, event, fields in window.happened if event == "gamepad")
    assert (note["what"], note["name"], note["number"], note["known"]) == ("connected", "Known", pad.number, True)
    assert (note["axes"], note["buttons"], note["hats"]) == (6, 15, 0)
    for button in range(15):
        wanted = {**dict.fromkeys((0, 1, 2, 3, 9, 10), JUMP), 11: UP, 12: DOWN, 13: LEFT, 14: RIGHT}.get(button, NONE)
        assert after(window, pad.button, button, True) == wanted, button
        assert after(window, pad.button, button, False) == NONE, "let go"
        assert window.paused == (button == START)
    assert not after(window, pad.button, BACK) and not window.paused, "any press goes on"
    for axis, (back, forth) in ((0, (LEFT, RIGHT)), (1, (UP, DOWN))):
        found = [after(window, pad.axis, axis, value) for value in (0.2, 0.6, 0.4, 0.45, 0.1, -1, 1, 0)]
        assert found == [NONE, forth, forth, forth, NONE, back, forth, NONE]
    assert [after(window, pad.axis, 5, value) for value in (-1, 1, -1)] == [NONE, JUMP, NONE], "a trigger"
    assert not any(after(window, pad.axis, axis, 1) for axis in (2, 3)), "the right stick"
    assert ("down", f"pad {pad.number}, guide") in notes(window, "key")


def test_a_pad_that_sdl_does_not_know_gives_inputs_by_a_rule(window: Window):
    pad = plug(window, "With a hat", UNKNOWN, 3, 16, 1)
    assert [after(window, pad.hat, 0, way) for way in (1, 2, 4, 8, 0)] == [UP, RIGHT, DOWN, LEFT, NONE]
    assert [after(window, pad.axis, axis, -1) for axis in (0, 1, 2)] == [LEFT, UP, UP], "axis 2 is none of it"
    assert [after(window, pad.axis, axis, 0) for axis in (1, 0)] == [LEFT, NONE]
    for button in range(16):
        assert after(window, pad.button, button, True) == (JUMP if button < 6 else NONE)
        assert after(window, pad.button, button, False) == NONE
    pad = plug(window, "With a D-pad of buttons", UNKNOWN, 2, 15, 0)
    assert [after(window, pad.button, button) for button in (11, 12, 13, 14, 0)] == [UP, DOWN, LEFT, RIGHT, JUMP]


def test_what_sdl_is_taught_about_a_pad_holds(window: Window):
    VirtualPad("D-pad as axes", UNKNOWN, 2, 10, 0)
    teach(["a:b8", "start:b0", "dpleft:-a0", "dpright:+a0", "dpup:-a1", "dpdown:+a1"])
    window.listen()
    time.sleep(SETTLE_SECONDS + 0.01)
    (pad,) = VirtualPad.plugged
    assert [after(window, pad.axis, 0, value) for value in (-1, 1, 0)] == [LEFT, RIGHT, NONE]
    assert [after(window, pad.axis, 1, value) for value in (-1, 1, 0)] == [UP, DOWN, NONE]
    assert after(window, pad.button, 8) == JUMP and after(window, pad.button, 8, False) == NONE
    assert after(window, pad.button, 0) == NONE and window.paused, "its start button"


def test_in_atari_directions_and_the_button_count_together(window: Window):
    pad = plug(window, "Known")
    window.play(AtariKeys())
    pad.axis(0, 1)
    pad.button(DPAD_UP)
    assert after(window, pad.button, A) == ALE_ACTIONS[UP, RIGHT, True]


def test_one_of_two_pads_is_unplugged_while_it_is_held(window: Window):
    first, second = plug(window, "First"), plug(window, "Second")
    assert window.pads and window.pads.count == 2
    assert after(window, first.axis, 0, -1) == LEFT
    assert after(window, second.button, DPAD_UP) == UP
    assert after(window, second.button, DPAD_UP, False) == LEFT, "the other one is still held"
    after(window, second.axis, 0, 1)
    first.unplug()
    assert after(window) == NONE and window.paused and window.pads.count == 1
    assert list(window.pads.held().values()) == [RIGHT], "what the other one holds, which is no fresh press"
    assert after(window, second.axis, 0, 0.9) == NONE and window.paused
    assert after(window, second.button, A) == JUMP and not window.paused
    ups = notes(window, "key", "gamepad", "pause")
    assert ups[-5:] == [
        ("up", f"pad {first.number}, leftx"), ("disconnected", "First"), ("begin", "gamepad"),
        ("down", f"pad {second.number}, a"), ("end", "gamepad"),
    ]  # fmt: skip
    second.unplug()
    after(window)
    pygame.event.post(pygame.Event(pygame.KEYDOWN, key=pygame.K_LEFT, scancode=pygame.KSCAN_LEFT))
    assert after(window) == LEFT and not window.paused, "the keyboard remains"
    plug(window, "Third")
    assert notes(window, "gamepad")[-2:] == [("disconnected", "Second"), ("connected", "Third")]


def test_gamepads_may_come_and_go_between_two_polls(window: Window):
    for pad in [VirtualPad(str(number)) for number in range(3)][:2]:
        pad.unplug()
    window.listen()
    assert notes(window, "gamepad") == [("connected", "2")] and not window.paused
    time.sleep(SETTLE_SECONDS + 0.01)
    assert after(window, VirtualPad.plugged[0].button, DPAD_UP) == UP, "read as itself, at another's place"


def test_a_gamepad_plugged_in_before_the_start_is_noted_in_each_log(opened: Callable[[], Window]):
    pad = VirtualPad("Early")
    window = opened()
    window.listen()
    time.sleep(SETTLE_SECONDS + 0.01)
    assert notes(window, "gamepad") == [("connected", "Early")]
    assert after(window, pad.button, A) == JUMP
    window.happened.clear()
    window.name_pads()
    assert notes(window, "gamepad") == [("connected", "Early")]


def test_only_a_fresh_press_ends_a_pause(window: Window):
    pad = plug(window, "Known")
    after(window, pad.button, A)
    assert after(window, pad.button, START) == NONE and window.paused
    assert after(window) == NONE and window.paused, "held through the pause"
    after(window, pad.button, START, False)
    assert after(window, pad.button, START) == NONE and not window.paused, "start again"
    assert after(window, pad.button, A, False) == NONE and after(window, pad.button, A) == JUMP

    window._window.hide()  # as good as a loss of the focus
    after(window, pad.button, DPAD_UP)
    assert window.paused and window.keys.take() == NONE, "pressed elsewhere"
    window._window.show()
    assert after(window) == NONE and window.paused, "and still held"
    time.sleep(REFOCUS_SECONDS + 0.01)
    after(window, pad.button, A, False)
    assert after(window, pad.button, A) == JUMP and not window.paused
    assert after(window, pad.button, DPAD_UP, False) == JUMP

    window.pause("key")
    again = VirtualPad("Held while it is plugged in")
    again.button(A)
    assert after(window) == NONE and window.paused
    time.sleep(SETTLE_SECONDS + 0.01)
    after(window, again.button, A, False)
    assert after(window, again.button, A) == JUMP and not window.paused


def test_a_key_released_in_another_window_can_be_pressed_when_the_focus_is_back(window: Window):
    down = pygame.Event(pygame.KEYDOWN, key=pygame.K_LEFT, scancode=pygame.KSCAN_LEFT)
    assert after(window, pygame.event.post, down) == LEFT
    window._window.hide()
    assert after(window) == NONE and window.paused
    window._window.show()
    assert after(window, pygame.event.post, down) == NONE and window.paused, "as one that was held all the time"
    time.sleep(REFOCUS_SECONDS + 0.01)
    assert after(window, pygame.event.post, down) == LEFT and not window.paused


def test_a_held_key_that_goes_down_before_the_focus_is_reported_counts_as_held(window: Window):
    """X repeats it into the window at once; SDL reports the focus a fifth of a second later."""
    down = pygame.Event(pygame.KEYDOWN, key=pygame.K_LEFT, scancode=pygame.KSCAN_LEFT)
    window._window.hide()
    assert after(window, pygame.event.post, down) == NONE and window.paused
    window._window.show()
    assert after(window) == NONE and window.paused
    time.sleep(REFOCUS_SECONDS + 0.01)
    assert after(window, pygame.event.post, down) == LEFT and not window.paused


def test_escape_that_was_held_in_another_window_ends_nothing(window: Window):
    down = pygame.Event(pygame.KEYDOWN, key=pygame.K_ESCAPE, scancode=pygame.KSCAN_ESCAPE)
    window._window.hide()
    after(window, pygame.event.post, down)
    window._window.show()
    after(window, pygame.event.post, down)
    assert window.paused and not window.closed
    time.sleep(REFOCUS_SECONDS + 0.01)
    after(window, pygame.event.post, down)
    assert window.closed and window.reason == "escape"


def test_f11_held_while_text_is_typed_acts_once(window: Window):
    down = pygame.Event(pygame.KEYDOWN, key=pygame.K_F11, scancode=pygame.KSCAN_F11)
    up = pygame.Event(pygame.KEYUP, key=pygame.K_F11, scancode=pygame.KSCAN_F11)
    window.read(typing=True)
    for times in (1, 2):
        for _ in range(3):
            after(window, pygame.event.post, down)
            assert window.is_fullscreen == (times == 1)
        after(window, pygame.event.post, up)


def test_a_drifting_stick_does_not_count_as_playing(window: Window):
    pad = plug(window, "Worn out")
    window.touched = touched = time.perf_counter() - IDLE_SECONDS - 1
    for value in (0.1, 0.3, 0.45, 0.2, 0.48):
        after(window, pad.axis, 0, value)
    assert window.touched == touched and not window.keys.held
    assert after(window, pad.axis, 0, 1) == RIGHT and window.touched > touched and window.keys.held
    window.touched = touched
    assert after(window, pad.axis, 0, 0.98) == NONE and not window.keys.held, "it was laid down on its stick"
    after(window, pad.button, DPAD_UP)
    window.touched = touched
    assert after(window) == UP, "buttons are held by somebody"


def scripted(window: Window, script: Iterator[object], monkeypatch: pytest.MonkeyPatch) -> None:
    """The script continues between any two polls of the queue."""
    listen = window.listen

    def after_next() -> list[pygame.Event]:
        next(script, None)
        return listen()

    monkeypatch.setattr(window, "listen", after_next)


def press_key(key: int) -> None:
    """A tap, late enough for a page to count it."""
    for kind in (pygame.KEYDOWN, pygame.KEYUP):
        pygame.event.post(pygame.Event(kind, key=key, scancode=0))


def test_the_page_of_keys_shows_gamepads(window: Window, monkeypatch: pytest.MonkeyPatch):
    page = KeyForm(KeysPage(NAMES, remap=True), TEXTS, DEFAULT, window.pads)
    said = Text(TEXTS("controls.pad"), dim=True)
    seen: list[tuple[bool, list[str]]] = []

    def look() -> None:
        (caps,) = (block for block in page.blocks() if isinstance(block, Caps))
        seen.append((said in page.blocks(), [name for name, _, is_lit in caps.rows if is_lit]))

    def script() -> Iterator[object]:
        yield
        yield look()
        pad = VirtualPad("Known")
        yield
        yield look(), pad.axis(0, -1), pad.button(A)
        yield
        yield look(), pad.button(A, False)
        yield
        yield look(), pad.button(START)
        yield
        yield look(), pad.unplug()
        yield
        yield look()
        while True:
            yield press_key(pygame.K_RETURN)

    scripted(window, script(), monkeypatch)
    assert show_page(page, window, Paper(TEXTS)) == "done"
    assert seen == [
        (False, []), (True, []), (True, ["left", "jump"]), (True, ["left"]), (True, ["left"]), (False, [])
    ]  # fmt: skip
    assert notes(window, "gamepad", "key", "pause") == [("connected", "Known"), ("disconnected", "Known")]


def test_pads_do_nothing_on_other_pages(window: Window, monkeypatch: pytest.MonkeyPatch):
    page, pad = Form(Page([Title("Read")]), TEXTS), plug(window, "Known")

    def script() -> Iterator[object]:
        for button in range(15):
            yield pad.button(button)
        yield pad.axis(1, 1)
        for button in range(15):
            yield pad.button(button, False)
        assert not page.done and not page.back
        while True:
            yield press_key(pygame.K_RETURN)

    scripted(window, script(), monkeypatch)
    assert show_page(page, window, Paper(TEXTS)) == "done" and not window.paused


def test_unplugging_in_a_game_is_recorded_as_a_pause(window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pad = plug(window, "Known")
    recorder = Recorder.create(tmp_path, study="")
    course = recorder.begin(ChosenGame("princess", "original"), 300)

    steps: list[int] = []
    step = recorder.step

    def noted(action: int, due: float, done: float) -> object:
        steps.append(action)
        return step(action, due, done)

    def until(holds: Callable[[], bool]) -> Iterator[None]:
        while not holds():
            yield

    def script() -> Iterator[object]:
        yield from until(lambda: NONE in steps)
        yield pad.axis(0, -1)
        yield from until(lambda: LEFT in steps)
        yield pad.unplug()
        yield from until(lambda: window.paused)
        end = time.perf_counter() + 0.2
        yield from until(lambda: time.perf_counter() > end)
        yield press_key(pygame.K_x)
        yield from until(lambda: steps[-1] == NONE)
        window.closed, window.reason = True, "escape"

    monkeypatch.setattr(recorder, "step", noted)
    scripted(window, script(), monkeypatch)
    assert run(recorder, course, window) is None
    recorder.end(window.reason)
    recorder.finish()
    (found,) = verify([recorder.path])
    assert not found.problems, "the name of a gamepad is nobody's name"
    (recorded,) = read_session(recorder.path)
    assert isinstance(recorded.play, Play)
    assert re.fullmatch(r"\.+l+\.+", recorded.play.inputs)
    happened = [each.event for each in recorded.events]
    told = [(event["event"], event["what"]) for event in happened if event["event"] in ("gamepad", "pause")]
    assert told == [("gamepad", "connected"), ("gamepad", "disconnected"), ("pause", "begin"), ("pause", "end")]
    assert 0.15 < recorded.about["paused_seconds"] < recorded.about["wall_seconds"]
