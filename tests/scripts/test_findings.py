"""Numbers in findings that people write are those that the committed rows give."""

import re
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from priorlab.scripts.sequences.measures import given_back, measured, runs_of
from priorlab.scripts.sequences.page import SHOWN_BY_TASK, by_task
from priorlab.scripts.sequences.readme import words
from priorlab.scripts.sequences.runs import Tables
from tests.support.paths import ROOT

FOLDERS = sorted(path.parent for path in (ROOT / "results" / "transfer").glob("*/FINDINGS.md"))
LINK = re.compile(r"\]\(\.\./([\w-]+)/FINDINGS\.md\)")  # to another sequence, whose numbers a finding may repeat
ESTIMATE = re.compile(r"([+-]?[\d.]+) (?:% |points )?(?:of it )?\(([+-]?[\d.]+) to ([+-]?[\d.]+)\)")


@cache
def derived(folder: Path) -> set[str]:
    """Every estimate that the page of a sequence shows, as it is written there."""
    runs = runs_of(Tables.read(folder))
    found = [
        words(each, signed)
        for of_one in measured(runs).values()
        for each in of_one.values()
        for signed in (False, True)
    ]
    by_name = {each.method: each for each in runs}
    for restored in (each for each in runs if each.dash == "--" and each.without_means in by_name):
        found += [words(back)] if (back := given_back(by_name[restored.without_means], restored)) else []
    if runs[0].tasks <= SHOWN_BY_TASK:
        found += [cell for _, _, rows in by_task(runs) for _, cells in rows for cell in cells]
    return {*found}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_findings_state_estimates_that_the_rows_give(folder: Path):
    text = " ".join((folder / "FINDINGS.md").read_text(encoding="utf-8").split())
    stated = [f"{value} ({low} to {high})" for value, low, high in ESTIMATE.findall(text)]
    known = derived(folder).union(*(derived(folder.parent / name) for name in LINK.findall(text)))
    assert stated
    assert [each for each in stated if each not in known] == []


def test_tables_on_training_are_those_of_its_rows():
    folder = ROOT / "results" / "training"
    lines = (folder / "README.md").read_text(encoding="utf-8").splitlines()
    rows = pd.read_csv(folder / "rows.csv", dtype={"first_win": "Int64", "mastered": "Int64"})
    for _, runs in rows.groupby(["experiment", "name"], sort=False):
        name = runs["name"].iloc[0]
        first, mastered = (
            "; ".join("never" if pd.isna(inputs) else f"{inputs:,}" for inputs in runs[column])
            for column in ("first_win", "mastered")
        )
        ending = f" | {first} | {mastered} |"
        assert any(line.startswith(f"| {name} |") and line.endswith(ending) for line in lines), (name, ending)
