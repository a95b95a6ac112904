"""The wide probe: what it asks is so, and its claims fail where dials hide nothing or everything."""

import numpy as np
import pytest

from priorlab.envs.looks.dials import Dials
from priorlab.scripts.probe.probe_wide import HIDDEN_BY, PAIRS, area, claims, measure, settings_of
from priorlab.scripts.probe.wide_questions import QUESTIONS, ROLES, ask, small_levels


def test_every_question_has_both_answers_where_the_dials_hide_something():
    settings = list(settings_of(2).values())
    asked = ask(small_levels("held_out")[:50], settings, "held_out", 60, np.random.default_rng(0))
    assert all({0, 1} <= set(np.unique(getattr(asked, question))) for question in QUESTIONS)
    assert set(range(len(ROLES))) <= set(np.unique(asked.roles))
    harmless = np.isin(asked.roles, [ROLES.index(role) for role in ("inlay", "scenery")]).any(axis=(1, 2))
    low = [settings[i].semantics == 0 for i in asked.setting]
    assert not harmless[np.logical_not(low)].any() and harmless[low].mean() > 0.8


def test_it_measures_the_same_again():
    named = {"all 0": Dials(0, 0, 0, 0, edition=2)}
    one, other = (measure(named, pictures=16, tested=16)["all 0"] for _ in range(2))
    assert one.keys() == {*QUESTIONS, *PAIRS}
    assert np.array_equal(list(one.values()), list(other.values()), equal_nan=True)
    assert all(figure != figure or 0.5 <= figure <= 1 for figure in one.values())


def test_areas_compare_cells_of_one_picture_only():
    """Scores that tell pictures apart, and no cells in them, are worth nothing."""
    rng = np.random.default_rng(0)
    truth = rng.random((200, 5, 5)) < np.linspace(0.05, 0.95, 200)[:, None, None]
    between = truth.mean(axis=(1, 2), keepdims=True) + 0.0 * truth
    assert area(truth, ~truth, between) == 0.5
    assert area(truth, ~truth, between + truth) == 1


@pytest.mark.parametrize(("figure", "failing"), [(1.0, sum(map(len, HIDDEN_BY.values()))), (0.5, 5)])
def test_claims_fail_where_dials_hide_nothing_or_everything(figure, failing):
    figures = {name: dict.fromkeys((*QUESTIONS, *PAIRS), figure) for name in settings_of(2)}
    assert sum(not holds for _, holds in claims(figures)) == failing
