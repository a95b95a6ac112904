"""Do people, simulated players, agents and the published means put the versions in the same order?

A description, not a verdict: nine versions are few, and their means have errors of their own. Two estimators of a mean
time are compared apart, since they answer different questions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, permutations

import numpy as np

from priorlab.scripts.analysis.players import Kind, Section, of_kind
from priorlab.scripts.analysis.resampling import RESAMPLES
from priorlab.scripts.analysis.slowdown import Drawn
from priorlab.scripts.analysis.statistics import (
    LEAST,
    Played,
    horizon_of,
    independent,
    is_known,
    quantiles,
    restricted_mean,
    times_of,
)

ESTIMATORS = {  # how a mean time is estimated
    "restricted": "mean of all players, restricted to the limit, quits and time-outs censored; of agents restricted to "
    "the inputs that the runs of all versions lasted",
    "finishers": "mean of those who won",
}
PUBLISHED = "Published people"
APART = 0.2  # published means that differ by this share of the smaller or more can be told apart
MOST_EXACT = 9  # versions whose orders are all enumerated: 362,880


@dataclass(frozen=True, eq=False)
class Side:
    """Mean inputs of one kind of player (published: minutes) on each version, by one of ESTIMATORS.

    ``means``: float64 (versions,), NaN where there is none; ``n``: int (versions,), the players behind each mean;
    ``drawn``: float64 (versions, RESAMPLES), means of resamples, NaN for fewer than LEAST players; None if published.
    """

    label: str
    kind: Kind | None  # None: published
    estimator: str
    versions: tuple[str, ...]
    means: np.ndarray
    n: np.ndarray
    drawn: np.ndarray | None = None

    @property
    def order(self) -> tuple[str, ...]:
        """The versions, fastest first."""
        known = [i for i in np.argsort(self.means, kind="stable") if np.isfinite(self.means[i])]
        return tuple(self.versions[i] for i in known)

    def on(self, versions: Sequence[str]) -> "Side":
        places = [self.versions.index(version) for version in versions]
        drawn = None if self.drawn is None else self.drawn[places]
        return replace(self, versions=tuple(versions), means=self.means[places], n=self.n[places], drawn=drawn)


@dataclass(frozen=True)
class PairOfVersions:
    """Two versions by both sides: how many times as long ``other`` takes. ``is_apart``: the published means differ by
    APART or more, so the pair counts."""

    version: str
    other: str
    first: float
    second: float
    is_apart: bool

    @property
    def agrees(self) -> bool | None:
        """Whether both sides put the two in the same order; None if one has them equal."""
        product = np.sign(np.log(self.first)) * np.sign(np.log(self.second))
        return None if product == 0 else bool(product > 0)


@dataclass(frozen=True)
class Agreement:
    """Kendall's tau-b between the orders of two sides, over the pairs of versions that are apart.

    ``p``: exact and one-sided, the share of all orders of the versions whose tau is as large or larger. ``low`` to
    ``high``: 95 % interval of tau, over people or seeds of both sides; None if a side has none. tau and p are NaN if
    all means of a side are equal.
    """

    estimator: str
    first: Side
    second: Side
    tau: float
    low: float | None
    high: float | None
    p: float
    pairs: tuple[PairOfVersions, ...]

    @property
    def n_pairs(self) -> int:
        return sum(pair.is_apart for pair in self.pairs)

    @property
    def n_agree(self) -> int:
        return sum(pair.is_apart and bool(pair.agrees) for pair in self.pairs)


def agreements_of(
    section: Section, limit: float, published: Mapping[str, float], drawn: Drawn
) -> tuple[tuple[Side, ...], tuple[Agreement, ...]]:
    """The sides of a section, and the agreement of any two, except two agents, on at least three common versions.

    ``limit``: minutes to which people's means are restricted; ``published``: mean minutes by version; ``drawn``: from
    ``draw``. Only versions with a published mean are ordered, since these decide which pairs count.
    """
    versions = tuple(version for version in section.versions if version in published)
    if len(versions) < 3:
        return (), ()
    theirs = np.array([published[version] for version in versions])
    sides = [Side(PUBLISHED, None, "finishers", versions, theirs, np.zeros(len(versions), int))]
    for kind in section.kinds:
        sides += sides_of(section, kind, versions, limit, drawn[kind])
    found = []
    for first, second in combinations(sides, 2):
        is_comparable = first.kind is None or first.estimator == second.estimator
        are_agents = all(side.kind is not None and side.kind.is_agent for side in (first, second))
        if first.kind != second.kind and is_comparable and not are_agents:
            common = [name for name, *means in zip(versions, first.means, second.means) if np.isfinite(means).all()]
            if len(common) >= 3:
                found.append(agreement(first.on(common), second.on(common), np.array([published[v] for v in common])))
    return tuple(sides), tuple(found)


def sides_of(
    section: Section, kind: Kind, versions: Sequence[str], limit: float, drawn: Mapping[str, np.ndarray]
) -> list[Side]:
    """One side per estimator; a person's or simulated player's mean needs LEAST players, an agent's one run."""
    groups = [of_kind(section.runs, kind, version) for version in versions]
    fewest = 1 if kind.is_agent else LEAST
    played = [group for group in groups if group]
    horizon = horizon_of_all(played) if kind.is_agent else limit * 60 * played[0][0].rate if played else 0.0
    sides = []
    for estimator in ESTIMATORS:
        means, counts, resampled = [], [], []
        for version, group in zip(versions, groups):
            times, won = times_of(group)
            n = len(group) if estimator == "restricted" else int(won.sum())
            known = n >= fewest and (kind.is_agent or estimator != "restricted" or is_known(times, won, horizon))
            means.append(mean_of(estimator, times, won, horizon) if known else np.nan)
            counts.append(min(n, independent(group)))
            enough = independent(group) >= LEAST
            none = np.full(RESAMPLES, np.nan)
            resampled.append(mean_of(estimator, times, won, horizon, drawn[version]) if enough else none)
        sides.append(Side(
            kind.label, kind, estimator, tuple(versions), np.array(means, float), np.array(counts),
            np.array(resampled),
        ))  # fmt: skip
    return sides


