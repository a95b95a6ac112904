"""The rules that turn keys into inputs, and when inputs are due. Needs no window."""

from collections.abc import Hashable

from priorlab.envs.game.rules import DOWN, JUMP, LEFT, NONE, RIGHT, UP
from priorlab.envs.interfaces import key_rule

IDLE_SECONDS = 20.0  # without a key going down or up, after which the participant may have left
REFOCUS_SECONDS = 0.25  # after the focus came back; keys that go down within it were held all the time
READABLE_SECONDS = 0.3  # that a page is up before Enter counts
END_SECONDS = 2.0  # for which the last picture of a play stays
INPUT_NUMBERS = {"left": LEFT, "right": RIGHT, "up": UP, "down": DOWN, "jump": JUMP}  # what keys can give
ALE_ACTIONS = {
    (NONE, NONE, False): 0, (NONE, NONE, True): 1, (UP, NONE, False): 2, (NONE, RIGHT, False): 3,
    (NONE, LEFT, False): 4, (DOWN, NONE, False): 5, (UP, RIGHT, False): 6, (UP, LEFT, False): 7,
    (DOWN, RIGHT, False): 8, (DOWN, LEFT, False): 9, (UP, NONE, True): 10, (NONE, RIGHT, True): 11,
    (NONE, LEFT, True): 12, (DOWN, NONE, True): 13, (UP, RIGHT, True): 14, (UP, LEFT, True): 15,
    (DOWN, RIGHT, True): 16, (DOWN, LEFT, True): 17,
}  # fmt: skip
ALONG, ACROSS = 1 << UP | 1 << DOWN, 1 << LEFT | 1 << RIGHT  # a bit for each input


class Keys:
    """The input of a step, by the rule in ``envs/interfaces/key_rule.py``. Any hashable value can identify a key."""

    def __init__(self) -> None:
        self._keys = key_rule.no_keys()
        self._codes: dict[Hashable, int] = {}

    def press(self, key: Hashable, action: int) -> None:
        """A key that is already held, because the keyboard repeats it, is not pressed again."""
        key_rule.press(self._keys, self._code(key), action)

    def release(self, key: Hashable) -> None:
        key_rule.release(self._keys, self._code(key))

    def release_all(self) -> None:
        """Forgets all keys, also those pressed since the last step, as when the window loses the focus."""
        key_rule.release_all(self._keys)

    @property
    def held(self) -> bool:
        return bool(self._keys[key_rule.HELD])

    def take(self) -> int:
        """The input of the current step, 0 to 5."""
        return key_rule.take(self._keys)

    def _code(self, key: Hashable) -> int:
        return self._codes.setdefault(key, len(self._codes))


class AtariKeys(Keys):
    """The same for Atari games: all directions, and the button (the keys of jump), that were pressed since the last
    step or are held, together as one of ALE's 18 actions."""

    def take(self) -> int:
        # of two opposite directions the later one wins
        along, across, button = (key_rule.latest(self._keys, inputs) for inputs in (ALONG, ACROSS, 1 << JUMP))
        key_rule.forget_presses(self._keys)
        return ALE_ACTIONS[along, across, button == JUMP]


class StepClock:
    """When steps are due: ``rate`` per second from ``start`` on, in seconds of a monotonic clock.

    Missed steps are skipped; the game never speeds up to catch up.
    """

    def __init__(self, rate: float, start: float):
        self.rate, self.start, self._number = rate, start, 0

    def next_due(self, now: float) -> float:
        """When the next step is due; steps that were due before ``now`` are missed."""
        self._number = max(self._number + 1, int((now - self.start) * self.rate) + 1)
        return self.start + self._number / self.rate
