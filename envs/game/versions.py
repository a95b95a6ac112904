"""The table of games x versions, ``versions.toml``."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "versions.toml"
TITLES = {"key_door": "Key and Door", "princess": "Princess"}  # what pages and pictures call the games


@dataclass(frozen=True)
class Rules:
    """What differs between the rules of games and versions; ``versions.toml`` explains each in its first lines."""

    walk: float
    max_inputs: int
    restarts: bool = False
    falls_kill: bool = False
    alternating: bool = False
    turned: bool = False


@dataclass(frozen=True)
class Version:
    """A version of a game: the names of the level that is played, of its rules, and of its look."""

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
    """The names of the games: princess, key_door."""
    return list(table()[1])


def versions(game: str = "princess") -> list[str]:
    """The names of a game's versions, the original first."""
    if game not in games():
        raise ValueError(f"unknown game {game!r}: expected one of {', '.join(games())}")
    return list(table()[1][game])


def looks(game: str = "princess") -> list[str]:
    """The names of the versions that differ from the original only in their look, the original first."""
    every = [find_version(game, name) for name in versions(game)]
    return [version.name for version in every if version.rules == every[0].rules]


def find_version(game: str, version: str) -> Version:
    """The version of that game. Raises ValueError, which lists what exists."""
    names = versions(game)
    if version not in names:
        raise ValueError(f"unknown version {version!r}: expected one of {', '.join(names)}")
    return table()[1][game][version]


def find_rules(name: str) -> Rules:
    """The rules of that name in ``versions.toml``, such as a version's. Raises KeyError for any other."""
    return table()[0][name]


def id_of(name: str) -> str:
    """masked_semantics -> MaskedSemantics, as in environment ids."""
    return name.title().replace("_", "")
