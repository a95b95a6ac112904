"""A claim of the lecture as an experiment: what is said, what is measured, and what in it can be changed.

Each claim is a module of this folder, which has ``Settings``, a frozen dataclass of numbers and words whose help, and
of some the greatest value and the least, stand in their ``Annotated`` types; ``SMALL``, those for a glance;
``measure(settings, seed)``, which gives rows; and where there is more to check, ``check(settings)``, which raises
ValueError. Its texts, figures and answers stand beside it, in the TOML file of the same name.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints

CLAIMS = (  # in the lecture's order
    "inputs", "features", "neighbours", "matching", "fast", "fast_games", "low_shot", "looks", "spurious",
    "spurious_games", "curriculum", "drift", "compression", "capacity", "exploration",
)  # fmt: skip
CHANCE = "chance"  # the line of whoever guesses


class Row(NamedTuple):
    """One number of one seed: the value of a line of a figure at x."""

    figure: str
    line: str
    x: float
    value: float


@dataclass(frozen=True)
class Figure:
    """lines: colours by names; ticks: names of the x, where they are categories, which no line joins; log_y: a log
    scale, on which values are averaged, too; percent: whether values are shares."""

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
    """Whether ``higher`` is above ``lower``, each a line and an x of the figure (the largest x where it tells none)."""

    says: str
    figure: str
    higher: tuple[Any, ...]
    lower: tuple[Any, ...]


class Knob(NamedTuple):
    """A setting that can be changed. kind: int, float, or words; most, least: its greatest value and its least, if
    there are such; it is always more than 0."""

    name: str
    default: Any
    help: str
    kind: Any
    most: float | None = None
    least: float | None = None


@dataclass(frozen=True)
class Claim:
    """published: what, how much, where it stands, and its grade (``analysis/published.toml``), if it has one."""

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

    def plain(self, small: bool = False) -> dict[str, Any]:
        """The settings by name, unchanged."""
        return {**asdict(self.settings()), **(self.small if small else {})}

    def changed(self, change: str, small: bool = False) -> Any:
        """The settings, but for ``change``, such as ``shots=5,ways=20``. ValueError for what there is not."""
        values, knobs = self.plain(small), {knob.name: knob for knob in self.knobs()}
        for part in filter(None, change.split(",")):
            name, _, told = (word.strip() for word in part.partition("="))
            if name not in knobs:
                raise ValueError(f"{self.name}: change {part!r}: expected name=value, name one of {', '.join(knobs)}")
            values[name] = self.read(knobs[name], told)
        settings = self.settings(**values)
        self.check(settings)
        return settings

    def read(self, knob: Knob, told: str) -> Any:
        """The value of a setting from a text."""
        words = get_args(knob.kind)  # of a Literal
        if words:
            if told not in words:
                raise ValueError(f"{self.name}: {knob.name} is {told!r}: expected one of {', '.join(words)}")
            return told
        try:
            value = knob.kind(told)
        except ValueError:
            kind = "a whole number" if knob.kind is int else "a number"
            raise ValueError(f"{self.name}: {knob.name} is {told!r}: expected {kind}") from None
        if not (knob.least or 0) <= value <= (knob.most or float("inf")) or value in (0, float("inf")):
            least = f"{knob.least:g} or more" if knob.least else "more than 0"
            most = f", at most {knob.most:g}" if knob.most else ""
            raise ValueError(f"{self.name}: {knob.name} is {told}: expected {least}{most}")
        return value

    def told(self, change: str, small: bool = False) -> str:
        """The change in one form: what it really changes, in the order of the settings; empty: nothing."""
        plain, now = self.plain(small), asdict(self.changed(change, small))
        return ",".join(f"{name}={value}" for name, value in now.items() if value != plain[name])

    def knobs(self) -> list[Knob]:
        """What can be changed."""
        hints = get_type_hints(self.settings, include_extras=True)
        found = []
        for each in fields(self.settings):
            kind, help, *bounds = get_args(hints[each.name])
            found.append(Knob(each.name, each.default, help, kind, *bounds))
        return found


@cache
def find_claim(name: str) -> Claim:
    """ValueError for one that there is not."""
    if name not in CLAIMS:
        raise ValueError(f"unknown claim {name!r}: expected one of {', '.join(CLAIMS)}")
    module = import_module(f"{__package__}.claims.{name}")
    told = tomllib.loads(Path(__file__).parent.joinpath("claims", f"{name}.toml").read_text(encoding="utf-8"))
    figures = tuple(Figure(**{**each, "ticks": tuple(each.get("ticks", ()))}) for each in told.pop("figures"))
    answers = tuple(
        Answer(each["says"], each["figure"], tuple(each["higher"]), tuple(each["lower"]))
        for each in told.pop("answers")
    )
    published = tuple(
        (each["what"], each["value"], each["source"], each.get("grade", "")) for each in told.pop("published", ())
    )
    return Claim(
        name, **told, figures=figures, answers=answers, published=published, settings=module.Settings,
        small=module.SMALL, measure=module.measure, check=getattr(module, "check", lambda _: None),
    )  # fmt: skip
