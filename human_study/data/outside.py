"""JSON that comes from outside: a browser, or a file that somebody sent."""

import json
import math
from typing import Any

DEEPEST = 20  # levels of lists and objects within each other; what we write has fewer than ten


def parsed(text: bytes | str) -> Any:
    """The value. Raises ValueError for anything but JSON, for infinite numbers, and for what is nested deeper than any
    program of ours goes down."""
    try:
        value = json.loads(text, parse_constant=not_a_number, parse_float=finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if is_deep(value, DEEPEST):
        raise ValueError("nested too deeply")
    return value


def not_a_number(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


def finite(text: str) -> float:
    """That number; 1e999 is none."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is too large")
    return number


def is_deep(value: Any, levels: int) -> bool:
    """Whether lists and objects go further down than that."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(levels == 1 or is_deep(each, levels - 1) for each in inner if isinstance(each, list | dict))
