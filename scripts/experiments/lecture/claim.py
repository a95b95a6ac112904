"""A claim of the lecture as an experiment: what is said, what is measured, and what in it can be changed.

Each claim is a module of this folder, which has ``Settings``, a frozen dataclass whose fields' help stands in their
``Annotated`` types; ``SMALL``, those for a glance; and ``measure(settings, seed)``, which gives rows. Its texts,
figures and answers stand beside it, in the TOML file of the same name.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints

CLAIMS = (  # in the lecture's order
    "inputs", "features", "neighbours", "matching", "fast", "fast_games", "low_shot", "looks", "spurious",
    "spurious_games", "curriculum", "drift", "compression", "capacity", "exploration",
)  # fmt: skip


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


@dataclass(frozen=True)
class Claim:
    """published: what, how much, and where it stands."""

    name: str
    title: str
    lecture: str
    how: str
    figures: tuple[Figure, ...]
    answers: tuple[Answer, ...]
    settings: Any  # the dataclass
    small: Mapping[str, Any]
    measure: Callable[[Any, int], Iterable[Row]]
    published: tuple[tuple[str, str, str], ...] = ()
    seeds: int = 5
    notes: tuple[str, ...] = field(default=())

    def changed(self, change: str, small: bool = False) -> Any:
        """The settings, but for ``change``, such as ``shots=5,ways=20``. ValueError for what there is not."""
        values = {**asdict(self.settings()), **(self.small if small else {})}
        types = get_type_hints(self.settings)
        for part in filter(None, change.split(",")):
            name, _, told = part.partition("=")
            if name not in types:
                raise ValueError(f"{self.name}: change {part!r}: expected name=value, name one of {', '.join(types)}")
            values[name] = self.read(name, told, types[name], values[name])
        return self.settings(**values)

    def read(self, name: str, told: str, kind: Any, default: Any) -> Any:
        """The value of a setting from a text."""
        words = get_args(kind)  # of a Literal
        if words:
            if told not in words:
                raise ValueError(f"{self.name}: {name} is {told!r}: expected one of {', '.join(words)}")
            return told
        try:
            value = kind(told)
        except ValueError:
            raise ValueError(f"{self.name}: {name} is {told!r}: expected a number such as {default}") from None
        if not value > 0:
            raise ValueError(f"{self.name}: {name} is {told}: expected more than 0")
        return value

    def knobs(self) -> list[tuple[str, Any, str]]:
        """Name, default and help of what can be changed."""
        hints = get_type_hints(self.settings, include_extras=True)
        return [(each.name, each.default, get_args(hints[each.name])[1]) for each in fields(self.settings)]


@cache
def find_claim(name: str) -> Claim:
    """ValueError for one that there is not."""
    if name not in CLAIMS:
        raise ValueError(f"unknown claim {name!r}: expected one of {', '.join(CLAIMS)}")
    module = import_module(f"{__package__}.{name}")
    told = tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))
    figures = tuple(Figure(**{**each, "ticks": tuple(each.get("ticks", ()))}) for each in told.pop("figures"))
    answers = tuple(
        Answer(each["says"], each["figure"], tuple(each["higher"]), tuple(each["lower"]))
        for each in told.pop("answers", ())
    )
    published = tuple((each["what"], each["value"], each["source"]) for each in told.pop("published", ()))
    return Claim(
        name, **told, figures=figures, answers=answers, published=published,
        settings=module.Settings, small=module.SMALL, measure=module.measure,
    )  # fmt: skip
