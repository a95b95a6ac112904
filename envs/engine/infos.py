"""States -> infos: what a game reports besides its picture, as arrays over many games."""

from typing import Any

import numpy as np

from priorlab.envs.base.compile import kernel
from priorlab.envs.game.rules import (
    DEATHS,
    HAS_KEY,
    JUMPING,
    MONSTERS,
    ON_LADDER,
    PLACE,
    PLAY_INPUTS,
    SOLVED,
    SPEED,
    UNIQUE_STATES,
    X,
    Y,
)

PIXELS = ("x", "y")
NUMBERS = ("speed", "enemies_alive", "deaths", "unique_states", "inputs", "place")
FLAGS = ("on_ladder", "jumping", "has_key", "solved")
NAMES = (
    "x", "y", "on_ladder", "jumping", "speed", "enemies_alive", "deaths", "unique_states", "has_key", "solved",
    "inputs", "place",
)  # fmt: skip
ORDER = [(name, (PIXELS + NUMBERS + FLAGS).index(name)) for name in NAMES]


@kernel
def read_states(states, lanes, pixels, numbers, flags):
    """Writes row i of states, int32 (n, FIELDS), into column lanes[i] of the arrays of PIXELS, NUMBERS and FLAGS."""
    for i in range(states.shape[0]):
        lane = lanes[i]
        pixels[0, lane] = states[i, X] / 2
        pixels[1, lane] = states[i, Y] / 2
        alive, count = int(states[i, MONSTERS]), 0
        while alive:
            alive &= alive - 1
            count += 1
        numbers[0, lane] = states[i, SPEED]
        numbers[1, lane] = count
        numbers[2, lane] = states[i, DEATHS]
        numbers[3, lane] = states[i, UNIQUE_STATES]
        numbers[4, lane] = states[i, PLAY_INPUTS]
        numbers[5, lane] = states[i, PLACE]
        flags[0, lane] = states[i, ON_LADDER] != 0
        flags[1, lane] = states[i, JUMPING] != 0
        flags[2, lane] = states[i, HAS_KEY] != 0
        flags[3, lane] = states[i, SOLVED] != 0


def info_of(states: np.ndarray, lanes: np.ndarray | None = None, count: int | None = None) -> dict[str, np.ndarray]:
    """The infos of states, int32 (n, FIELDS): arrays over n games, or over ``count``, of which these are ``lanes``,
    int64 (n,).

    The types are those of gymnasium's vector environments: float64, int64 and bool.
    """
    total = len(states) if count is None else count
    made = np.empty if lanes is None else np.zeros  # where all are filled, nothing needs to be 0
    pixels, numbers = made((len(PIXELS), total)), made((len(NUMBERS), total), np.int64)
    flags = made((len(FLAGS), total), np.bool_)
    read_states(states, np.arange(total) if lanes is None else lanes, pixels, numbers, flags)
    arrays = [*pixels, *numbers, *flags]
    return {name: arrays[k] for name, k in ORDER}


def masked(info: dict[str, Any], mask: np.ndarray) -> dict[str, Any]:
    """The info with a mask ``_name`` for each array, the games for which it holds: a copy of ``mask``, bool (N,)."""
    masks = np.empty((len(info), len(mask)), np.bool_)
    masks[:] = mask
    return info | {f"_{name}": each for name, each in zip(info, masks)}


def endings(observations: np.ndarray, info: dict[str, Any], mask: np.ndarray) -> dict[str, Any]:
    """gymnasium's final infos of the n games in ``mask``, bool (N,), that ended in a step and started over.

    observations: uint8 (n, S, S, C), their last; info: arrays over N.
    """
    final = np.full(len(mask), None, object)
    for lane, observation in zip(np.flatnonzero(mask), observations):
        final[lane] = observation
    return {"final_obs": final, "_final_obs": mask, "final_info": masked(info, mask), "_final_info": mask.copy()}
