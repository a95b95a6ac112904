"""How often something may happen."""

import time

from priorlab.human_study.server.refusals import Refusal


class Bucket:
    """Lets through ``rate`` a second, and up to ``most`` at once after a quiet time."""

    def __init__(self, rate: float, most: float):
        self.rate, self.most = rate, most
        self._left, self._last = most, time.monotonic()

    def take(self) -> bool:
        """Whether one more may pass now."""
        now = time.monotonic()
        self._left = min(self.most, self._left + self.rate * (now - self._last))
        self._last = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def require(self) -> None:
        """Lets one more through. Raises Refusal if it may not pass now."""
        if not self.take():
            raise Refusal(429, "too much at once: try again in a few seconds")
