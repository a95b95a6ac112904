"""Which keys and gamepads give which input: the default keys, those a participant chose, and what keys are called.

Inputs are those of our games, by number; in Atari games JUMP is the button (``keys.AtariKeys``).
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import pygame
from pygame._sdl2 import controller

from priorlab.envs.game.rules import DOWN, LEFT, NONE, RIGHT, UP
from priorlab.human_study.protocol.codes import KEYMAP
from priorlab.human_study.protocol.codes import RESERVED as RESERVED_NAMES
from priorlab.human_study.protocol.keys import INPUT_NUMBERS
from priorlab.human_study.protocol.pads import (
    AXES,
    AXIS_INPUTS,
    BUTTON_INPUTS,
    MANY_BUTTONS,
    OFF,
    ON,
    PAUSES,
    SETTLE_SECONDS,
    leans,
    unknown_input,
)

RESERVED_KEYS = {  # by the names that a browser has for their places; P is wherever the keyboard has it
    "Escape": pygame.K_ESCAPE, "F11": pygame.K_F11, "KeyP": pygame.K_p, "Enter": pygame.K_RETURN,
    "NumpadEnter": pygame.K_KP_ENTER, "Tab": pygame.K_TAB, "Backspace": pygame.K_BACKSPACE,
}  # fmt: skip
RESERVED = tuple(RESERVED_KEYS[name] for name in RESERVED_NAMES)
ARROWS = {pygame.KSCAN_LEFT: "←", pygame.KSCAN_RIGHT: "→", pygame.KSCAN_UP: "↑", pygame.KSCAN_DOWN: "↓"}
WORDS = {  # keys whose names are in the texts
    pygame.KSCAN_SPACE: "space", pygame.KSCAN_RETURN: "return", pygame.KSCAN_TAB: "tab",
    pygame.KSCAN_BACKSPACE: "backspace", pygame.KSCAN_LSHIFT: "shift", pygame.KSCAN_RSHIFT: "shift",
    pygame.KSCAN_LCTRL: "control", pygame.KSCAN_RCTRL: "control", pygame.KSCAN_LALT: "alt", pygame.KSCAN_RALT: "alt",
}  # fmt: skip
PRINTED = [*range(33, 127), *range(0xA1, 0x180), *range(0x370, 0x590), *range(0x5D0, 0x5EB), *range(0x620, 0x64B)]
KEYPAD = {pygame.KSCAN_KP_0: "0", pygame.KSCAN_KP_ENTER: "Enter"} | {
    pygame.KSCAN_KP_1 + number: str(number + 1) for number in range(9)
}
SCANCODES = 512

PARTS = (  # SDL's names for the buttons of a gamepad that it knows, in the order of SDL's numbers
    "a", "b", "x", "y", "back", "guide", "start", "leftstick", "rightstick", "leftshoulder", "rightshoulder", "dpup",
    "dpdown", "dpleft", "dpright", "misc1", "paddle1", "paddle2", "paddle3", "paddle4", "touchpad",
)  # fmt: skip
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
        """From the event ``controls`` of a log."""
        return Controls({int(code): number for code, number in event["keys"].items()}, event["chosen"])

    def about(self) -> dict[str, Any]:
        """The event for the log."""
        return {"keys": {str(code): number for code, number in self.keys.items()}, "chosen": self.chosen}

    def codes(self, number: int) -> list[int]:
        """The scancodes of the keys that give that input."""
        return [code for code, given in self.keys.items() if given == number]


DEFAULT = Controls(KEYMAP)


def key_names(controls: Controls, texts: Callable[..., str]) -> dict[str, list[str]]:
    """What the keys of each input are called."""
    return {name: [key_name(code, texts) for code in controls.codes(number)] for name, number in INPUT_NUMBERS.items()}


def key_name(code: int, texts: Callable[..., str]) -> str:
    """What the key with that scancode is called: what this keyboard's layout prints on it, or a word of the texts."""
    if code in ARROWS:
        return ARROWS[code]
    if code in WORDS:
        return texts(f"keys.{WORDS[code]}")
    if code in KEYPAD:
        return texts("keys.keypad", key=KEYPAD[code])
    # SDL knows the key of a character, but not the character of a key: this asks for each character a key can have
    here = pygame.key.ScancodeWrapper(tuple(number == code for number in range(SCANCODES)))
    printed = next((character for character in PRINTED if here[character]), None)
    return chr(printed).upper() if printed else texts("keys.button", number=code)


class Press(NamedTuple):
    """A button, stick or trigger of a gamepad was pressed or released."""

    is_down: bool
    key: tuple[int, str, int]  # (number of the gamepad, part of it, input), which identifies it
    input: int  # NONE if that part has no input
    is_fresh: bool = True  # False if it was already held when the gamepad was connected

    @property
    def name(self) -> str:
        """For the log."""
        return f"pad {self.key[0]}, {self.key[1]}"

    @property
    def pauses(self) -> bool:
        return self.key[1] == PAUSES


class Connection(NamedTuple):
    """A gamepad was connected or disconnected; ``about`` describes it for the log."""

    what: str
    about: dict[str, Any]


