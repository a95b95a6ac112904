"""Firefox at a real window: WebDriver BiDi says what it shows, and its keys are real ones, of the X server.

A page here has that part of Playwright's which ``Visitor`` uses. Playwright drives no Firefox but its own.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import TimeoutError
from websockets.sync.client import ClientConnection, connect

FIREFOX = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
START = 120.0  # seconds until it listens, on a machine with other work
ANSWER = 120.0  # seconds
POLL = 0.05  # seconds between two looks at a page
MARGIN = 2  # pixels at a page's left, where nothing is to be clicked on
TYPING = "40"  # ms between two letters
LISTENS = re.compile(r"WebDriver BiDi listening on (ws://[\d.]+:\d+)")
KEYS = {
    "Enter": "Return", "Space": "space", "ArrowUp": "Up", "ArrowDown": "Down", "ArrowLeft": "Left",
    "ArrowRight": "Right",
}  # fmt: skip
SETTINGS: dict[str, Any] = {
    "browser.aboutwelcome.enabled": False, "browser.shell.checkDefaultBrowser": False,
    "browser.sessionstore.resume_from_crash": False, "browser.startup.page": 0, "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False, "toolkit.startup.max_resumed_crashes": -1,
    "browser.tabs.warnOnClose": False, "remote.log.level": "Info",
}  # fmt: skip
TOLD = """async () => {
    const it = (%s);
    return JSON.stringify((typeof it === "function" ? await it(%s) : it) ?? null);
}"""


class Keyboard:
    """That of the X server; whichever window has the focus gets its keys."""

    def do(self, *words: str) -> None:
        env = os.environ | {"LC_ALL": "C.UTF-8"}
        subprocess.run(["xdotool", *words], env=env, check=True, timeout=ANSWER, capture_output=True)

    def press(self, key: str) -> None:
        self.do("key", KEYS.get(key, key))

    def down(self, key: str) -> None:
        self.do("keydown", KEYS.get(key, key))

    def up(self, key: str) -> None:
        self.do("keyup", KEYS.get(key, key))

    def type(self, text: str) -> None:
        if text:
            self.do("type", "--delay", TYPING, text)


class FirefoxPage:
    """The only tab of a Firefox that is at the socket's other end."""

    def __init__(self, socket: ClientConnection):
        self.socket, self.keyboard, self.count = socket, Keyboard(), 0
        self.listeners: list[Callable[[str], None]] = []
        self.ask("session.new", capabilities={})
        (tab,) = self.ask("browsingContext.getTree")["contexts"]
        self.tab: str = tab["context"]
        self.ask("session.subscribe", events=["log.entryAdded"])

    def ask(self, method: str, **params: Any) -> Any:
        """What that command results in. Takes what happened meanwhile."""
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": params}))
        while True:
            answer = json.loads(self.socket.recv(ANSWER))
            if answer.get("id") == self.count:
                assert answer["type"] == "success", f"{method}: {answer}"
                return answer["result"]
            if answer.get("method") == "log.entryAdded":
                self.take(answer["params"])

    def take(self, entry: dict[str, Any]) -> None:
        if entry["type"] == "javascript" and entry["level"] == "error":
            for listener in self.listeners:
                listener(entry["text"])

    def on(self, event: str, listener: Callable[[str], None]) -> None:
        assert event == "pageerror"
        self.listeners.append(listener)

    def goto(self, address: str) -> None:
        self.ask("browsingContext.navigate", context=self.tab, url=address, wait="complete")
        left, top, height = self.evaluate("[mozInnerScreenX, mozInnerScreenY, innerHeight]")
        beside = str(left + MARGIN), str(top + height // 2)
        self.keyboard.do("mousemove", *beside, "click", "1")  # the page gets the keys

    def evaluate(self, text: str, arg: Any = None) -> Any:
        """The value of an expression, or what a function returns for that argument."""
        function = TOLD % (text, json.dumps(arg))
        found = self.ask(
            "script.callFunction", functionDeclaration=function, awaitPromise=True, target={"context": self.tab}
        )
        assert found["type"] == "success", found["exceptionDetails"]["text"]
        return json.loads(found["result"]["value"])

    def add_init_script(self, text: str) -> None:
        """For every page from now on, before its own."""
        self.ask("script.addPreloadScript", functionDeclaration=f"() => {{ {text} }}")

    def wait_for_function(self, text: str, arg: Any = None, timeout: float = 0) -> None:
        """Waits until it returns something true. Raises Playwright's TimeoutError after that many ms."""
        end = time.monotonic() + timeout / 1000
        while not self.evaluate(text, arg):
            if time.monotonic() > end:
                raise TimeoutError(f"not true after {timeout:.0f} ms: {text}")
            time.sleep(POLL)

    def wait_for_timeout(self, ms: float) -> None:
        time.sleep(ms / 1000)

    def screenshot(self, path: Path) -> None:
        found = self.ask("browsingContext.captureScreenshot", context=self.tab)
        path.write_bytes(base64.b64decode(found["data"]))

    def resize(self, width: int, height: int) -> None:
        self.ask("browsingContext.setViewport", context=self.tab, viewport={"width": width, "height": height})


@contextmanager
def firefox(profile: Path, size: tuple[int, int], locale: str) -> Iterator[FirefoxPage]:
    """An empty page of that size, with the keyboard of the screen that DISPLAY names; the profile may be an old one."""
    assert FIREFOX
    profile.mkdir(exist_ok=True)
    lines = {**SETTINGS, "intl.accept_languages": f"{locale}, {locale[:2]}"}.items()
    settings = "".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in lines)
    (profile / "user.js").write_text(settings, encoding="utf-8")
    command = [FIREFOX, "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0", "about:blank"]
    said = profile / "said.txt"
    with said.open("w") as output:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=output)
    try:
        address = address_in(said, process)
        with connect(address, compression=None, max_size=None, open_timeout=ANSWER) as socket:
            page = FirefoxPage(socket)
            page.resize(*size)
            page.keyboard.do("search", "--sync", "--onlyvisible", "--pid", str(process.pid), "windowfocus")
            yield page
    finally:
        process.terminate()
        process.wait(timeout=ANSWER)


def address_in(said: Path, process: subprocess.Popen[bytes]) -> str:
    """Where it listens, once it says so."""
    end = time.monotonic() + START
    while not (found := LISTENS.search(said.read_text(encoding="utf-8", errors="replace"))):
        assert process.poll() is None and time.monotonic() < end, said.read_text(encoding="utf-8", errors="replace")
        time.sleep(POLL)
    return f"{found[1]}/session"
