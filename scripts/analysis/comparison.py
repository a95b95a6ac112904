"""The numbers of one game on one level: a cell for each kind of player on each version, and the order of versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.stats import kendalltau
from statsmodels.stats.proportion import proportion_confint

from priorlab.scripts.analysis.hypotheses import FEW, Test, death_rates, log_rank, mann_whitney, signed_rank
from priorlab.scripts.analysis.players import Kind, Section, of_kind
from priorlab.scripts.analysis.statistics import (
    LEAST,
    Played,
    Ratio,
    bootstrap_weights,
    is_known,
    median_time,
    quantiles,
    ratio_to_original,
    restricted_mean,
    times_of,
)

MINUTES = 30.0  # the limit of the people's study, to which mean times are restricted


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval, None where there is none (below LEAST runs), and of how many people or runs it
    is."""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Cell:
    """One kind of player on one version; counts are of runs or people.

    Minutes and quits are of people and simulated players alone; tests are held against the same kind on the original.
    Of one or two of those there are no means, medians or shares, and ``single`` holds their plays instead; nor is there
    a ratio where there are so few on the original.
    """

    kind: Kind
    version: str
    n: int
    won: int
    median: float  # inputs to the first win; infinity: less than half are seen to win
    budget: int  # most inputs of a run
    ratio: Ratio | None  # inputs to the first win, as a multiple of the original's
    deaths: float  # median, before the first win
    mean_deaths: Estimate | None
    states: Estimate | None  # mean of unique states at the end
    mastered: float  # median inputs until 90 of the last 100 episodes were won, infinity where less than half did
    n_mastered: int
    quits: int  # of n
    single: tuple[Played, ...] = ()
    quit: Estimate | None = None  # share that quit (Wilson's interval)
    minutes: Estimate | None = None  # restricted mean to the limit, quits censored; none where nothing is known of it
    worst: Estimate | None = None  # mean where everybody who did not win takes the full time
    worst_ratio: Ratio | None = None
    tests: Mapping[str, Test] = field(default_factory=dict)  # by the names of TESTS

    @property
    def is_slower(self) -> bool:
        """Clearly: the whole interval of its ratio above 1, and, of enough players, the corrected test as well."""
        ratio = self.ratio
        return bool(ratio and ratio.low is not None and ratio.low > 1 and ratio.bound != "<=" and self.is_sure)

    @property
    def is_faster(self) -> bool:
        ratio = self.ratio
        return bool(ratio and ratio.high is not None and ratio.high < 1 and ratio.bound != ">=" and self.is_sure)

    @property
    def is_sure(self) -> bool:
        """Whether the main test, corrected, is below 5 %; of few players there is none, and the interval decides."""
        return not self.is_tested or (self.main_test is not None and self.main_test.p_holm < 0.05)

    @property
    def is_tested(self) -> bool:
        """Whether there are players enough for the main test to decide."""
        test = self.main_test
        return test is not None and min(test.n, test.n_against) >= FEW

    @property
    def main_test(self) -> Test | None:
        return next((self.tests[name] for name in MAIN if name in self.tests), None)


MAIN = ("log_rank", "signed_rank")  # the test that decides: one of them, unpaired or paired
TESTS = {  # name: (title, effect)
    "log_rank": ("Log-rank", "hazard ratio of winning"),
    "mann_whitney": ("Mann-Whitney", "probability of taking longer"),
    "signed_rank": ("Signed-rank", "share of people who took longer"),
    "deaths": ("Deaths a minute", "rate ratio"),
}


@dataclass(frozen=True)
class Analysis:
    """All numbers of a section. ``notes`` say of each kind of player (its label) how deaths were modelled."""

    section: Section
    cells: tuple[Cell, ...]
    limit: float  # minutes
    paired: bool
    notes: Mapping[str, str]

    def find(self, kind: Kind, version: str) -> Cell | None:
        return next((cell for cell in self.cells if (cell.kind, cell.version) == (kind, version)), None)

    def of_kind(self, kind: Kind) -> list[Cell]:
        return [cell for cell in self.cells if cell.kind == kind]


@dataclass(frozen=True)
class Order:
    """How the order of versions by mean time agrees with another: Kendall's tau, and the versions, quickest first."""

    kind: Kind
    tau: Estimate  # n is of versions
    versions: tuple[str, ...]


