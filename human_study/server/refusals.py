"""Why the server does not do what a browser asks."""

from typing import Any


class Refusal(Exception):
    """Becomes an answer with that status, one line, and further entries that tell the page what to do."""

    def __init__(self, status: int, error: str, **entries: Any):
        super().__init__(error)
        self.status, self.answer = status, {"error": error, **entries}
