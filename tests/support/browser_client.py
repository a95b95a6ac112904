"""A participant in a real browser (Chromium), each visit in a process of its own: Playwright hangs when its browser is
killed. ``python -m tests.support.browser_client ADDRESS PROFILE VISIT`` prints what it saw as JSON."""

import json
import select
import shutil
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

from playwright.sync_api import TimeoutError, sync_playwright

CHROMIUM = shutil.which("chromium")
PATIENCE = 60_000  # ms
READABLE = 350  # ms until Enter counts on a new page
TITLE = """() => document.body.classList.contains('plays') ? 'game'
    : document.querySelector('#paper h1')?.textContent ?? ''"""


class Visitor:
    """Presses keys, and reads what the page says."""

    def __init__(self, page: Any):
        """``page``: Playwright's, or one of Firefox."""
        self.page = page
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    @property
    def title(self) -> str:
        """The page's title; "game" during a play, "" for a moment in between."""
        return self.page.evaluate(TITLE)

    def until(self, *titles: str) -> str:
        try:
            self.page.wait_for_function(f"(titles) => titles.includes(({TITLE})())", arg=list(titles), timeout=PATIENCE)
        except TimeoutError:
            raise AssertionError(f"the page is {self.title!r}: expected one of {titles}") from None
        self.page.wait_for_timeout(READABLE)
        return self.title

    def press(self, *keys: str, wait: int = 80) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.page.wait_for_timeout(wait)

    def choose(self, number: int) -> None:
        """The option of that number, from 1."""
        self.press(*["ArrowDown"] * number, "Enter")

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.press("Enter")

    def hold(self, key: str, seconds: float) -> None:
        self.page.keyboard.down(key)
        self.page.wait_for_timeout(1000 * seconds)
        self.page.keyboard.up(key)


def to_the_game(visitor: Visitor) -> None:
    """From the first page through every question into the first game."""
    visitor.until("Language / Sprache")
    visitor.choose(0)
    visitor.until("Taking part in a study")
    visitor.choose(1)
    visitor.until("Which hand?")
    visitor.choose(2)
    visitor.until("Your code")
    visitor.press("Enter")
    visitor.until("The keys")
    visitor.press("Tab", "j", "l", "i", "k", "m", "Enter")
    visitor.until("How old are you?")
    visitor.choose(3)
    visitor.until("How much sleep?")
    visitor.type("x7.25")  # x and the second decimal are rejected
    visitor.until("Which games?")
    visitor.press("Space", "ArrowDown", "ArrowDown", "Space", "Enter")
    visitor.until("How awake?")
    visitor.press("3", "Enter")
    visitor.until("Which number do you see?")
    visitor.press("ArrowLeft")
    visitor.until("How awake?")
    visitor.press("ArrowDown", "Enter")
    visitor.until("Which number do you see?")
    visitor.type("57")
    visitor.until("The aim")
    visitor.press("Enter")
    visitor.until("Practice")
    visitor.press("Enter")
    visitor.until("What is the goal?")
    visitor.choose(1)  # wrong: once again
    visitor.until("Not quite yet")
    visitor.press("Enter")
    visitor.until("The aim")
    visitor.press("Enter")
    visitor.until("Practice")
    visitor.press("Enter")
    visitor.until("What is the goal?")
    visitor.choose(2)
    visitor.until("The game begins")
    visitor.press("Enter")
    visitor.until("game")


def to_the_end(visitor: Visitor) -> None:
    """From a game to the last page; stops the game."""
    visitor.press("Escape")
    visitor.until("Stop?")
    visitor.press("ArrowUp", "Enter")  # the last option
    visitor.until("What did you think the aim of the game was?")
    visitor.type("käse, 鍵")
    visitor.until("Did you know this game before today?")
    visitor.choose(2)
    visitor.until("Thank you!")
    visitor.press("Enter")
    visitor.until("Everything was sent. You can close this page now.")


def whole(visitor: Visitor) -> dict[str, Any]:
    """A session from the first to the last page: a probe, a pause, the stop page left again, the next game."""
    shown = time.perf_counter()
    to_the_game(visitor)
    visitor.hold("l", 0.5)
    visitor.until("How awake now?")
    visitor.press("2", "Enter")
    visitor.until("game")
    visitor.hold("m", 0.3)  # ends the pause
    visitor.hold("j", 0.4)
    visitor.press("p")
    visitor.press("m", wait=300)
    visitor.press("Escape")
    visitor.until("Stop?")
    visitor.press("Escape")
    visitor.until("game")
    visitor.press("Escape")
    visitor.until("Stop?")
    visitor.choose(2)  # to the next game
    visitor.until("What did you think the aim of the game was?")
    visitor.type("")
    visitor.until("The next game")
    visitor.press("Enter")
    visitor.until("game")
    visitor.hold("l", 0.4)
    to_the_end(visitor)
    kept = visitor.page.evaluate("""async () => {
        const [{ name }] = await indexedDB.databases();
        const open = indexedDB.open(name);
        await new Promise((resolve) => (open.onsuccess = resolve));
        const ask = open.result.transaction("chunks").objectStore("chunks").count();
        await new Promise((resolve) => (ask.onsuccess = resolve));
        return ask.result;
    }""")
    return {"seconds": time.perf_counter() - shown, "kept": kept}


