"""What was recorded before the files of the lab moved still loads, to the same tables."""

from io import StringIO

import pandas as pd
import pytest

from priorlab.envs.base.tables import csv_of
from priorlab.envs.results.load import load
from priorlab.human_study.data.verify import verify
from tests.support.paths import DATA

BEFORE = DATA / "before"
NOT_COMPARED = ["folder", "settings", "level"]  # of configs: where they are, and what is not one value


@pytest.fixture(scope="module")
def results():
    return load([BEFORE / "rows", BEFORE / "recorded"])


@pytest.mark.parametrize("name", [path.stem for path in sorted((BEFORE / "expected").glob("*.csv"))])
def test_old_rows_and_recordings_load_to_the_same_tables(results, name):
    table = getattr(results, name).drop(columns=NOT_COMPARED, errors="ignore")
    expected = pd.read_csv(BEFORE / "expected" / f"{name}.csv")
    pd.testing.assert_frame_equal(pd.read_csv(StringIO(csv_of(table))), expected)


def test_old_recordings_are_intact(results):
    assert not results.problems
    assert not [checked.problems for checked in verify([BEFORE / "recorded"]) if checked.problems]
