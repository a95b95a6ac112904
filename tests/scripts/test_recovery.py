"""Whether an analysis recovers what is planted: the measurement itself, and a small study of it."""

from pathlib import Path

import numpy as np
import pandas as pd

from priorlab.envs.players.simulated import MINUTE
from priorlab.scripts.experiments.recovery import (
    ceiling,
    false_alarms,
    means_of,
    studies_of,
    swaps_of,
    table_of,
    taus_at,
    taus_of,
    truth_of,
)
from tests.support.paths import ROOT

VERSIONS = ("original", "masked_semantics", "masked_objects", "masked_similarity")


def studies(n: int, count: int, spread: float, slowed: bool = True, seed: int = 0) -> list:
    """Studies of log-normal times, of the published means or all alike, nobody of whom quits."""
    generator, mean = np.random.default_rng(seed), dict(zip(VERSIONS, truth_of(VERSIONS)))

    def group(version):
        scale = mean[version if slowed else "original"] * np.exp(-(spread**2) / 2)
        times = scale * generator.lognormal(0, spread, n)
        return np.minimum(times, 30) * MINUTE, times < 30

    return [{version: group(version) for version in VERSIONS} for _ in range(count)]


def test_the_order_is_found_where_there_is_no_noise():
    exact = studies(50, 3, 1e-6)
    assert taus_of(exact).tolist() == [1, 1, 1] and not len(swaps_of(exact))
    assert np.allclose(means_of(exact[0]), truth_of(VERSIONS), rtol=1e-3)
    assert np.allclose(table_of(exact)["ratio"], table_of(exact)["published_ratio"], rtol=1e-3)


def test_the_ceiling_is_the_mean_tau_of_means_of_such_times():
    many = studies(60, 400, 0.6)
    assert abs(taus_of(many).mean() - ceiling(VERSIONS, 60, 0.6)) < 0.03
    assert ceiling(VERSIONS, 60, 0.6) < ceiling(VERSIONS, 6000, 0.6) < 1
    swapped = swaps_of(many).iloc[0]
    assert {swapped["version"], swapped["other"]} == {"masked_objects", "masked_similarity"}
    assert taus_at(many, 2000, np.random.default_rng(0)).mean() > taus_of(many).mean()


def test_where_nothing_differs_something_is_found_at_the_level():
    found = false_alarms(studies(40, 200, 0.6, slowed=False)).set_index(["test", "of"])
    for test in ("log-rank", "mann-whitney"):
        for of in ("single tests", "studies"):
            assert found.loc[(test, of), "low"] < 0.06 and found.loc[(test, of), "share"] < 0.1


def test_a_small_study_of_simulated_players_has_the_planted_order():
    """Forty players of Princess a version: over many such studies tau has a mean of .72 and a deviation of .12."""
    found = studies_of("princess", "published", 40, 3)
    assert taus_of(found).mean() > 0.5
    again = studies_of("princess", "published", 40, 1)
    for version, (times, won) in again[0].items():
        assert (times == found[0][version][0]).all() and (won == found[0][version][1]).all(), "not of the seed alone"
    table = table_of(found).set_index("version")
    assert table.loc["all_masked", "ratio"] > 3 and table.loc["original", "won"] > 0.95


def test_with_nothing_planted_all_versions_are_played_alike():
    (study,) = studies_of("princess", "none", 150, 1)
    means = [np.log(times).mean() for times, _ in study.values()]  # their logs have a deviation of about .8
    assert np.ptp(means) < 0.6


def published(folder: Path) -> list[str]:
    """What a README next to these rows shows of them: the sentence on tau, and the rows of its tables."""
    planted, swapped, sizes, nothing = (
        pd.read_csv(folder / f"{name}.csv") for name in ("planted", "swapped", "tau_by_n", "nothing_planted")
    )
    taus = pd.read_csv(folder / "taus.csv")["tau"]
    low, median, high = taus.quantile([0.025, 0.5, 0.975])
    error, often = taus.std() / len(taus) ** 0.5, (taus > 0.9).mean()
    ratios = [
        (row.version, f"{row.published_ratio:.2f}", f"{row.ratio:.2f}", f"{row.won:.1%}", f"{row.spread_of_log:.2f}")
        for row in planted.itertuples()
    ]
    by_n = [(str(row.n), f"{row.tau:.2f}", f"{row.ceiling:.2f}") for row in sizes.itertuples()]
    ties = [
        (row.version, row.other, str(row.published), str(row.published_other), f"{row.swapped:.0%}")
        for row in swapped[swapped["swapped"] >= 0.1].itertuples()
    ]
    alarms = [
        (row.test, row.of, f"{row.share:.1%}", f"{row.low:.1%} to {row.high:.1%}")
        for row in nothing[nothing["of"].isin(["single tests", "studies"])].itertuples()
    ]
    sentence = (
        f"mean {taus.mean():.3f} (standard error {error:.3f}), median {median:.3f}, 95% of studies {low:.3f} to "
        f"{high:.3f}; over 0.9 in {often:.0%} of studies"
    )
    return [sentence, *("| " + " | ".join(map(str, cells)) + " |" for cells in ratios + by_n + ties + alarms)]


def test_the_readme_shows_what_its_rows_say():
    folder = ROOT / "results" / "simulated"
    text = " ".join((folder / "README.md").read_text(encoding="utf-8").split()).replace(" %", "%")
    assert [line for line in published(folder) if line not in text] == []
