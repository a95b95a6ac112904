"""Replays a complete play in one call: inputs -> states, by the one copy of the rules, without drawing."""

import numpy as np

from priorlab.envs.base.compile import kernel
from priorlab.envs.game.level import Level
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.playing import begin_play, continue_play, copy
from priorlab.envs.game.rules import FIELDS, REACH, SIDE, WALK, WIN, X, Y, touched
from priorlab.envs.game.versions import Rules


@kernel
def replay_inputs(tiles, level, monsters, inputs, visited, state, states):
    """How many of the inputs, uint8 (n,), were taken up to and including the win.

    state: int32 (FIELDS,), zeros; states: int32 (n + 1, FIELDS), filled with the states at the start and after each
    input; visited: uint8, zeros, a bit for each position.
    """
    begin_play(level, state, visited)
    copy(state, states[0])
    for i in range(inputs.shape[0]):
        if continue_play(tiles, level, monsters, state, int(inputs[i]), visited, states[i + 1]) == WIN:
            return i + 1
    return inputs.shape[0]


@kernel
def overlaps(tiles, states, bits):
    """Fills bits, int64 (n,), with those of all tiles, int64, that the player overlaps or stands on in each of the
    states, int32 (n, FIELDS)."""
    for i in range(states.shape[0]):
        x, y = int(states[i, X]), int(states[i, Y])
        bits[i] = touched(tiles, x, y) | touched(tiles, x, y + REACH)


def positions_room(numbers: np.ndarray) -> np.ndarray:
    """uint8, zeros: a bit for each position in the frame of a level with these numbers."""
    side, walk = 2 * int(numbers[SIDE]), int(numbers[WALK])
    return np.zeros((side // walk + 1) * side // 8 + 1, np.uint8)


def replayed(level: Level, rules: Rules, inputs: np.ndarray) -> np.ndarray:
    """int32 (n + 1, FIELDS): the states at the start and after each of the inputs, uint8 (n,), 0 to 5.

    A death puts the player back at the start; its own state is where the player died, or the start where the rules
    put the player back. Raises ValueError for inputs after a win.
    """
    numbers = level_numbers(level, rules)
    states = np.zeros((len(inputs) + 1, FIELDS), np.int32)
    state = np.zeros(FIELDS, np.int32)
    taken = replay_inputs(level.tiles, numbers, level.monsters, inputs, positions_room(numbers), state, states)
    if taken < len(inputs):
        raise ValueError(f"won by input {taken} of {len(inputs)}: expected no input after the win")
    return states
