"""Means over training seeds, or over levels, with intervals by Student's t: never over lives, which share a player."""

import numpy as np
from scipy.special import stdtrit

from priorlab.scripts.analysis.comparison import Estimate
from priorlab.scripts.analysis.statistics import CONFIDENCE, LEAST


def mean_over(values: np.ndarray) -> Estimate | None:
    """The mean of float64 (n,) and its 95 % interval, which fewer than LEAST values don't have; None of no value."""
    n = len(values)
    if not n:
        return None
    middle = float(values.mean())
    if n < LEAST:
        return Estimate(middle, None, None, n)
    reach = -float(stdtrit(n - 1, (1 - CONFIDENCE) / 2)) * float(values.std(ddof=1)) / np.sqrt(n)
    return Estimate(middle, middle - reach, middle + reach, n)


def factor_over(logs: np.ndarray) -> Estimate | None:
    """As ``mean_over`` of logarithms, as factors: a geometric mean."""
    mean = mean_over(logs)
    if mean is None:
        return None
    low, high = (None if end is None else float(np.exp(end)) for end in (mean.low, mean.high))
    return Estimate(float(np.exp(mean.value)), low, high, mean.n)
