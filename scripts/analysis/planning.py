"""How many people a comparison needs: power by simulation, through the very tests that `priorlab compare` runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint

from priorlab.scripts.analysis.hypotheses import Group, log_rank, mann_whitney
from priorlab.scripts.analysis.published import published_figures, published_ratio
from priorlab.scripts.analysis.statistics import Played

TESTS = {"log-rank": log_rank, "mann-whitney": mann_whitney}
DISTRIBUTIONS = ("log-normal", "exponential")
QUIT_SHAPE = 2.0  # of the Weibull distribution of quitting: its hazard grows in proportion to time
LEAST, MOST = 4, 4096  # people a version


@dataclass(frozen=True)
class Design:
    """A comparison of versions with the original, as many people on each, each person on one."""

    effects: Mapping[str, float]  # of each version other than the original: how many times as long it takes
    minutes: float = 1.8  # mean minutes to solve the original
    spread: float = 0.6  # deviation of the log of times; not used where they are exponential
    patience: float = float("inf")  # minutes, the scale of the Weibull distribution of when people quit
    limit: float = 30.0  # minutes
    test: str = "log-rank"
    alpha: float = 0.05  # two-sided, Holm-corrected over the versions
    distribution: str = "log-normal"

    def __post_init__(self) -> None:
        for name, options in (("test", TESTS), ("distribution", DISTRIBUTIONS)):
            if getattr(self, name) not in options:
                raise ValueError(f"{name} is {getattr(self, name)!r}: expected one of {', '.join(options)}")
        for name in ("minutes", "spread", "patience", "limit"):
            value = getattr(self, name)
            if not value > 0 or (value == float("inf") and name in ("minutes", "spread")):
                raise ValueError(f"{name} is {value:g}: expected more than 0{', and finite' * (value > 0)}")
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha is {self.alpha:g}: expected between 0 and 1")
        for version, effect in self.effects.items():
            if not 0 < effect < float("inf"):
                raise ValueError(f"effect of {version} is {effect:g}: expected a ratio of times, more than 0")
        if not self.effects or "original" in self.effects:
            raise ValueError("expected the effects of one version or more, and none of the original")


def published_effects(versions: Sequence[str]) -> dict[str, float]:
    """How many times as long people took on these versions, by the published means; ValueError where none is known."""
    ratios = {version: published_ratio(published_figures(), version) for version in versions}
    missing = [version for version, ratio in ratios.items() if ratio is None]
    if missing:
        raise ValueError(f"versions: no published ratio to the original of {', '.join(missing)}")
    return {version: ratio for version, ratio in ratios.items() if ratio is not None}


@dataclass(frozen=True)
class Power:
    """Share of simulated studies of ``n`` people a version in which a version was told from the original."""

    n: int
    version: str
    value: float
    low: float  # 95 %, Wilson
    high: float
    solved: float  # share of the people on that version who solved it


def sample(design: Design, effect: float, n: int, generator: np.random.Generator) -> Group:
    """(float64 (n,) minutes, bool (n,) whether solved) of people whom a version slows by ``effect``."""
    mean = design.minutes * effect
    if design.distribution == "exponential":
        times = generator.exponential(mean, n)
    else:
        times = generator.lognormal(np.log(mean) - design.spread**2 / 2, design.spread, n)
    quits = generator.weibull(QUIT_SHAPE, n)
    ends = np.minimum(quits * design.patience if np.isfinite(design.patience) else np.inf, design.limit)
    return np.minimum(times, ends), times <= ends


def power_at(design: Design, n: int, repetitions: int = 1000, seed: int = 0) -> list[Power]:
    """The power for each version, in the order of the design's effects."""
    found, solved = np.zeros(len(design.effects)), np.zeros(len(design.effects))
    for repetition in range(repetitions):
        generator = np.random.default_rng([seed, repetition])
        effects = {"original": 1.0, **design.effects}
        groups = {version: sample(design, effect, n, generator) for version, effect in effects.items()}
        tests = {test.version: test for test in TESTS[design.test](groups, effects=False)}
        found += [tests[version].p_holm < design.alpha for version in design.effects]
        solved += [groups[version][1].mean() for version in design.effects]
    lows, highs = np.array(proportion_confint(found, repetitions, method="wilson"), float)
    return [
        Power(n, version, *values)
        for version, *values in zip(
            design.effects, *np.array([found / repetitions, lows, highs, solved / repetitions]).tolist()
        )
    ]


def smallest_n(design: Design, power: float = 0.8, repetitions: int = 1000, seed: int = 0) -> list[list[Power]]:
    """What was tried, by n; the last entry that reaches ``power`` for every version has the smallest such n.

    Doubles n until it is enough, then halves the interval to within 4 % of n. Raises ValueError where MOST is not.
    """
    if not 0 < power < 1:
        raise ValueError(f"power is {power:g}: expected between 0 and 1")
    if repetitions < 1:
        raise ValueError(f"repetitions is {repetitions}: expected 1 or more")
    tried: dict[int, list[Power]] = {}

    def enough(n: int) -> bool:
        tried[n] = power_at(design, n, repetitions, seed)
        return min(each.value for each in tried[n]) >= power

    low, high = 1, LEAST
    while not enough(high):
        low, high = high, 2 * high
        if high > MOST:
            raise ValueError(f"{MOST} people a version do not reach a power of {power:g}: expected a larger effect")
    while high - low > max(1, high // 25):
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return [tried[n] for n in sorted(tried)]


def enough_of(tried: Sequence[Sequence[Power]], power: float) -> int:
    """The smallest n tried from which on all reach ``power``."""
    n = 0
    for each in reversed(tried):
        if min(found.value for found in each) < power:
            break
        n = each[0].n
    return n


def from_pilot(design: Design, runs: Sequence[Played]) -> Design:
    """The design with spread, patience and the original's minutes from plays of a pilot, quits and limit censored.

    Spread: the maximum likelihood of log-normal times with one deviation and a mean for each version. Patience: the
    Weibull scale of that likelihood, sqrt(sum of squared minutes / quits). Raises ValueError for too few.
    """
    minutes, won = np.array([run.minutes for run in runs]), np.array([run.won for run in runs], bool)
    names = sorted({run.version for run in runs})
    if "original" not in names or won.sum() < 2 * len(names):
        told = f"{len(runs)} plays, {won.sum()} won, on {', '.join(names) or 'nothing'}"
        raise ValueError(f"{told}: expected the original, and two wins or more a version")
    of = np.array([names.index(run.version) for run in runs])
    logs = np.log(minutes)

    def loss(values: np.ndarray) -> float:
        z = (logs - values[of]) / np.exp(values[-1])
        return -float(np.where(won, norm.logpdf(z) - values[-1], norm.logsf(z)).sum())

    means = [logs[of == k].mean() for k in range(len(names))]
    fit = minimize(loss, np.array([*means, 0.0]), method="Nelder-Mead", options={"maxiter": 20000, "maxfev": 20000})
    spread = float(np.exp(fit.x[-1]))
    quits = sum(run.outcome == "quit" for run in runs)
    patience = float(np.sqrt((minutes**2).sum() / quits)) if quits else float("inf")
    mean = float(np.exp(fit.x[names.index("original")] + spread**2 / 2))
    return replace(design, spread=spread, patience=patience, minutes=mean)
