"""The table of games x versions, ``versions.toml``."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "versions.toml"


@dataclass(frozen=True)
class Rules:
    """What differs between the rules of games and versions; the table's first lines tell what each means."""

    walk: float
    max_inputs: int
    restarts: bool = False
    falls_kill: bool = False
    alternating: bool = False
    turned: bool = False


@dataclass(frozen=True)
class Version:
    """Which level is played, by which rules, and what it looks like, each by name."""

    game: str
    name: str
    level: str
    rules: str
    look: str


@cache
def table() -> tuple[dict[str, Rules], dict[str, dict[str, Version]]]:
    """The rules by name; and of each game its versions by name, in the order of the file."""
    read = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    rules = {name: Rules(**settings) for name, settings in read["rules"].items()}
    return rules, {
        game: {name: Version(game, name, **settings) for name, settings in versions.items()}
        for game, versions in read["versions"].items()
    }


def games() -> list[str]:
    return list(table()[1])


def versions(game: str = "princess") -> list[str]:
    """The names of a game's versions, the original first."""
    if game not in games():
        raise ValueError(f"unknown game {game!r}: expected one of {', '.join(games())}")
    return list(table()[1][game])


def looks(game: str = "princess") -> list[str]:
    """The names of the versions that differ from the original in looks alone, the original first."""
    every = [find_version(game, name) for name in versions(game)]
    return [version.name for version in every if version.rules == every[0].rules]


def find_version(game: str, version: str) -> Version:
    """Raises ValueError that lists what exists."""
    names = versions(game)
    if version not in names:
        raise ValueError(f"unknown version {version!r}: expected one of {', '.join(names)}")
    return table()[1][game][version]


def find_rules(name: str) -> Rules:
    return table()[0][name]


def id_of(name: str) -> str:
    """masked_semantics -> MaskedSemantics, as in the ids of the environments."""
    return name.title().replace("_", "")
