"""Traps: places that a player can reach, and from which it can neither win nor die. A level with one can end a play for
good, so no level of a bank has any."""

import numpy as np

from priorlab.envs.base.compile import kernel
from priorlab.envs.game.level import Level
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.playing import copy
from priorlab.envs.game.routes import Routes, routes, routes_of
from priorlab.envs.game.rules import DEATH, FIELDS, HAS_KEY, INPUT_COUNT, TILE, X, Y, step
from priorlab.envs.game.versions import find_rules


def has_trap(level: Level) -> bool:
    """Whether some place is a trap, by the ways that ``routes`` finds.

    Places are cells where the player rests, with and without the key; all of a cell are taken for one place.
    """
    numbers, found = level_numbers(level, find_rules(level.game)), routes_of(level)
    open_places: set[tuple[int, ...]] = set()
    for node in found.resting[::-1]:  # the farthest first: their ways on pass many places
        state = found.states[node]
        if place_of(state) in open_places:
            continue
        onward = routes(level.tiles, numbers, level.monsters, state, until_won=True)
        if len(onward.wins):
            open_places |= places_on_the_way(onward, int(onward.wins[0]))
        elif can_die(level.tiles, numbers, level.monsters, onward.states, np.zeros(FIELDS, np.int32)):
            open_places.add(place_of(state))
        else:
            return True
    return False


def place_of(state: np.ndarray) -> tuple[int, int, int]:
    return int(state[Y]) // (2 * TILE), int(state[X]) // (2 * TILE), int(state[HAS_KEY])


def places_on_the_way(found: Routes, node: int) -> set[tuple[int, ...]]:
    """The places of a way's nodes at which the player rests."""
    resting, places = set(found.resting.tolist()), set()
    while node >= 0:
        if node in resting:
            places.add(place_of(found.states[node]))
        node = int(found.parents[node])
    return places


@kernel
def can_die(tiles, level, monsters, states, state):
    """Whether an input in one of the states, int32 (n, FIELDS), kills; state: int32 (FIELDS,), scratch."""
    for i in range(states.shape[0]):
        for action in range(INPUT_COUNT):
            copy(states[i], state)
            if step(tiles, level, monsters, state, action) == DEATH:
                return True
    return False
