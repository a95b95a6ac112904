"""What a setting's annotation says about it, and the loop that checks every setting by it.

gamma: Annotated[float, Range(0, 1), Only("agent", ("ppo", "dqn"))] = 0.99
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

Rule = TypeVar("Rule")


@dataclass(frozen=True)
class Range:
    """Finite numbers from ``least`` to ``most``; ``above`` and ``below`` exclude these two themselves."""

    least: float
    most: float = math.inf
    above: bool = False
    below: bool = False

    def holds(self, value: float) -> bool:
        """False also for NaN and infinity."""
        high_enough = value > self.least if self.above else value >= self.least
        low_enough = value < self.most if self.below else value <= self.most
        return -math.inf < value < math.inf and high_enough and low_enough

    def __str__(self) -> str:
        low = f"more than {self.least}" if self.above else f"{self.least} or more"
        return low if self.most == math.inf else f"{low}, {'less than' if self.below else 'at most'} {self.most}"


@dataclass(frozen=True)
class Only:
    """The setting applies only where another one has one of these values; elsewhere it must keep its default."""

    setting: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Needs:
    """The setting applies only where another one is above 0; elsewhere it must keep its default."""

    setting: str


@dataclass(frozen=True)
class With:
    """Where the switch ``setting`` is on, the value must be one of these."""

    setting: str
    values: tuple[object, ...]


@dataclass(frozen=True)
class IfNone:
    """What None stands for, given the settings."""

    value: Callable[[Any], Any]


@dataclass(frozen=True)
class Unrecorded:
    """config.json leaves the setting out: it changes no row."""


KINDS: dict[type, tuple[type, str]] = {
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    str: (str, "text"),
    bool: (bool, "True, False"),
    Path: (Path, "a Path"),
    NoneType: (NoneType, "None"),
}


@cache
def annotations(kind: type) -> dict[str, tuple[Any, tuple[object, ...]]]:
    """The plain type and the rules of every field of a dataclass."""
    return {field.name: split(field.type) for field in fields(kind)}


def split(annotation: Any) -> tuple[Any, tuple[object, ...]]:
    if get_origin(annotation) is Annotated:
        plain, *rules = get_args(annotation)
        return plain, tuple(rules)
    return annotation, ()


def rules_of(settings: Any, name: str, kind: type[Rule]) -> list[Rule]:
    """A field's rules of one kind."""
    return [rule for rule in annotations(type(settings))[name][1] if isinstance(rule, kind)]


def value_of(settings: Any, name: str) -> Any:
    """A setting's value; where it is None, what that stands for."""
    value = getattr(settings, name)
    if value is None:
        for rule in rules_of(settings, name, IfNone):
            return rule.value(settings)
    return value


def applies(settings: Any, rule: Only) -> bool:
    return getattr(settings, rule.setting) in rule.values


def check(settings: Any) -> None:
    """Checks each setting by itself, then against the others.

    Raises ValueError: one line that names the setting, its value, and what was expected.
    """
    for name, (plain, _) in annotations(type(settings)).items():
        check_kind(name, getattr(settings, name), plain)
        for allowed in rules_of(settings, name, Range):
            check_range(name, value_of(settings, name), allowed)
    for name, (_, rules) in annotations(type(settings)).items():
        for rule in rules:
            check_rule(settings, name, rule)


def check_kind(name: str, value: object, plain: Any) -> None:
    if get_origin(plain) is Literal:
        words = get_args(plain)
        if value not in words:
            raise ValueError(f"{name} is {value!r}: expected one of {', '.join(words)}")
        return
    kinds = get_args(plain) if isinstance(plain, UnionType) else (plain,)
    is_bool = isinstance(value, bool)  # Python counts it as a whole number
    if not any(isinstance(value, KINDS[kind][0]) and is_bool == (kind is bool) for kind in kinds):
        raise ValueError(f"{name} is {value!r}: expected {alternatives(KINDS[kind][1] for kind in kinds)}")


def check_range(name: str, value: float | None, allowed: Range) -> None:
    if value is not None and not allowed.holds(value):
        finite = "" if -math.inf < value < math.inf else "a finite number, "
        raise ValueError(f"{name} is {value}: expected {finite}{allowed}")


def check_rule(settings: Any, name: str, rule: object) -> None:
    match rule:
        case Only(setting, values) if not applies(settings, rule):
            expect_default(settings, name, f"only to {setting} {alternatives(values)}")
        case Needs(setting) if not value_of(settings, setting):
            expect_default(settings, name, f"only with {setting} above 0")
        case With(setting, values) if getattr(settings, setting) and getattr(settings, name) not in values:
            raise ValueError(f"{name} is {getattr(settings, name)}: expected {alternatives(values)} with {setting}")


def expect_default(settings: Any, name: str, where: str) -> None:
    value, default = getattr(settings, name), getattr(type(settings), name)
    if value != default:
        raise ValueError(f"{name} is {value}: expected {default}, the default, because it applies {where}")


def alternatives(values: Iterable[object]) -> str:
    """``a, b or c``."""
    words = ", ".join(map(str, values))
    return " or ".join(words.rsplit(", ", 1))


class IntoFolder:
    """Settings of something that is learned into a folder: a dataclass with the field ``out``.

    Raises ValueError, one line, for a value out of range.
    """

    def __post_init__(self) -> None:
        check(self)

    @property
    def folder(self) -> Path:
        return value_of(self, "out")

    def config(self) -> dict[str, Any]:
        """Every setting that can change what is learned, or a row."""
        names = annotations(type(self))
        return {name: getattr(self, name) for name in names if not rules_of(self, name, Unrecorded)}
