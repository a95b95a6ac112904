"""Long plays in the engine for browsers, in wasmtime, Chromium and Firefox: every state and picture is Python's.

``PRIORLAB_ENGINE_STEPS`` sets how many steps each game is played, by default 100,000.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
import pytest

from priorlab.envs.browser import engine, game_file
from priorlab.envs.browser.game_files import CHANNELS, OPAQUE
from priorlab.envs.browser.shipped import ENGINE, origin
from priorlab.envs.game.versions import games, versions
from priorlab.envs.plays.courses import ChosenGame
from priorlab.envs.plays.play import Course
from priorlab.envs.random_games.bank import Bank
from tests.support.browser_engine import WasmGame, begin_again, random_inputs
from tests.support.paths import ROOT

STEPS = int(os.environ.get("PRIORLAB_ENGINE_STEPS", "100000"))
BLOCK = 100  # steps whose states are hashed together, with the picture after them
RANDOM_SEEDS, LARGE = range(4), (3, 23, 43)
PAGE = ROOT / "tests" / "soak" / "browser_engine.html"
BROWSERS = {
    "Chromium": (("chromium", "google-chrome", "chromium-browser"), ["--headless", "--no-sandbox", "--disable-gpu"]),
    "Firefox": (("firefox-esr", "firefox"), ["--headless", "--no-remote"]),
}
PATIENCE = 1200  # seconds without a result

Seen = list[tuple[str, str]]  # of each block: the hashes of its states and of the picture after it


class Long(NamedTuple):
    """A game, the inputs that it is played with, and what is seen in Python."""

    name: str
    file: bytes
    inputs: np.ndarray  # uint8 (STEPS,)
    seen: Seen


def chosen() -> Iterator[tuple[str, ChosenGame]]:
    for game in games():
        for each in versions(game):
            yield f"{game}, {each}", ChosenGame(game, each)
    for seed in RANDOM_SEEDS:
        yield f"random level and look, seed {seed}", ChosenGame("random", seed=seed)
    for number in LARGE:
        level = Bank.read("large_held_out")[number].level
        yield f"large level {number}, {level.side // 15} tiles", ChosenGame(level=level.text())


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def seen_in_python(game: ChosenGame, inputs: np.ndarray) -> Seen:
    course, seen, states = Course(*game.drawn_level()), Seen(), []
    opaque = np.full((*course.picture.shape[:2], CHANNELS), OPAQUE, np.uint8)
    for number, action in enumerate(inputs.tolist(), 1):
        course.step(action)
        states.append(course.state.copy())
        if course.solved:
            begin_again(course)
        if number % BLOCK == 0:
            opaque[..., :3] = course.picture
            seen.append((sha256(np.stack(states)), sha256(opaque)))
            states.clear()
    return seen


def seen_in_wasmtime(game: Long) -> tuple[Seen, int]:
    """(what is seen, steps a second)"""
    wasm, seen, states = WasmGame(game.file), Seen(), []
    seconds = 0.0
    for number, action in enumerate(game.inputs.tolist(), 1):
        began = time.process_time()
        won, _ = wasm.step(action)
        seconds += time.process_time() - began
        states.append(wasm.state.copy())
        if won:
            wasm.begin()
        if number % BLOCK == 0:
            seen.append((sha256(np.stack(states)), sha256(wasm.picture())))
            states.clear()
    return seen, round(len(game.inputs) / seconds)


@pytest.fixture(scope="module")
def long_games() -> list[Long]:
    played = []
    for number, (name, game) in enumerate(chosen()):
        inputs = random_inputs(STEPS, number).astype(np.uint8)
        played.append(Long(name, game_file(game), inputs, seen_in_python(game, inputs)))
    return played


def report(where: str, long_games: list[Long], results: list[tuple[Seen, int]]) -> None:
    """Prints the table and fails where anything differs."""
    print(f"\n{where}\n{'game':<36}{'steps':>9}{'pictures':>9}{'blocks that differ':>19}{'pictures':>9}{'steps/s':>11}")
    differ = 0
    for game, (seen, rate) in zip(long_games, results, strict=True):
        states, pictures = (sum(a[k] != b[k] for a, b in zip(game.seen, seen, strict=True)) for k in range(2))
        print(f"{game.name:<36}{len(game.inputs):>9,}{len(seen):>9,}{states:>19}{pictures:>9}{rate:>11,}")
        differ += states + pictures
    assert not differ


def test_long_plays_in_wasmtime(long_games):
    report("wasmtime", long_games, [seen_in_wasmtime(game) for game in long_games])


class Served(BaseHTTPRequestHandler):
    """Gives a browser the page, the engine, the games and their inputs, and takes what it saw."""

    long_games: list[Long]
    results: dict[int, tuple[Seen, int]]
    failed: list[str]

    def do_GET(self) -> None:
        name, _, number = self.path.strip("/").partition("/")
        plain: dict[str, Any] = {
            "": ("text/html", PAGE.read_bytes), "engine.wasm": ("application/wasm", engine),
            "engine.js": ("text/javascript", ENGINE.with_name("engine.js").read_bytes),
            "plan": ("application/json", lambda: json.dumps({"games": len(self.long_games), "block": BLOCK}).encode()),
            "game": ("application/octet-stream", lambda: self.long_games[int(number)].file),
            "inputs": ("application/octet-stream", lambda: self.long_games[int(number)].inputs.tobytes()),
        }  # fmt: skip
        kind, content = plain.get(name, ("text/plain", lambda: b""))
        self.answer(200 if name in plain else 404, kind, content())

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name, _, number = self.path.strip("/").partition("/")
        if name == "result":
            self.results[int(number)] = [tuple(each) for each in content["seen"]], content["steps_per_second"]
        else:
            self.failed.append(content)
        self.answer(200, "text/plain", b"")

    def answer(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.mark.parametrize("name", BROWSERS)
def test_long_plays_in_a_browser(long_games, name, tmp_path):
    names, settings = BROWSERS[name]
    program = next(filter(None, map(shutil.which, names)), None)
    if not program:
        pytest.skip(f"no {name} here")
    state: dict[str, Any] = {"long_games": long_games, "results": {}, "failed": []}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("ServedHere", (Served,), state))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    profile = f"--user-data-dir={tmp_path}" if name == "Chromium" else "--profile"
    opened = [program, *settings, profile, *([] if name == "Chromium" else [str(tmp_path)])]
    browser = subprocess.Popen(
        [*opened, f"http://127.0.0.1:{server.server_port}/"], start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for_results(state, browser)
    finally:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()
        server.shutdown()
        server.server_close()
    assert not state["failed"]
    report(f"{name}, {version_of(program)}", long_games, [state["results"][k] for k in range(len(long_games))])


def wait_for_results(state: dict[str, Any], browser: subprocess.Popen) -> None:
    there, since = 0, time.monotonic()
    while there < len(state["long_games"]) and not state["failed"]:
        time.sleep(0.2)
        if len(state["results"]) > there:
            there, since = len(state["results"]), time.monotonic()
        assert browser.poll() is None, "the browser ended"
        assert time.monotonic() < since + PATIENCE, f"{there} of {len(state['long_games'])} games were played"


def version_of(program: str) -> str:
    return subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.strip()


BUILD = "import sys; from priorlab.envs.browser.build import *; open(sys.argv[1], 'wb').write(build()[0])"


def test_building_again_gives_the_same_bytes(tmp_path):
    for seed in "12":  # of Python's hashes, which order sets
        environment = os.environ | {"PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", BUILD, tmp_path / seed], check=True, env=environment)
    first, second = ((tmp_path / seed).read_bytes() for seed in "12")
    assert first == second
    if origin()["built_with"] == {name: version(name) for name in origin()["built_with"]}:
        assert first == engine()
