"""The rule that turns keys into inputs, on an integer array: the same for the window and for a browser.

The input of a step is a key pressed since the last step, which wins once, jump first; else the last pressed key that
is still held; else none. Two keys may give the same input.
"""

import numpy as np

from priorlab.envs.base.compile import function
from priorlab.envs.game.rules import INPUT_COUNT, JUMP, NONE

# The array, int32 (ROOM,): how many keys are held; how often keys were pressed since the last step; for each input, the
# number of its latest press since then, from 1, or 0; and of each held key, in the order of pressing, code and input
HELD, PRESSES, LATEST = range(3)
FIRST = LATEST + INPUT_COUNT
MOST = 256  # keys that can be held: more than keyboards have. The press of a further one counts, once
ROOM = FIRST + 2 * MOST
ALL = (1 << INPUT_COUNT) - 1  # a bit for each input


def no_keys() -> np.ndarray:
    """int32 (ROOM,): no key is held."""
    return np.zeros(ROOM, np.int32)


@function
def place_of(keys, code):
    """Where in the array a held key is, or -1."""
    for at in range(FIRST, FIRST + 2 * int(keys[HELD]), 2):
        if keys[at] == code:
            return at
    return -1


@function
def press(keys, code, action):
    """A key goes down. One that is already held, because the keyboard repeats it, is not pressed again."""
    if place_of(keys, code) >= 0:
        return
    keys[PRESSES] += 1
    keys[LATEST + action] = keys[PRESSES]
    if keys[HELD] < MOST:
        at = FIRST + 2 * int(keys[HELD])
        keys[at], keys[at + 1] = code, action
        keys[HELD] += 1


@function
def release(keys, code):
    """A key goes up; a key that is not held changes nothing."""
    at = place_of(keys, code)
    if at < 0:
        return
    keys[HELD] -= 1
    for later in range(at, FIRST + 2 * int(keys[HELD])):
        keys[later] = keys[later + 2]


@function
def forget_presses(keys):
    """A step begins: what was pressed before it no longer counts, unless it is held."""
    for at in range(PRESSES, FIRST):
        keys[at] = 0


@function
def release_all(keys):
    """Forgets all keys, also those pressed since the last step, as when the window loses the focus."""
    keys[HELD] = 0
    forget_presses(keys)


@function
def latest(keys, inputs):
    """Of these inputs (a bit for each), the last one pressed since the last step, else the last one held, else NONE."""
    chosen, number = NONE, 0
    for action in range(INPUT_COUNT):
        if inputs >> action & 1 and keys[LATEST + action] > number:
            chosen, number = action, int(keys[LATEST + action])
    if number:
        return chosen
    for back in range(int(keys[HELD])):
        action = int(keys[FIRST + 2 * (int(keys[HELD]) - 1 - back) + 1])
        if inputs >> action & 1:
            return action
    return NONE


@function
def take(keys):
    """The input of the current step, 0 to 5."""
    action = JUMP if keys[LATEST + JUMP] else latest(keys, ALL)
    forget_presses(keys)
    return action
