"""One input of a play: the step, the count of positions, and the restart after a death."""

from priorlab.envs.base.compile import function
from priorlab.envs.game.rules import (
    DEATH,
    DEATHS,
    EPISODE_INPUTS,
    ONGOING,
    PLAY_INPUTS,
    RESTARTS,
    SIDE,
    SOLVED,
    START_X,
    UNIQUE_STATES,
    WALK,
    WIN,
    X,
    Y,
    begin,
    put_at_start,
    step,
)


@function
def copy(source, target):
    """Copies between one-dimensional arrays of equal length."""
    for i in range(source.shape[0]):
        target[i] = source[i]


@function
def position_bit(level, state):
    """The number of the player's position among those in the frame, or -1 outside.

    The player walks in whole steps from the start, so x takes one value per step.
    """
    x, y, side, walk = int(state[X]), int(state[Y]), 2 * int(level[SIDE]), int(level[WALK])
    if x < 0 or y < 0 or x >= side or y >= side:
        return -1
    return (x - int(level[START_X]) % walk) // walk * side + y


@function
def visit(level, state, visited, ever):
    """Counts the player's position if it is new to the play."""
    bit = position_bit(level, state)
    if bit >= 0 and not visited[bit >> 3] >> (bit & 7) & 1:
        visited[bit >> 3] |= 1 << (bit & 7)
        ever[bit >> 3] |= 1 << (bit & 7)
        state[UNIQUE_STATES] += 1


@function
def play_input(tiles, level, monsters, state, action, visited, ever):
    """One raw input of a play, counted; ONGOING, WIN or DEATH, after which an episode has ended."""
    outcome = step(tiles, level, monsters, state, action)
    state[EPISODE_INPUTS] += 1
    state[PLAY_INPUTS] += 1
    visit(level, state, visited, ever)
    state[DEATHS] += outcome == DEATH
    if outcome == DEATH and level[RESTARTS]:
        put_at_start(level, state)
        return ONGOING
    return outcome


@function
def begin_play(level, state, visited):
    """Puts the player at the start of a play; state and visited are zeros."""
    begin(level, state)
    visit(level, state, visited, visited)


@function
def continue_play(tiles, level, monsters, state, action, visited, after):
    """One raw input of a play, which goes on from the start after a death; ONGOING, WIN or DEATH.

    ``after`` receives the state after the input: at a death, where the player died or, if the rules put the player
    back, the start.
    """
    outcome = play_input(tiles, level, monsters, state, action, visited, visited)
    state[SOLVED] = outcome == WIN
    copy(state, after)
    if outcome == DEATH:
        begin(level, state)
    return outcome
