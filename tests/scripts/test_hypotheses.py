"""Tests and effect sizes against hand-worked examples, slow references and planted truth."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import chi2, rankdata
from statsmodels.duration.survfunc import survdiff
from statsmodels.stats.multitest import multipletests

from priorlab.scripts.analysis import hypotheses
from priorlab.scripts.analysis.hypotheses import (
    death_rates,
    log_rank,
    mann_whitney,
    omnibus,
    proportional_hazards,
    signed_rank,
)
from priorlab.scripts.analysis.least_p import least_p, least_p_of_pairs
from priorlab.scripts.report.summary import NOTHING, effect_text


def group(median, n, generator, spread=0.7, quits=20.0):
    """Log-normal times to solve in minutes, exponential quits, a limit of 30."""
    solve, leave = generator.lognormal(np.log(median), spread, n), generator.exponential(quits, n)
    return np.minimum(np.minimum(solve, leave), 30), solve <= np.minimum(leave, 30)


def test_log_rank_by_hand():
    """Version: wins at 2 and 4, leaves at 5 and 7. Original: wins at 1 and 3, leaves at 6 and 8.

    Of 8, 7, 6, 5 at risk, 4, 4, 3, 3 of the version: expected 1/2, 4/7, 1/2, 3/5; variance p (1 - p) each.
    """
    groups = {
        "original": (np.array([1.0, 3, 6, 8]), np.array([True, True, False, False])),
        "slow": (np.array([2.0, 4, 5, 7]), np.array([True, True, False, False])),
    }
    (test,) = log_rank(groups)
    shares = np.array([4 / 8, 4 / 7, 3 / 6, 3 / 5])
    assert test.statistic == pytest.approx((2 - shares.sum()) ** 2 / (shares * (1 - shares)).sum())
    assert (test.n, test.n_against, test.p) == (4, 4, pytest.approx(test.p_holm))


def test_log_rank_and_holm_agree_with_their_references():
    generator = np.random.default_rng(0)
    groups = {name: group(m, 30, generator) for name, m in (("original", 2), ("a", 3), ("b", 2), ("c", 9))}
    tests = log_rank(groups)
    for test in tests:
        times, won = (np.concatenate([groups[test.version][i], groups["original"][i]]) for i in (0, 1))
        chi, p = survdiff(times, won.astype(int), np.repeat([1, 0], 30))
        assert (test.statistic, test.p) == (pytest.approx(float(chi)), pytest.approx(float(p), abs=1e-12))
    assert [test.p_holm for test in tests] == pytest.approx(
        multipletests([test.p for test in tests], method="holm")[1].tolist()
    )
    assert all(test.p_holm >= test.p for test in tests)
    assert tests[2].effect < 1 and tests[2].high is not None and tests[2].high < 1


def test_a_version_that_nobody_solves_has_a_hazard_ratio_by_firth():
    generator = np.random.default_rng(1)
    groups = {"original": group(2, 20, generator), "never": (np.full(20, 30.0), np.zeros(20, bool))}
    (test,) = log_rank(groups)
    assert test.firth and test.low is not None and test.high is not None
    assert 0 < test.low < test.effect < test.high < 0.3 and test.p < 1e-6
    (reverse,) = log_rank(groups, against="never")
    assert reverse.firth and [reverse.effect, reverse.low, reverse.high] == pytest.approx(
        [1 / test.effect, 1 / test.high, 1 / test.low]
    )
    nobody = dict.fromkeys(("original", "never"), groups["never"])
    assert np.isnan(log_rank(nobody)[0].p) and np.isnan(log_rank(nobody)[0].p_holm)


MONOTONE = {  # times and wins of two groups, of which one wins nothing or only after the other
    "later": ((np.arange(1.0, 9), np.ones(8)), (np.arange(20.0, 28), np.ones(8))),
    "never, with ties": ((np.array([2.0, 2, 3, 4, 4]), np.ones(5)), (np.full(5, 30.0), np.zeros(5))),
    "later, most quit": (
        (np.arange(1.0, 9), np.ones(8)),
        (np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 20, 21]), np.array([0, 0, 0, 0, 0, 0, 1, 1])),
    ),
}


@pytest.mark.parametrize("name", MONOTONE)
def test_firth_s_correction_is_the_maximum_of_the_penalised_likelihood(name):
    """Against every log hazard ratio on a grid, by Efron's likelihood as it is written down, one win after another."""
    original, version = MONOTONE[name]

    def penalised(log_ratio):
        value = information = 0.0
        for time in np.unique(original[0][original[1] == 1].tolist() + version[0][version[1] == 1].tolist()):
            wins = [((times == time) & (won == 1)).sum() for times, won in (original, version)]
            left = [(times >= time).sum() for times, _ in (original, version)]
            value += log_ratio * wins[1]
            for gone in np.arange(sum(wins)) / sum(wins):
                a, b = left[0] - gone * wins[0], (left[1] - gone * wins[1]) * np.exp(log_ratio)
                value -= np.log(a + b)
                information += a * b / (a + b) ** 2
        return value + np.log(information) / 2

    grid = np.arange(-10, 2, 0.01)
    heights = np.array([penalised(each) for each in grid])
    inside = grid[heights >= heights.max() - chi2.ppf(0.95, 1) / 2]
    groups = {side: (times, won.astype(bool)) for side, (times, won) in zip(("original", "a"), MONOTONE[name])}
    (test,) = log_rank(groups)
    assert test.firth
    assert np.log([test.effect, test.low, test.high]) == pytest.approx(
        [grid[heights.argmax()], inside[0], inside[-1]], abs=0.011
    )


