"""Deaths over time: the mean cumulative function of events that recur, for players who stop at different times."""

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from priorlab.scripts.analysis.statistics import CONFIDENCE, LEAST, Played


def mean_deaths(runs: Sequence[Played], grid: np.ndarray) -> np.ndarray:
    """float64 (5, m): at each number of inputs of ``grid`` the mean cumulative function, the ends of its 95 % interval,
    the number of players who still play, and the mean number of deaths if those who ended keep theirs.

    The function adds up, at each death, one over the number of players who still play (Nelson, Technometrics 37, 1995;
    the estimator of Nelson and Aalen for events that recur): the mean number of deaths of a player who plays on. A
    player who has won or quit is no longer counted. The variance is the robust one of Lawless and Nadeau (Technometrics
    37, 1995), and the interval Student's, not below 0; it is NaN below LEAST players. All are NaN where fewer than
    LEAST still play, or, of fewer players, none. A death and an end at one input: the death comes first.
    """
    ends = np.array([run.budget for run in runs], float)
    events = [deaths_of(run) for run in runs]
    times, which = np.unique(np.concatenate([*(at for at, _ in events), np.zeros(0)]), return_inverse=True)
    counts = np.concatenate([*(number for _, number in events), np.zeros(0)])
    owners = np.repeat(np.arange(len(runs)), [len(at) for at, _ in events])
    at_risk = len(ends) - np.searchsorted(np.sort(ends), times, side="left")
    steps = np.bincount(which, counts, len(times)) / np.maximum(at_risk, 1)
    until = np.searchsorted(times, grid, side="right")
    mean = np.append(0, np.cumsum(steps))[until]
    variance, total = np.zeros(len(grid)), np.zeros(len(grid))
    for number, end in enumerate(ends):
        mine = owners == number
        own = np.bincount(which[mine], counts[mine], len(times))
        total += np.append(0, np.cumsum(own))[until]
        residuals = np.where(times <= end, (own - steps) / np.maximum(at_risk, 1), 0)
        variance += np.append(0, np.cumsum(residuals))[until] ** 2
    n = len(runs)
    half = -stdtrit(n - 1, (1 - CONFIDENCE) / 2) * np.sqrt(variance) if n >= LEAST else np.full(len(grid), np.nan)
    playing = (n - np.searchsorted(np.sort(ends), grid, side="left")).astype(float)
    rows = np.array([mean, np.maximum(mean - half, 0), mean + half, playing, total / n])
    return np.where(playing >= (LEAST if n >= LEAST else 1), rows, np.nan)


def deaths_of(run: Played) -> tuple[np.ndarray, np.ndarray]:
    """The inputs at which the run's deaths are recorded, (m,), and their number at each; it has records of deaths."""
    inputs, deaths = run.died
    return inputs[1:], np.diff(deaths)
