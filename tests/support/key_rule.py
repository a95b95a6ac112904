"""The rule that turns keys into inputs, applied again to the keys that a log tells of."""

import math
from collections.abc import Iterator
from typing import Any

from priorlab.envs.game.rules import NONE
from priorlab.human_study.protocol.keys import IDLE_SECONDS, REFOCUS_SECONDS, AtariKeys, Keys
from priorlab.human_study.protocol.pads import SETTLE_SECONDS, leans
from priorlab.human_study.window.controls import Controls

Key = tuple[str, int]  # (a gamepad's part, the input) or ("", a key's scancode)


class Replayed:
    """A window of which only its log is known. ``wrong`` gathers the steps whose input is another than the rule's."""

    def __init__(self, events: list[dict[str, Any]]):
        self.events, self.wrong, self.checked = events, list[str](), 0
        self.keys, self.keymap = Keys(), {int(code): number for code, number in events[0]["keymap"].items()}
        self.paused, self.touched, self.rate = False, False, 1
        self.began, self.focused, self.last = 0.0, -1.0, 0.0  # when: the play began, the focus came back, a key moved
        self.connected: dict[str, float] = {}
        self.held: set[Key] = set()  # parts of gamepads
        self.stale: set[Key] = set()
        for number, event in enumerate(events):
            self.take(event, events[number + 1 :])

    def take(self, event: dict[str, Any], later: list[dict[str, Any]]) -> None:
        kind, at = event["event"], event["t"]
        if kind == "controls":
            self.keymap = dict(Controls.of(event).keys)
        elif kind == "play":
            self.keys, self.rate = (
                AtariKeys() if event["game"].startswith("atari/") else Keys(),
                event["inputs_per_second"],
            )
            self.begin(at, later)
        elif kind == "resumed":  # at another window; times begin anew
            self.keys.release_all()
            self.paused, self.touched, self.focused = False, False, -1.0
            self.held, self.stale, self.connected = set(), set(), {}
            self.begin(at, later)
        elif kind in ("pause", "idle") and event["why"] != "page":
            self.paused = event["what"] == "begin"
            if self.paused:
                self.keys.release_all()
        elif kind == "focus" and event["what"] == "lost":
            self.touched, self.focused, self.stale = True, math.inf, set(self.held)
        elif kind == "focus" and self.touched:
            self.focused = at
        elif kind == "gamepad":
            self.connected[f"pad {event['number']}"] = at
        elif kind == "key":
            self.take_key(event, later)
        elif kind == "step":
            self.take_step(event)

    def begin(self, at: float, later: list[dict[str, Any]]) -> None:
        """The first picture was shown one step before the first step was due."""
        first = next((each for each in later if each["event"] == "step"), None)
        self.began = self.last = first["due"] - 1 / self.rate if first else at

    def take_key(self, event: dict[str, Any], later: list[dict[str, Any]]) -> None:
        at, name, code = event["t"], event["key"], event["code"]
        pad, _, part = name.partition(", ") if name.startswith("pad ") else ("", "", "")
        key, number = ((name, code), code) if pad else (("", code), self.keymap.get(code, NONE))
        self.last = at
        if event["what"] == "up":
            self.keys.release(key)
            self.held.discard(key)
            self.stale.discard(key)
            return
        is_fresh = at > self.focused + REFOCUS_SECONDS and key not in self.stale and at > self.began
        if pad:
            self.held.add(key)
            is_fresh &= at > self.connected[pad] + SETTLE_SECONDS
        pauses = not self.paused and (name == "p" or part == "start")
        goes_on = bool(later) and later[0]["event"] in ("pause", "idle") and later[0]["what"] == "end"
        if pauses or not is_fresh or name in ("escape", "f11") or (self.paused and not goes_on):
            return
        self.touched = True
        if self.paused:  # the press that ends a pause counts
            self.take(later[0], [])
        if number != NONE:
            self.keys.press(key, number)

    def take_step(self, event: dict[str, Any]) -> None:
        if event["done"] > self.last + IDLE_SECONDS:  # a stick that leans is nobody who plays
            for key in self.held:
                if leans(key[0].partition(", ")[2]):
                    self.keys.release(key)
        expected = self.keys.take()
        self.checked += 1
        if expected != event["input"]:
            self.wrong.append(f"step {event['number']}: {event['input']}, by the keys {expected}")


def key_times(events: list[dict[str, Any]]) -> Iterator[tuple[float, float, float]]:
    """Of each key while steps are taken: (when the step before was taken, the key, the step after was taken)."""
    done, waiting = 0.0, list[float]()
    for event in events:
        if event["event"] == "key":
            waiting.append(event["t"])
        elif event["event"] == "step":
            yield from ((done, at, event["done"]) for at in waiting if done)
            done, waiting = event["done"], []
        elif event["event"] == "resumed":
            done, waiting = 0.0, []
