"""Which lives there are, in which order, and the seeds of each: all follows from what was fixed.

The first life of everything comes before the second of anything, so what is recorded is balanced whenever the work
stops.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from priorlab.agents.priors.lives import on_rules
from priorlab.envs.game.level import Level
from priorlab.envs.game.versions import find_version, games
from priorlab.envs.looks.look import Look
from priorlab.envs.random_games.bank import Bank
from priorlab.scripts.priors.fixed import Fixed

BANKS = {"level": ("large", "key_door"), "small": ("small", "princess")}  # by word of a place: size, rules
MOST_SEED = 2**31 - 1


class Life(NamedTuple):
    """What names a life; ``life`` is its number."""

    player: str
    seed: int
    place: str
    version: str
    life: int


@dataclass(frozen=True)
class Chosen:
    """The part of the plan that is done now; an empty tuple or None: all of it."""

    players: tuple[str, ...] = ()
    seeds: int | None = None
    lives: int | None = None
    places: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()

    def check(self, fixed: Fixed) -> None:
        """Raises ValueError, one line, for what was not fixed."""
        for what, names, known in (
            ("player", self.players, fixed.players),
            ("place", self.places, fixed.places),
            ("version", self.versions, fixed.versions),
        ):
            for name in names:
                if name not in known:
                    raise ValueError(f"unknown {what} {name!r}: expected one of {', '.join(known)}")
        for what, count, most in (
            ("seeds", self.seeds, max(group.seeds for group in fixed.groups)),
            ("lives", self.lives, max(group.lives for group in fixed.groups)),
        ):
            if count is not None and not 1 <= count <= most:
                raise ValueError(f"{what} is {count}: expected 1 to {most}, as fixed")

    def holds(self, life: Life) -> bool:
        """Whether its player, place and version are chosen."""
        named = zip((life.player, life.place, life.version), (self.players, self.places, self.versions))
        return all(name in names or not names for name, names in named)


def planned(fixed: Fixed, chosen: Chosen | None = None) -> Iterator[Life]:
    """All lives, or those chosen, in order."""
    chosen = chosen or Chosen()
    for life in range(max(group.lives for group in fixed.groups))[: chosen.lives]:
        for group in fixed.groups:
            for seed in range(group.seeds if life < group.lives else 0)[: chosen.seeds]:
                numbers = group.first_seed + seed, group.first_life + life
                yield from filter(chosen.holds, lives_of(fixed, group.players, *numbers))


def lives_of(fixed: Fixed, players: Iterable[str], seed: int, life: int) -> Iterator[Life]:
    """Those of one training seed and one number, in every place and version."""
    for player, place, version in product(players, fixed.places, fixed.versions):
        yield Life(player, seed, place, version, life)


def drawing_of(fixed: Fixed, life: Life) -> int:
    """The look seed, the same for all players; 0 where the version's look has no drawings."""
    look = find_version(level_of(life.place).game, life.version).look
    if not Look.read(look).has_drawings:
        return 0
    return seed_from(fixed.weights, "drawing", life.place, life.version, life.life)


def seed_of(fixed: Fixed, life: Life) -> int:
    """The seed of a life."""
    return seed_from(fixed.weights, "life", *life)


def seed_from(*names: object) -> int:
    """1 to 2**31 - 1."""
    digest = hashlib.sha256(" ".join(map(str, names)).encode()).hexdigest()
    return 1 + int(digest[:16], 16) % MOST_SEED


@lru_cache
def level_of(place: str) -> Level:
    """The level of a place: a game's, or one of a bank: level-NNN of the large ones, on the rules of Key and Door, and
    small-NNN of the small ones, for trials. ValueError for any other."""
    named = re.fullmatch(rf"({'|'.join(BANKS)})-(\d{{3}})", place)
    if place in games():
        return Level.read(find_version(place, "original").level)
    if not named:
        raise ValueError(f"unknown place {place!r}: expected {', '.join(games())} or level-NNN")
    size, rules = BANKS[named[1]]
    bank = Bank.read("held_out", size=size)
    if int(named[2]) >= len(bank):
        raise ValueError(f"unknown place {place!r}: expected a number under {len(bank)}")
    return on_rules(bank[int(named[2])].level, rules)
