"""Cox's model of two groups, in closed form: its hazard ratio, Firth's where that has no maximum, and whether it holds.

A win is won by the version with a probability that depends on the log hazard ratio alone: ``at_risk`` gives, for each
win, how many of both groups still played (Cox 1972). From that follow the likelihood, its slope and its information.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import chi2, norm

from priorlab.scripts.analysis.statistics import CONFIDENCE, kaplan_meier

WALD = float(norm.ppf((1 + CONFIDENCE) / 2))  # standard errors from the value to either end of an interval
DROP = float(chi2.ppf(CONFIDENCE, 1)) / 2  # of a log-likelihood from its maximum to either end of an interval
WIDEST = 50.0  # of log hazard ratios


@dataclass(frozen=True)
class Hazard:
    """The hazard ratio of winning, version over original, with its 95 % interval.

    By maximum likelihood, with Wald's interval; or, where one group wins nothing or only after the other (``firth``),
    by Firth's penalised likelihood, with its profile interval (Heinze and Schemper 2001).
    """

    value: float
    low: float
    high: float
    firth: bool


@dataclass(frozen=True, eq=False)
class AtRisk:
    """Who still played at each win; tied wins leave one after the other, in equal parts of both groups (Efron 1977).

    version, original: float64 (wins,), in order of time; when: int (wins,), the number of its moment; times: float64
    (moments,); won: int (moments,), wins of the version.
    """

    version: np.ndarray
    original: np.ndarray
    when: np.ndarray
    times: np.ndarray
    won: np.ndarray

    def chance(self, log_ratio: float) -> np.ndarray:
        """The probability that each win is the version's, (wins,)."""
        return expit(log_ratio + self.odds)

    @property
    def odds(self) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.log(self.version) - np.log(self.original)

    def likelihood(self, log_ratio: float) -> float:
        """The partial log-likelihood, up to a constant."""
        return float(log_ratio * self.won.sum() - np.log(self.original + self.version * np.exp(log_ratio)).sum())

    def slope(self, log_ratio: float) -> float:
        return float(self.won.sum() - self.chance(log_ratio).sum())

    def spread(self, log_ratio: float) -> np.ndarray:
        """The variance of whether each win is the version's, (wins,); exact however small."""
        return self.chance(log_ratio) * expit(-log_ratio - self.odds)

    def information(self, log_ratio: float) -> float:
        return float(self.spread(log_ratio).sum())

    def penalised(self, log_ratio: float) -> float:
        """The log-likelihood with Jeffreys' prior (Firth 1993)."""
        return self.likelihood(log_ratio) + np.log(self.information(log_ratio)) / 2

    def penalised_slope(self, log_ratio: float) -> float:
        chance, spread = self.chance(log_ratio), self.spread(log_ratio)
        return self.slope(log_ratio) + float((spread * (1 - 2 * chance)).sum() / spread.sum()) / 2

    @property
    def is_monotone(self) -> bool:
        """Whether the likelihood has no maximum: its slope keeps its sign, as one group wins nothing or only later."""
        alone, any_version = (self.original == 0).sum(), (self.version > 0).sum()
        return self.won.sum() in (alone, any_version)

    @property
    def is_informative(self) -> bool:
        """Whether both groups still played at any win."""
        return bool(((self.version > 0) & (self.original > 0)).any())


def at_risk(times: np.ndarray, won: np.ndarray, is_version: np.ndarray) -> AtRisk:
    """``times``: float64 (n,); ``won``: whether each was a win, (n,), others are censored; ``is_version``: (n,)."""
    won, is_version = won.astype(bool), is_version.astype(bool)
    moments, wins = np.unique(times[won], return_counts=True)
    ours = np.sort(times[won & is_version])
    won_here = np.searchsorted(ours, moments, "right") - np.searchsorted(ours, moments, "left")
    groups = [np.sort(times[is_version]), np.sort(times[~is_version])]
    left = [len(group) - np.searchsorted(group, moments, "left") for group in groups]
    when = np.repeat(np.arange(len(moments)), wins)
    gone = (np.arange(len(when)) - np.repeat(np.cumsum(wins) - wins, wins)) / wins[when]  # share of its moment's wins
    return AtRisk(
        left[0][when] - gone * won_here[when], left[1][when] - gone * (wins - won_here)[when], when, moments, won_here
    )  # fmt: skip


def hazard_of(risk: AtRisk) -> Hazard | None:
    """The hazard ratio; None if no win happened while both groups played."""
    if not risk.is_informative:
        return None
    if risk.is_monotone:
        best = root(risk.penalised_slope)
        least = risk.penalised(best) - DROP
        ends = [root(lambda ratio: risk.penalised(ratio) - least, (best, end)) for end in (-WIDEST, WIDEST)]
        return Hazard(*np.exp([best, *ends]).tolist(), firth=True)
    best = root(risk.slope)
    error = risk.information(best) ** -0.5
    return Hazard(*np.exp(best + WALD * error * np.array([0, -1, 1])).tolist(), firth=False)


def root(function: Callable[[float], float], between: tuple[float, float] = (-WIDEST, WIDEST)) -> float:
    return float(brentq(function, *between, xtol=1e-15, rtol=1e-14, maxiter=500))  # pyright: ignore[reportArgumentType]


def proportional(risk: AtRisk, times: np.ndarray, won: np.ndarray) -> float:
    """Chi squared, 1 degree of freedom, of whether the hazard ratio changes with time (Grambsch and Therneau 1994).

    As R's ``cox.zph`` with ``transform="km"``, since version 3 of its package survival: the score test of a product of
    version and time, time being the share of all players (by Kaplan and Meier) who had won before. ``risk`` is of
    ``times`` and ``won``. NaN if the ratio has no maximum, or all wins were at one moment.
    """
    if not risk.is_informative or risk.is_monotone:
        return np.nan
    ordered, share = kaplan_meier(times, won)
    before = np.searchsorted(ordered, risk.times, "left")
    time = 1 - np.append(1, share)[before]
    best = root(risk.slope)
    chance, spread, of_win = risk.chance(best), risk.spread(best), time[risk.when]
    change = float((time * risk.won).sum() - (of_win * chance).sum())
    information = (spread * of_win**2).sum() - (spread * of_win).sum() ** 2 / spread.sum()
    return float(change**2 / information) if information > np.finfo(float).eps else np.nan
