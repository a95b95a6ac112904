"""Bootstrap resamples of people (or of an agent's runs): how often each is drawn."""

from functools import lru_cache

import numpy as np

RESAMPLES = 4000


@lru_cache(maxsize=8)  # most groups of one size share theirs
def weights_of(groups: tuple[tuple[int, ...], ...], seed: int) -> tuple[np.ndarray, ...]:
    """As ``bootstrap_weights`` of ``statistics.py``, for groups of people by their numbers; read-only."""
    generator = np.random.default_rng(seed)
    of_person: dict[int, list[int]] = {}  # groups
    for number, group in enumerate(groups):
        for person in group:
            of_person.setdefault(person, []).append(number)
    strata: dict[tuple[int, ...], list[int]] = {}
    for person, numbers in of_person.items():
        strata.setdefault(tuple(sorted({*numbers})), []).append(person)
    drawn = np.zeros((RESAMPLES, len(of_person)), np.int32)
    for members in strata.values():
        drawn[:, members] = resamples(len(members), generator)
    weights = tuple(np.take(drawn, np.array(group, int), axis=1) for group in groups)
    for each in weights:
        each.flags.writeable = False
    return weights


def resamples(n: int, generator: np.random.Generator) -> np.ndarray:
    """How often each of n is drawn, with replacement, in each resample; (RESAMPLES, n)."""
    return generator.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
