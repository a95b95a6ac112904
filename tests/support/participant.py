"""Somebody who takes part in a short study, at a real window with real keys."""

import time
from pathlib import Path
from typing import Any

from priorlab.envs.base.kernel_cache import COMPILES
from priorlab.envs.plays.events import read_events
from priorlab.human_study.study.study_file import Study
from priorlab.human_study.window.paper import GROUND
from tests.human_study.test_window import EASY
from tests.support.in_toml import in_toml
from tests.support.screen import PATIENCE, Screen, wait_until

SHORT = {
    "name": "short", "versions": ["masked_semantics"], "game": "princess", "level": "easy.txt", "texts": "de",
    "before": ["age", "plate_2"], "after": ["aim"],
}  # fmt: skip
OF_THE_MACHINE = (COMPILES, "warning: drawing a ")  # lines of a machine that is slow, or that plays for the first time


def complaints(error: str) -> list[str]:
    """The lines that a command printed about itself, on stderr."""
    return [line for line in error.splitlines() if not line.startswith(OF_THE_MACHINE)]


class Participant:
    """Takes part in the short study; presses a key when the log says that its page is up."""

    def __init__(self, screen: Screen, folder: Path, *settings: str, **entries: Any):
        """``entries`` of the study's file besides those of ``SHORT``, or instead. However slow the screen is."""
        folder.mkdir(exist_ok=True)
        (folder / "easy.txt").write_text(EASY, encoding="utf-8")
        path = folder / "study.toml"
        path.write_text(in_toml(SHORT | entries), encoding="utf-8")
        self.screen, self.study = screen, Study.load(path)
        screen.env.setdefault("XDG_STATE_HOME", str(folder / "state"))
        self.process = screen.start("-m", "priorlab", "participate", str(path), "--allow-slow-screen", *settings)
        self.title = screen.do("getwindowfocus", "getwindowname")

    def events(self) -> list[dict[str, Any]]:
        logs = [path for path in self.study.folder.glob("*.jsonl") if b"\n" in path.read_bytes()]
        return read_events(logs[0]).events if logs else []

    def await_page(self, name: str, times: int = 1) -> None:
        self.await_event(times, event="page", page=name, what="begin")
        time.sleep(0.6)  # as long as nobody reads a page

    def await_end(self, name: str) -> None:
        self.await_event(event="page", page=name, what="end")

    def await_event(self, times: int = 1, **fields: str) -> None:
        """Until the log holds so many of them."""
        wait_until(lambda: sum(fields.items() <= event.items() for event in self.events()) >= times)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.screen.do("key", key)
            time.sleep(0.1)

    def await_paper(self) -> None:
        wait_until(lambda: (self.screen.picture() == GROUND).all(axis=2).mean() > 0.1)
        time.sleep(0.6)

    def agree(self) -> None:
        self.await_paper()
        self.press("Down", "Up", "Down", "Up")  # however long the text is on this screen
        self.press("Return")
        self.await_page("code")
        self.press("Return")

    def end(self) -> str:
        out, err = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0 and not complaints(err), err
        return out
