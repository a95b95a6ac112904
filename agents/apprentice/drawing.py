"""Where an apprentice and its teacher live: random levels in random looks. Held-out ones share nothing with training.

A share of the held-out levels, the *development levels*, is for measuring the imitation and for choosing settings; what
an apprentice plays at the end is drawn from the others.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from priorlab.agents.priors.samples import World
from priorlab.agents.priors.scenery import Scenery
from priorlab.envs.game.level import Level
from priorlab.envs.looks.dials import DIALS, Dials
from priorlab.envs.random_games.bank import Bank

EVERY, FIRST = 20, 3  # level n of a held-out bank is a development level where n % EVERY == FIRST
SEEDS = 1 << 31  # look seeds are below


class Drawn(NamedTuple):
    """A level of a bank and a random look of the second edition."""

    bank: str
    number: int
    look_seed: int
    semantics: float
    objects: float
    affordance: float
    similarity: float

    def scenery(self) -> Scenery:
        """Raises ValueError and IndexError for a bank or a level that does not exist."""
        dials = Dials(*self[3:], edition=2)
        return Scenery(level_of(self.bank, self.number), "original", dials, self.look_seed, split_of(self.bank))


@cache
def read_bank(name: str) -> Bank:
    return Bank.read(name)


@cache
def level_of(bank: str, number: int) -> Level:
    """The same object for the same level."""
    return read_bank(bank)[number].level


def split_of(bank: str) -> str:
    return bank.removeprefix("large_")


def numbers_of(bank: str, development: bool) -> np.ndarray:
    """int64 (n,): the levels to draw from: all of a training bank; of a held-out one the development levels, or the
    others."""
    numbers = np.arange(len(read_bank(bank)))
    return numbers if split_of(bank) == "training" else numbers[(numbers % EVERY == FIRST) == development]


def draw(rng: np.random.Generator, split: str, sizes: Sequence[str], development: bool = True) -> Drawn:
    """A level of the banks of these sizes, each as often, in a look whose dials are drawn as for ``priorlab raise``."""
    size = sizes[int(rng.integers(len(sizes)))]
    bank = f"large_{split}" if size == "large" else split
    number = int(rng.choice(numbers_of(bank, development)))
    dials = World(split).dials(rng)
    return Drawn(bank, number, int(rng.integers(SEEDS)), *(getattr(dials, name) for name in DIALS))
