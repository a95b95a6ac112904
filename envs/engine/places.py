"""Places: which level is played, by which rules, in which look. A batch's places are gathered from its settings."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from priorlab.envs.game.level import Level
from priorlab.envs.game.versions import Rules, Version, find_rules, find_version
from priorlab.envs.looks.dials import Dials, check_split, read_dials
from priorlab.envs.looks.paint import PaintedScene, paint
from priorlab.envs.looks.paint_dials import paint_dials

GAME = "princess"  # where neither a game nor a level is given


class Place(NamedTuple):
    """A level, its rules and its look: a name, or dials, for which ``split`` selects training's or held-out
    drawings."""

    level: Level
    rules: Rules
    look: str | Dials
    look_seed: int
    split: str

    def paint(self) -> PaintedScene:
        if isinstance(self.look, Dials):
            return paint_dials(self.level, self.look, self.look_seed, self.split)
        return paint_once(self.level, self.look, self.look_seed)


@lru_cache(maxsize=64)
def paint_once(level: Level, look: str, look_seed: int) -> PaintedScene:
    return paint(level, look, look_seed)


def gather_places(
    count: int, *, game: Any, version: Any, level: Any, look_seed: Any, looks: Any, split: str
) -> tuple[list[Place], np.ndarray]:
    """The different places, and int64 (count,), the number of the place of each of ``count`` games.

    game, version, level, look_seed and looks are one for all or a list of one per game, as in ``Games``.
    """
    check_split(split)
    known: dict[tuple, int] = {}
    places, numbers = [], []
    columns = {"game": game, "version": version, "level": level, "look_seed": look_seed, "looks": dials_in(looks)}
    for key in zip(*(per_game(value, count, name) for name, value in columns.items())):
        if key not in known:
            chosen, played = version_on(*key[:3])
            known[key] = len(places)
            places.append(Place(played, find_rules(chosen.rules), key[4] or chosen.look, key[3], split))
        numbers.append(known[key])
    return places, np.array(numbers, np.int64)


def dials_in(looks: Any) -> Any:
    """The same, or a list of the same, with dials in place of mappings of their settings."""
    if isinstance(looks, (list, tuple)):
        return [dials_in(each) for each in looks]
    return read_dials(looks) if isinstance(looks, Mapping) else looks


def per_game(value: object, count: int, name: str) -> list:
    """One value for all games, or a list of one per game, as a list of one per game."""
    if not isinstance(value, (list, tuple, range, np.ndarray)):
        return [value] * count
    if len(value) != count:
        raise ValueError(f"{name} lists {len(value)} values for {count} games: expected one, or one per game")
    return list(value)


def version_on(game: str | None, version: str, level: str | Path | Level | None) -> tuple[Version, Level]:
    """(the version, of that game or of the level's; the level, by default the version's). ValueError for what is
    unknown."""
    if level is None:
        chosen = find_version(game or GAME, version)
        return chosen, Level.read(chosen.level)
    read = Level.read(level)
    if game not in (None, read.game):
        raise ValueError(f"level {read.name!r} belongs to {read.game!r}: expected a level of {game!r}")
    return find_version(read.game, version), read
