"""Gamepads that SDL itself makes up: what is done to them comes through the real queue of events.

``python -m tests.support.pads FIFO STUDY`` is ``priorlab participate STUDY`` with such gamepads, moved by the
lines that come through the fifo: ``plug NAME``, and NAME, a method and its arguments, such as ``First button 0 1``.
"""

import ctypes
import re
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import pygame
import pytest

MAPS = Path("/proc/self/maps")  # names the SDL that pygame has loaded
KNOWN, UNKNOWN = 1, 0  # SDL's types of joysticks: whether SDL knows what its buttons are
needs_virtual_pads = pytest.mark.skipif(not MAPS.exists(), reason="where SDL was loaded from is not known here")


class Description(ctypes.Structure):
    """SDL_VirtualJoystickDesc."""

    _fields_ = [
        ("version", ctypes.c_uint16), ("type", ctypes.c_uint16), ("axes", ctypes.c_uint16),
        ("buttons", ctypes.c_uint16), ("hats", ctypes.c_uint16), ("vendor", ctypes.c_uint16),
        ("product", ctypes.c_uint16), ("padding", ctypes.c_uint16),
        ("button_mask", ctypes.c_uint32), ("axis_mask", ctypes.c_uint32), ("name", ctypes.c_char_p),
        ("userdata", ctypes.c_void_p), ("callbacks", ctypes.c_void_p * 6),
    ]  # fmt: skip


def sdl() -> ctypes.CDLL:
    found = re.search(r"\S*libSDL2-2\S*", MAPS.read_text(encoding="utf-8"))
    assert found, "pygame has loaded no SDL"
    library, pad, number = ctypes.CDLL(found[0]), ctypes.c_void_p, ctypes.c_int
    library.SDL_JoystickFromInstanceID.restype = library.SDL_JoystickOpen.restype = pad
    library.SDL_JoystickSetVirtualButton.argtypes = [pad, number, ctypes.c_uint8]
    library.SDL_JoystickSetVirtualAxis.argtypes = [pad, number, ctypes.c_int16]
    library.SDL_JoystickSetVirtualHat.argtypes = [pad, number, ctypes.c_uint8]
    return library


class VirtualPad:
    """One such gamepad, plugged in where it is made. Between two changes of one part somebody must take its events."""

    plugged: list[Self] = []

    def __init__(self, name: str, type: int = KNOWN, axes: int = 6, buttons: int = 15, hats: int = 0):
        self._sdl = sdl()
        about = Description(1, type, axes, buttons, hats, name=name.encode())
        index = self._sdl.SDL_JoystickAttachVirtualEx(ctypes.byref(about))
        assert index >= 0, pygame.get_error()
        self.number = self._sdl.SDL_JoystickGetDeviceInstanceID(index)
        self._pad = self._sdl.SDL_JoystickOpen(index)
        self.plugged.append(self)

    def button(self, number: int, down: bool = True) -> None:
        assert self._sdl.SDL_JoystickSetVirtualButton(self._pad, number, down) == 0

    def axis(self, number: int, value: float) -> None:
        assert self._sdl.SDL_JoystickSetVirtualAxis(self._pad, number, round(value * 32767)) == 0

    def hat(self, number: int, value: int) -> None:
        """1 up, 2 right, 4 down, 8 left, and their sums."""
        assert self._sdl.SDL_JoystickSetVirtualHat(self._pad, number, value) == 0

    def unplug(self) -> None:
        self.plugged.remove(self)
        numbers = map(self._sdl.SDL_JoystickGetDeviceInstanceID, range(self._sdl.SDL_NumJoysticks()))
        assert self._sdl.SDL_JoystickDetachVirtual([*numbers].index(self.number)) == 0


def teach(parts: Iterable[str]) -> None:
    """SDL knows from now on what the parts of the only gamepad are, such as ``a:b0``."""
    guid = pygame.joystick.Joystick(0).get_guid()
    line = ",".join([guid, "taught", *parts, "platform:Linux,"])
    assert sdl().SDL_GameControllerAddMapping(line.encode()) >= 0


def move(fifo: Path) -> None:
    """Does what the lines say, until whoever writes them is done."""
    pads: dict[str, VirtualPad] = {}
    with fifo.open() as lines:
        for name, *words in map(str.split, lines):
            if name == "plug":
                pads[words[0]] = VirtualPad(words[0])
            else:
                getattr(pads[name], words[0])(*map(int, words[1:]))


if __name__ == "__main__":
    from priorlab.scripts.commands.participate import main

    pygame.joystick.init()
    threading.Thread(target=move, args=[Path(sys.argv[1])], daemon=True).start()
    windowed, slow = ("--windowed" in sys.argv), ("--allow-slow-screen" in sys.argv)
    main(Path(sys.argv[2]), windowed=windowed, allow_slow_screen=slow)
