"""How many inputs agents needed on each version, held against the original, in numbers and in words by a written rule.

Two measures: inputs to the first win, and until 90 of the last 100 episodes were won. A run that did not get there
counts as censored at its end, never as missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from priorlab.scripts.analysis.comparison import Estimate, estimate, mean
from priorlab.scripts.analysis.hypotheses import FEW
from priorlab.scripts.analysis.players import Kind, Section, of_kind
from priorlab.scripts.analysis.statistics import (
    LEAST,
    Played,
    Ratio,
    area,
    bootstrap_weights,
    median_time,
    quantiles,
    ratio_to_original,
    restricted_mean,
    times_of,
)

MEASURES = {"first": "the first win", "learned": "90 of the last 100 won"}
MARGIN = 1.25  # ratios from one over this to this are hardly a difference
MOST = 0.9  # of the runs must have got there, before a ratio can be called small
ALIKE, SLOWER, FASTER = "hardly different", "slower", "faster"
INCONCLUSIVE, NEVER = "inconclusive", "never reached"
FITS, ABOVE, BELOW, OPEN = "fits", "contradicted: slower", "contradicted: faster", "open"


@dataclass(frozen=True)
class Reached:
    """When the runs of one kind of agent on one version got to one of MEASURES; inputs are raw, of the whole run.

    ``ratio`` and ``sooner`` are held against the same agent on the original, and None on it.
    """

    n: int
    got: int
    share: Estimate  # that got there, with Wilson's interval
    median: float  # Kaplan-Meier; infinity where less than half got there
    mean: Estimate  # each run counted as at most the budget
    ratio: Ratio | None = None
    sooner: Estimate | None = None  # probability that a run of the version needs fewer inputs than one of the original
    original: "Reached | None" = None

    @property
    def is_mostly(self) -> bool:
        return self.got >= MOST * self.n

    @property
    def is_enough(self) -> bool:
        """Whether there are enough runs to say anything."""
        return self.original is not None and min(self.n, self.original.n) >= FEW

    @property
    def verdict(self) -> str:
        """What is found, by this rule, with FEW runs or more of both:

        - hardly different: the whole interval of the ratio lies within 1 / MARGIN to MARGIN, and at least MOST of the
          runs of both got there (where many don't, both means are near the budget, and their ratio near 1);
        - slower: the whole interval of the probability of needing fewer inputs lies below one half, and that of the
          ratio, where there is one, above 1; faster: the same, the other way round;
        - inconclusive: everything else.

        "" on the original.
        """
        original, sooner, ratio = self.original, self.sooner, self.ratio
        if original is None or sooner is None:
            return ""
        if not self.got and not original.got:
            return NEVER
        if not self.is_enough or sooner.low is None or sooner.high is None:
            return INCONCLUSIVE
        low, high = (ratio.low, ratio.high) if ratio else (None, None)
        if low and high and low >= 1 / MARGIN and high <= MARGIN and self.is_mostly and original.is_mostly:
            return ALIKE
        if sooner.high < 0.5 and (low is None or low > 1):
            return SLOWER
        if sooner.low > 0.5 and (high is None or high < 1):
            return FASTER
        return INCONCLUSIVE

    def against(self, claim: float) -> str:
        """Whether it fits a claimed ratio: the whole interval within the claim's MARGIN, contradicts it: the whole
        interval outside, or leaves it open. Runs that did not get there can only hide a difference, on either side."""
        ratio, original = self.ratio, self.original
        if not ratio or not ratio.low or not ratio.high or original is None or not self.is_enough:
            return OPEN
        if claim / MARGIN <= ratio.low and ratio.high <= claim * MARGIN and self.is_mostly and original.is_mostly:
            return FITS
        if ratio.low > claim * MARGIN and original.is_mostly:
            return ABOVE
        if ratio.high < claim / MARGIN and self.is_mostly:
            return BELOW
        return OPEN


@dataclass(frozen=True)
class Learner:
    """One kind of agent on one version."""

    kind: Kind
    version: str
    n: int
    budget: int  # raw inputs of a run
    reached: Mapping[str, Reached]  # by MEASURES
    area: Estimate  # mean over all inputs of the share won of the last 100 episodes
    middle: Estimate  # the same as an interquartile mean over runs
    states: Estimate  # unique states at the end


def learners_of(section: Section) -> list[Learner]:
    """A row a kind of agent and version, in the order of the section's versions."""
    found = []
    for kind in section.kinds:
        groups = {name: of_kind(section.runs, kind, name) for name in section.versions}
        groups = {name: group for name, group in groups.items() if group}
        drawn = dict(zip(groups, bootstrap_weights(list(groups.values()))))
        original = {}
        if "original" in groups:
            original = reached_of(groups["original"], drawn["original"])
        for name, runs in groups.items():
            reached = reached_of(runs, drawn[name])
            if name != "original" and original:
                reached = {
                    measure: held_against(own, original[measure], measure, (runs, groups["original"]),
                                          (drawn[name], drawn["original"]))
                    for measure, own in reached.items()
                }  # fmt: skip
            areas = np.array([area(run.success, run.budget) for run in runs])
            found.append(
                Learner(
                    kind=kind,
                    version=name,
                    n=len(runs),
                    budget=min(run.budget for run in runs),
                    reached=reached,
                    area=mean(areas.tolist(), drawn[name], runs),
                    middle=estimate(middle_mean(areas)[0], middle_mean(areas, drawn[name]), runs, 1),
                    states=mean([run.states for run in runs], drawn[name], runs),
                )
            )
    return sorted(found, key=lambda each: section.versions.index(each.version))


def reached_of(runs: Sequence[Played], weights: np.ndarray) -> dict[str, Reached]:
    """``weights``: (resamples, n), how often each run is in each resample."""
    found = {}
    for measure in MEASURES:
        times, got = times_of(until(runs, measure))
        horizon = float(min(run.budget for run in runs))
        low, high = np.array(proportion_confint(got.sum(), len(runs), method="wilson"), float).tolist()
        restricted = restricted_mean(times, got, horizon)
        found[measure] = Reached(
            n=len(runs), got=int(got.sum()), share=Estimate(float(got.mean()), low, high, len(runs)),
            median=median_time(times, got),
            mean=estimate(restricted, restricted_mean(times, got, horizon, weights), runs, 1),
        )  # fmt: skip
    return found


def held_against(
    own: Reached, original: Reached, measure: str, groups: tuple[Sequence[Played], Sequence[Played]],
    weights: tuple[np.ndarray, np.ndarray],
) -> Reached:  # fmt: skip
    here, there = (until(group, measure) for group in groups)
    ratio = ratio_to_original(here, there, weights=weights)
    return replace(own, ratio=ratio, sooner=sooner_of(here, there, weights), original=original)


def until(runs: Sequence[Played], measure: str) -> list[Played]:
    """The runs, with ``inputs`` and ``won`` as those of the measure."""
    if measure == "first":
        return list(runs)
    learned = [None if np.isnan(run.mastered) else int(run.mastered) for run in runs]
    return [replace(run, inputs=run.budget if at is None else at, won=at is not None) for run, at in zip(runs, learned)]


def sooner_of(here: Sequence[Played], there: Sequence[Played], weights: tuple[np.ndarray, np.ndarray]) -> Estimate:
    """Probability that a run of ``here`` gets there after fewer inputs than one of ``there``, ties counted half.

    The probability of improvement of Agarwal et al. (2021, section 4.3), with its bootstrap interval over runs. Runs
    that did not get there are later than all that did, and tie with one another.
    """
    (times, got), (others, others_got) = times_of(here), times_of(there)
    times, others = np.where(got, times, np.inf), np.where(others_got, others, np.inf)
    return improvement(-times, -others, weights)


def improvement(here: np.ndarray, there: np.ndarray, weights: Sequence[np.ndarray]) -> Estimate:
    """Probability that a value of ``here`` (n, ...) is larger than one of ``there`` (m, ...), ties counted half, the
    mean over all but the first axis, and its interval; ``weights`` are (resamples, n) and (resamples, m)."""
    each = (here[:, None] > there) + 0.5 * (here[:, None] == there)  # (n, m, ...)
    wins = each.reshape(len(here), len(there), -1).mean(axis=2)  # (n, m, ...) -> (n, m)
    n = min(len(here), len(there))
    if n < LEAST:
        return Estimate(float(wins.mean()), None, None, n)
    drawn = np.einsum("rn,nm,rm->r", weights[0], wins, weights[1], optimize=True) / wins.size
    low, high = np.quantile(drawn, quantiles(n)).tolist()
    return Estimate(float(wins.mean()), low, high, n)


def middle_mean(values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """(resamples,): the interquartile mean, the mean of the middle half, of values (n,) drawn as ``weights`` say.

    Values at the quartiles count by the part of them that lies within (Agarwal et al. 2021, section 4.3).
    """
    order = np.argsort(values, kind="stable")
    drawn = (np.ones((1, len(values))) if weights is None else weights[:, order]) / len(values)
    ends = np.cumsum(drawn, axis=1)
    inside = np.clip(ends, 0.25, 0.75) - np.clip(ends - drawn, 0.25, 0.75)
    return inside @ values[order] / 0.5