class Gamepad:
    """One gamepad. If SDL knows its buttons and axes, it is read as SDL says; if not, by the rule for unknown ones."""

    def __init__(self, joystick: pygame.joystick.JoystickType):
        self.number, self.joystick, self.since = joystick.get_instance_id(), joystick, time.perf_counter()
        try:
            self.known = controller.Controller.from_joystick(joystick)
        except pygame.error:  # SDL does not know it
            self.known = None
        # parts that SDL knows, as it writes them: b6 is a button; a0, -a0 and a0~ are an axis; h0.1 is a hat
        mapping = self.known.get_mapping().values() if self.known is not None else ()
        self._mapped = {part.strip("+-~").split(".")[0] for part in mapping}
        self.about = {
            "number": self.number, "name": joystick.get_name(), "guid": joystick.get_guid(),
            "known": self.known is not None, "axes": joystick.get_numaxes(), "buttons": joystick.get_numbuttons(),
            "hats": joystick.get_numhats(),
        }  # fmt: skip

    def parts(self, event: pygame.Event) -> list[tuple[str, int, float]]:
        """(part, input, how far it is pressed: 0 to 1) for all that an event of this gamepad reports."""
        if event.type in (pygame.CONTROLLERBUTTONDOWN, pygame.CONTROLLERBUTTONUP):
            name = PARTS[event.button] if event.button < len(PARTS) else f"part {event.button}"
            return [(name, BUTTON_INPUTS.get(name, NONE), event.type == pygame.CONTROLLERBUTTONDOWN)]
        if event.type == pygame.CONTROLLERAXISMOTION:
            name = AXES[event.axis] if event.axis < len(AXES) else ""
            return [(name, number, sign * event.value / 32767) for number, sign in AXIS_INPUTS.get(name, ())]
        if event.type in (pygame.JOYBUTTONDOWN, pygame.JOYBUTTONUP) and f"b{event.button}" not in self._mapped:
            return [(f"button {event.button}", self._button(event.button), event.type == pygame.JOYBUTTONDOWN)]
        if event.type == pygame.JOYHATMOTION and f"h{event.hat}" not in self._mapped:
            across, along = event.value
            ways = {LEFT: -across, RIGHT: across, UP: along, DOWN: -along}
            return [(f"hat {event.hat}", number, way) for number, way in ways.items()]
        if event.type == pygame.JOYAXISMOTION and event.axis < 2 and f"a{event.axis}" not in self._mapped:
            ways = AXIS_INPUTS[AXES[event.axis]]
            return [(f"axis {event.axis}", number, sign * event.value) for number, sign in ways]
        return []

    def _button(self, number: int) -> int:
        has_d_pad = not self.about["hats"] and self.about["buttons"] >= MANY_BUTTONS
        return unknown_input(number, has_d_pad)


class Gamepads:
    """All gamepads. They can be connected and disconnected at any time."""

    def __init__(self) -> None:
        with suppress(pygame.error):  # a system without gamepads
            pygame.joystick.init()
            controller.init()
        self._pads: dict[int, Gamepad] = {}
        self._held: dict[tuple[int, str, int], Press] = {}

    def close(self) -> None:
        self._pads.clear()
        controller.quit()
        pygame.joystick.quit()

    @property
    def count(self) -> int:
        return len(self._pads)

    def connected(self) -> list[Connection]:
        """The connected gamepads, as if each had just been connected."""
        return [Connection("connected", pad.about) for pad in self._pads.values()]

    def held(self) -> dict[tuple[int, str, int], int]:
        """The input of everything that is held."""
        return {key: press.input for key, press in self._held.items()}

    def leaning(self) -> list[tuple[int, str, int]]:
        """The sticks and triggers that are held, which needs no hand: a stick may drift."""
        return [key for key in self._held if leans(key[1])]

    def find(self) -> list[Connection]:
        """Opens the new gamepads. It looks at all: the index in an event may by now belong to another one."""
        before = set(self._pads)
        for index in range(pygame.joystick.get_count() if pygame.joystick.get_init() else 0):
            with suppress(pygame.error):  # already gone, or not readable by us
                joystick = pygame.joystick.Joystick(index)
                if joystick.get_instance_id() not in self._pads:
                    self._pads[joystick.get_instance_id()] = Gamepad(joystick)
        return [each for each in self.connected() if each.about["number"] not in before]

    def take(self, event: pygame.Event) -> tuple[list[Press], list[Connection]]:
        """What one of ``PAD_EVENTS`` means: presses and releases, and gamepads that come and go."""
        if event.type == pygame.JOYDEVICEADDED:
            return [], self.find()
        pad = self._pads.get(event.instance_id)
        if pad is None:
            return [], []
        if event.type == pygame.JOYDEVICEREMOVED:
            del self._pads[pad.number]
            held = [key for key in self._held if key[0] == pad.number]
            return [self._set(key, False) for key in held], [Connection("disconnected", pad.about)]
        presses, is_fresh = [], time.perf_counter() > pad.since + SETTLE_SECONDS
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
