"""The claim itself: does a version slow people more than it slows an agent? Ratios of ratios, with their intervals.

A version's slow-down is its restricted mean inputs to the first win over the original's: people's to the time limit,
agents' to the inputs that the runs of both versions lasted. The ratio of ratios is people's slow-down over an agent's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtr, stdtrit

from priorlab.scripts.analysis.least_p import holm_of
from priorlab.scripts.analysis.players import Kind, Section, of_kind
from priorlab.scripts.analysis.statistics import (
    CONFIDENCE,
    LEAST,
    Means,
    Played,
    Ratio,
    bootstrap_weights,
    means_to_original,
)

INVERSE = {"": "", ">=": "<=", "<=": ">=", "~": "~"}  # the bound of a number that is divided by, as one of the quotient
Drawn = Mapping[Kind, Mapping[str, np.ndarray]]  # how often each run is in each resample, by kind and version


@dataclass(frozen=True)
class Contrast:
    """How many times as much a version slows people (or simulated players) as it slows an agent.

    ``value`` is the ratio of both slow-downs, ``people`` and ``agents``; above 1, people are slowed more. ``low`` to
    ``high`` is its 95 % interval, ``share`` the share of resamples in which people are slowed more (ties count half),
    and ``p`` the two-sided p that belongs to the interval, ``p_holm`` corrected over the versions; all are None if any
    of the four groups has fewer than LEAST players. ``bound``: as in ``Ratio``, of the ratio of ratios.
    """

    version: str
    kind: Kind
    agent: Kind
    people: Ratio
    agents: Ratio
    value: float
    low: float | None
    high: float | None
    share: float | None
    p: float | None
    p_holm: float | None
    bound: str

    @property
    def is_more(self) -> bool:
        """Clearly more: the interval lies above 1, the corrected p is below 5 %, and the value is no upper bound."""
        return self.is_sure and self.low is not None and self.low > 1 and self.bound != "<="

    @property
    def is_less(self) -> bool:
        return self.is_sure and self.high is not None and self.high < 1 and self.bound != ">="

    @property
    def is_sure(self) -> bool:
        return self.p_holm is not None and self.p_holm < 1 - CONFIDENCE


def draw(section: Section) -> Drawn:
    """Resamples of all runs, int (RESAMPLES, n) for each kind of player and version that it played.

    Each kind has a seed of its own: with a common one, equally many people and runs would be drawn in step.
    """
    drawn = {}
    for seed, kind in enumerate(section.kinds):
        groups = {version: of_kind(section.runs, kind, version) for version in section.versions}
        groups = {version: runs for version, runs in groups.items() if runs}
        drawn[kind] = dict(zip(groups, bootstrap_weights(list(groups.values()), seed)))
    return drawn


def contrasts_of(section: Section, limit: float, drawn: Drawn, paired: bool = False) -> tuple[Contrast, ...]:
    """Every ratio of ratios of a section: people and simulated players against each kind of agent on each version.

    ``limit``: minutes to which people's means are restricted; ``drawn``: from ``draw``. ``paired``: people's slow-down
    is of those who played both versions. Versions that have no slow-down on one side are left out.
    """
    sides = {kind: means_of_kind(section, kind, limit, drawn[kind], paired) for kind in section.kinds}
    contrasts = []
    for kind in (kind for kind in sides if not kind.is_agent):
        for agent in (agent for agent in sides if agent.is_agent):
            versions = [version for version in sides[kind] if version in sides[agent]]
            found = [
                contrast(version, (kind, sides[kind][version]), (agent, sides[agent][version]), paired)
                for version in versions
            ]
            if agent.lives:  # a few lives are an example; there are only as many players as were raised
                found = [each for each in found if each.low is not None]
            corrected = holm_of([np.nan if each.p is None else each.p for each in found])
            contrasts += [replace(each, p_holm=None if each.p is None else p) for each, p in zip(found, corrected)]
    return tuple(contrasts)


def means_of_kind(
    section: Section, kind: Kind, limit: float, drawn: Mapping[str, np.ndarray], paired: bool = False
) -> dict[str, Means]:
    """The means of each version next to the original's; the versions share the resamples of the original."""
    groups = {version: of_kind(section.runs, kind, version) for version in drawn}
    means = {version: means_against(groups, drawn, kind, version, limit, paired) for version in groups}
    return {version: each for version, each in means.items() if each}


