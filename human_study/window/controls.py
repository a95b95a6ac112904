"""Which keys and gamepads give which input: the map at first, the participant's own, and what keys are called.

Inputs are those of our games, by number; in Atari's games JUMP is the button (``keys.Stick``).
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import pygame
from pygame._sdl2 import controller

from priorlab.envs.game.rules import DOWN, JUMP, LEFT, NONE, RIGHT, UP

INPUTS = {"left": LEFT, "right": RIGHT, "up": UP, "down": DOWN, "jump": JUMP}
KEYMAP = {
    pygame.KSCAN_LEFT: LEFT, pygame.KSCAN_RIGHT: RIGHT, pygame.KSCAN_UP: UP, pygame.KSCAN_DOWN: DOWN,
    pygame.KSCAN_A: LEFT, pygame.KSCAN_D: RIGHT, pygame.KSCAN_W: UP, pygame.KSCAN_S: DOWN, pygame.KSCAN_SPACE: JUMP,
}  # fmt: skip
RESERVED = (pygame.K_ESCAPE, pygame.K_F11, pygame.K_p)  # what they do they do in every map
ARROWS = {pygame.KSCAN_LEFT: "←", pygame.KSCAN_RIGHT: "→", pygame.KSCAN_UP: "↑", pygame.KSCAN_DOWN: "↓"}
WORDS = {  # keys whose names are among the texts
    pygame.KSCAN_SPACE: "space", pygame.KSCAN_RETURN: "return", pygame.KSCAN_TAB: "tab",
    pygame.KSCAN_BACKSPACE: "backspace", pygame.KSCAN_LSHIFT: "shift", pygame.KSCAN_RSHIFT: "shift",
    pygame.KSCAN_LCTRL: "control", pygame.KSCAN_RCTRL: "control", pygame.KSCAN_LALT: "alt", pygame.KSCAN_RALT: "alt",
}  # fmt: skip
PRINTED = [*range(33, 127), *range(0xA1, 0x180), *range(0x370, 0x590), *range(0x5D0, 0x5EB), *range(0x620, 0x64B)]
KEYPAD = {pygame.KSCAN_KP_0: "0", pygame.KSCAN_KP_ENTER: "Enter"} | {
    pygame.KSCAN_KP_1 + number: str(number + 1) for number in range(9)
}
SCANCODES = 512

ON, OFF = 0.5, 0.35  # of a stick's or a trigger's way: where it counts as pressed, and where no longer
SETTLE = 0.25  # seconds after a gamepad was connected in which it reports what was held before
# Of a gamepad that SDL knows: SDL's words for its buttons and axes, in the order of SDL's numbers.
PARTS = (
    "a", "b", "x", "y", "back", "guide", "start", "leftstick", "rightstick", "leftshoulder", "rightshoulder", "dpup",
    "dpdown", "dpleft", "dpright", "misc1", "paddle1", "paddle2", "paddle3", "paddle4", "touchpad",
)  # fmt: skip
AXES = ("leftx", "lefty", "rightx", "righty", "lefttrigger", "righttrigger")
GIVES = {"dpup": UP, "dpdown": DOWN, "dpleft": LEFT, "dpright": RIGHT} | dict.fromkeys(
    ("a", "b", "x", "y", "leftshoulder", "rightshoulder", "paddle1", "paddle2", "paddle3", "paddle4"), JUMP
)  # the others, such as back, guide, and the buttons under the sticks, are pressed by mistake or are the system's
TURNS = {  # what an axis gives: (input, in which direction of the axis)
    "leftx": ((LEFT, -1), (RIGHT, 1)), "lefty": ((UP, -1), (DOWN, 1)),
    "lefttrigger": ((JUMP, 1),), "righttrigger": ((JUMP, 1),),
}  # fmt: skip
PAUSES = "start"
# Of gamepads that SDL does not know: on most, the first buttons are the face and shoulder buttons, and later ones back
# and start; where there is no hat but many buttons, some of them are the D-pad, in SDL's order.
FIRST_BUTTONS, MANY_BUTTONS = 6, 15
D_PAD = {11: UP, 12: DOWN, 13: LEFT, 14: RIGHT}
PAD_AXES = (pygame.JOYAXISMOTION, pygame.CONTROLLERAXISMOTION)
PAD_EVENTS = (
    *PAD_AXES, pygame.JOYHATMOTION, pygame.JOYBUTTONDOWN, pygame.JOYBUTTONUP, pygame.CONTROLLERBUTTONDOWN,
    pygame.CONTROLLERBUTTONUP, pygame.JOYDEVICEADDED, pygame.JOYDEVICEREMOVED,
)  # fmt: skip


@dataclass(frozen=True)
class Controls:
    """``keys``: the input of each key, by scancode; ``chosen``: whether the participant chose them."""

    keys: Mapping[int, int]
    chosen: bool = False

    @staticmethod
    def of(event: Mapping[str, Any]) -> "Controls":
        """Those that an event ``controls`` of a log tells."""
        return Controls({int(code): number for code, number in event["keys"].items()}, event["chosen"])

    def about(self) -> dict[str, Any]:
        """For the log."""
        return {"keys": {str(code): number for code, number in self.keys.items()}, "chosen": self.chosen}

    def codes(self, number: int) -> list[int]:
        """The scancodes of the keys that give that input."""
        return [code for code, given in self.keys.items() if given == number]


DEFAULT = Controls(KEYMAP)


def name_of(code: int, texts: Callable[..., str]) -> str:
    """What the key with that scancode is called: what this keyboard's layout prints on it, or a word of the texts."""
    if code in ARROWS:
        return ARROWS[code]
    if code in WORDS:
        return texts(f"keys.{WORDS[code]}")
    if code in KEYPAD:
        return texts("keys.keypad", key=KEYPAD[code])
    # SDL tells a key's place; this asks it, of every character that a key can bear, whether its place is this one
    here = pygame.key.ScancodeWrapper(tuple(number == code for number in range(SCANCODES)))
    found = next((character for character in PRINTED if here[character]), None)
    return chr(found).upper() if found else texts("keys.button", number=code)


