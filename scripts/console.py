"""The console of the commands: it prints text literally, and can print any character."""

import codecs
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def plain_console() -> "Console":
    """A console that prints brackets and colons literally: paths and answers contain them."""
    from rich.console import Console  # takes a twentieth of a second

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Plain(markup=False, emoji=False, highlight=False)


def print_left_out(console: "Console", problems: Iterable[str]) -> None:
    for problem in problems:
        console.print(f"left out  {problem}", soft_wrap=True)


def printable(error: UnicodeError) -> tuple[bytes | str, int]:
    """Escapes a character that the console can't print; passes on bytes of file names that are not text."""
    assert isinstance(error, UnicodeEncodeError)
    character = error.object[error.start]
    if "\udc80" <= character <= "\udcff":
        return bytes([ord(character) - 0xDC00]), error.start + 1
    return character.encode("unicode_escape").decode(), error.start + 1


codecs.register_error(printable.__name__, printable)


def error_line(error: Exception) -> str:
    """The error's message in one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(str(error).splitlines()) or type(error).__name__
