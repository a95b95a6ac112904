"""Numbers with an interval in results/transfer/*/FINDINGS.md are those that the committed rows give."""

import re
from functools import cache
from pathlib import Path

import pytest

from priorlab.scripts.sequences.measures import given_back, measured, runs_of
from priorlab.scripts.sequences.page import SHOWN_BY_TASK, by_task, with_means, words
from priorlab.scripts.sequences.runs import Rows
from tests.support.paths import ROOT

FOLDERS = sorted(path.parent for path in (ROOT / "results" / "transfer").glob("*/FINDINGS.md"))
LINK = re.compile(r"\]\(\.\./([\w-]+)/FINDINGS\.md\)")  # to another sequence, whose numbers a finding may repeat
ESTIMATE = re.compile(r"([+-]?[\d.]+) (?:% |points )?(?:of it )?\(([+-]?[\d.]+) to ([+-]?[\d.]+)\)")


@cache
def derived(folder: Path) -> set[str]:
    """Every estimate that the page of a sequence shows, as it is written there."""
    runs = runs_of(Rows.read(folder))
    found = [words(each, signed) for of_one in measured(runs).values() for each in of_one.values() for signed in (0, 1)]
    pairs = with_means({each.method: each for each in runs})
    found += [words(back) for pair in pairs if (back := given_back(*pair))]
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
