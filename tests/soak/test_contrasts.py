"""Ratios of ratios of planted slow-downs: their intervals cover the truth, and nothing is found where nothing is."""

import pytest

from priorlab.scripts.experiments.contrasts import ANY, VERSIONS, measure

STUDIES = 200


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("people", [20, 40])
def test_the_truth_is_covered_and_nothing_is_found_where_nothing_is_planted(people, seeds):
    """Of 200 studies at the nominal rate fewer than 180 would cover once in a thousand, and 21 or more find something
    once in a thousand."""
    for is_planted in (True, False):
        rows = measure((is_planted, 0.6, people, seeds), STUDIES).set_index("version")
        covered = rows["known"] - rows["below"] - rows["above"]
        print(f"\n{people} people, {seeds} runs, planted {is_planted}: covered {covered[list(VERSIONS)].to_dict()}")
        assert (rows["known"][list(VERSIONS)] == STUDIES).all() and (covered[list(VERSIONS)] >= 180).all()
        if not is_planted:
            found = rows["more"][ANY] + rows["less"][ANY]
            print(f"found something in {found} of {STUDIES} studies")
            assert found <= 20
