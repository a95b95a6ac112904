"""From keys to inputs, and when inputs are due; knows no window."""

from collections.abc import Hashable

from priorlab.envs.game.rules import DOWN, JUMP, LEFT, NONE, RIGHT, UP

ALE_ACTIONS = {
    (NONE, NONE, False): 0, (NONE, NONE, True): 1, (UP, NONE, False): 2, (NONE, RIGHT, False): 3,
    (NONE, LEFT, False): 4, (DOWN, NONE, False): 5, (UP, RIGHT, False): 6, (UP, LEFT, False): 7,
    (DOWN, RIGHT, False): 8, (DOWN, LEFT, False): 9, (UP, NONE, True): 10, (NONE, RIGHT, True): 11,
    (NONE, LEFT, True): 12, (DOWN, NONE, True): 13, (UP, RIGHT, True): 14, (UP, LEFT, True): 15,
    (DOWN, RIGHT, True): 16, (DOWN, LEFT, True): 17,
}  # fmt: skip


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

    @property
    def held(self) -> bool:
        return bool(self._held)

    def take(self) -> int:
        """The input of the step that is due, 0 to 5."""
        pressed, self._pressed = self._pressed, []
        if pressed:
            return JUMP if JUMP in pressed else pressed[-1]
        return next(reversed(self._held.values()), NONE)


class Stick(Keys):
    """The same for Atari's games: the left and right, up and down, and the button (jump's keys) that were pressed since
    the last step or else are held, all together, as one of ALE's 18 actions."""

    def take(self) -> int:
        pressed, self._pressed = self._pressed, []
        chosen = [*self._held.values(), *pressed]  # the later one of two that exclude each other wins
        across = next((name for name in reversed(chosen) if name in (LEFT, RIGHT)), NONE)
        along = next((name for name in reversed(chosen) if name in (UP, DOWN)), NONE)
        return ALE_ACTIONS[along, across, JUMP in chosen]


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
