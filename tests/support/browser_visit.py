"""A participant in a real browser who does whatever the page asks, in either language, from wherever it stands.

``python -m tests.support.browser_visit BROWSER ADDRESS PROFILE LANGUAGE NUMBER TITLE...`` prints each page's title, in
English, when it comes, until the session is over; NUMBER is the participant's. At each TITLE it waits a moment, to be
killed. BROWSER is chromium, or firefox on the screen that DISPLAY names.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from priorlab.human_study.study.texts import Texts
from tests.support.browser_client import CHROMIUM, READABLE, Visitor
from tests.support.firefox import firefox

SIZES = ((1280, 800), (1920, 1080), (1024, 700))
LOCALES = {"en": "en-GB", "de": "de-DE"}
ONCE_MORE = 4.0  # seconds without another page, after which a key may have come too early
GAME, OVER = "game", "Everything was sent. You can close this page now."
WRONG, WAIT = "Not quite yet", "One moment, please"
MOMENTS = 12  # of a game, before it is left
KILLABLE = 1500  # ms

Act = Callable[[Visitor], None]


def chooses(number: int) -> Act:
    return lambda visitor: visitor.choose(number)


def presses(*keys: str) -> Act:
    return lambda visitor: visitor.press(*keys)


def types(text: str) -> Act:
    return lambda visitor: visitor.type(text)


ACTS: dict[str, Act] = {  # what to do on a page, by its title in English
    "Language / Sprache": chooses(0), "Taking part in a study": chooses(1), "Which hand?": chooses(2),
    "Your code": presses("Enter"), "The keys": presses("Tab", "j", "l", "i", "k", "m", "Enter"),
    "How old are you?": chooses(3), "How much sleep?": types("7.2"),
    "Which games?": presses("Space", "ArrowDown", "ArrowDown", "Space", "Enter"), "How awake?": presses("3", "Enter"),
    "Which number do you see?": types("57"), "The aim": presses("Enter"), "Practice": presses("Enter"),
    "What is the goal?": chooses(2), WRONG: presses("Enter"), "The game begins": presses("Enter"),
    "How awake now?": presses("2", "Enter"), "Stop?": chooses(2), "The next game": presses("Enter"),
    "What did you think the aim of the game was?": types("käse, 鍵"),
    "Did you know this game before today?": chooses(2), "Thank you!": presses("Enter"), "Continue?": chooses(1),
}  # fmt: skip


def english(language: str) -> dict[str, str]:
    """Titles in English, by what they are in that language."""
    ours, theirs = Texts.load("en"), Texts.load(language)
    titles = {theirs.words[name].strip(): words.strip() for name, words in ours.words.items()}
    return titles | {theirs.questions[name].text: each.text for name, each in ours.questions.items()}


def play(visitor: Visitor, moments: int) -> None:
    """A moment of a game; after enough of them, it is left."""
    visitor.hold("m", 0.1)
    visitor.hold("jl"[moments % 2], 0.3)
    if moments >= MOMENTS:
        visitor.press("Escape")


def visit(visitor: Visitor, language: str, waits: list[str], is_wrong: bool, pictures: Path | None) -> None:
    """Does what every page asks until the session is over."""
    titles, last, acted, moments, rounds = english(language), "", 0.0, 0, 0
    while True:
        title = titles.get(visitor.title, visitor.title)
        if not title or (title == last != GAME and time.monotonic() < acted + ONCE_MORE):
            visitor.page.wait_for_timeout(50)
            continue
        if title != last:
            print(title, flush=True)
            visitor.page.wait_for_timeout(READABLE)
            if pictures:
                width, height = visitor.page.evaluate("[innerWidth, innerHeight]")
                name = "".join(letter for letter in title if letter.isalnum())
                visitor.page.screenshot(path=pictures / f"{name}-{language}-{width}x{height}.png")
            if title in waits:
                visitor.page.wait_for_timeout(KILLABLE)
        last, acted, moments = title, time.monotonic(), moments + 1 if title == GAME else 0
        rounds += title == "What is the goal?"
        if title == OVER:
            return
        if title == GAME:
            play(visitor, moments)
        elif title == "What is the goal?" and is_wrong and rounds == 1:
            visitor.choose(1)
        elif title != WAIT:
            ACTS[title](visitor)


@contextmanager
def chromium(profile: Path, size: tuple[int, int], locale: str) -> Iterator[Page]:
    """An empty page of that size; the profile may be an old one."""
    width, height = size
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=["--no-sandbox"], viewport={"width": width, "height": height},
            locale=locale,
        )  # fmt: skip
        yield context.pages[0]
        context.close()


BROWSERS = {"chromium": chromium, "firefox": firefox}


def main(browser: str, address: str, profile: str, language: str, number: str, *waits: str) -> None:
    pictures = Path(os.environ["PRIORLAB_PICTURES"]) / browser if "PRIORLAB_PICTURES" in os.environ else None
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
    with BROWSERS[browser](Path(profile), SIZES[int(number) % len(SIZES)], LOCALES[language]) as page:
        visitor = Visitor(page)
        page.goto(address)
        visit(visitor, language, [*waits], WRONG in waits, pictures)
        assert not visitor.problems, visitor.problems


if __name__ == "__main__":
    main(*sys.argv[1:])