def test_a_hazard_ratio_that_changes_with_time_is_found():
    generator = np.random.default_rng(7)
    everybody = np.ones(300, bool)
    early = generator.exponential(1, 300)
    crossing = np.where(early < 0.5, early / 4, (early - 0.5) * 4 + 0.125)  # fast at first, slow later
    alike, changed = proportional_hazards({
        "original": (generator.exponential(1, 300), everybody),
        "alike": (generator.exponential(2, 300), everybody),
        "changed": (crossing, everybody),
    })  # fmt: skip
    assert changed.p < 1e-6 < 0.01 < alike.p
    few = proportional_hazards({"original": (early[:3], everybody[:3]), "few": (crossing[:3], everybody[:3])})
    assert few[0].why and np.isnan(few[0].p)


def test_the_omnibus_test_of_two_versions_is_the_log_rank_test():
    generator = np.random.default_rng(8)
    groups = {name: group(m, 20, generator) for name, m in (("original", 2), ("a", 4), ("b", 2))}
    two = {name: groups[name] for name in ("original", "a")}
    test = omnibus(two)
    assert test is not None and test.p == pytest.approx(log_rank(two)[0].p)
    three = omnibus(groups)
    assert three is not None and (three.n, three.n_against) == (60, 20)
    times, won = (np.concatenate([each[i] for each in groups.values()]) for i in (0, 1))
    assert three.p == pytest.approx(float(survdiff(times, won.astype(int), np.repeat([0, 1, 2], 20))[1]))
    assert omnibus({"original": groups["original"]}) is None


@pytest.mark.parametrize("sizes", [(3, 3), (3, 4), (4, 4), (3, 5)])
def test_the_smallest_p_is_that_of_the_most_extreme_of_all_assignments(sizes):
    """Distinct times, all won: whichever players are of the version, no other p is smaller than this one."""
    n = sum(sizes)
    times, chi, u = np.arange(1.0, n + 1), [], []
    for chosen in combinations(range(n), sizes[0]):
        is_version = np.isin(np.arange(n), chosen)
        chi.append(round(float(survdiff(times, np.ones(n, int), is_version.astype(int))[0]), 9))
        u.append(abs(float(rankdata(times)[is_version].sum()) - sizes[0] * (n + 1) / 2))
    assert least_p(*sizes) == pytest.approx(np.mean(np.array(chi) == max(chi)))
    assert least_p(*sizes, two_sided=True) == pytest.approx(np.mean(np.array(u) == max(u)))
    assert least_p_of_pairs(n) == pytest.approx(2 / 2**n)


def test_no_test_is_made_that_its_n_cannot_carry():
    def one(n, version, n_version, versions=1):
        groups = {
            f"{version}{i}": (np.arange(101.0, 101 + n_version), np.ones(n_version, bool)) for i in range(versions)
        }
        return {"original": (np.arange(1.0, 1 + n), np.ones(n, bool)), **groups}

    assert np.isnan(log_rank(one(3, "a", 3))[0].p) and log_rank(one(4, "a", 4))[0].p < 0.05
    assert "the smallest possible p is 0.1" in mann_whitney(one(3, "a", 3))[0].why
    five = log_rank(one(5, "a", 5, versions=8))  # 2 / 252 each, eight times as much corrected
    assert all(np.isnan(test.p) and "0.063 corrected for 8 tests" in test.why for test in five)
    assert all(test.p_holm < 0.05 for test in log_rank(one(5, "a", 5, versions=6)))
    mixed = mann_whitney({**one(4, "few", 4, versions=2), **one(4, "many", 20)})
    assert [bool(test.why) for test in mixed] == [True, True, False], "those with the fewest go first"
    assert mixed[2].p_holm == mixed[2].p, "and no longer count"


def test_the_hazard_ratio_of_exponential_times_is_the_ratio_of_their_rates():
    generator = np.random.default_rng(2)
    everybody = np.ones(600, bool)
    groups = {
        "original": (generator.exponential(1, 600), everybody),
        "slow": (generator.exponential(2, 600), everybody),
    }
    (test,) = log_rank(groups)
    assert test.low is not None and test.high is not None
    assert test.low < 0.5 < test.high
    assert test.effect == pytest.approx(0.5, rel=0.2)


def test_whoever_quits_early_is_no_fast_player():
    """In the worst-case reading: quits count as slower than every win, and all alike."""
    quick_quits = (np.array([0.1, 0.2, 0.3, 5.0]), np.array([False, False, False, True]))
    groups = {"original": (np.array([1.0, 2, 3, 4]), np.ones(4, bool)), "hard": quick_quits}
    (test,) = mann_whitney(groups)
    assert test.effect == 1
    full_time = (np.where(quick_quits[1], quick_quits[0], 30.0), quick_quits[1])
    assert mann_whitney({**groups, "hard": full_time})[0].p == test.p


