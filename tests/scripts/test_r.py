"""Our numbers against R's on fixed plays: every test, interval and mean that `priorlab compare` prints.

``data/r/numbers.R`` made ``data/r/numbers.json`` from ``data/r/plays.csv``. What both work out in closed form agrees to
1e-9, and so does Cox's model, whose maximum both find to the last digits. The regressions of deaths are maximised here
until no slope is above 1e-5: they agree to 2e-5, and p, far out in a tail, to 2e-4.
"""

import csv
import json
from itertools import pairwise

import numpy as np
import pytest

from priorlab.envs.game.level import Level
from priorlab.scripts.analysis.agreement import agreements_of
from priorlab.scripts.analysis.comparison import analyse
from priorlab.scripts.analysis.hazards import WALD
from priorlab.scripts.analysis.hypotheses import fit_counts, log_rank, signed_rank
from priorlab.scripts.analysis.players import Section
from priorlab.scripts.analysis.slowdown import draw
from priorlab.scripts.analysis.statistics import Played, kaplan_meier, times_of
from tests.support.paths import DATA

HERE = DATA / "r"
THEIRS = json.loads((HERE / "numbers.json").read_text(encoding="utf-8"))
ROWS = list(csv.DictReader((HERE / "plays.csv").read_text(encoding="utf-8").splitlines()))
VERSIONS = list(dict.fromkeys(row["version"] for row in ROWS))
FITTED = 2e-5  # relative, of regressions of deaths
LEVEL = Level.read("key_door").text()


def same(value, rel=1e-9):
    return pytest.approx(value, rel=rel, abs=1e-12)


def play(row):
    inputs = int(row["inputs"])
    return Played(
        version=row["version"], method="person", player="person", privileged=False, folder="", level=LEVEL,
        settings={"player_id": row["player_id"]}, frame_skip=1, finished=True, budget=inputs, inputs=inputs,
        won=row["outcome"] == "win", deaths=int(row["deaths"]), mastered=float("nan"), curve=np.zeros((2, 0)),
        visits=np.zeros((0, 3), np.int64), game="key_door", outcome=row["outcome"],
    )  # fmt: skip


@pytest.fixture(scope="module")
def section():
    return Section("key_door", LEVEL, tuple(VERSIONS), tuple(map(play, ROWS)))


@pytest.fixture(scope="module")
def cells(section):
    return {cell.version: cell for cell in analyse(section).cells}


@pytest.mark.parametrize("version", VERSIONS)
def test_curves_medians_means_and_shares(section, cells, version):
    theirs, cell = THEIRS["survival"][version], cells[version]
    times, share = kaplan_meier(*times_of([run for run in section.runs if run.version == version]))
    last = np.append(np.diff(times) > 0, True)  # of those at one time
    assert times[last].tolist() == theirs["times"]
    assert share[last].tolist() == same(theirs["share"])
    assert cell.median == same(theirs["median"])
    assert cell.minutes.value == same(theirs["mean"] / 1800)
    assert [cell.quit.low, cell.quit.high] == same(theirs["quit"])


@pytest.mark.parametrize("name", ["log_rank", "mann_whitney", "signed_rank"])
def test_tests_of_times(section, cells, name):
    paired = name == "signed_rank"
    found = {cell.version: cell.tests for cell in analyse(section, paired=paired).cells} if paired else None
    tests = [(found[version] if found else cells[version].tests)[name] for version in VERSIONS[1:]]
    for test, theirs in zip(tests, THEIRS[name].values(), strict=True):
        for entry, value in theirs.items():
            assert getattr(test, entry) == same(value), (test.version, entry)
    assert [test.p_holm for test in tests] == same(THEIRS[f"{name}_holm"])


def test_many_pairs():
    times, won = times_of([play(row) for row in ROWS])
    both = [(np.concatenate([times, times]), np.concatenate([won, won]))]
    both += [tuple(np.concatenate([np.roll(each, -5), np.roll(each, -11)]) for each in (times, won))]
    (test,) = signed_rank({"further": (both[0], both[1])})
    assert {name: getattr(test, name) for name in THEIRS["many_pairs"]} == same(THEIRS["many_pairs"])


def test_rates_of_deaths(section, cells):
    """Standard errors by the joint information of coefficients and dispersion; MASS fixes the dispersion."""
    theirs = THEIRS["negative_binomial"]
    tests = [cells[version].tests["deaths"] for version in VERSIONS[1:]]
    for test, expected in zip(tests, theirs["tests"].values(), strict=True):
        error = np.log(test.high / test.effect) / WALD
        assert [error, test.statistic, test.effect] == same(
            [expected[i] for i in ("error", "statistic", "effect")], FITTED
        )
        assert test.p == same(expected["p"], 10 * FITTED)  # far out in the tail p changes more than z
        assert error != same(expected["error_fixed"], 1e-3)
    assert [test.p_holm for test in tests] == same(theirs["holm"], 10 * FITTED)
    (note,) = analyse(section).notes.values()
    assert note == f"negative binomial regression, dispersion {1 / theirs['theta']:.2g}"


def test_counts_that_spread_less_than_chance():
    falls, minutes = (np.array([float(row[name]) for row in ROWS]) for name in ("falls", "inputs"))
    design = np.array([[1.0, *(row["version"] == version for version in VERSIONS[1:])] for row in ROWS])
    fit, note = fit_counts(falls, design, minutes / 1800)
    assert note.startswith("Poisson regression with robust errors")
    for i, theirs in enumerate(THEIRS["poisson"].values(), 1):
        low, ratio, high = np.exp(fit.params[i] + WALD * fit.bse[i] * np.arange(-1, 2))
        assert [low, ratio, high] == same([theirs[name] for name in ("low", "effect", "high")], FITTED)


def test_tests_of_the_hazards_and_of_all_versions(section, cells):
    for version, theirs in THEIRS["zph"].items():
        found = cells[version].hazards
        assert [found.statistic, found.p] == same([theirs["statistic"], theirs["p"]])
    (test,) = analyse(section).omnibus.values()
    assert [test.statistic, test.p] == same(list(THEIRS["omnibus"].values()))


@pytest.mark.parametrize("name", ["never", "later"])
def test_firth_s_correction(section, name):
    """R maximises its own likelihood and information, which it prints at any ratio, to about 1e-7."""
    groups = {
        version: times_of([run for run in section.runs if run.version == version])
        for version in ("original", "masked_semantics")
    }
    times, won = groups["masked_semantics"]
    groups["masked_semantics"] = (times, won & False) if name == "never" else (times + 54000, won)
    (test,) = log_rank(groups)
    assert test.firth
    assert {entry: getattr(test, entry) for entry in THEIRS["firth"][name]} == same(THEIRS["firth"][name], 1e-6)


@pytest.mark.parametrize("estimator", ["restricted", "finishers"])
def test_the_order_of_versions(section, estimator):
    sides, found = agreements_of(section, 30, THEIRS["published"], draw(section))
    (agreement,) = [each for each in found if each.estimator == estimator]
    assert {entry: getattr(agreement, entry) for entry in ("tau", "p", "n_pairs")} == same(
        THEIRS["agreement"][estimator]
    )
    (side,) = [side for side in sides if side.kind and side.estimator == estimator]
    means = THEIRS["finishers"] if estimator == "finishers" else {
        version: theirs["mean"] for version, theirs in THEIRS["survival"].items()
    }  # fmt: skip
    assert dict(zip(side.versions, side.means.tolist())) == same(means)
    assert all(means[one] <= means[other] for one, other in pairwise(side.order))
