"""Does knowledge learned from random worlds come close to knowledge designed by hand, and what does it cost?

Both play the same levels in looks that the learned player has never seen. It learns from few pictures and from more,
in worlds whose looks mean something and in worlds where nothing does.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np

from priorlab.agents.priors.belief import Perceive
from priorlab.agents.priors.lives import Life, live, told
from priorlab.agents.priors.perception import perceiver
from priorlab.agents.priors.raising import Raising
from priorlab.agents.priors.scenery import Scenery
from priorlab.agents.priors.settings import RaiseSettings
from priorlab.envs.game.level import Level
from priorlab.envs.looks.dials import DIALS, Dials
from priorlab.envs.random_games.bank import Bank
from priorlab.scripts.lecture.claim import Row
from priorlab.scripts.lecture.lives_beside import beside as beside

LEVELS = tuple(range(3, 200, 20))  # of a held-out bank
TIMES = (1, 4, 16)  # as many pictures as the shortest raising
BATCH, RATE = 2, 2e-3  # pictures per step, learning rate: many small steps, as pictures are few
LEARNED = {"learned": {}, "learned without meaning": dict.fromkeys(DIALS, 0.0)}
DESIGNED, TWICE, BOUND = "designed by hand", "twice the designed", "upper bound"


@dataclass(frozen=True)
class Settings:
    pictures: Annotated[int, "pictures of the shortest raising; the others have 4 and 16 times as many", 10_000] = 100
    levels: Annotated[int, "random levels per seed", len(LEVELS)] = 3
    limit: Annotated[int, "raw inputs after which a life ends", 54_000] = 5_400
    size: Annotated[Literal["large", "small"], "size of the levels that are played"] = "large"


SMALL = {"pictures": 1, "levels": 1, "limit": 16, "size": "small"}


@dataclass(frozen=True)
class Place:
    """A level in a look, and the length of a plan that wins it."""

    level: Level
    look: int
    bound: int

    def life(self, perceive: Perceive, settings: Settings, seed: int) -> Life:
        scenery = Scenery(self.level, looks=Dials(edition=2), look_seed=self.look)
        return live(scenery, perceive, seed=seed, limit=settings.limit)


def measure(settings: Settings, seed: int) -> Iterator[Row]:
    places = places_of(settings.levels, settings.size, seed)
    designed = [place.life(told(place.level), settings, seed) for place in places]
    bound = middle([place.bound for place in places])
    for times in TIMES:
        pictures = times * settings.pictures
        plain = RaiseSettings(seed=seed, pictures=pictures, batch_size=BATCH, learning_rate=RATE)
        seen = plain.steps * plain.batch_size  # the last step is of a whole batch, too
        yield from rows(DESIGNED, seen, designed)
        yield Row("inputs", TWICE, seen, 2 * inputs_of(designed))
        yield Row("inputs", BOUND, seen, bound)
        for line, dials in LEARNED.items():
            network = Raising(replace(plain, **dials)).run()
            yield from rows(line, seen, [place.life(perceiver(network), settings, seed) for place in places])


def places_of(levels: int, size: str, seed: int) -> list[Place]:
    """Each seed has other levels, until all had their turn, and other looks."""
    bank = Bank.read("held_out", size=size)
    turns = [seed * levels + turn for turn in range(levels)]
    chosen = [(bank[LEVELS[turn % len(LEVELS)]], turn) for turn in turns]
    return [Place(level, look, len(plan)) for (level, plan), look in chosen]


def rows(line: str, pictures: int, lives: list[Life]) -> Iterator[Row]:
    yield Row("inputs", line, pictures, inputs_of(lives))
    yield Row("won", line, pictures, float(np.mean([life.solved for life in lives])))


def inputs_of(lives: list[Life]) -> float:
    """Raw inputs to win; a life that was not won counts as long as it was."""
    return middle([len(life.inputs) for life in lives])


def middle(inputs: list[int]) -> float:
    """The geometric mean."""
    return float(np.exp(np.mean(np.log(inputs))))
