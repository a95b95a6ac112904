"""What a page consists of, from top to bottom. Whatever shows the page decides how each block looks."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Title:
    text: str


@dataclass(frozen=True)
class Text:
    text: str
    dim: bool = False


@dataclass(frozen=True)
class Choices:
    options: Sequence[str]
    chosen: int | None  # by number
    marked: Sequence[bool] | None = None  # by number, if several can be chosen: whether it is


@dataclass(frozen=True)
class Note:
    """What is wrong with an answer; one line is reserved for it."""

    text: str


@dataclass(frozen=True)
class Code:
    """Characters to be copied by hand."""

    text: str


@dataclass(frozen=True)
class Entry:
    """Text that is being typed."""

    text: str
    caret: int
    composing: str = ""  # what an input method holds, not yet part of the text
    active: bool = True
    lines: int = 1  # at least


@dataclass(frozen=True)
class Plate:
    """A plate of dots that shows a number; see ``plates``."""

    number: int
    cones: str


@dataclass(frozen=True)
class Caps:
    """Rows of (name, caps of the keys that do it, whether they light up because one of them is held)."""

    rows: Sequence[tuple[str, Sequence[str], bool]]


@dataclass(frozen=True)
class Commands:
    """Rows of (cap of a key, what it does on the page)."""

    rows: Sequence[tuple[str, str]]


Block = Title | Text | Choices | Note | Code | Entry | Plate | Caps | Commands
