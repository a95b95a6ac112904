"""How often the intervals and tests of the comparison are right, over many studies of known truth."""

import numpy as np
import pytest

from priorlab.scripts.analysis.comparison import analyse
from tests.scripts.test_compare import people, section


@pytest.mark.parametrize("n", [10, 40])
def test_intervals_cover_the_truth_about_as_often_as_they_say(n):
    """Mean minutes, and their ratio, of log-normal times, a tenth of them censored, in 300 studies."""
    big = np.random.default_rng(0).lognormal(np.log((5, 10)) - 0.18, 0.6, (4_000_000, 2)).clip(max=30).mean(axis=0)
    covered = np.zeros(2)
    for seed in range(300):
        first, second = analyse(section(people({"original": 5, "gravity": 10}, n, seed, quits=60))).cells
        for number, (found, truth) in enumerate(((first.minutes, big[0]), (second.ratio, big[1] / big[0]))):
            assert found is not None and found.low is not None and found.high is not None
            covered[number] += found.low <= truth <= found.high
    print(f"\n{n} people: covered {covered / 300}")
    assert (covered >= 0.90 * 300).all(), covered


def test_with_nothing_planted_the_headline_finds_little():
    """Of 200 studies of three versions alike, few call any clearly slower."""
    wrong = 0
    for seed in range(200):
        runs = people({"original": 5, "gravity": 5, "all_masked": 5, "masked_objects": 5}, 25, seed)
        wrong += any(cell.is_slower for cell in analyse(section(runs)).cells)
    print(f"\nclearly slower though nothing was: {wrong} of 200")
    assert wrong <= 16
