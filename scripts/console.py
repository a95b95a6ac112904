"""Where commands print: what they print is meant as it is, and every console can print it."""

import codecs
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def plain_console() -> "Console":
    """A console that prints brackets and colons as they are: paths and answers hold them."""
    from rich.console import Console  # a twentieth of a second

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Plain(markup=False, emoji=False, highlight=False)


def print_left_out(console: "Console", problems: Iterable[str]) -> None:
    for problem in problems:
        console.print(f"left out  {problem}", soft_wrap=True)


def printable(error: UnicodeError) -> tuple[bytes | str, int]:
    """What a console can't print is spelled out; bytes of a name that is no text stay as they are."""
    assert isinstance(error, UnicodeEncodeError)
    character = error.object[error.start]
    if "\udc80" <= character <= "\udcff":
        return bytes([ord(character) - 0xDC00]), error.start + 1
    return character.encode("unicode_escape").decode(), error.start + 1


codecs.register_error(printable.__name__, printable)


def told(error: Exception) -> str:
    """In one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(str(error).splitlines()) or type(error).__name__
