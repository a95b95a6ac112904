"""Tests and effect sizes against hand-worked examples, slow references and planted truth."""

import numpy as np
import pytest
from statsmodels.duration.survfunc import survdiff
from statsmodels.stats.multitest import multipletests

from priorlab.scripts.analysis import hypotheses
from priorlab.scripts.analysis.hypotheses import death_rates, log_rank, mann_whitney, signed_rank
from priorlab.scripts.report.summary import NOTHING, effect_text


def group(median, n, generator, spread=0.7, quits=20.0):
    """Log-normal times to solve in minutes, exponential quits, a limit of 30."""
    solve, leave = generator.lognormal(np.log(median), spread, n), generator.exponential(quits, n)
    return np.minimum(np.minimum(solve, leave), 30), solve <= np.minimum(leave, 30)


def test_log_rank_by_hand():
    """Version: wins at 2 and 4, leaves at 5. Original: wins at 1 and 3, leaves at 6.

    Of 6, 5, 4, 3 at risk, 3, 3, 2, 2 of the version: expected 1/2, 3/5, 1/2, 2/3; variance p (1 - p) each.
    """
    groups = {
        "original": (np.array([1.0, 3, 6]), np.array([True, True, False])),
        "slow": (np.array([2.0, 4, 5]), np.array([True, True, False])),
    }
    (test,) = log_rank(groups)
    shares = np.array([3 / 6, 3 / 5, 2 / 4, 2 / 3])
    assert test.statistic == pytest.approx((2 - shares.sum()) ** 2 / (shares * (1 - shares)).sum())
    assert (test.n, test.n_against, test.p) == (3, 3, pytest.approx(test.p_holm))


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


def test_a_version_that_nobody_solves_is_tested_without_an_interval():
    generator = np.random.default_rng(1)
    groups = {"original": group(2, 20, generator), "never": (np.full(20, 30.0), np.zeros(20, bool))}
    (test,) = log_rank(groups)
    assert (test.effect, test.low, test.high) == (0.0, None, None)
    assert test.p < 1e-6
    (reverse,) = log_rank(groups, against="never")
    assert reverse.effect == np.inf
    nobody = dict.fromkeys(("original", "never"), groups["never"])
    assert np.isnan(log_rank(nobody)[0].p) and np.isnan(log_rank(nobody)[0].p_holm)


def test_wholly_later_is_a_hazard_ratio_of_nothing():
    groups = {"original": (np.arange(1.0, 9), np.ones(8, bool)), "late": (np.arange(20.0, 28), np.ones(8, bool))}
    (test,) = log_rank(groups)
    assert (test.effect, test.low) == (0.0, None)
    assert mann_whitney(groups)[0].effect == 1
    # winning later all the same, though most of those players quit early
    groups["late"] = (np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 20, 21]), np.array([0, 0, 0, 0, 0, 0, 1, 1], bool))
    assert log_rank(groups)[0].effect == 0 and log_rank(groups, against="late")[0].effect == np.inf


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
    same = (np.full(3, 2.0), np.ones(3, bool))
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
    times = [np.array([600.0, 100, 900]), np.array([300.0, 200, 300])]
    (tied,) = signed_rank({"a": ((times[0], everybody[:3]), (times[1], everybody[:3]))})
    assert (tied.statistic, tied.p) == (1.5, 0.75)


def test_a_person_who_solved_neither_says_nothing_and_one_who_quit_took_longest():
    never, won = np.zeros(3, bool), np.ones(3, bool)
    (neither,) = signed_rank({"a": ((np.ones(3), never), (np.full(3, 9.0), never))})
    assert (neither.p, neither.effect) == (1.0, 0.5)
    (quit_,) = signed_rank({"a": ((np.ones(3), never), (np.full(3, 9.0), won))})
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
