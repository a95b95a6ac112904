"""The smallest p that a test could give with so many players: no test is made whose n can't carry it.

Under the hypothesis that nothing differs, every assignment of players to versions is equally likely. So no exact test
has a p below one over their number, or the number of assignments that are as extreme as any other. An approximate p
can be smaller, by chi squared or the normal distribution; with few players that is an error, not evidence.
"""

from collections import Counter
from collections.abc import Sequence
from math import comb, factorial, prod

import numpy as np

ALPHA = 0.05


def least_p(*sizes: int, two_sided: bool = False) -> float:
    """The smallest p of a permutation test of independent groups of these sizes.

    Groups of one size can be exchanged without changing a statistic that has no direction, such as chi squared.
    ``two_sided``: the statistic is as far from its centre in reverse order whatever the sizes, as Mann-Whitney's U.
    """
    assignments = prod(comb(sum(sizes[: i + 1]), size) for i, size in enumerate(sizes))
    as_extreme = prod(factorial(same) for same in Counter(sizes).values())
    return (2 if two_sided and len(sizes) == 2 else as_extreme) / assignments


def least_p_of_pairs(n: int) -> float:
    """The smallest two-sided p of a signed-rank test of n pairs: all differ in one direction."""
    return min(1.0, 2.0 ** (1 - n))


def holm_of(ps: Sequence[float]) -> list[float]:
    """Each p corrected over those that are numbers (Holm 1979); NaN for the others.

    Not by statsmodels, whose ``multipletests`` collects garbage at each call: 65 ms are too slow for planning a study.
    """
    p = np.array(ps, float)
    order = np.argsort(p)[: int(np.isfinite(p).sum())]  # NaN sorts last
    corrected = np.full(len(p), np.nan)
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1)
    return corrected.tolist()


def why_not(least: Sequence[float]) -> list[str]:
    """Why each of several tests is not made, "" if it is; ``least``: the smallest p of each, NaN if it has no answer.

    A test is not made if its smallest p exceeds ALPHA after Holm's correction, even if all other tests had theirs, too.
    The tests with the fewest players go first, since those that are not made count no longer in the correction.
    """
    kept, why = np.array(least, float), [""] * len(least)
    while np.isfinite(kept).any():
        corrected = np.array(holm_of(kept.tolist()))
        worst = float(np.nanmax(kept))
        if np.nanmax(corrected) <= ALPHA:
            break
        count = int(np.isfinite(kept).sum())
        after = f", {min(1, corrected[kept == worst][0]):.2g} corrected for {count} tests" if count > 1 else ""
        for place in np.flatnonzero(kept == worst):
            why[place] = f"too few players: the smallest possible p is {worst:.2g}{after}"
        kept[kept == worst] = np.nan
    return why