class Press(NamedTuple):
    """Something on a gamepad went down, or up."""

    is_down: bool
    key: tuple[int, str, int]  # the pad's number, the part of it, the input: tells it from everything else that is held
    input: int  # NONE where that part plays nothing
    is_fresh: bool = True  # False where it was held already when the pad was connected

    @property
    def name(self) -> str:
        """For the log."""
        return f"pad {self.key[0]}, {self.key[1]}"

    @property
    def pauses(self) -> bool:
        return self.key[1] == PAUSES


class Plug(NamedTuple):
    """A gamepad was connected, or disconnected; ``about`` it, for the log."""

    what: str
    about: dict[str, Any]


class Pad:
    """One gamepad. Where SDL knows what its buttons and axes are, it is read as SDL says; else by the rule above."""

    def __init__(self, joystick: pygame.joystick.JoystickType):
        self.number, self.joystick, self.since = joystick.get_instance_id(), joystick, time.perf_counter()
        try:
            self.known = controller.Controller.from_joystick(joystick)
        except pygame.error:  # SDL does not know it
            self.known = None
        # parts that SDL gives a meaning, as it writes them: b6 is a button, a0, -a0 or a0~ an axis, h0.1 a hat
        mapping = self.known.get_mapping().values() if self.known is not None else ()
        self._mapped = {part.strip("+-~").split(".")[0] for part in mapping}
        self.about = {
            "number": self.number, "name": joystick.get_name(), "guid": joystick.get_guid(),
            "known": self.known is not None, "axes": joystick.get_numaxes(), "buttons": joystick.get_numbuttons(),
            "hats": joystick.get_numhats(),
        }  # fmt: skip

    def parts(self, event: pygame.Event) -> list[tuple[str, int, float]]:
        """What an event of this pad says: (part, input, how far that is pressed: 0 to 1)."""
        if event.type in (pygame.CONTROLLERBUTTONDOWN, pygame.CONTROLLERBUTTONUP):
            name = PARTS[event.button] if event.button < len(PARTS) else f"part {event.button}"
            return [(name, GIVES.get(name, NONE), event.type == pygame.CONTROLLERBUTTONDOWN)]
        if event.type == pygame.CONTROLLERAXISMOTION:
            name = AXES[event.axis] if event.axis < len(AXES) else ""
            return [(name, number, sign * event.value / 32767) for number, sign in TURNS.get(name, ())]
        if event.type in (pygame.JOYBUTTONDOWN, pygame.JOYBUTTONUP) and f"b{event.button}" not in self._mapped:
            return [(f"button {event.button}", self._button(event.button), event.type == pygame.JOYBUTTONDOWN)]
        if event.type == pygame.JOYHATMOTION and f"h{event.hat}" not in self._mapped:
            across, along = event.value
            ways = {LEFT: -across, RIGHT: across, UP: along, DOWN: -along}
            return [(f"hat {event.hat}", number, way) for number, way in ways.items()]
        if event.type == pygame.JOYAXISMOTION and event.axis < 2 and f"a{event.axis}" not in self._mapped:
            ways = TURNS[AXES[event.axis]]
            return [(f"axis {event.axis}", number, sign * event.value) for number, sign in ways]
        return []

    def _button(self, number: int) -> int:
        has_d_pad = not self.about["hats"] and self.about["buttons"] >= MANY_BUTTONS
        if has_d_pad and number in D_PAD:
            return D_PAD[number]
        return JUMP if number < FIRST_BUTTONS else NONE