def horizon_of_all(groups: Sequence[Sequence[Played]]) -> float:
    """The inputs to which the curves of all groups are known, or the most of any run if all won everywhere."""
    times = [times_of(group) for group in groups]
    return min(*(horizon_of(*each) for each in times), max((each[0].max() for each in times), default=0.0))


def mean_of(
    estimator: str, times: np.ndarray, won: np.ndarray, horizon: float, weights: np.ndarray | None = None
) -> np.ndarray:
    """Mean inputs by one of ESTIMATORS; a scalar, or (resamples,) for weights (resamples, n)."""
    if estimator == "restricted":
        return restricted_mean(times, won, horizon, weights)
    weights = np.ones(len(times)) if weights is None else weights
    with np.errstate(invalid="ignore"):
        return weights @ np.where(won, times, 0) / (weights @ won)


def agreement(first: Side, second: Side, published: np.ndarray) -> Agreement:
    """Of two sides on the same versions, with the published means of these, (versions,)."""
    i, j = np.triu_indices(len(published), 1)
    apart = np.abs(published[i] - published[j]) >= APART * np.minimum(published[i], published[j]) * (1 - 1e-9)
    a, b = signs(first.means), signs(second.means)
    tau = float(tau_b(a[i, j], b[i, j], apart))
    low = high = None
    drawn = [side.means[:, None] if side.drawn is None else side.drawn for side in (first, second)]
    if np.isfinite(tau) and all(np.isfinite(each).any(axis=1).all() for each in drawn):
        taus = tau_b(signs(drawn[0])[i, j], signs(drawn[1])[i, j], apart[:, None])
        fewest = min(int(side.n.min()) for side in (first, second) if side.kind is not None)
        low, high = np.nanquantile(taus, quantiles(max(fewest, 2))).tolist()
    pairs = tuple(
        PairOfVersions(
            first.versions[here], first.versions[there], float(first.means[there] / first.means[here]),
            float(second.means[there] / second.means[here]), bool(counts),
        )
        for here, there, counts in zip(i, j, apart)
    )  # fmt: skip
    estimator = second.estimator if first.kind is None else first.estimator
    return Agreement(estimator, first, second, tau, low, high, p_of_orders(a, b, apart), pairs)


def signs(means: np.ndarray) -> np.ndarray:
    """Which of two versions takes longer: int8 (versions, versions, ...), 1 if the second, 0 if equal or unknown."""
    return np.sign(np.nan_to_num(means[None] - means[:, None])).astype(np.int8)


def tau_b(first: np.ndarray, second: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Kendall's tau-b (1945) from the signs of pairs, int8 (pairs, ...), over those that ``counts``, bool."""
    both = np.sum(first * second * counts, axis=0, dtype=int)
    untied = [np.sum((side != 0) & counts, axis=0) for side in (first, second)]
    with np.errstate(invalid="ignore"):
        return both / np.sqrt(untied[0] * untied[1])


def p_of_orders(first: np.ndarray, second: np.ndarray, apart: np.ndarray) -> float:
    """The share of all orders of the versions of ``second`` whose tau-b with ``first`` is as large or larger.

    ``first``, ``second``: from ``signs``; ``apart``: which pairs count, in the order of ``triu_indices``. Which pairs
    count stays with ``first``. NaN if tau-b is, or with more than MOST_EXACT versions.
    """
    k = len(first)
    if k > MOST_EXACT:
        return np.nan
    i, j = np.triu_indices(k, 1)
    ranks = (second > 0).sum(axis=0).astype(np.int8)[orders(k)]  # (versions, orders)
    agree, untied = np.zeros((2, ranks.shape[1]), np.int8)
    kept = first[i, j][apart]
    for sign, here, there in zip(kept, i[apart], j[apart]):
        longer, shorter = ranks[there] > ranks[here], ranks[there] < ranks[here]
        agree += sign * (longer.view(np.int8) - shorter.view(np.int8))
        untied += longer | shorter
    with np.errstate(invalid="ignore"):
        taus = agree / np.sqrt(np.count_nonzero(kept) * untied.astype(float))
    return float((taus >= taus[0] - 1e-12).mean()) if np.isfinite(taus[0]) else np.nan


@cache
def orders(k: int) -> np.ndarray:
    """All orders of k versions, int8 (k, k!); the first is the given one."""
    return np.array(list(permutations(range(k))), np.int8).T.copy()
