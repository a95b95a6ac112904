"""A participant of a built study, simulated: what the page would upload, for a session with given inputs."""

import base64
import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from priorlab.human_study.hosting.offers import Offer
from tests.support.browser_participant import ABOUT, Journal

BEGAN = 1_790_000_000_000  # ms since 1970


@dataclass
class Hosted:
    """A session with its opening and chunks."""

    opening: dict[str, Any]
    journal: Journal

    @staticmethod
    def of(offer: Offer, code: str, versions: tuple[str, ...], journal: Journal, **entries: Any) -> "Hosted":
        games = offer.names(versions)
        opening = {
            "build": offer.id, "id": code, "language": "en", "began": BEGAN, "seconds": 2.5, "about": ABOUT,
            "games": games, **entries,
        }  # fmt: skip
        return Hosted(opening, journal)

    def lines(self) -> list[str]:
        """The opening and each chunk, as the page saves them as a file."""
        return [json.dumps(each) for each in (self.opening, *self.journal.chunks(2))]

    def uploads(self, size: int = 3) -> dict[str, str]:
        """Uploads by name: the opening, then so many chunks in each."""
        opening, *chunks = self.lines()
        groups = [chunks[first : first + size] for first in range(0, len(chunks), size)]
        return {
            f"{self.opening['id']}-{number:03}.jsonl": self.packed(lines)
            for number, lines in enumerate([[opening], *groups])
        }

    def packed(self, lines: list[str]) -> str:
        data = base64.b64encode(gzip.compress("".join(f"{line}\n" for line in lines).encode())).decode()
        return json.dumps({"build": self.opening["build"], "id": self.opening["id"], "data": data}) + "\n"

    def keep(self, folder: Path) -> list[Path]:
        """The uploads as files."""
        folder.mkdir(exist_ok=True)
        paths = [folder / name for name in self.uploads()]
        for path, text in zip(paths, self.uploads().values()):
            path.write_text(text, encoding="utf-8")
        return paths
