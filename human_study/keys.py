"""From keys to inputs, and when inputs are due; knows no window."""

from collections.abc import Hashable

from envs.rules import JUMP, NONE


class Keys:
    """The rule for a step's input: a key pressed since the last step wins once, jump first; else the last pressed key
    still held; else none.

    A key is whatever tells keys apart; two keys may give the same input.
    """

    def __init__(self) -> None:
        self._held: dict[Hashable, int] = {}  # in the order in which they were pressed
        self._pressed: list[int] = []  # inputs pressed since the last step

    def press(self, key: Hashable, action: int) -> None:
        """A key held already (the keyboard repeats it) is not pressed anew."""
        if key not in self._held:
            self._held[key] = action
            self._pressed.append(action)

    def release(self, key: Hashable) -> None:
        self._held.pop(key, None)

    def release_all(self) -> None:
        """As when the window loses the focus: also what was pressed and not yet taken is gone."""
        self._held.clear()
        self._pressed.clear()

    def take(self) -> int:
        """The input of the step that is due, 0 to 5."""
        pressed, self._pressed = self._pressed, []
        if pressed:
            return JUMP if JUMP in pressed else pressed[-1]
        return next(reversed(self._held.values()), NONE)


class Beat:
    """Steps due at absolute times, ``rate`` a second from ``start`` on, in seconds of a monotonic clock.

    Steps that were missed are left out, never run to catch up.
    """

    def __init__(self, rate: float, start: float):
        self.rate, self.start, self._number = rate, start, 0

    def next_due(self, now: float) -> float:
        """When the next step is due: the next beat, or the first one still to come."""
        self._number = max(self._number + 1, int((now - self.start) * self.rate) + 1)
        return self.start + self._number / self.rate
