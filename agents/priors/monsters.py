"""Where the monsters are that a player is given."""

import numpy as np

from priorlab.agents.priors.deciding import World
from priorlab.envs.game.rules import (
    CLOCK,
    MONSTER_COUNT,
    MONSTER_Y,
    MONSTERS,
    PERIOD,
    TILE,
    X,
    Y,
    next_clock,
    patrolled,
    pixel,
)

NEAR = 2 * TILE  # pixels from a monster, within which it may have killed


def cells_of(world: World) -> list[tuple[int, int]]:
    """(row, column) of each monster at the start."""
    places = []
    for i in range(int(world.numbers[MONSTER_COUNT])):
        x = patrolled(world.monsters, i, 0, int(world.numbers[PERIOD]))
        places.append((int(world.monsters[i, MONSTER_Y]) // (2 * TILE), int(x) // (2 * TILE)))
    return places


def monster_near(world: World, before: np.ndarray) -> bool:
    """Whether a monster can have touched the player after its next input."""
    clock = next_clock(world.numbers, int(before[CLOCK]))
    for i in range(int(world.numbers[MONSTER_COUNT])):
        if int(before[MONSTERS]) >> i & 1:
            x = patrolled(world.monsters, i, clock, int(world.numbers[PERIOD]))
            aside = abs(pixel(int(x)) - pixel(int(before[X])))
            if aside < NEAR and abs(pixel(int(world.monsters[i, MONSTER_Y])) - pixel(int(before[Y]))) < NEAR:
                return True
    return False
