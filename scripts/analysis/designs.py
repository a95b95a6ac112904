"""Designs of studies whose size is planned, and the times that simulated people take in them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from priorlab.human_study.study.assignment import williams
from priorlab.scripts.analysis.hypotheses import Group, log_rank, mann_whitney

TESTS = {"log-rank": log_rank, "mann-whitney": mann_whitney}  # of people who play one version each
PAIRED = "signed-rank"  # the test where each person plays all versions
DISTRIBUTIONS = ("log-normal", "exponential")
QUIT_SHAPE = 2.0  # of the Weibull distribution of quitting times: the hazard grows in proportion to time


@dataclass(frozen=True)
class Design:
    """A comparison of versions with the original.

    Equally many people play each version, and each person one; ``within``, each person plays the original and every
    version once, in the orders of a Williams square.
    """

    effects: Mapping[str, float]  # per version other than the original: how many times as long it takes
    minutes: float = 1.8  # mean minutes to solve the original, in a first play
    spread: float = 0.6  # standard deviation of the log of times on one version; not used for exponential times
    patience: float = float("inf")  # minutes, the scale of the Weibull distribution of quitting times
    limit: float = 30.0  # minutes
    test: str = "log-rank"
    alpha: float = 0.05  # two-sided, Holm-corrected over the versions
    distribution: str = "log-normal"
    within: bool = False
    correlation: float = 0.5  # within: between the logs of one person's times
    practice: float = 0.8  # within: each play takes so many times as long as the play before, whatever the version

    def __post_init__(self) -> None:
        tests = (PAIRED,) if self.within else tuple(TESTS)
        distributions = DISTRIBUTIONS[:1] if self.within else DISTRIBUTIONS
        for name, options in (("test", tests), ("distribution", distributions)):
            if getattr(self, name) not in options:
                where = f" for a {'within' if self.within else 'between'}-subjects design"
                expected = f"{name} must be {'one of ' * (len(options) > 1)}{', '.join(options)}{where}"
                raise ValueError(f"{expected}, got {getattr(self, name)!r}")
        for name in ("minutes", "spread", "patience", "limit", "practice"):
            value = getattr(self, name)
            if not value > 0 or (value == float("inf") and name in ("minutes", "spread", "practice")):
                raise ValueError(f"{name} must be above 0{' and finite' * (value > 0)}, got {value:g}")
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha must be between 0 and 1, got {self.alpha:g}")
        if not 0 <= self.correlation < 1:
            raise ValueError(f"correlation must be at least 0 and below 1, got {self.correlation:g}")
        for version, effect in self.effects.items():
            if not 0 < effect < float("inf"):
                raise ValueError(f"the effect of {version} must be a ratio of times above 0, got {effect:g}")
        if not self.effects or "original" in self.effects:
            raise ValueError("expected the effects of one or more versions other than the original")

    @property
    def between_spread(self) -> float:
        """Standard deviation of people's mean log times."""
        return self.spread * self.correlation**0.5

    @property
    def within_spread(self) -> float:
        """Standard deviation of the log times of one person's plays, without the effects of version and practice."""
        return self.spread * (1 - self.correlation) ** 0.5


def default_test(within: bool) -> str:
    return PAIRED if within else next(iter(TESTS))


def sample(design: Design, effect: float, n: int, generator: np.random.Generator) -> Group:
    """Minutes, float64 (n,), and whether solved, bool (n,), of people whom a version slows by the factor ``effect``."""
    mean = design.minutes * effect
    if design.distribution == "exponential":
        times = generator.exponential(mean, n)
    else:
        times = generator.lognormal(np.log(mean) - design.spread**2 / 2, design.spread, n)
    return ended(design, times, generator)


def ended(design: Design, times: np.ndarray, generator: np.random.Generator) -> Group:
    """The times cut where people quit or reach the limit, and whether each was solved before; of the same shape."""
    quits = generator.weibull(QUIT_SHAPE, times.shape)
    ends = np.minimum(quits * design.patience if np.isfinite(design.patience) else np.inf, design.limit)
    return np.minimum(times, ends), times <= ends


def sample_within(design: Design, n: int, generator: np.random.Generator) -> tuple[Group, np.ndarray]:
    """Minutes and whether solved, both (n, versions), and when each person played each version, int (n, versions), from
    0; the original is the first column, the others follow in the order of the design's effects.

    The log of a time is the sum of the version's mean, the effect of practice, the person's and the play's deviation.
    People who quit one game go on to the next.
    """
    factors = np.array([1.0, *design.effects.values()])
    positions = counterbalanced(len(factors), n, generator)
    person = generator.normal(0, design.between_spread, (n, 1))
    play = generator.normal(0, design.within_spread, positions.shape)
    means = np.log(design.minutes * factors) - design.spread**2 / 2
    times = np.exp(means + positions * np.log(design.practice) + person + play)
    return ended(design, times, generator), positions


def counterbalanced(versions: int, n: int, generator: np.random.Generator) -> np.ndarray:
    """Position of each version in each person's order, int (n, versions): complete blocks of the orders of a Williams
    square, each shuffled, as studies assign them."""
    orders = np.argsort(williams(versions), axis=1)
    blocks = -(-n // len(orders))
    rows = np.concatenate([generator.permutation(len(orders)) for _ in range(blocks)])
    return orders[rows[:n]]
