"""A player that is raised for two minutes believes what is true, says how sure it is, and trusts look-alikes."""

import numpy as np
import pytest

from priorlab.agents.priors.appraisal import appraise, held_out_levels
from priorlab.agents.priors.raising import Raising
from priorlab.agents.priors.settings import RaiseSettings


@pytest.fixture(scope="module")
def figures():
    network = Raising(RaiseSettings(pictures=8_000, levels="small")).run()
    return {(row.condition, row.share): row for row in appraise(network, held_out_levels(60, ("small",)))}


def test_it_believes_what_is_true_where_looks_promise_it(figures):
    plain = figures["all 1", 0.0]
    assert plain.accuracy > 0.97
    assert min(plain.recall[1:4]) > 0.97  # boundary, platform, ladder


def test_each_dial_costs_it_something(figures):
    losses = {condition: row.nll for (condition, share), row in figures.items() if not share}
    assert losses["all 1"] < min(losses["objects 0"], losses["semantics 0"], losses["affordance 0"])
    assert losses["all 0"] == max(losses.values())


def test_it_says_how_sure_it_is(figures):
    assert max(row.error for row in figures.values()) < 0.02
    assert np.mean([row.unsure_error for row in figures.values()]) < 0.1


def test_evidence_speaks_about_look_alikes(figures):
    """Where looks tell little. Where they tell all but the structure, which their surroundings give away, it adds
    nothing: 50,000 pictures, affordance 0, NLL .0058 against .0048 without."""
    row = figures["all 0", 0.3]
    assert row.alike_nll < 0.7 * row.alike_blind
    row = figures["all .5", 0.3]
    assert row.alike_nll < row.alike_blind