class Pads:
    """Gamepads, as many as there are, connected and disconnected at any time."""

    def __init__(self) -> None:
        with suppress(pygame.error):  # a system that has none to offer
            pygame.joystick.init()
            controller.init()
        self._pads: dict[int, Pad] = {}
        self._held: dict[tuple[int, str, int], Press] = {}

    def close(self) -> None:
        self._pads.clear()
        controller.quit()
        pygame.joystick.quit()

    @property
    def count(self) -> int:
        return len(self._pads)

    def connected(self) -> list[Plug]:
        """Those that are, as if they had just been."""
        return [Plug("connected", pad.about) for pad in self._pads.values()]

    def held(self) -> dict[tuple[int, str, int], int]:
        """The input of everything that is held."""
        return {key: press.input for key, press in self._held.items()}

    def leaning(self) -> list[tuple[int, str, int]]:
        """What is held of sticks and triggers, which can be so without a hand."""
        return [key for key in self._held if key[1] in AXES or key[1].startswith("axis")]

    def find(self) -> list[Plug]:
        """Opens the gamepads that are new. All are looked at: an event's index may by now be that of another one."""
        before = set(self._pads)
        for index in range(pygame.joystick.get_count() if pygame.joystick.get_init() else 0):
            with suppress(pygame.error):  # gone meanwhile, or not ours to read
                joystick = pygame.joystick.Joystick(index)
                if joystick.get_instance_id() not in self._pads:
                    self._pads[joystick.get_instance_id()] = Pad(joystick)
        return [plug for plug in self.connected() if plug.about["number"] not in before]

    def take(self, event: pygame.Event) -> tuple[list[Press], list[Plug]]:
        """What one of ``PAD_EVENTS`` means: what goes up, what goes down, and which pads come and go."""
        if event.type == pygame.JOYDEVICEADDED:
            return [], self.find()
        pad = self._pads.get(event.instance_id)
        if pad is None:
            return [], []
        if event.type == pygame.JOYDEVICEREMOVED:
            del self._pads[pad.number]
            held = [key for key in self._held if key[0] == pad.number]
            return [self._set(key, False) for key in held], [Plug("disconnected", pad.about)]
        presses, is_fresh = [], time.perf_counter() > pad.since + SETTLE
        for name, number, way in pad.parts(event):
            key = pad.number, name, number
            if (is_down := way > (OFF if key in self._held else ON)) != (key in self._held):
                presses.append(self._set(key, is_down, is_fresh))
        return sorted(presses, key=lambda press: press.is_down), []

    def _set(self, key: tuple[int, str, int], is_down: bool, is_fresh: bool = True) -> Press:
        if not is_down:
            return self._held.pop(key)._replace(is_down=False)
        self._held[key] = Press(True, key, key[2], is_fresh)
        return self._held[key]
