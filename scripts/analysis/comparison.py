"""The numbers of one section: a cell for each kind of player on each version, and the order of versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from priorlab.scripts.analysis.agreement import Agreement, Side, agreements_of, mean_of
from priorlab.scripts.analysis.hypotheses import (
    FEW,
    Test,
    death_rates,
    log_rank,
    mann_whitney,
    omnibus,
    proportional_hazards,
    signed_rank,
)
from priorlab.scripts.analysis.players import Kind, Section, of_kind
from priorlab.scripts.analysis.published import published_means
from priorlab.scripts.analysis.slowdown import Contrast, contrasts_of, draw, means_against, together
from priorlab.scripts.analysis.statistics import (
    LEAST,
    Means,
    Played,
    Ratio,
    independent,
    is_known,
    median_time,
    quantiles,
    restricted_mean,
    times_of,
)

MINUTES = 30.0  # the limit of the people's study; mean times are restricted to it


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval, None if there is none (below LEAST runs), and the number of people or runs."""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Cell:
    """One kind of player on one version; counts are of runs or people.

    Only people and simulated players have minutes and quits. Tests compare with the same kind on the original. One or
    two people have no means, medians or shares; ``single`` holds their plays instead. Nor is there a ratio if so few
    played the original.
    """

    kind: Kind
    version: str
    n: int
    won: int
    median: float  # inputs to the first win; infinite if fewer than half were seen to win
    budget: int  # the most inputs of a run
    ratio: Ratio | None  # inputs to the first win, as a multiple of the original's
    deaths: float  # median, before the first win
    mean_deaths: Estimate | None
    states: Estimate | None  # mean of unique states at the end
    mastered: float  # median inputs until 90 of the last 100 episodes were won, infinite if fewer than half did
    n_mastered: int
    quits: int  # of n
    extra: Estimate | None = None  # restricted mean inputs beyond the original's; ``ratio.bound`` bounds it, too
    single: tuple[Played, ...] = ()
    quit: Estimate | None = None  # share that quit (Wilson's interval)
    minutes: Estimate | None = None  # mean restricted to the limit, quits censored; None if nothing is known of it
    worst: Estimate | None = None  # mean if everybody who did not win takes the full time
    worst_ratio: Ratio | None = None
    finishers: Estimate | None = None  # mean minutes of those who won, as the published means; its n counts them
    tests: Mapping[str, Test] = field(default_factory=dict)  # by the names of TESTS
    hazards: Test | None = None  # whether the hazard ratio of the log-rank test is the same at all times; not for pairs

    @property
    def is_slower(self) -> bool:
        """Clearly slower: the interval of its ratio is above 1 and, with enough players, the corrected test agrees."""
        ratio = self.ratio
        return bool(ratio and ratio.low is not None and ratio.low > 1 and ratio.bound != "<=" and self.is_sure)

    @property
    def is_faster(self) -> bool:
        ratio = self.ratio
        return bool(ratio and ratio.high is not None and ratio.high < 1 and ratio.bound != ">=" and self.is_sure)

    @property
    def is_sure(self) -> bool:
        """Whether the corrected main test is below 5 %; with few players there is none, and the interval decides."""
        return not self.is_tested or (self.main_test is not None and self.main_test.p_holm < 0.05)

    @property
    def is_tested(self) -> bool:
        """Whether there are enough players for the main test to decide."""
        test = self.main_test
        return test is not None and min(test.n, test.n_against) >= FEW

    @property
    def main_test(self) -> Test | None:
        return next((self.tests[name] for name in MAIN if name in self.tests), None)


MAIN = ("log_rank", "signed_rank")  # the tests that decide, unpaired and paired
TESTS = {  # name: (title, effect)
    "log_rank": ("Log-rank", "hazard ratio of winning"),
    "mann_whitney": ("Mann-Whitney", "probability of taking longer"),
    "signed_rank": ("Signed-rank", "share of people who took longer"),
    "deaths": ("Deaths per minute", "rate ratio"),
}