def analyse(section: Section, limit: float = MINUTES, paired: bool = False) -> Analysis:
    """``limit`` in minutes, to which mean times of people are restricted; never more than their plays could last.

    ``paired`` holds the plays of the same people against each other, those who played both versions.
    """
    limit = min(limit, section.limit or limit)
    cells, notes = [], {}
    for kind in section.kinds:
        groups = {name: of_kind(section.runs, kind, name) for name in section.versions}
        groups = {name: group for name, group in groups.items() if group}
        tests, notes[kind.label] = tests_of(groups, kind, paired)
        drawn = dict(zip(groups, bootstrap_weights(list(groups.values()))))
        for name in groups:
            own = {test: found[name] for test, found in tests.items() if name in found}
            cells.append(cell_of(groups, drawn, kind, name, own, limit, paired))
    in_order = sorted(cells, key=lambda cell: section.versions.index(cell.version))
    return Analysis(section, tuple(in_order), limit, paired, notes)


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
    ratio = worst_ratio = None
    if version != "original" and groups.get("original"):
        both = together(groups, version) if paired and not kind.is_agent else (here, groups["original"])
        known = None if paired else (weights, drawn["original"])
        if kind.is_agent:
            ratio = ratio_to_original(both[0], both[1], weights=known)
        elif min(map(len, both)) >= LEAST:
            ratio = ratio_to_original(both[0], both[1], full, known)
            worst_ratio = ratio_to_original(at_worst(both[0], full), at_worst(both[1], full), full, known)
    cell = Cell(
        kind=kind, version=version, n=len(here), won=int(won.sum()), median=median_time(times, won),
        budget=max(run.budget for run in here), ratio=ratio, worst_ratio=worst_ratio,
        deaths=float(np.median(deaths)), mean_deaths=mean(deaths, weights, here),
        states=mean([run.states for run in here], weights, here),
        mastered=median_time(mastered, is_mastered), n_mastered=int(is_mastered.sum()),
        quits=sum(run.outcome == "quit" for run in here), tests=tests,
    )  # fmt: skip
    if kind.is_agent:
        return cell
    if len(here) < LEAST:
        return replace(cell, median=np.nan, deaths=np.nan, mean_deaths=None, states=None, single=tuple(here))
    low, high = np.array(proportion_confint(cell.quits, len(here), method="wilson"), float).tolist()
    worst, inputs = np.where(won, np.minimum(times, full), full), full / limit  # inputs a minute
    minutes = None
    if is_known(times, won, full):
        drawn_means = restricted_mean(times, won, full, weights)
        minutes = estimate(restricted_mean(times, won, full), drawn_means, here, inputs)
    return replace(
        cell, quit=Estimate(cell.quits / len(here), low, high, len(here)), minutes=minutes,
        worst=estimate(worst.mean(), weights @ worst / len(here), here, inputs),
    )  # fmt: skip


def tests_of(
    groups: Mapping[str, Sequence[Played]], kind: Kind, paired: bool
) -> tuple[dict[str, dict[str, Test]], str]:
    """(the tests of TESTS by name and version, how deaths were modelled); times in inputs."""
    if paired and not kind.is_agent:
        both = {name: together(groups, name) for name in groups if name != "original" and groups.get("original")}
        pairs = {name: (times_of(a), times_of(b)) for name, (a, b) in both.items() if a}
        return {"signed_rank": {test.version: test for test in signed_rank(pairs)}}, "not modelled for pairs"
    times = {name: times_of(group) for name, group in groups.items()}
    deaths = {
        name: (np.array([run.deaths for run in group]), np.array([max(run.minutes, 1e-9) for run in group]))
        for name, group in groups.items()
    }
    rates, note = death_rates(deaths)
    found = {"log_rank": log_rank(times), "mann_whitney": mann_whitney(times), "deaths": rates}
    return {name: {test.version: test for test in tests} for name, tests in found.items()}, note


def together(groups: Mapping[str, Sequence[Played]], version: str) -> tuple[list[Played], list[Played]]:
    """The plays of the version and of the original by the people who played both, person by person."""
    first, second = ({run.participant: run for run in groups.get(name, ())} for name in (version, "original"))
    people = sorted(first.keys() & second.keys())
    return [first[person] for person in people], [second[person] for person in people]


def at_worst(runs: Sequence[Played], full: float) -> list[Played]:
    """As if everybody who did not win had gone on to the limit."""
    return [run if run.won else replace(run, inputs=int(full)) for run in runs]


def mean(values: Sequence[float], weights: np.ndarray, runs: Sequence[Played]) -> Estimate:
    numbers = np.asarray(values, float)
    return estimate(numbers.mean(), weights @ numbers / weights.sum(axis=1), runs, 1)


def estimate(value: float | np.ndarray, drawn: np.ndarray, runs: Sequence[Played], unit: float) -> Estimate:
    """The value and its interval from those of resamples, both divided by ``unit``; below LEAST runs, no interval."""
    if len(runs) < LEAST:
        return Estimate(float(value) / unit, None, None, len(runs))
    low, high = (np.quantile(drawn, quantiles(len(runs))) / unit).tolist()
    return Estimate(float(value) / unit, low, high, len(runs))


def order_of(analysis: Analysis, kind: Kind, published: Mapping[str, float]) -> Order | None:
    """How the versions' mean minutes are ordered beside ``published`` ones; None below three versions.

    The interval of tau resamples people within versions.
    """
    cells = [cell for cell in analysis.of_kind(kind) if cell.version in published and cell.minutes]
    if len(cells) < 3:
        return None
    groups = [of_kind(analysis.section.runs, kind, cell.version) for cell in cells]
    full = [analysis.limit * 60 * group[0].rate for group in groups]
    values = [cell.minutes.value for cell in cells if cell.minutes]
    theirs = np.array([published[cell.version] for cell in cells])
    low = high = None
    if min(map(len, groups)) >= LEAST:
        drawn = np.stack(
            [restricted_mean(*times_of(g), f, w) for g, f, w in zip(groups, full, bootstrap_weights(groups))]
        )
        i, j = np.triu_indices(len(cells), 1)
        same = np.sign(drawn[i] - drawn[j]) * np.sign(theirs[i] - theirs[j])[:, None]
        ties = np.sqrt((np.sign(theirs[i] - theirs[j]) != 0).sum() * len(i))
        low, high = np.quantile(same.sum(axis=0) / ties, quantiles(min(map(len, groups)))).tolist()
    tau = float(np.asarray(kendalltau(values, theirs)[0]))
    ordered = tuple(cells[i].version for i in np.argsort(values, kind="stable"))
    return Order(kind, Estimate(tau, low, high, len(cells)), ordered)
