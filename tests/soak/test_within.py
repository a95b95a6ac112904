"""At the size that `priorlab plan --within` gives, fresh studies find what is planted as often as asked, and rarely
anything where nothing is planted; through the complete paired analysis of `priorlab compare`."""

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from priorlab.scripts.analysis.comparison import analyse
from priorlab.scripts.analysis.designs import Design, sample_within
from priorlab.scripts.analysis.planning import enough_of, smallest_n
from priorlab.scripts.analysis.players import sections_of
from priorlab.scripts.analysis.statistics import Played
from tests.scripts.test_compare import play

STUDIES, POWER = 300, 0.8
PLANNED = {
    "one version": Design({"gravity": 1.5}, test="signed-rank", within=True),
    "two versions, quits": Design(
        {"gravity": 1.6, "masked_objects": 1.6}, patience=6.0, correlation=0.7, practice=0.9, test="signed-rank",
        within=True,
    ),
}  # fmt: skip


def study(design: Design, n: int, seed: int) -> list[Played]:
    """The plays of n people, on a date each, as they would be recorded."""
    (minutes, solved), places = sample_within(design, n, np.random.default_rng([10_000, seed]))
    return [
        play(minutes[i, k], "win" if solved[i, k] else "quit", version, f"p{i}", date=f"2026-01-{1 + places[i, k]:02}")
        for i in range(n)
        for k, version in enumerate(["original", *design.effects])
    ]


def found(design: Design, n: int) -> np.ndarray:
    """Share of fresh studies in which the corrected test of each version is below the level."""
    counts = np.zeros(len(design.effects))
    for seed in range(STUDIES):
        (section,), _ = sections_of(study(design, n, seed), paired=True)
        cells = {cell.version: cell for cell in analyse(section, paired=True).cells}
        counts += [cells[version].tests["signed_rank"].p_holm < design.alpha for version in design.effects]
    return counts / STUDIES


@pytest.mark.parametrize("name", PLANNED)
def test_fresh_studies_of_the_planned_size_have_the_power_that_was_asked_for(name):
    design = PLANNED[name]
    n = enough_of(smallest_n(design, POWER, 2000), POWER)
    shares = found(design, n)
    print(f"{name}: {n} people, found in {shares} of {STUDIES} studies")
    low, high = proportion_confint(POWER * STUDIES, STUDIES, alpha=0.01, method="wilson")
    assert ((low < shares) & (shares < high + 0.03)).all()  # the smallest n may have a little more power


@pytest.mark.parametrize("name", PLANNED)
def test_where_nothing_is_planted_little_is_found(name):
    design = replace(PLANNED[name], effects=dict.fromkeys(PLANNED[name].effects, 1.0))
    shares = found(design, 24)
    print(f"{name}, nothing planted: found in {shares} of {STUDIES} studies")
    assert (shares < proportion_confint(0.05 * STUDIES, STUDIES, alpha=0.01, method="wilson")[1]).all()
