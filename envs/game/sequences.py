"""Named sequences of games for sequential learning (the table ``sequences.toml``), and the tower of twenty levels."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Self

import gymnasium

from priorlab.envs.base.files import read_text

TABLE = Path(__file__).parent / "sequences.toml"


@dataclass(frozen=True)
class Task:
    """One game of a sequence: an environment's id and its settings, as plain data."""

    id: str
    settings: dict[str, Any]

    def make(self, **settings: Any) -> gymnasium.Env:
        """Makes the environment; ``settings`` are added to the task's and override them."""
        return gymnasium.make(self.id, **self.settings | settings)

    def make_vec(self, num_envs: int, **settings: Any) -> gymnasium.vector.VectorEnv:
        """Makes a batch of ``num_envs`` such environments; ``settings`` as for ``make``."""
        return gymnasium.make_vec(self.id, num_envs=num_envs, **self.settings | settings)


@dataclass(frozen=True)
class Sequence:
    """Tasks in the order in which they are learned; ``about`` describes in one line what changes from task to task."""

    name: str
    about: str
    tasks: tuple[Task, ...]

    def plain(self) -> dict[str, Any]:
        """The sequence as self-contained plain data."""
        return {"name": self.name, "about": self.about, "tasks": [{"id": t.id, **t.settings} for t in self.tasks]}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Self:
        """The sequence from what ``plain`` returned."""
        tasks = [Task(row["id"], {key: value for key, value in row.items() if key != "id"}) for row in plain["tasks"]]
        return cls(plain["name"], plain["about"], tuple(tasks))


def sequences() -> list[str]:
    """The names of the lab's sequences."""
    return list(table()[1])


def find_sequence(name: str, file: Path | None = None) -> Sequence:
    """A sequence of the lab's, or of a TOML file in the same format, which may also use the lab's lists.

    Raises ValueError, which lists what exists or what is wrong with the file; OSError if it can't be read.
    """
    known_sequences = table()[1]
    if file is not None:
        known_sequences = parse(read_text(file), str(file), table()[0])[1]
        for known in known_sequences:
            if known in table()[1]:
                raise ValueError(f"{file}: sequence {known!r}: expected another name, as Priorlab uses this one")
    if name not in known_sequences:
        where = f"{file}: " if file else ""
        raise ValueError(f"{where}unknown sequence {name!r}: expected one of {', '.join(known_sequences)}")
    return known_sequences[name]


def sequence_in(settings: Mapping[str, Any]) -> Sequence:
    """The sequence in a run's settings: under "own" as plain data, or by name under "sequence"."""
    return Sequence.of(settings["own"]) if "own" in settings else find_sequence(settings["sequence"])


@cache
def table() -> tuple[dict[str, list], dict[str, Sequence]]:
    """The lists and the sequences by name, in the order of the file."""
    return parse(TABLE.read_text(encoding="utf-8"), TABLE.name)


def parse(
    text: str, source: str, known: Mapping[str, list] | None = None
) -> tuple[dict[str, list], dict[str, Sequence]]:
    """The lists and sequences in ``text``, which may use the lists ``known``. ValueErrors name the ``source``."""
    try:
        read = {"lists": {}} | tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{source}: not TOML: {error}") from None
    check_keys(read, {"lists": dict, "sequences": dict}, source)
    lists, read_sequences = {**(known or {}), **read["lists"]}, {}
    for name, values in lists.items():
        if not isinstance(values, list) or not values:
            raise ValueError(f"{source}: list {name!r} is {values!r}: expected one value or more in brackets")
    for name, row in read["sequences"].items():
        where = f"{source}: sequence {name!r}"
        check_keys(row, {"about": str, "tasks": list}, where)
        tasks = [
            task
            for number, settings in enumerate(row["tasks"])
            for task in expand(settings, lists, f"{where}, task {number}")
        ]
        if not tasks:
            raise ValueError(f"{where}: no tasks: expected one or more")
        read_sequences[name] = Sequence(name, row["about"], tuple(tasks))
    return lists, read_sequences


def check_keys(row: object, expected: dict[str, type], where: str) -> None:
    """Checks that a table has exactly these keys, with values of these types."""
    wanted = ", ".join(f"{key} ({kind.__name__})" for key, kind in expected.items())
    if not isinstance(row, dict):
        raise ValueError(f"{where}: {row!r}: expected a table of {wanted}")
    for key in [*expected, *row]:
        if key not in expected or not isinstance(row.get(key), expected[key]):
            said = f"is {row[key]!r}" if key in row else "is missing"
            raise ValueError(f"{where}: {key} {said}: expected {wanted}, and nothing else")


def expand(settings: object, lists: dict[str, list], where: str) -> list[Task]:
    """The tasks that one row of the table describes."""
    if not isinstance(settings, dict) or not isinstance(settings.get("id"), str):
        raise ValueError(
            f"{where}: {settings!r}: expected a table with an environment's id, such as PriorLab/Princess-v0"
        )
    columns = {key: values_of(value, lists, f"{where}: {key}") for key, value in settings.items()}
    count = max(len(values) for values in columns.values())
    repeated = [islice(cycle(values), count) for values in columns.values()]
    rows = [dict(zip(columns, values)) for values in zip(*repeated)]
    return [Task(row.pop("id"), row) for row in rows]


def values_of(value: object, lists: dict[str, list], where: str) -> list:
    """The values that a setting takes in turn: only itself, unless it is { each = LIST }."""
    if not isinstance(value, dict):
        return [value]
    each = value.get("each")
    if isinstance(each, str) and each not in lists:
        raise ValueError(f"{where}: no list {each!r}: expected one of {', '.join(lists)}")
    each = lists[each] if isinstance(each, str) else each
    if not isinstance(each, list) or not each or len(value) > 1:
        raise ValueError(f"{where}: {value!r}: expected {{ each = LIST }}, a list in brackets or the name of one")
    return each


TOWER: tuple[str, ...] = tuple(table()[0]["tower"])  # the twenty levels, easy to hard
