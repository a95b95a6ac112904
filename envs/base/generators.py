"""numpy's default generator inside kernels: the PCG64 of ``np.random.default_rng(seed)``, bit for bit.

PCG XSL RR 128/64 (O'Neill 2014), with numpy's use of 64 bits as two halves (the lower first) and its unbiased bounded
integers (Lemire 2019). A 128-bit number is four 32-bit words, the lowest first, so that products fit into 64 bits
anywhere these functions run: in plain Python, compiled, or on a GPU.
"""

from collections.abc import Iterable

import numpy as np

from priorlab.envs.base.compile import function

WORD = 0xFFFFFFFF
WORDS = 4  # in a 128-bit number
HAS_HALF, HALF = 2 * WORDS, 2 * WORDS + 1  # after the words of the state and of the increment
GENERATOR = 2 * WORDS + 2  # fields of a generator, an int64 row
MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645
M0, M1, M2, M3 = (MULTIPLIER >> 32 * k & WORD for k in range(WORDS))


def seeded(seeds: Iterable[int | None]) -> np.ndarray:
    """int64 (n, GENERATOR): one generator per seed, in the state in which ``np.random.default_rng(seed)`` starts."""
    states = [np.random.PCG64(seed).state["state"] for seed in seeds]
    rows = np.zeros((len(states), GENERATOR), np.int64)
    for row, state in zip(rows, states):
        for k in range(WORDS):
            row[k], row[WORDS + k] = state["state"] >> 32 * k & WORD, state["inc"] >> 32 * k & WORD
    return rows


@function
def multiply(a, b, c, d):
    """(lower, upper) word of a * b + c + d, all words; also where 64-bit integers are signed and wrap."""
    product = a * b + c + d
    return product & WORD, product >> 32 & WORD


@function
def next_word(generator):
    """A uniformly random word."""
    if generator[HAS_HALF]:
        generator[HAS_HALF] = 0
        return int(generator[HALF])
    s0, s1, s2, s3 = int(generator[0]), int(generator[1]), int(generator[2]), int(generator[3])
    # state = state * multiplier + increment, modulo 2**128
    r0, up = multiply(s0, M0, int(generator[WORDS]), 0)
    r1, up = multiply(s0, M1, int(generator[WORDS + 1]), up)
    r2, up = multiply(s0, M2, int(generator[WORDS + 2]), up)
    r3, up = multiply(s0, M3, int(generator[WORDS + 3]), up)
    r1, up = multiply(s1, M0, r1, 0)
    r2, up = multiply(s1, M1, r2, up)
    r3, up = multiply(s1, M2, r3, up)
    r2, up = multiply(s2, M0, r2, 0)
    r3, up = multiply(s2, M1, r3, up)
    r3, up = multiply(s3, M0, r3, 0)
    generator[0], generator[1], generator[2], generator[3] = r0, r1, r2, r3
    # the xor of the state's halves, rotated right by its upper six bits
    low, high, turn = r0 ^ r2, r1 ^ r3, r3 >> 26
    if turn >= 32:
        low, high, turn = high, low, turn - 32
    generator[HAS_HALF], generator[HALF] = 1, (high >> turn | low << (32 - turn)) & WORD
    return (low >> turn | high << (32 - turn)) & WORD


@function
def below(generator, count):
    """A uniformly random integer from 0 to count - 1, as ``Generator.integers(count)``; count is at most 2**32."""
    low, chosen = multiply(next_word(generator), count, 0, 0)
    if low < count:
        while low < (WORD + 1 - count) % count:
            low, chosen = multiply(next_word(generator), count, 0, 0)
    return chosen


@function
def next_draw(state):
    """A generator's state after one draw: 32-bit xorshift (Marsaglia 2003), which never gives 0."""
    state ^= state << 13 & WORD
    state ^= state >> 17
    return state ^ (state << 5 & WORD)
