"""Few people, ties, nobody who won: the page comes, and a test that has no answer is empty and says why."""

import numpy as np
import pandas as pd
import pytest

from priorlab.envs.game.level import Level
from priorlab.envs.game.solver import Solver
from priorlab.envs.plays.play import Play
from priorlab.scripts.analysis.designs import Design
from priorlab.scripts.analysis.hypotheses import FEWER, death_rates, holm, log_rank, mann_whitney, signed_rank
from priorlab.scripts.analysis.planning import power_at
from priorlab.scripts.commands.compare import main as compare
from priorlab.scripts.run import run

LEVEL = "tower_01"
WAY = "".join(".lrjud"[int(each)] for each in Solver(Level.read(LEVEL)).run().inputs)  # type: ignore[union-attr]
TOLD = ("median_inputs", "deaths", "quit", "mean_minutes", "worst_minutes", "mean_deaths", "mean_states")
LEFT_BEFORE = "all players of one version had already finished, or all remaining players won at once"


def group(times, won):
    return np.array(times, float), np.array(won, bool)


@pytest.mark.parametrize(
    ("original", "version", "why"),
    [
        (group([60], [True]), group([95], [True]), FEWER),
        (group([60, 70], [True] * 2), group([95] * 9, [True] * 9), FEWER),
        (group([60] * 3, [False] * 3), group([95] * 3, [True] * 3), LEFT_BEFORE),
        (group([60] * 3, [True] * 3), group([60] * 3, [True] * 3), LEFT_BEFORE),
        (group([60] * 5, [True] * 5), group([60] * 4, [True] * 4), LEFT_BEFORE),
        (group([60] * 5, [False] * 5), group([60] * 4, [False] * 4), "nobody won"),
        (group([5, 5, 6], [False] * 3), group([7, 8, 9], [True] * 3), LEFT_BEFORE),
        (group([60] * 4, [True, True, True, False]), group([60] * 4, [True] * 4), ""),
        (group([60, 70, 80], [True] * 3), group([65, 75, 85], [True] * 3), "the smallest possible p is 0.1"),
    ],
)
def test_a_log_rank_test_without_an_answer_says_why(original, version, why):
    (test,) = log_rank({"original": original, "gravity": version})
    assert test.why.endswith(why) and bool(test.why) == bool(why)
    assert np.isnan([test.p, test.p_holm, test.statistic]).all() == bool(why)
    assert np.isnan(test.effect) or not why
    (rank,) = mann_whitney({"original": original, "gravity": version})
    both = {"gravity": (original, (original[0] + 1, original[1]))}
    (pair,) = signed_rank(both)
    for test in (rank, pair):
        if why == FEWER:
            assert test.why == why and np.isnan([test.p, test.statistic, test.effect]).all()
            assert (test.low, test.high) == (None, None)
        else:
            assert test.why or (0 <= test.p <= 1 and 0 <= test.effect <= 1)


def test_tests_without_an_answer_don_t_count_where_several_are_corrected():
    tests = log_rank({
        "original": group([10, 20, 30, 40], [True] * 4), "gravity": group([11, 25, 39, 41], [True] * 4),
        "all_masked": group([5, 6, 7], [False] * 3),
    })  # fmt: skip
    assert not tests[0].why and tests[1].why and tests[0].p_holm == tests[0].p
    assert holm([]) == []


def test_deaths_that_no_model_fits_are_said():
    same = group([3] * 6, [1] * 6)[0], np.full(6, 2.0)
    tests, note = death_rates({"original": same, "gravity": same})
    assert (not tests and note.startswith("no model")) or all(0 <= test.p <= 1 for test in tests)
    huge = np.full(6, 1e18), np.full(6, 1e-9)
    tests, note = death_rates({"original": huge, "gravity": same})
    assert note and all(np.isfinite(test.effect) for test in tests)


def test_power_of_the_smallest_studies_is_a_number():
    for power in power_at(Design({"gravity": 1.5}, minutes=29.0, spread=0.01), 1, 20):
        assert 0 <= power.value <= 1 and 0 <= power.solved <= 1


BOTH = (False, True)  # unpaired and paired; nobody here played two versions


@pytest.mark.parametrize(
    ("plays", "ways"),
    [
        ([("original", "." * 60), ("masked_semantics", "." * 90 + WAY)], BOTH),
        ([("original", WAY), ("masked_semantics", WAY), ("masked_objects", WAY)], BOTH[:1]),
        ([("original", "." * 60)] * 3 + [("masked_semantics", "." * 60)] * 3, BOTH[:1]),
        ([("masked_semantics", WAY)], BOTH),
        ([("original", ".")], BOTH[:1]),
        ([("original", WAY)] * 3 + [("masked_semantics", "." * 30 + WAY)] * 2, BOTH[:1]),
    ],
    ids=["one won", "all alike", "all quit at once", "no original", "one input", "two against three"],
)
def test_the_page_of_few_comes_and_says_what_has_no_answer(tmp_path, plays, ways):
    for number, (version, inputs) in enumerate(plays):
        Play.of(inputs, version, level=LEVEL, player_id=f"p{number}").save(tmp_path / f"{number}.play")
    for paired in ways:
        compare((tmp_path,), out=tmp_path / "out", paired=paired)
        page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
        assert ">nan<" not in page.lower()
        if not any(version == "original" and inputs == WAY for version, inputs in plays):
            assert "Nothing to compare yet" in page and "the inputs of the original" not in page
        path = tmp_path / "out" / "data" / "tests.csv"
        numbers = pd.read_csv(tmp_path / "out" / "data" / "numbers.csv").to_dict("records")
        for row in numbers:
            told = [row[name] for name in TOLD]
            assert np.isnan(row["ratio"]) and np.isnan(told).all() == (row["n"] < 3)
            assert np.isnan(row["mean_minutes"]) == (row["n"] < 3 or not row["won"])  # all quit long before the limit
        assert ("shown one by one, an example, not a finding" in page) == any(row["n"] < 3 for row in numbers)
        if not paired and len({version for version, _ in plays}) > 1:
            tests = pd.read_csv(path, keep_default_na=False, na_values={"p": [""]}).query("test == 'log_rank'")
            assert (tests["p"].isna() == (tests["why"] != "")).all() and tests["why"].str.len().min() > 0
            assert all(why in page for why in tests["why"])


def test_nothing_to_compare_is_a_line(tmp_path):
    with pytest.raises(SystemExit, match=r"^priorlab compare: nothing to compare in [^\n]*: expected sessions"):
        run("compare", [str(tmp_path)])
