"""What numbers the commands accept; ValueError, one line, for others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from math import isfinite, isnan
from pathlib import Path
from typing import Any


def check_positive(**values: float) -> None:
    """That each is a finite number above 0."""
    for name, value in values.items():
        if not (isfinite(value) and value > 0):
            raise ValueError(f"{name} is {value:g}: expected a finite number, more than 0")


def check_counts(**values: int) -> None:
    """That each is 1 or more."""
    for name, value in values.items():
        if value < 1:
            raise ValueError(f"{name} is {value}: expected 1 or more")


def check_some(**values: Iterable) -> None:
    """That no list is empty."""
    for name, value in values.items():
        if not value:
            raise ValueError(f"{name}: none is named: expected one or more")


def check_png(path: Path) -> None:
    """That a picture can be written under that name."""
    if path.suffix.lower() != ".png" or path.is_dir():
        raise ValueError(f"{path}: expected the name of a file that ends in .png")


def check_given(values: Iterable[Any], named: Mapping[str, Any], words: Sequence[str]) -> None:
    """ValueError for a number that is none, a seed below 0, and an option of several values that was given none, in
    settings of settings, too."""
    for name, value in [*(("a number", each) for each in values), *named.items()]:
        if is_dataclass(value) and not isinstance(value, type):
            check_given((), {field.name: getattr(value, field.name) for field in fields(value)}, words)
        elif isinstance(value, float) and isnan(value):
            raise ValueError(f"{name} is nan: expected a number")
        elif isinstance(value, int) and name.split("_")[-1] == "seed" and value < 0:
            raise ValueError(f"{name} is {value}: expected 0 or more")
        elif value == () and f"--{name.replace('_', '-')}" in words:
            raise ValueError(f"{name}: none is named: expected one or more")
