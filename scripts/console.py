"""Where commands print: what they print is meant as it is."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def plain_console() -> "Console":
    """A console that prints brackets and colons as they are: paths and answers hold them."""
    from rich.console import Console  # a twentieth of a second

    return Console(markup=False, emoji=False, highlight=False)


def print_left_out(console: "Console", problems: Iterable[str]) -> None:
    for problem in problems:
        console.print(f"left out  {problem}", soft_wrap=True)
