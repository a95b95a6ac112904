"""Reads a command line with tyro; a mistake in it becomes one line."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from functools import partial, wraps
from io import StringIO
from itertools import takewhile
from typing import Any

import tyro

from priorlab.scripts.checks import check_values

WIDE = "100000"  # columns, so that tyro breaks no line


def parse_call(command: Callable[..., Any], prog: str, arguments: Sequence[str]) -> Callable[[], Any]:
    """Returns the command bound to its arguments, to be called later.

    Raises ValueError, in one line, for arguments that are wrong.
    """

    @wraps(command)
    def bind(*values: Any, **named: Any) -> Callable[[], Any]:
        return partial(command, *values, **named)

    for before, word in zip(["", *arguments], arguments):
        if not word or re.fullmatch(r"--[\w-]+=", word):
            raise ValueError(f"{word.rstrip('=') or before or 'an argument'} is empty: expected a value")
    if {"-h", "--help"} & {*arguments}:
        return tyro.cli(bind, prog=prog, args=list(arguments))
    printed = StringIO()
    try:
        with redirect_stderr(printed), columns(WIDE):
            call: Any = tyro.cli(bind, prog=prog, args=list(arguments))
    except SystemExit:
        raise ValueError(f"{reason_in(printed.getvalue())}; {prog} --help lists the settings") from None
    check_values(call.args, call.keywords, arguments)
    return call


@contextmanager
def columns(number: str) -> Iterator[None]:
    """Sets the width of the console for code that asks the environment for it."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = number
    try:
        yield
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before


def reason_in(framed: str) -> str:
    """Takes the reason out of tyro's frame, which holds a heading, the reason, a rule and help."""
    lines = [line.strip("│╭╮╰╯ ") for line in framed.splitlines() if line.strip()]
    body = lines[1:] if lines[1].strip("─-") else lines[2:]  # in ASCII, a rule is below the heading
    return " ".join(takewhile(lambda line: line.strip("─-"), body)).rstrip(".")