@dataclass(frozen=True)
class Analysis:
    """All numbers of a section. ``notes``: how deaths were modelled; ``omnibus``: the test of all versions together;
    both by label of the kind of player."""

    section: Section
    cells: tuple[Cell, ...]
    limit: float  # minutes
    paired: bool
    notes: Mapping[str, str]
    omnibus: Mapping[str, Test] = field(default_factory=dict)  # not for pairs
    contrasts: tuple[Contrast, ...] = ()  # people's slow-downs over agents'
    sides: tuple[Side, ...] = ()  # mean times of the versions, by kind of player and estimator
    agreements: tuple[Agreement, ...] = ()  # of their orders

    def find(self, kind: Kind, version: str) -> Cell | None:
        return next((cell for cell in self.cells if (cell.kind, cell.version) == (kind, version)), None)

    def of_kind(self, kind: Kind) -> list[Cell]:
        return [cell for cell in self.cells if cell.kind == kind]


@dataclass(frozen=True)
class Order:
    """Agreement of the order of versions by mean time with the published one: Kendall's tau-b over the pairs whose
    published means are apart; and the versions, fastest first."""

    kind: Kind
    tau: Estimate  # n: number of versions
    versions: tuple[str, ...]


def analyse(section: Section, limit: float = MINUTES, paired: bool = False) -> Analysis:
    """Computes the numbers of a section.

    People's mean times are restricted to ``limit`` minutes, or to the longest possible play. ``paired`` compares the
    plays of the people who played both versions.
    """
    limit = min(limit, section.limit or limit)
    cells, notes, all_versions, drawn = [], {}, {}, draw(section)
    for kind in section.kinds:
        groups = {name: of_kind(section.runs, kind, name) for name in section.versions}
        groups = {name: group for name, group in groups.items() if group}
        tests, notes[kind.label] = tests_of(groups, kind, paired)
        hazards: dict[str, Test] = {}
        if not kind.lives and (kind.is_agent or not paired):
            times = {name: times_of(group) for name, group in groups.items()}
            hazards = {test.version: test for test in proportional_hazards(times)}
            together_all = omnibus(times)
            if together_all:
                all_versions[kind.label] = together_all
        for name in groups:
            of_version = {test: results[name] for test, results in tests.items() if name in results}
            cell = cell_of(groups, drawn[kind], kind, name, of_version, limit, paired)
            cells.append(replace(cell, hazards=hazards.get(name)))
    in_order = sorted(cells, key=lambda cell: section.versions.index(cell.version))
    contrasts = contrasts_of(section, limit, drawn, paired)
    sides, agreements = agreements_of(section, limit, published_means(), drawn)
    return Analysis(section, tuple(in_order), limit, paired, notes, all_versions, contrasts, sides, agreements)


def cell_of(
    groups: Mapping[str, Sequence[Played]], drawn: Mapping[str, np.ndarray], kind: Kind, version: str,
    tests: Mapping[str, Test], limit: float, paired: bool,
) -> Cell:  # fmt: skip
    here, weights = groups[version], drawn[version]
    is_mastered = np.array([not np.isnan(run.mastered) for run in here])
    mastered = np.array([run.budget if np.isnan(run.mastered) else run.mastered for run in here])
    full = limit * 60 * here[0].rate  # inputs
    times, won = times_of(here)
    deaths = [run.deaths for run in here]
    means = means_against(groups, drawn, kind, version, limit, paired)
    worst_ratio = None
    if not kind.is_agent:
        at_worst = {name: [played_on(run, full) for run in group] for name, group in groups.items()}
        worst = means_against(at_worst, drawn, kind, version, limit, paired)
        worst_ratio = worst.ratio if worst else None
    cell = Cell(
        kind=kind, version=version, n=len(here), won=int(won.sum()), median=median_time(times, won),
        budget=max(run.budget for run in here), ratio=means.ratio if means else None, extra=extra_of(means),
        worst_ratio=worst_ratio,
        deaths=float(np.median(deaths)), mean_deaths=None if np.isnan(deaths).any() else mean(deaths, weights, here),
        states=mean([run.states for run in here], weights, here),
        mastered=median_time(mastered, is_mastered), n_mastered=int(is_mastered.sum()),
        quits=sum(run.outcome == "quit" for run in here), tests=tests,
    )  # fmt: skip
    if kind.is_agent:
        return cell
    if len(here) < LEAST:
        return replace(cell, median=np.nan, deaths=np.nan, mean_deaths=None, states=None, single=tuple(here))
    low, high = np.array(proportion_confint(cell.quits, len(here), method="wilson"), float).tolist()
    worst, inputs = np.where(won, np.minimum(times, full), full), full / limit  # inputs per minute
    minutes = None
    if is_known(times, won, full):
        drawn_means = restricted_mean(times, won, full, weights)
        minutes = estimate(restricted_mean(times, won, full), drawn_means, here, inputs)
    return replace(
        cell, quit=Estimate(cell.quits / len(here), low, high, len(here)), minutes=minutes,
        worst=estimate(worst.mean(), weights @ worst / len(here), here, inputs),
        finishers=finishers(here, weights, inputs),
    )  # fmt: skip