def test_superiority_counts_ties_half():
    same = (np.full(4, 2.0), np.ones(4, bool))
    (test,) = mann_whitney({"original": same, "same": same})
    assert (test.effect, test.p, test.low) == (0.5, 1.0, 0.5)
    assert mann_whitney({"other": same}) == []


def test_pairs_show_what_groups_hide():
    """People differ by tenfold; each takes half as long again on the version."""
    generator = np.random.default_rng(3)
    own = generator.lognormal(0, 1.2, 25)
    everybody = np.ones(25, bool)
    version, original = (1.5 * own * generator.lognormal(0, 0.2, 25), everybody), (own, everybody)
    (paired,) = signed_rank({"a": (version, original)})
    (unpaired,) = mann_whitney({"a": version, "original": original})
    assert paired.p < 0.001 < unpaired.p
    assert paired.effect > 0.8
    (same,) = signed_rank({"a": (original, original)})
    assert (same.p, same.effect) == (1.0, 0.5)
    # twice as long and half as long tie, though the logs of 600 / 300 and 100 / 200 differ in the last digit
    times = [np.tile([600.0, 100, 900], 2), np.tile([300.0, 200, 300], 2)]
    (tied,) = signed_rank({"a": ((times[0], everybody[:6]), (times[1], everybody[:6]))})
    assert (tied.statistic, tied.p) == (5, 2 * 11 / 64)  # ranks 2.5 four times and 5.5 twice: 11 sums are at most 5


def test_a_person_who_solved_neither_says_nothing_and_one_who_quit_took_longest():
    never, won = np.zeros(6, bool), np.ones(6, bool)
    (neither,) = signed_rank({"a": ((np.ones(6), never), (np.full(6, 9.0), never))})
    assert (neither.p, neither.effect) == (1.0, 0.5)
    (quit_,) = signed_rank({"a": ((np.ones(6), never), (np.full(6, 9.0), won))})
    assert quit_.effect == 1


def deaths_of(rate, n, generator, shape=2.0):
    minutes = generator.lognormal(1, 0.5, n)
    return generator.poisson(rate * minutes * generator.gamma(shape, 1 / shape, n)), minutes


def test_the_rate_of_deaths_that_was_planted_is_found():
    generator = np.random.default_rng(4)
    groups = {name: deaths_of(rate, 800, generator) for name, rate in (("original", 1.0), ("a", 2.0), ("b", 1.0))}
    tests, note = death_rates(groups)
    assert [test.effect for test in tests] == pytest.approx([2, 1], rel=0.1)
    assert "negative binomial regression, dispersion 0.5" in note
    for test, planted in zip(tests, (2, 1)):
        assert test.low is not None and test.high is not None
        assert test.low < planted < test.high
    assert tests[0].p_holm < 0.001 < tests[1].p_holm


def test_too_few_or_no_deaths_are_said_and_modelled_no_further():
    generator = np.random.default_rng(5)
    plenty = deaths_of(1, 20, generator)
    nothing = (np.zeros(20, int), np.ones(20))
    tests, note = death_rates({"original": plenty, "few": (plenty[0][:4], plenty[1][:4])})
    assert tests == [] and "fewer than 5 players" in note
    tests, note = death_rates({"original": plenty, "a": plenty, "safe": nothing})
    assert [test.version for test in tests] == ["a"] and "left out, few players or no deaths: safe" in note


def test_without_more_spread_than_chance_poisson_takes_its_place():
    minutes = np.linspace(1, 5, 30)
    groups = {"original": (np.full(30, 3), minutes), "a": (np.full(30, 6), minutes)}
    tests, note = death_rates(groups)
    assert tests[0].effect == pytest.approx(2, rel=0.01)
    assert "Poisson" in note or "dispersion" in note


def test_the_tests_hold_their_level_when_nothing_differs():
    generator = np.random.default_rng(6)
    found = {"log_rank": 0, "mann_whitney": 0}
    for _ in range(250):
        groups = {name: group(4, 25, generator) for name in ("original", "a", "b", "c")}
        found["log_rank"] += any(test.p_holm < 0.05 for test in log_rank(groups, effects=False))
        found["mann_whitney"] += any(test.p_holm < 0.05 for test in mann_whitney(groups, effects=False))
    assert all(count <= 24 for count in found.values()), found


def test_effects_without_an_interval_are_told_in_words_that_hold():
    def told(name: str, effect: float) -> str:
        return effect_text(name, hypotheses.Test("a", "original", 1, 1, 0.0, 1.0, 1.0, effect, None, None))

    assert told("log_rank", 0.0) == "0 (never, or all later)" and told("log_rank", np.inf) == "∞ (all earlier)"
    assert told("mann_whitney", 0.0) == "0.00", "a probability of taking longer: all were earlier"
    assert told("log_rank", np.nan) == NOTHING
