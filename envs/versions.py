"""The table of games x versions, ``versions.toml``."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "versions.toml"


@dataclass(frozen=True)
class Version:
    """Which level is played, by which rules, and what it looks like, each by name."""

    game: str
    name: str
    level: str
    rules: str
    look: str


@cache
def table() -> dict[str, dict[str, Version]]:
    """Of each game, its versions by name, in the order of the file."""
    read = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {
        game: {name: Version(game, name, **settings) for name, settings in versions.items()}
        for game, versions in read.items()
    }


def games() -> list[str]:
    return list(table())


def versions(game: str = "princess") -> list[str]:
    """The names of a game's versions, the original first."""
    if game not in table():
        raise ValueError(f"unknown game {game!r}: expected one of {', '.join(games())}")
    return list(table()[game])


def find_version(game: str, version: str) -> Version:
    """Raises ValueError that lists what exists."""
    names = versions(game)
    if version not in names:
        raise ValueError(f"unknown version {version!r}: expected one of {', '.join(names)}")
    return table()[game][version]


def id_of(version: str) -> str:
    """masked_semantics -> MaskedSemantics, as in the ids of the environments."""
    return "".join(part.capitalize() for part in version.split("_"))