def means_against(
    groups: Mapping[str, Sequence[Played]], drawn: Mapping[str, np.ndarray], kind: Kind, version: str, limit: float,
    paired: bool,
) -> Means | None:  # fmt: skip
    """The means of a version and of the original; None on the original, without one, and for fewer than LEAST people.

    ``drawn``: the resamples of each version, which pairs don't use: theirs are drawn together. ``limit``: minutes.
    """
    if version == "original" or not groups.get("original"):
        return None
    here, there = groups[version], groups["original"]
    if kind.is_agent:
        return means_to_original(here, there, weights=(drawn[version], drawn["original"]))
    full = limit * 60 * here[0].rate  # inputs
    known = (drawn[version], drawn["original"])
    if paired:
        (here, there), known = together(groups, version), None
    return means_to_original(here, there, full, known) if min(len(here), len(there)) >= LEAST else None


def together(groups: Mapping[str, Sequence[Played]], version: str) -> tuple[list[Played], list[Played]]:
    """The plays of the version and of the original by the people who played both, in the same order of people."""
    first, second = ({run.participant: run for run in groups.get(name, ())} for name in (version, "original"))
    people = sorted(first.keys() & second.keys())
    return [first[person] for person in people], [second[person] for person in people]


def contrast(version: str, of: tuple[Kind, Means], against: tuple[Kind, Means], paired: bool) -> Contrast:
    """The ratio of two slow-downs, ``of`` people and ``against`` an agent.

    The interval is on the log scale, where the errors of the four groups add up: the value, plus and minus Student's t
    times the standard error of the resamples (``student``). Percentiles of the resamples would be too narrow for three
    runs of an agent, and far too wide if widened for the smallest of the groups.
    """
    (kind, people), (agent, agents) = of, against
    value = people.ratio.value / agents.ratio.value
    low = high = share = p = None
    if people.drawn is not None and agents.drawn is not None:
        logs = np.log(people.drawn[0] / people.drawn[1]) - np.log(agents.drawn[0] / agents.drawn[1])
        share = float((logs > 0).mean() + (logs == 0).mean() / 2)
        sides = [variances(people, paired), variances(agents, agents.is_paired)]
        if sum(part for side in sides for part, _ in side) > np.finfo(float).eps:  # else nobody differs within a group
            low, high, p = student(float(np.log(value)), sides)
    bounds = {people.bound, INVERSE[agents.bound]} - {""}
    bound = "~" if len(bounds) > 1 else "".join(bounds)
    return Contrast(version, kind, agent, people.ratio, agents.ratio, value, low, high, share, p, None, bound)


def variances(means: Means, paired: bool = False) -> list[tuple[float, int]]:
    """The variances of the log of a slow-down with their degrees of freedom: one per group, or one of pairs.

    Resamples of n players vary (n - 1) / n times as much as they should, which is put right.
    """
    if means.drawn is None:
        return []
    logs = np.log(means.drawn)
    groups = [(logs[0] - logs[1], means.n)] if paired else [(logs[0], means.n), (logs[1], means.n_original)]
    return [(float(drawn.var()) * n / (n - 1), n - 1) for drawn, n in groups]


def student(value: float, sides: Sequence[Sequence[tuple[float, int]]]) -> tuple[float, float, float]:
    """The 95 % interval of exp(``value``) and the two-sided p that the value is 0.

    ``sides``: for people and for agents, variances with degrees of freedom. Those of all groups together are Welch's
    (1947), but no more than those of the side that has fewer: times are skewed, so that few are less sure than they
    seem. This keeps the coverage at 95 % (results/ratio-of-ratios).
    """
    parts = [part for side in sides for part in side]
    variance = sum(part for part, _ in parts)
    freedom = variance**2 / sum(part**2 / df for part, df in parts)
    freedom = min(freedom, *(sum(df for _, df in side) for side in sides))
    error = variance**0.5
    width = -float(stdtrit(freedom, (1 - CONFIDENCE) / 2)) * error
    p = 2 * float(stdtr(freedom, -abs(value) / error))
    return float(np.exp(value - width)), float(np.exp(value + width)), p
