"""Checks of the values that commands accept. Each raises ValueError with one line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from math import isfinite, isnan
from pathlib import Path
from typing import Any


def check_positive(**values: float) -> None:
    """Every value must be a finite number above 0."""
    for name, value in values.items():
        if not (isfinite(value) and value > 0):
            raise ValueError(f"{name} must be a finite number above 0, got {value:g}")


def check_counts(**values: int | None) -> None:
    """Every value must be at least 1, or None."""
    for name, value in values.items():
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")


def check_not_empty(**values: Iterable) -> None:
    """Every list must hold something."""
    for name, value in values.items():
        if not value:
            raise ValueError(f"{name} is empty: expected at least one value")


def check_png(path: Path) -> None:
    """The path must be that of a PNG file to write."""
    if path.suffix.lower() != ".png" or path.is_dir():
        raise ValueError(f"{path}: expected the name of a file that ends in .png")


def check_values(values: Iterable[Any], named: Mapping[str, Any], arguments: Sequence[str]) -> None:
    """No number may be NaN, no seed negative, and no option of several values empty; nested settings included."""
    for name, value in [*(("a number", each) for each in values), *named.items()]:
        if is_dataclass(value) and not isinstance(value, type):
            check_values((), {field.name: getattr(value, field.name) for field in fields(value)}, arguments)
        elif isinstance(value, float) and isnan(value):
            raise ValueError(f"{name} must be a number, got nan")
        elif isinstance(value, int) and name.split("_")[-1] == "seed" and value < 0:
            raise ValueError(f"{name} must be at least 0, got {value}")
        elif value == () and f"--{name.replace('_', '-')}" in arguments:
            raise ValueError(f"{name} is empty: expected at least one value")