def until_killed(visitor: Visitor) -> dict[str, Any]:
    """Begins a session, or continues it, and plays until this process's browser is killed."""
    begin_or_continue(visitor)
    return played_on(visitor)


def begin_or_continue(visitor: Visitor) -> None:
    if visitor.until("Language / Sprache", "Continue?") == "Continue?":
        visitor.choose(1)
        visitor.until("game", "How awake now?")
    else:
        to_the_game(visitor)


def until_killed_offline(visitor: Visitor) -> dict[str, Any]:
    """As ``until_killed``, with a connection only until the game is there."""
    begin_or_continue(visitor)
    visitor.page.context.set_offline(True)
    return played_on(visitor)


def somebody_else(visitor: Visitor) -> dict[str, Any]:
    """Says that the session that was interrupted here is not theirs, and begins one."""
    visitor.until("Continue?")
    visitor.choose(2)
    to_the_game(visitor)
    return played_on(visitor)


BEGAN = """async () => {
    const [{ name }] = await indexedDB.databases();
    const open = indexedDB.open(name);
    await new Promise((resolve) => (open.onsuccess = resolve));
    const ask = open.result.transaction("session").objectStore("session").get(0);
    await new Promise((resolve) => (ask.onsuccess = resolve));
    open.result.close();
    return ask.result.began;
}"""  # when the session began by the page's clock, ms since 1970


def played_on(visitor: Visitor) -> NoReturn:
    """Says that it plays, and when the session began by the page's clock, in ms since 1970."""
    began = visitor.page.evaluate(BEGAN)
    print(f"playing\n{began}", flush=True)
    while True:
        play_a_moment(visitor)


def play_a_moment(visitor: Visitor) -> None:
    visitor.hold("m", 0.1)
    if visitor.title == "How awake now?":
        visitor.press("2", "Enter", wait=READABLE)
    visitor.hold("l", 0.1)


def until_told(visitor: Visitor) -> dict[str, Any]:
    """Plays until a line comes in, then to the end of the session."""
    to_the_game(visitor)
    print("playing", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        play_a_moment(visitor)
    to_the_end(visitor)
    return {}


def finishing(visitor: Visitor) -> dict[str, Any]:
    """Continues an interrupted session to its end."""
    began = time.perf_counter()
    visitor.page.reload()
    visitor.until("Continue?")
    visitor.choose(1)
    visitor.until("game", "How awake now?")
    seconds = time.perf_counter() - began
    visitor.hold("m", 0.5)
    if visitor.title == "How awake now?":
        visitor.press("2", "Enter", wait=READABLE)
        visitor.press("m")
    to_the_end(visitor)
    return {"seconds": seconds}


def offline(visitor: Visitor) -> dict[str, Any]:
    """Plays on without a connection, says so, and finishes once there is one again."""
    to_the_game(visitor)
    visitor.hold("l", 0.3)
    visitor.page.context.set_offline(True)
    visitor.page.wait_for_timeout(1500)
    said = visitor.page.evaluate("!document.getElementById('connection').hidden")
    visitor.until("How awake now?")
    visitor.press("2", "Enter")
    visitor.until("game")
    visitor.hold("l", 3)
    visitor.page.context.set_offline(False)
    visitor.page.wait_for_function("() => document.getElementById('connection').hidden", timeout=PATIENCE)
    to_the_end(visitor)
    return {"said": said}


VISITS: dict[str, Callable[[Visitor], dict[str, Any]]] = {
    "whole": whole, "until_killed": until_killed, "until_killed_offline": until_killed_offline,
    "until_told": until_told, "somebody_else": somebody_else, "finishing": finishing, "offline": offline,
}  # fmt: skip


def main(address: str, profile: str, visit: str) -> None:
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=["--no-sandbox"], viewport={"width": 1280, "height": 800},
            locale="en-US",
        )  # fmt: skip
        visitor = Visitor(context.pages[0])
        began = time.perf_counter()
        visitor.page.goto(address)
        visitor.page.wait_for_selector("#paper h1", timeout=PATIENCE)
        seen = {"first_page": time.perf_counter() - began, **VISITS[visit](visitor), "problems": visitor.problems}
        print(json.dumps(seen), flush=True)
        context.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
