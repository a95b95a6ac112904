"""How many people a comparison needs: power by simulation, with the tests of `priorlab compare`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint

from priorlab.envs.results.load import load
from priorlab.scripts.analysis.designs import TESTS, Design, sample, sample_within
from priorlab.scripts.analysis.hypotheses import Group, Test, signed_rank
from priorlab.scripts.analysis.published import published_figures, published_ratio
from priorlab.scripts.analysis.statistics import Played, played
from priorlab.scripts.analysis.within import fit_repeated

LEAST, MOST = 4, 4096  # people per version; within subjects, people in total


def published_effects(versions: Sequence[str]) -> dict[str, float]:
    """How many times as long people took on these versions, by the published means; ValueError if one has none."""
    ratios = {version: published_ratio(published_figures(), version) for version in versions}
    missing = [version for version, ratio in ratios.items() if ratio is None]
    if missing:
        raise ValueError(f"versions: {', '.join(missing)} has no published ratio to the original")
    return {version: ratio for version, ratio in ratios.items() if ratio is not None}


@dataclass(frozen=True)
class Power:
    """Share of simulated studies with n people that found a version different from the original."""

    n: int  # per version; within subjects, in total
    version: str
    value: float
    low: float  # 95 %, Wilson
    high: float
    solved: float  # share of the people on that version who solved it


def simulated_study(design: Design, n: int, generator: np.random.Generator) -> tuple[dict[str, Group], dict[str, Test]]:
    """The times of n people per version (within subjects: in total) by version, and the tests of each version."""
    if design.within:
        (minutes, solved), _ = sample_within(design, n, generator)
        groups = {version: (minutes[:, k], solved[:, k]) for k, version in enumerate(["original", *design.effects])}
        tests = signed_rank(
            {version: (groups[version], groups["original"]) for version in design.effects}, effects=False
        )
    else:
        factors = {"original": 1.0, **design.effects}
        groups = {version: sample(design, effect, n, generator) for version, effect in factors.items()}
        tests = TESTS[design.test](groups, effects=False)
    return groups, {test.version: test for test in tests}


def power_at(design: Design, n: int, repetitions: int = 1000, seed: int = 0) -> list[Power]:
    """The power for each version, in the order of the design's effects."""
    different, solved = np.zeros(len(design.effects)), np.zeros(len(design.effects))
    for repetition in range(repetitions):
        groups, tests = simulated_study(design, n, np.random.default_rng([seed, repetition]))
        different += [tests[version].p_holm < design.alpha for version in design.effects]
        solved += [groups[version][1].mean() for version in design.effects]
    lows, highs = np.array(proportion_confint(different, repetitions, method="wilson"), float)
    return [
        Power(n, version, *values)
        for version, *values in zip(
            design.effects, *np.array([different / repetitions, lows, highs, solved / repetitions]).tolist()
        )
    ]


def smallest_n(design: Design, power: float = 0.8, repetitions: int = 1000, seed: int = 0) -> list[list[Power]]:
    """Searches the smallest n that reaches ``power`` for every version; returns the powers for each n tried.

    Doubles n until it is enough, then bisects to within 4 % of n. Raises ValueError if MOST is not enough.
    """
    if not 0 < power < 1:
        raise ValueError(f"power must be between 0 and 1, got {power:g}")
    if repetitions < 1:
        raise ValueError(f"repetitions must be at least 1, got {repetitions}")
    tried: dict[int, list[Power]] = {}

    def enough(n: int) -> bool:
        tried[n] = power_at(design, n, repetitions, seed)
        return min(each.value for each in tried[n]) >= power

    low, high = 1, LEAST
    while not enough(high):
        low, high = high, 2 * high
        if high > MOST:
            people = "" if design.within else " per version"
            raise ValueError(f"{MOST} people{people} do not reach a power of {power:g}: expected a larger effect")
    while high - low > max(1, high // 25):
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return [tried[n] for n in sorted(tried)]


def enough_of(tried: Sequence[Sequence[Power]], power: float) -> int:
    """The smallest n tried such that it and all larger ones reach ``power``."""
    n = 0
    for each in reversed(tried):
        if min(version.value for version in each) < power:
            break
        n = each[0].n
    return n


def conclusion(design: Design, n: int) -> str:
    """How many people are needed, and under which assumptions."""
    assumed = f"spread {design.spread:.2f}, patience {design.patience:.0f} min, original {design.minutes:.1f} min"
    if design.within:
        deviations = f"{design.between_spread:.2f} between and {design.within_spread:.2f} within people"
        assumed = assumed.replace(",", f" ({deviations}), practice {design.practice:.2f} per play,", 1)
        return f"{n} people, {n * (len(design.effects) + 1)} plays in total ({assumed})."
    return f"{n} people per version, {n * (len(design.effects) + 1)} in total ({assumed})."


def people_in(folder: Path) -> list[Played]:
    """The people's plays in a pilot's folder. Raises ValueError if it does not exist."""
    if not folder.exists():
        raise ValueError(f"{folder}: no such folder: expected a folder with people's plays")
    return [run for run in played(load(folder)) if run.player == "person"]


def from_pilot(design: Design, runs: Sequence[Played]) -> Design:
    """The design with spread, patience and the original's minutes of a pilot; quits and time-outs are censored.

    Spread: maximum likelihood of log-normal times with one deviation and one mean per version. A design within subjects
    also takes correlation and practice, as ``fit_repeated`` does. Patience: the Weibull scale of maximum likelihood,
    sqrt(sum of squared minutes / quits). Raises ValueError for too few plays.
    """
    minutes, won = np.array([run.minutes for run in runs]), np.array([run.won for run in runs], bool)
    names = sorted({run.version for run in runs})
    if "original" not in names or won.sum() < 2 * len(names):
        pilot = f"{len(runs)} plays, {won.sum()} won, on {', '.join(names) or 'nothing'}"
        raise ValueError(f"{pilot}: expected the original, and at least two wins per version")
    quits = sum(run.outcome == "quit" for run in runs)
    patience = float(np.sqrt((minutes**2).sum() / quits)) if quits else float("inf")
    if design.within:
        fit = fit_repeated(runs)
        return replace(
            design, spread=fit.spread, correlation=fit.correlation, practice=fit.practice, patience=patience,
            minutes=fit.minutes,
        )  # fmt: skip
    of = np.array([names.index(run.version) for run in runs])
    logs = np.log(minutes)

    def loss(values: np.ndarray) -> float:
        z = (logs - values[of]) / np.exp(values[-1])
        return -float(np.where(won, norm.logpdf(z) - values[-1], norm.logsf(z)).sum())

    means = [logs[of == k].mean() for k in range(len(names))]
    fit = minimize(loss, np.array([*means, 0.0]), method="Nelder-Mead", options={"maxiter": 20000, "maxfev": 20000})
    spread = float(np.exp(fit.x[-1]))
    mean = float(np.exp(fit.x[names.index("original")] + spread**2 / 2))
    return replace(design, spread=spread, patience=patience, minutes=mean)
