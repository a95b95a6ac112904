"""A real window on a virtual screen, and somebody who looks at it and presses real keys."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from priorlab.envs.plays.play import Play
from priorlab.envs.plays.sessions import read_session
from tests.support.paths import ROOT

PATIENCE = 60.0  # seconds, before a window that does not answer fails a test
START = 300.0  # seconds until a window is up, even if a busy machine must compile the games first
SLIP = 2.0  # seconds without the picture expected, after which another input than the one pressed must have counted
TRIES = 5
TOOLS = [tool for tool in ("Xvfb", "xdotool") if not shutil.which(tool)]
needs_x = pytest.mark.skipif(bool(TOOLS), reason=f"not installed: {', '.join(TOOLS)}")
KEYS = {".": "", "l": "Left", "r": "Right", "j": "space", "u": "Up", "d": "Down"}


class Screen:
    """A virtual screen, its pixels, and a keyboard."""

    def __init__(self, folder: Path, size: str = "1280x960"):
        reader, writer = os.pipe()
        command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", f"{size}x24", "-noreset", "-fbdir", folder]
        self.server = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
        os.close(writer)
        with os.fdopen(reader) as number:
            self.env = {**os.environ, "DISPLAY": f":{number.readline().strip()}", "PYTHONPATH": str(ROOT)}
        for name in ("SDL_VIDEODRIVER", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
            self.env.pop(name, None)
        self.pixels, self.started = folder / "Xvfb_screen0", []

    def do(self, *arguments: str) -> str:
        """Runs xdotool."""
        command = ["xdotool", *arguments]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=PATIENCE).stdout.strip()

    def picture(self) -> np.ndarray:
        """uint8 (height, width, 3): what the screen shows, as it is at every moment; the server's own file (XWD)."""
        data = np.memmap(self.pixels, np.uint8, "r")
        header = data[:100].view(">u4")
        start, width, height, pitch = (int(n) for n in (header[0] + 12 * header[19], header[4], header[5], header[12]))
        # (bytes,) -> (height, bytes a row) -> (height, width, blue, green, red and nothing)
        rows = data[start : start + height * pitch].reshape(height, pitch)
        return rows[:, : 4 * width].reshape(height, width, 4)[:, :, 2::-1]

    def focused(self) -> str:
        """The window that has the keyboard, once the server names one that has a place."""
        found = ""

        def has_a_place() -> bool:
            nonlocal found
            found = self.do("getwindowfocus")
            return "HEIGHT" in self.do("getwindowgeometry", "--shell", found)

        wait_until(has_a_place)
        return found

    def part(self, window: str) -> np.ndarray:
        """That of the picture which the window takes up."""
        at: dict[str, str] = {}

        def found() -> bool:  # while the window is resized it may have no answer
            lines = self.do("getwindowgeometry", "--shell", window).splitlines()
            at.update(line.split("=") for line in lines if "=" in line)
            return "HEIGHT" in at

        wait_until(found)
        left, top, width, height = (int(at[name]) for name in ("X", "Y", "WIDTH", "HEIGHT"))
        return self.picture()[top : top + height, left : left + width]

    def start(self, *arguments: str, title: str = "Priorlab") -> subprocess.Popen[str]:
        """Runs Python until its window is up and has the keyboard."""
        command = [sys.executable, "-W", "error", *arguments]
        process = subprocess.Popen(
            command, env=self.env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.started.append(process)
        shown = f"{title}\n{process.pid}"
        chain = ("getwindowfocus", "getwindowname", "getwindowfocus", "getwindowpid")
        wait_until(lambda: process.poll() is not None or self.do(*chain) == shown, START)
        assert process.poll() is None, process.communicate()
        return process


class Slip(AssertionError):
    """The window does not show what it should after the inputs so far."""


def win_at_the_window(screen: Screen, folder: Path, wanted: Play, *settings: str) -> tuple[Play, str]:
    """(the play recorded, what was printed) of ``priorlab play`` with these settings, played as ``wanted`` says.

    Where a key came too late for its step, which a busy machine can do, it is quit and played again from the start.
    """
    for number in range(TRIES):
        out = folder / str(number)
        process = screen.start("-m", "priorlab", "play", "--version", wanted.version, "--out", str(out), *settings)
        try:
            play_by_sight(screen, screen.focused(), wanted)
        except Slip:
            screen.do("key", "Escape")
            process.communicate(timeout=PATIENCE)
            continue
        printed, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0 and not errors
        (path,) = out.glob("*.session.jsonl")
        play = read_session(path)[0].play
        assert isinstance(play, Play)
        return play, printed
    pytest.fail(f"{TRIES} tries, and in each a key was too late")


def play_by_sight(screen: Screen, window: str, play: Play) -> None:
    """Presses what ``play`` says, each key as soon as the window shows what the player sees before it.

    The keys are real ones, of the virtual keyboard. Raises Slip where one came too late for its step.
    """
    picture = screen.part(window)
    zoom = picture.shape[0] // play.level.side
    sight = picture[zoom // 2 :: zoom, zoom // 2 :: zoom]  # (side, side, 3), as it is at every moment
    held, patience = "", PATIENCE
    with subprocess.Popen(["xdotool", "-"], stdin=subprocess.PIPE, env=screen.env, text=True, bufsize=1) as hands:
        assert hands.stdin
        for number, (seen, character) in enumerate(zip(play.frames(), play.inputs)):
            end = time.monotonic() + patience
            while not (sight == seen).all():
                if time.monotonic() > end:
                    hands.stdin.write(f"keyup {held}\n" if held else "")
                    raise Slip(f"input {number} of {len(play.inputs)}: the window shows something else before it")
                time.sleep(0.001)
            key, patience = KEYS[character], SLIP
            if key != held:
                hands.stdin.write((f"keydown {key}\n" if key else "") + (f"keyup {held}\n" if held else ""))
            held = key
        wait_until(lambda: not (sight == seen).all())
        hands.stdin.write(f"keyup {held}\n" if held else "")


def wait_until(holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def a_screen(folder: Path, size: str = "1280x960") -> Iterator[Screen]:
    """For a fixture."""
    found = Screen(folder, size)
    yield found
    for process in (*found.started, found.server):
        process.kill()
        process.communicate(timeout=PATIENCE)
