"""Which keys and gamepads give which input: the map at first, the participant's own, and what keys are called.

Inputs are those of our games, by number; in Atari's games JUMP is the button (``keys.Stick``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pygame

from envs.rules import DOWN, JUMP, LEFT, RIGHT, UP

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
ON, OFF = 0.5, 0.35  # of a stick's way: where a direction begins, and where it ends again
CROSS = {11: UP, 12: DOWN, 13: LEFT, 14: RIGHT}  # buttons of pads whose cross is no hat, as SDL numbers them


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
    key: tuple[int, str, int]  # pad, part of it, input: tells it from everything else that can be held
    input: int
    name: str  # for the log


class Pads:
    """Gamepads, as many as there are, plugged in and out at any time: cross or stick for directions, buttons jump."""

    def __init__(self) -> None:
        pygame.joystick.init()
        self._pads: dict[int, pygame.joystick.JoystickType] = {}
        self._held: dict[tuple[int, str, int], Press] = {}

    def __len__(self) -> int:
        return len(self._pads)

    def held(self) -> dict[object, int]:
        """The input of everything that is held."""
        return {key: press.input for key, press in self._held.items()}

    def take(self, event: pygame.Event) -> list[Press]:
        """What an event of a gamepad means, nothing for any other event."""
        if event.type == pygame.JOYDEVICEADDED:
            pad = pygame.joystick.Joystick(event.device_index)
            self._pads[pad.get_instance_id()] = pad
        elif event.type == pygame.JOYDEVICEREMOVED:
            self._pads.pop(event.instance_id, None)
            return [self._set(key, False) for key in [*self._held] if key[0] == event.instance_id]
        elif event.type == pygame.JOYHATMOTION:
            across, along = event.value
            wanted = {LEFT: across < 0, RIGHT: across > 0, UP: along > 0, DOWN: along < 0}
            return self._change(event.instance_id, f"cross {event.hat}", wanted)
        elif event.type == pygame.JOYAXISMOTION and event.axis < 2:
            back, forth = ((LEFT, RIGHT), (UP, DOWN))[event.axis]
            name = f"stick {event.axis}"
            return self._change(event.instance_id, name, {
                number: sign * event.value > (OFF if (event.instance_id, name, number) in self._held else ON)
                for number, sign in ((back, -1), (forth, 1))
            })  # fmt: skip
        elif event.type in (pygame.JOYBUTTONDOWN, pygame.JOYBUTTONUP):
            pad = self._pads.get(event.instance_id)
            has_hat = pad is not None and pad.get_numhats() > 0
            number = JUMP if has_hat else CROSS.get(event.button, JUMP)
            wanted = {number: event.type == pygame.JOYBUTTONDOWN}
            return self._change(event.instance_id, f"button {event.button}", wanted)
        return []

    def _change(self, pad: int, name: str, wanted: Mapping[int, bool]) -> list[Press]:
        """What goes up, then what goes down, of one part of a pad."""
        changes = [(number, down) for number, down in wanted.items() if down != ((pad, name, number) in self._held)]
        return [self._set((pad, name, number), down) for number, down in sorted(changes, key=lambda change: change[1])]

    def _set(self, key: tuple[int, str, int], is_down: bool) -> Press:
        if not is_down:
            return self._held.pop(key)._replace(is_down=False)
        self._held[key] = Press(True, key, key[2], key[1])
        return self._held[key]
