"""How many people a comparison needs: simulated power against closed forms, where there are any."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from priorlab.scripts.analysis.designs import Design, sample
from priorlab.scripts.analysis.planning import enough_of, from_pilot, power_at, published_effects, smallest_n
from priorlab.scripts.analysis.statistics import Played

Z = norm.ppf(0.975) + norm.ppf(0.8)


def test_the_log_rank_test_needs_what_schoenfeld_says():
    """Exponential times, nobody censored: 4 z^2 / ln(hazard ratio)^2 events in all (Schoenfeld 1981)."""
    design = Design({"slower": 2.0}, limit=1e9, distribution="exponential")
    n = math.ceil(2 * Z**2 / math.log(2.0) ** 2)
    (power,) = power_at(design, n, 1000)
    assert abs(power.value - 0.8) < 0.04 and power.low < power.value < power.high and power.solved == 1


def test_censoring_costs_the_events_that_schoenfeld_counts():
    design = Design({"slower": 2.0}, minutes=1.0, limit=1.0, distribution="exponential")
    seen = 1 - (math.exp(-1) + math.exp(-0.5)) / 2
    n = math.ceil(2 * Z**2 / math.log(2.0) ** 2 / seen)
    assert abs(power_at(design, n, 1000)[0].value - 0.8) < 0.05


def test_the_mann_whitney_test_needs_what_noether_says():
    """n = z^2 / (6 (p - 1/2)^2) in each of two groups (Noether 1987), p that one of the slower group is slower."""
    design = Design({"slower": 1.5}, limit=1e9, test="mann-whitney")
    p = norm.cdf(math.log(1.5) / (0.6 * math.sqrt(2)))
    (power,) = power_at(design, math.ceil(Z**2 / (6 * (p - 0.5) ** 2)), 1000)
    assert abs(power.value - 0.8) < 0.05


def test_without_an_effect_something_is_found_at_the_level():
    found = power_at(Design({"a": 1.0, "b": 1.0}, patience=3.0), 40, 600)
    assert all(each.value < 0.06 for each in found)


def test_times_have_the_mean_and_the_spread_that_were_asked_for():
    times, solved = sample(Design({"a": 2.0}, limit=1e9), 2.0, 20_000, np.random.default_rng(0))
    assert solved.all() and abs(times.mean() - 3.6) < 0.05 and abs(np.log(times).std() - 0.6) < 0.02


def test_the_smallest_n_reaches_the_power_and_one_much_smaller_does_not():
    tried = smallest_n(Design({"slower": 2.5}), 0.8, 200)
    n, powers = enough_of(tried, 0.8), {found[0].n: found[0].value for found in tried}
    assert powers[n] >= 0.8 and all(value < 0.8 for size, value in powers.items() if size < n)


def test_a_pilot_gives_spread_patience_and_minutes_back():
    design = Design({"slower": 2.0}, minutes=2.0, spread=0.7, patience=8.0, limit=1e9)
    generator, runs = np.random.default_rng(1), []
    for version, effect in (("original", 1.0), ("slower", 2.0)):
        for minutes, won in zip(*sample(design, effect, 1500, generator)):
            runs.append(one(version, round(1800 * minutes), bool(won)))
    found = from_pilot(Design({"slower": 2.0}), runs)
    assert abs(found.spread - 0.7) < 0.05 and abs(found.patience - 8) < 0.8 and abs(found.minutes - 2) < 0.1


def one(version: str, inputs: int, won: bool) -> Played:
    """A person's play; what planning does not read is left empty."""
    names = Played.__dataclass_fields__
    values = {"version": version, "inputs": inputs, "won": won, "player": "person", "rate": 30.0}
    return Played(**(dict.fromkeys(names) | values | {"outcome": "win" if won else "quit"}))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Design({"a": 0.0}), "the effect of a must be a ratio of times above 0, got 0"),
        (lambda: Design({}), "expected the effects of one or more versions"),
        (lambda: Design({"a": 2.0}, limit=0), "limit must be above 0, got 0"),
        (lambda: Design({"a": 2.0}, test="t"), "test must be one of .*, got 't'"),
        (lambda: smallest_n(Design({"a": 2.0}), 1.0), "power must be between 0 and 1, got 1"),
        (lambda: published_effects(["retextured"]), "retextured has no published ratio"),
        (lambda: from_pilot(Design({"a": 2.0}), [one("a", 3, True)]), "1 plays, 1 won, on a: expected"),
    ],
)
def test_what_cannot_be_planned_is_told_in_a_line(make, told):
    with pytest.raises(ValueError, match=told):
        make()
