"""What the parts of a gamepad mean, at a window and in browsers. Needs no window.

Parts go by SDL's names. Inputs are those of our games, by number; in Atari games JUMP is the button
(``keys.AtariKeys``).
"""

from collections.abc import Sequence
from typing import Any

from priorlab.envs.game.rules import DOWN, JUMP, LEFT, NONE, RIGHT, UP

ON, OFF = 0.5, 0.35  # how far a stick or trigger must move to count as pressed, and to be released
SETTLE_SECONDS = 0.25  # after it was connected, in which a gamepad reports what was held before
AXES = ("leftx", "lefty", "rightx", "righty", "lefttrigger", "righttrigger")  # in the order of SDL's numbers
BUTTON_INPUTS = {"dpup": UP, "dpdown": DOWN, "dpleft": LEFT, "dpright": RIGHT} | dict.fromkeys(
    ("a", "b", "x", "y", "leftshoulder", "rightshoulder", "paddle1", "paddle2", "paddle3", "paddle4"), JUMP
)  # the others (back, guide, the buttons under the sticks, ...) are pressed by mistake, or belong to the system
AXIS_INPUTS = {  # (input, direction of the axis)
    "leftx": ((LEFT, -1), (RIGHT, 1)), "lefty": ((UP, -1), (DOWN, 1)),
    "lefttrigger": ((JUMP, 1),), "righttrigger": ((JUMP, 1),),
}  # fmt: skip
PAUSES = "start"
# On most gamepads whose parts nobody knows, the first buttons are the face and shoulder buttons, and later ones back
# and start. If there is no hat but many buttons, some of them are the D-pad, in SDL's order. The first two axes are the
# left stick.
FIRST_BUTTONS, MANY_BUTTONS = 6, 15
D_PAD = {11: UP, 12: DOWN, 13: LEFT, 14: RIGHT}
STICK = AXES[:2]
# SDL's names for what browsers number if they know a gamepad (W3C, Gamepad, "standard" mapping): buttons, two of which
# are triggers, and axes.
STANDARD_BUTTONS = (
    "a", "b", "x", "y", "leftshoulder", "rightshoulder", "lefttrigger", "righttrigger", "back", "start", "leftstick",
    "rightstick", "dpup", "dpdown", "dpleft", "dpright", "guide",
)  # fmt: skip
STANDARD_AXES = AXES[:4]
MOST_BUTTONS = 32  # that a browser is asked for: Chromium tells of no more


def unknown_input(button: int, has_d_pad: bool) -> int:
    """The input of a button, by its number, of a gamepad whose parts nobody knows; ``has_d_pad``: among its buttons."""
    if has_d_pad and button in D_PAD:
        return D_PAD[button]
    return JUMP if button < FIRST_BUTTONS else NONE


def leans(part: str) -> bool:
    """Whether that part can be held without a hand: a stick may drift, or lie on its side."""
    return part in AXES or part.startswith("axis")


def reading() -> dict[str, Any]:
    """All this as data, for a program without SDL; docs/description-reference.md explains each entry."""
    numbered = [f"button {number}" for number in range(MOST_BUTTONS)]
    known = [*STANDARD_BUTTONS, *numbered[len(STANDARD_BUTTONS) :]]
    standard = [*map(known_button, known, range(MOST_BUTTONS)), *axis_parts(STANDARD_AXES, STANDARD_AXES)]
    stick = axis_parts(("axis 0", "axis 1"), STICK)
    unknown = [
        (least, [*(part(name, unknown_input(at, least > 0), button=at) for at, name in enumerate(numbered)), *stick])
        for least in (MANY_BUTTONS, 0)
    ]
    return {
        "on": ON, "off": OFF, "settle_seconds": SETTLE_SECONDS,
        "layouts": [
            {"mapping": "standard", "least_buttons": 0, "parts": standard},
            *({"mapping": "", "least_buttons": least, "parts": parts} for least, parts in unknown),
        ],
    }  # fmt: skip


def known_button(name: str, number: int) -> dict[str, Any]:
    ((input, _),) = AXIS_INPUTS.get(name) or ((BUTTON_INPUTS.get(name, NONE), 1),)
    return part(name, input, button=number)


def axis_parts(names: Sequence[str], meant: Sequence[str]) -> list[dict[str, Any]]:
    """The ways of axes 0, 1, ..., which are called ``names`` and mean what SDL's axes ``meant`` do."""
    return [
        part(name, input, axis=number, sign=sign)
        for number, (name, axis) in enumerate(zip(names, meant, strict=True))
        for input, sign in AXIS_INPUTS.get(axis, ())
    ]


def part(name: str, input: int, **where: int) -> dict[str, Any]:
    return {"name": name, "input": input, "leans": leans(name), "pauses": name == PAUSES, **where}
