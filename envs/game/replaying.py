"""Replays a complete play in one call: inputs -> states, by the one copy of the rules, without drawing."""

import numpy as np

from priorlab.envs.base.compile import function, kernel
from priorlab.envs.game.level import Level
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.playing import begin_play, continue_play, copy
from priorlab.envs.game.rules import FIELDS, REACH, SIDE, SOLVED, WALK, WIN, X, Y, touched
from priorlab.envs.game.versions import Rules


@function
def take_inputs(tiles, level, monsters, inputs, visited, state, states):
    """As ``replay_inputs``, of a play that began; states: int32 (n, FIELDS), filled with those after each input."""
    for i in range(inputs.shape[0]):
        if continue_play(tiles, level, monsters, state, int(inputs[i]), visited, states[i]) == WIN:
            return i + 1
    return inputs.shape[0]


@kernel
def continue_replay(tiles, level, monsters, inputs, visited, state, states):
    """``take_inputs``, for callers that are not compiled."""
    return take_inputs(tiles, level, monsters, inputs, visited, state, states)


@kernel
def replay_inputs(tiles, level, monsters, inputs, visited, state, states):
    """How many of the inputs, uint8 (n,), were taken up to and including the win.

    state: int32 (FIELDS,), zeros; states: int32 (n + 1, FIELDS), filled with the states at the start and after each
    input; visited: uint8, zeros, a bit for each position.
    """
    begin_play(level, state, visited)
    copy(state, states[0])
    return take_inputs(tiles, level, monsters, inputs, visited, state, states[1:])


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


class Followed:
    """A play that is replayed as its inputs come."""

    def __init__(self, level: Level, rules: Rules):
        self._level, self._numbers = level, level_numbers(level, rules)
        self._visited, self._state = positions_room(self._numbers), np.zeros(FIELDS, np.int32)
        begin_play(self._numbers, self._state, self._visited)
        self.inputs, self.solved = 0, False

    def take(self, inputs: np.ndarray) -> np.ndarray:
        """int32 (k, FIELDS): the states after each of the next inputs, uint8 (n,), up to the win."""
        if self.solved or not len(inputs):
            return np.zeros((0, FIELDS), np.int32)
        states = np.zeros((len(inputs), FIELDS), np.int32)
        monsters, tiles = self._level.monsters, self._level.tiles
        taken = continue_replay(tiles, self._numbers, monsters, inputs, self._visited, self._state, states)
        self.inputs, self.solved = self.inputs + taken, bool(states[taken - 1, SOLVED])
        return states[:taken]
