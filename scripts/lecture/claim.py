"""A claim of the lecture as an experiment: its statement, its measurements, and the settings that can be changed.

Each claim is a module of ``claims`` with ``Settings``, a frozen dataclass of numbers and words whose ``Annotated``
types hold a help text and, for some, the largest and the smallest value; ``SMALL``, the settings of a quick run;
``measure(settings, seed)``, which yields rows; if more has to be checked, ``check(settings)``, which raises
ValueError; and, if rows of another command belong beside its own, ``beside()``. Its texts, figures and answers are in
the TOML file of the same name.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple, get_args, get_type_hints

import numpy as np

CHANCE = "chance"  # the line for guessing
LEAST = "least"  # the smallest x of a line


class Row(NamedTuple):
    """One number of one seed: the value of a line of a figure at x."""

    figure: str
    line: str
    x: float
    value: float


@dataclass(frozen=True)
class Figure:
    """lines: colours by name; ticks: names of the x if they are categories, which no line joins; log_y: a log scale, on
    which values are also averaged; percent: whether values are shares."""

    name: str
    title: str
    x: str
    y: str
    lines: Mapping[str, str]
    ticks: tuple[str, ...] = ()
    log_x: bool = False
    log_y: bool = False
    percent: bool = True


@dataclass(frozen=True)
class Answer:
    """Whether ``higher`` is above ``lower``, each a line of the figure and an x: a number, LEAST, or by default the
    largest."""

    says: str
    figure: str
    higher: tuple[Any, ...]
    lower: tuple[Any, ...]


class Beside(NamedTuple):
    """A number from rows of another command: what it is of, its value for each of n seeds, float (n,), and a note."""

    what: str
    values: np.ndarray
    note: str


class Knob(NamedTuple):
    """A setting that can be changed. kind: int, float, or words; most, least: its largest and smallest value, if any;
    numbers are always above 0."""

    name: str
    default: Any
    help: str
    kind: Any
    most: float | None = None
    least: float | None = None


@dataclass(frozen=True)
class Claim:
    """published: what, how much, its source, and its grade (``scripts/analysis/published.toml``), if it has one;
    ``beside``: numbers from rows of another command, as they are when the page is written."""

    name: str
    title: str
    lecture: str
    how: str
    figures: tuple[Figure, ...]
    answers: tuple[Answer, ...]
    settings: Any  # the dataclass
    small: Mapping[str, Any]
    measure: Callable[[Any, int], Iterable[Row]]
    check: Callable[[Any], object]
    published: tuple[tuple[str, str, str, str], ...] = ()
    beside: Callable[[], Sequence[Beside]] = tuple

    def plain(self, small: bool = False) -> dict[str, Any]:
        """The settings by name, unchanged."""
        return {**asdict(self.settings()), **(self.small if small else {})}

    def changed(self, change: str, small: bool = False) -> Any:
        """The settings with a change such as ``shots=5,ways=20``. ValueError for an unknown name or a bad value."""
        values, knobs = self.plain(small), {knob.name: knob for knob in self.knobs()}
        for part in filter(None, change.split(",")):
            name, _, text = (word.strip() for word in part.partition("="))
            if name not in knobs:
                raise ValueError(f"{self.name}: change {part!r}: expected name=value, name one of {', '.join(knobs)}")
            values[name] = self.read(knobs[name], text)
        settings = self.settings(**values)
        self.check(settings)
        return settings

    def read(self, knob: Knob, text: str) -> Any:
        """The value of a setting from a text."""
        words = get_args(knob.kind)  # for a Literal
        if words:
            if text not in words:
                raise ValueError(f"{self.name}: {knob.name} must be one of {', '.join(words)}, got {text!r}")
            return text
        try:
            value = knob.kind(text)
        except ValueError:
            kind = "a whole number" if knob.kind is int else "a number"
            raise ValueError(f"{self.name}: {knob.name} must be {kind}, got {text!r}") from None
        if not (knob.least or 0) <= value <= (knob.most or float("inf")) or value in (0, float("inf")):
            least = f"at least {knob.least:g}" if knob.least else "above 0"
            most = f" and at most {knob.most:g}" if knob.most else ""
            raise ValueError(f"{self.name}: {knob.name} must be {least}{most}, got {text}")
        return value

    def normal_form(self, change: str, small: bool = False) -> str:
        """What a change really changes, in the order of the settings; empty: nothing."""
        plain, now = self.plain(small), asdict(self.changed(change, small))
        return ",".join(f"{name}={value}" for name, value in now.items() if value != plain[name])

    def knobs(self) -> list[Knob]:
        """The settings that can be changed."""
        hints = get_type_hints(self.settings, include_extras=True)
        knobs = []
        for each in fields(self.settings):
            kind, help, *bounds = get_args(hints[each.name])
            knobs.append(Knob(each.name, each.default, help, kind, *bounds))
        return knobs
