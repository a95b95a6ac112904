"""Keys by their place on the keyboard: their numbers, which logs hold, and their names in a browser."""

from string import ascii_uppercase

from priorlab.envs.game.rules import DOWN, JUMP, LEFT, RIGHT, UP


def numbered(first: int, names: str) -> dict[str, int]:
    return {name: first + number for number, name in enumerate(names.split())}


# KeyboardEvent.code (W3C, UI Events KeyboardEvent code Values) -> usage in USB's HID usage tables, page 7, which is
# also SDL's scancode.
CODES = {
    **{f"Key{letter}": 4 + number for number, letter in enumerate(ascii_uppercase)},
    **{f"Digit{(number + 1) % 10}": 30 + number for number in range(10)},
    **numbered(40, "Enter Escape Backspace Tab Space Minus Equal BracketLeft BracketRight Backslash"),
    **numbered(51, "Semicolon Quote Backquote Comma Period Slash CapsLock"),
    **{f"F{number + 1}": 58 + number for number in range(12)},
    **numbered(70, "PrintScreen ScrollLock Pause Insert Home PageUp Delete End PageDown"),
    **numbered(79, "ArrowRight ArrowLeft ArrowDown ArrowUp NumLock"),
    **numbered(84, "NumpadDivide NumpadMultiply NumpadSubtract NumpadAdd NumpadEnter"),
    **{f"Numpad{(number + 1) % 10}": 89 + number for number in range(10)},
    **numbered(99, "NumpadDecimal IntlBackslash ContextMenu"),
    **{f"F{number + 13}": 104 + number for number in range(12)},
    **numbered(135, "IntlRo KanaMode IntlYen Convert NonConvert"),
    **numbered(224, "ControlLeft ShiftLeft AltLeft MetaLeft ControlRight ShiftRight AltRight MetaRight"),
}
KEYMAP = {  # the default keys of the game: input by number of the key
    CODES["ArrowLeft"]: LEFT, CODES["ArrowRight"]: RIGHT, CODES["ArrowUp"]: UP, CODES["ArrowDown"]: DOWN,
    CODES["KeyA"]: LEFT, CODES["KeyD"]: RIGHT, CODES["KeyW"]: UP, CODES["KeyS"]: DOWN, CODES["Space"]: JUMP,
}  # fmt: skip
RESERVED = ("Escape", "F11", "KeyP", "Enter", "NumpadEnter", "Tab", "Backspace")  # can't be keys of the game
