"""Settings given by keyword: their defaults, names that do not exist, and values that can't be."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np


def complete(given: Mapping[str, Any], defaults: Mapping[str, Any], others: Iterable[str] = ()) -> dict[str, Any]:
    """The defaults with what is given put in. TypeError, one line, names a setting that does not exist and those that
    do, among them ``others``, which the caller takes by itself; it begins as Python's own, which clients look for."""
    for name in given:
        if name not in defaults:
            raise TypeError(f"unexpected keyword argument {name!r}: expected {', '.join([*others, *defaults])}")
    return {**defaults, **given}


def check_whole(name: str, value: object, least: int) -> None:
    """ValueError unless it is a whole number, and at least so large."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is {value!r}: expected a whole number, {least} or more")


def check_choice(name: str, value: object, choices: Collection[str]) -> None:
    """ValueError unless it is one of the choices."""
    if value not in choices:
        raise ValueError(f"{name} is {value!r}: expected one of {', '.join(choices)}")
