"""A participant in a browser, simulated: what the page would post, for a session with given inputs."""

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from priorlab.envs.plays.courses import ChosenGame
from priorlab.envs.plays.play import Course

STEP = 1_000_000 // 30  # microseconds between two inputs
ABOUT = {"system": "Linux", "browser": "Firefox 150", "screen": [1920, 1080], "refresh_rate": 60, "window_scale": 1.5}
Post = Callable[..., Any]  # httpx's, or the test client's


@dataclass
class Journal:
    """What happens in a session, as entries; ``chunks`` cuts them."""

    entries: list[list[Any]] = field(default_factory=list)
    now: int = 0  # microseconds since consent

    def note(self, event: str, **fields: Any) -> None:
        self.now += 100_000
        self.entries.append(["e", self.now, event, fields])

    def read(self, page: str) -> None:
        for what in ("begin", "end"):
            self.note("page", page=page, what=what)

    def answer(self, question: str, answer: Any) -> None:
        self.note("page", page=f"question:{question}", what="begin")
        self.note("answer", question=question, answer=answer, seconds=1.5)
        self.note("page", page=f"question:{question}", what="end")

    def play(self, number: int, game: ChosenGame, inputs: Sequence[int], reason: str = "") -> None:
        """A play with these inputs, which ends with the win, or by the participant for that reason."""
        course = game.open()
        assert isinstance(course, Course)
        self.entries.append(["p", self.now, number])
        for count, action in enumerate(inputs, 1):
            self.now += STEP
            course.step(action)
            shown = self.now + 9_000 if count % 7 else None
            self.entries.append(["s", action, self.now, self.now + 1_500, shown])
            if count % 30 == 0:
                self.entries.append(["h", count, course.state.tolist()])
        self.now += STEP
        if reason:
            self.entries.append(["q", self.now, reason])

    def resume(self) -> None:
        self.now += 60_000_000
        self.entries.append(["r", self.now])
        self.note("screen", **ABOUT)

    def finish(self) -> None:
        self.note("page", page="debriefing", what="begin")
        self.entries.append(["f", self.now])

    def chunks(self, size: int = 8) -> Iterator[dict[str, Any]]:
        for n, first in enumerate(range(0, len(self.entries), size)):
            yield {"n": n, "entries": self.entries[first : first + size]}


def agreed(client: str = "0123456789abcdef", **wishes: Any) -> dict[str, Any]:
    """What the page posts at consent."""
    return {"language": "en", "seconds": 3.2, "about": ABOUT, "panel": {}, "client": client, **wishes}


def bearer(admission: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {admission['token']}"}


def post_all(post: Post, admission: dict[str, Any], journal: Journal) -> int:
    """Posts every chunk; how many there are."""
    count = 0
    for count, chunk in enumerate(journal.chunks(), 1):
        answer = post("/api/chunk", json=chunk, headers=bearer(admission))
        assert answer.status_code == 200 and answer.json() == {"next": count}, answer.text
    return count


def game_bytes(admission: dict[str, Any]) -> list[bytes]:
    return [base64.b64decode(game) for game in admission["games"]]