def tests_of(
    groups: Mapping[str, Sequence[Played]], kind: Kind, paired: bool
) -> tuple[dict[str, dict[str, Test]], str]:
    """The tests of TESTS by name and version, and how deaths were modelled; times are in inputs."""
    if kind.lives:
        return {}, "not modelled: lives of one raised player are not independent"
    if paired and not kind.is_agent:
        both = {name: together(groups, name) for name in groups if name != "original" and groups.get("original")}
        pairs = {name: (times_of(a), times_of(b)) for name, (a, b) in both.items() if a}
        return {"signed_rank": {test.version: test for test in signed_rank(pairs)}}, "not modelled for pairs"
    times = {name: times_of(group) for name, group in groups.items()}
    deaths = {
        name: (np.array([run.deaths for run in group]), np.array([max(run.minutes, 1e-9) for run in group]))
        for name, group in groups.items()
        if not np.isnan([run.deaths for run in group]).any()
    }
    rates, note = death_rates(deaths)
    made = {"log_rank": log_rank(times), "mann_whitney": mann_whitney(times), "deaths": rates}
    return {name: {test.version: test for test in tests} for name, tests in made.items()}, note


def extra_of(means: Means | None) -> Estimate | None:
    """Restricted mean inputs to the first win minus the original's, with the interval of resamples."""
    if means is None:
        return None
    low, high = means.interval(lambda each: each[0] - each[1])
    return Estimate(means.version - means.original, low, high, min(means.n, means.n_original))


def finishers(runs: Sequence[Played], weights: np.ndarray, unit: float) -> Estimate | None:
    """Mean time of those who won, with its interval; None if fewer than LEAST did. The interval resamples all players,
    so how many win varies with it."""
    times, won = times_of(runs)
    if won.sum() < LEAST:
        return None
    drawn = mean_of("finishers", times, won, np.inf, weights)
    low, high = (np.nanquantile(drawn, quantiles(int(won.sum()))) / unit).tolist()
    return Estimate(float(times[won].mean()) / unit, low, high, int(won.sum()))


def played_on(run: Played, full: float) -> Played:
    """The run as if somebody who did not win had played to the limit."""
    return run if run.won else replace(run, inputs=int(full))


def mean(values: Sequence[float], weights: np.ndarray, runs: Sequence[Played]) -> Estimate:
    numbers = np.asarray(values, float)
    return estimate(numbers.mean(), weights @ numbers / weights.sum(axis=1), runs, 1)


def estimate(value: float | np.ndarray, drawn: np.ndarray, runs: Sequence[Played], unit: float) -> Estimate:
    """The value and its interval from resamples, both divided by ``unit``; no interval below LEAST runs."""
    n = independent(runs)
    if n < LEAST:
        return Estimate(float(value) / unit, None, None, n)
    low, high = (np.quantile(drawn, quantiles(n)) / unit).tolist()
    return Estimate(float(value) / unit, low, high, n)


def order_of(analysis: Analysis, kind: Kind) -> Order | None:
    """Agreement of the order by restricted means with the published one; None below three versions, or if all are
    equal, as when nobody won."""
    for found in analysis.agreements:
        is_theirs = found.first.kind is None and found.second.kind == kind
        if is_theirs and found.estimator == "restricted" and np.isfinite(found.tau):
            tau = Estimate(found.tau, found.low, found.high, len(found.second.versions))
            return Order(kind, tau, found.second.order)
    return None
