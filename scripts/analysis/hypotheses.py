"""Tests of versions against the original: how certain a difference is and how large, corrected for several versions.

Groups are independent people or seeds with one time each. If the same people played both, ``signed_rank`` pairs them.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtr
from scipy.stats import chi2, mannwhitneyu, rankdata
from statsmodels.discrete.discrete_model import NegativeBinomial, Poisson
from statsmodels.duration.survfunc import survdiff

from priorlab.scripts.analysis.hazards import WALD, at_risk, hazard_of, proportional
from priorlab.scripts.analysis.least_p import holm_of, least_p, least_p_of_pairs, why_not
from priorlab.scripts.analysis.resampling import resamples
from priorlab.scripts.analysis.statistics import LEAST, quantiles

FEWER = f"fewer than {LEAST} players"
FEW = 5  # people or seeds per version below which the rate of deaths is not modelled
# of a negative binomial: below it, deaths spread no more than chance, where its errors are those of a boundary
LEAST_DISPERSION = 1e-4
MOST_EXACT = 50  # up to this many changes between pairs, a signed-rank test is exact
UNTESTED = (np.nan, np.nan, np.nan, np.nan, None, None)  # statistic, p, p_holm, effect, low, high
Group = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Test:
    """``version`` compared with ``against``; ``p`` is two-sided, ``p_holm`` corrected over all versions.

    The test's function defines ``effect``; ``low`` to ``high`` is its 95 % interval, None if there is none. If nothing
    can be tested, as with fewer than LEAST players on either side, or if so few players could not give a p below 5 %
    whatever happened (``least_p.why_not``), all numbers are empty and ``why`` gives the reason.
    """

    version: str
    against: str
    n: int
    n_against: int
    statistic: float
    p: float
    p_holm: float
    effect: float
    low: float | None
    high: float | None
    why: str = ""
    firth: bool = False  # the hazard ratio is Firth's, since one group won nothing or only after the other


def log_rank(groups: Mapping[str, Group], against: str = "original", effects: bool = True) -> list[Test]:
    """Log-rank tests of each other version (Mantel 1966; statistic: chi squared, 1 degree of freedom).

    ``groups`` maps each version to times, float64 (n,), and whether each was a win, bool (n,); the others are censored.
    Effect: hazard ratio of winning (Cox 1972, Efron's ties, Wald interval; Firth's correction with its profile interval
    if one group wins nothing or only after the other); below 1 is slower than ``against``. ``effects=False`` leaves it
    out (NaN).
    """
    tests = []
    for version, (times, won), (times_o, won_o) in pairs(groups, against):
        both, is_win = np.concatenate([times, times_o]), np.concatenate([won, won_o]).astype(int)
        is_version = np.repeat([1, 0], [len(times), len(times_o)])
        why = too_few(times, times_o) or nothing_to_test(both, is_win, is_version)
        statistic, effect, firth = np.nan, (np.nan, None, None), False
        if not why:
            statistic = float(survdiff(both, is_win, is_version)[0])
            hazard = hazard_of(at_risk(both, is_win, is_version)) if effects else None
            if hazard:
                effect, firth = (hazard.value, hazard.low, hazard.high), hazard.firth
        p = float(chi2.sf(statistic, 1))
        tests.append(Test(version, against, len(times), len(times_o), statistic, p, np.nan, *effect, why, firth))
    return carried(tests, lambda test: least_p(test.n, test.n_against))


def too_few(*groups: np.ndarray) -> str:
    """Why these groups are not tested; "" if both have enough players."""
    return FEWER if min(map(len, groups)) < LEAST else ""


def nothing_to_test(times: np.ndarray, won: np.ndarray, is_version: np.ndarray) -> str:
    """Why a log-rank test has no answer; "" if it has one.

    Its variance, a sum over the moments of wins, counts only moments at which both groups still play and not everybody
    wins.
    """
    if not won.any():
        return "nobody won"
    for time in np.unique(times[won == 1]):
        playing = times >= time
        wins = int(won[times == time].sum())
        if len(np.unique(is_version[playing])) > 1 and wins < playing.sum():
            return ""
    return "at every win, all players of one version had already finished, or all remaining players won at once"


def mann_whitney(
    groups: Mapping[str, Group], against: str = "original", effects: bool = True, seed: int = 0
) -> list[Test]:
    """Mann-Whitney tests of each other version (statistic: U of the version; normal approximation with ties).

    ``groups`` as in ``log_rank``. Players who have not won count as slower than all others and equal to each other,
    as if each had taken the full time. Effect: the probability that one of the version takes longer than one of
    ``against``, with ties as half (Vargha and Delaney 2000); its interval, omitted without ``effects``, resamples
    people or seeds.
    """
    tests, generator = [], np.random.default_rng(seed)
    for version, (times, won), (times_o, won_o) in pairs(groups, against):
        if why := too_few(times, times_o):
            tests.append(Test(version, against, len(times), len(times_o), *UNTESTED, why))
            continue
        a, b = np.where(won, times, np.inf), np.where(won_o, times_o, np.inf)
        differ = len(np.unique(np.concatenate([a, b]))) > 1
        with quiet():
            statistic, p = numbers(mannwhitneyu(a, b, method="asymptotic")) if differ else (len(a) * len(b) / 2, 1.0)
        longer = (a[:, None] > b) + 0.5 * (a[:, None] == b)
        low = high = None
        n = min(len(a), len(b))
        if effects:
            drawn = (resamples(len(a), generator) @ longer * resamples(len(b), generator)).sum(axis=1)
            low, high = np.quantile(drawn / longer.size, quantiles(n)).tolist()
        effect = float(longer.mean())
        tests.append(Test(version, against, len(a), len(b), statistic, p, np.nan, effect, low, high))
    return carried(tests, lambda test: least_p(test.n, test.n_against, two_sided=True))


def signed_rank(
    paired: Mapping[str, tuple[Group, Group]], against: str = "original", seed: int = 0, effects: bool = True
) -> list[Test]:
    """Wilcoxon's signed-rank tests on the log of times of the same people on a version and on ``against``.

    ``paired`` maps each version to two groups as in ``log_rank``, the version's and ``against``'s, in the same order of
    people; no win counts as the longest time. Zero differences are ranked and then dropped (Pratt 1959). ``p`` is exact
    over all choices of signs up to MOST_EXACT changes, and a normal approximation above. Effect: the share of people
    who took longer on the version, with ties as half; its interval, omitted without ``effects``, resamples people.
    """
    tests, generator = [], np.random.default_rng(seed)
    for version, ((times, won), (times_o, won_o)) in paired.items():
        n = len(times)
        if why := too_few(times):
            tests.append(Test(version, against, n, n, *UNTESTED, why))
            continue
        a, b = np.where(won, np.log(times), np.inf), np.where(won_o, np.log(times_o), np.inf)
        tied = a == b
        change = np.subtract(a, b, out=np.zeros(n), where=~tied)
        # infinite changes all rank above the others; equal ratios tie, though their logs differ in the last digit
        change = np.clip(change, -1e6, 1e6)
        ranks = rankdata(np.abs(change).round(12))
        statistic = float(min(ranks[change > 0].sum(), ranks[change < 0].sum()))
        p = p_of_signs(ranks[change != 0], statistic)
        longer = (change > 0) + 0.5 * tied
        low = high = None
        if effects:
            low, high = np.quantile(resamples(n, generator) @ longer / n, quantiles(n)).tolist()
        effect = float(longer.mean())
        tests.append(Test(version, against, n, n, statistic, p, np.nan, effect, low, high))
    return carried(tests, lambda test: least_p_of_pairs(test.n))


def p_of_signs(ranks: np.ndarray, smaller: float) -> float:
    """Two-sided p of the ``smaller`` sum of ranks of one sign, if both signs are equally likely.

    Not by scipy, whose ``wilcoxon``, depending on its version, takes seconds for tied ranks or approximates.
    """
    if not len(ranks):
        return 1.0
    if len(ranks) > MOST_EXACT:
        return float(2 * ndtr((smaller - ranks.sum() / 2) / np.sqrt((ranks**2).sum() / 4)))
    chances = np.ones(1)  # probability of each sum of half ranks so far
    for halves in np.rint(2 * ranks).astype(int):
        chances = (np.pad(chances, (0, halves)) + np.pad(chances, (halves, 0))) / 2
    return min(1.0, 2 * float(chances[: round(2 * smaller) + 1].sum()))


def death_rates(groups: Mapping[str, Group], against: str = "original") -> tuple[list[Test], str]:
    """Negative binomial regression of deaths on versions, with exposure (NB2: one dispersion for all; statistic: z).

    ``groups`` maps each version to deaths, int (n,), and exposures above 0, float64 (n,), in any unit of time. Effect:
    the ratio of deaths per unit of time to ``against``'s, with a Wald interval. Standard errors come from the joint
    observed information of coefficients and dispersion, while R's ``glm.nb`` takes the dispersion as known. The
    function also returns a note on how the model was fitted, or why not. If the model has no maximum, or no dispersion
    beyond Poisson's, Poisson regression with robust standard errors replaces it. Versions without deaths or with few
    players are left out.
    """
    used = {name: group for name, group in groups.items() if len(group[0]) >= FEW and group[0].any()}
    if against not in used or len(used) < 2:
        return [], f"no model: fewer than {FEW} players, or no deaths, on {against} or on all other versions"
    names = [against, *(name for name in used if name != against)]
    deaths, exposure = (np.concatenate([used[name][i] for name in names]) for i in (0, 1))
    number = np.repeat(np.arange(len(names)), [len(used[name][0]) for name in names])
    design = (number[:, None] == np.arange(len(names))).astype(float)
    design[:, 0] = 1
    fit, note = fit_counts(deaths, design, exposure)
    if fit is None:
        return [], note
    left_out = [name for name in groups if name not in used]
    note += f"; left out, few players or no deaths: {', '.join(left_out)}" if left_out else ""
    tests = []
    for i, name in enumerate(names[1:], 1):
        value, error = float(fit.params[i]), float(fit.bse[i])
        n, n_against = len(used[name][0]), len(used[against][0])
        low, ratio, high = np.exp(value + WALD * error * np.arange(-1, 2)).tolist()
        tests.append(Test(name, against, n, n_against, value / error, float(fit.pvalues[i]), np.nan, ratio, low, high))
    return carried(tests, lambda test: least_p(test.n, test.n_against)), note


def fit_counts(deaths: np.ndarray, design: np.ndarray, exposure: np.ndarray) -> tuple[Any, str]:
    """The fitted model and a note: negative binomial if it converges to a dispersion, otherwise Poisson with robust
    errors; None if neither has an answer."""
    with quiet():
        try:
            fit: Any = NegativeBinomial(deaths, design, exposure=exposure).fit(disp=0, maxiter=500)
            if fit.mle_retvals["converged"] and np.isfinite(fit.bse).all() and fit.params[-1] > LEAST_DISPERSION:
                return fit, f"negative binomial regression, dispersion {fit.params[-1]:.2g}"
        except (np.linalg.LinAlgError, ValueError):
            pass
        try:
            fit = Poisson(deaths, design, exposure=exposure).fit(disp=0, cov_type="HC0")
        except (np.linalg.LinAlgError, ValueError) as error:
            return None, f"no model: neither a negative binomial nor a Poisson regression has an answer ({error})"
        if not (np.isfinite(fit.params).all() and np.isfinite(fit.bse).all()):
            return None, "no model: neither a negative binomial nor a Poisson regression has an answer"
        return fit, "Poisson regression with robust errors, since the negative binomial did not converge"


def omnibus(groups: Mapping[str, Group], against: str = "original") -> Test | None:
    """Log-rank test of all versions together: do any of the curves differ? None below two versions with LEAST players.

    Statistic: chi squared, with one degree of freedom fewer than versions. ``groups`` as in ``log_rank``; ``n`` counts
    all players, ``n_against`` those of ``against``. It has no effect; its p needs no correction.
    """
    used = {name: group for name, group in groups.items() if len(group[0]) >= LEAST}
    if len(used) < 2:
        return None
    times, won = (np.concatenate([group[i] for group in used.values()]) for i in (0, 1))
    of = np.repeat(np.arange(len(used)), [len(group[0]) for group in used.values()])
    statistic = p = np.nan
    (why,) = why_not([least_p(*(len(group[0]) for group in used.values()))])
    if not why:
        with suppress(np.linalg.LinAlgError), quiet():
            statistic, p = (float(value) for value in survdiff(times, won.astype(int), of))
        why = "" if np.isfinite(p) else "at every win, only players of one version were left, or nobody won"
    n_against = len(used[against][0]) if against in used else 0
    return Test("all", against, len(times), n_against, statistic, p, p, np.nan, None, None, why)


def proportional_hazards(groups: Mapping[str, Group], against: str = "original") -> list[Test]:
    """Does each version's hazard ratio change with time? Statistic: chi squared, 1 degree of freedom.

    ``groups`` as in ``log_rank``; the test is ``hazards.proportional``'s. It has no effect. A small p says that the
    hazard ratio is an average over time. It checks an assumption, so p is not corrected.
    """
    tests = []
    for version, (times, won), (times_o, won_o) in pairs(groups, against):
        (why,) = why_not([least_p(len(times), len(times_o))])
        both, is_win = np.concatenate([times, times_o]), np.concatenate([won, won_o])
        statistic = np.nan
        if not why:
            risk = at_risk(both, is_win, np.repeat([1, 0], [len(times), len(times_o)]))
            statistic = proportional(risk, both, is_win)
            why = "" if np.isfinite(statistic) else "too few wins while both versions were played"
        p = float(chi2.sf(statistic, 1))
        tests.append(Test(version, against, len(times), len(times_o), statistic, p, p, np.nan, None, None, why))
    return tests


def holm(tests: Sequence[Test]) -> list[Test]:
    """The tests with ``p_holm``, corrected over those that could be made."""
    corrected = holm_of([test.p for test in tests])
    return [replace(test, p_holm=value) for test, value in zip(tests, corrected)]


def carried(tests: Sequence[Test], least: Callable[[Test], float]) -> list[Test]:
    """The tests, corrected by Holm's method; emptied are those that n can't carry, by the ``least`` p of each."""
    reasons = why_not([least(test) if np.isfinite(test.p) else np.nan for test in tests])
    return holm([
        Test(test.version, test.against, test.n, test.n_against, *UNTESTED, why) if why else test
        for test, why in zip(tests, reasons)
    ])  # fmt: skip


def pairs(groups: Mapping[str, Group], against: str) -> Iterator[tuple[str, Group, Group]]:
    """Each other version with its group and that of ``against``; empty groups are skipped."""
    if against not in groups or not len(groups[against][0]):
        return
    for version, group in groups.items():
        if version != against and len(group[0]):
            yield version, group, groups[against]


def numbers(result: Any) -> tuple[float, float]:
    """Statistic and p of a scipy test."""
    return float(result.statistic), float(result.pvalue)


@contextmanager
def quiet() -> Iterator[None]:
    """Suppresses the warnings of a fit that does not converge: its result is checked instead."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield
