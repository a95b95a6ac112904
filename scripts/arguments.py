"""Reads a command line with tyro; a mistake in it becomes one line."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import is_dataclass
from functools import partial, wraps
from inspect import Parameter, Signature, signature
from io import StringIO
from itertools import takewhile
from types import NoneType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import tyro
from docstring_parser import parse_from_object

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
        return tyro.cli(described(command), prog=prog, args=list(arguments))
    printed = StringIO()
    try:
        with redirect_stderr(printed), columns(WIDE):
            call: Any = tyro.cli(bind, prog=prog, args=list(arguments))
    except SystemExit:
        raise ValueError(f"{reason_in(printed.getvalue())}; {prog} --help lists the settings") from None
    check_values(call.args, call.keywords, arguments)
    return call


def described(command: Callable[..., Any]) -> Callable[..., Any]:
    """A function with the command's settings, for --help: a default that the text states is not printed again, None is
    not printed at all, and a text that takes several lines in the code is one paragraph."""

    def settings(**_: Any) -> Any: ...

    parameters = list(settings_of(command))
    settings.__signature__ = Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
    settings.__annotations__ = {each.name: each.annotation for each in parameters}
    settings.__doc__ = (command.__doc__ or "").partition("Args:")[0]
    return settings


def settings_of(owner: Any) -> Iterator[Parameter]:
    """The settings of a command or a dataclass, with their help; a dataclass among them stands for its own."""
    plain, hints = get_type_hints(owner), get_type_hints(owner, include_extras=True)
    texts = {each.arg_name: " ".join((each.description or "").split()) for each in parse_from_object(owner).params}
    for name, each in signature(owner).parameters.items():
        if is_dataclass(plain[name]):
            yield from settings_of(plain[name])
        else:
            yield each.replace(kind=each.KEYWORD_ONLY, annotation=described_type(hints[name], texts.get(name, "")))


def described_type(hint: Any, text: str) -> Any:
    """A setting's type with its help; ``int | None`` is shown as INT."""

    def default(value: str) -> str:
        return "" if "(default: " in text or value in ("", "''", "None") else f"(default: {value})"

    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    shown = None
    if NoneType in get_args(plain):
        [kind] = [each for each in get_args(plain) if each is not NoneType]
        choices = (True, False) if kind is bool else get_args(kind)
        if get_origin(kind) is tuple:
            shown = " ".join(str(getattr(each, "__name__", each)).upper() for each in choices)
        else:
            shown = f"{{{','.join(map(str, choices))}}}" if choices else kind.__name__.upper()
    return Annotated[hint, tyro.conf.arg(help=text, metavar=shown, help_behavior_hint=default)]


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
