"""The words of a command line, read by tyro; what is wrong with them is said in one line."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from functools import partial, wraps
from io import StringIO
from itertools import takewhile
from typing import Any

import tyro

from priorlab.scripts.checks import check_given

WIDE = "100000"  # columns, in which tyro breaks no line


def called(command: Callable[..., Any], prog: str, words: Sequence[str]) -> Callable[[], Any]:
    """The call that the words ask for, not made yet. ValueError, in one line, for words that ask for none."""

    @wraps(command)
    def later(*values: Any, **named: Any) -> Callable[[], Any]:
        return partial(command, *values, **named)

    for before, word in zip(["", *words], words):
        if not word or re.fullmatch(r"--[\w-]+=", word):
            raise ValueError(f"{word.rstrip('=') or before or 'an argument'} is empty: expected a value")
    if {"-h", "--help"} & {*words}:
        return tyro.cli(later, prog=prog, args=list(words))
    printed = StringIO()
    try:
        with redirect_stderr(printed), columns(WIDE):
            call: Any = tyro.cli(later, prog=prog, args=list(words))
    except SystemExit:
        raise ValueError(f"{first_words(printed.getvalue())}; {prog} --help lists what there is") from None
    check_given(call.args, call.keywords, words)
    return call


@contextmanager
def columns(number: str) -> Iterator[None]:
    """Whatever asks how wide the console is is told so."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = number
    try:
        yield
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before


def first_words(framed: str) -> str:
    """What tyro says about an error, of all that is in its frame: a heading, this, a rule, and help."""
    lines = [line.strip("│╭╮╰╯ ") for line in framed.splitlines() if line.strip()]
    body = lines[1:] if lines[1].strip("─-") else lines[2:]  # in ASCII, a rule is below the heading
    return " ".join(takewhile(lambda line: line.strip("─-"), body)).rstrip(".")
