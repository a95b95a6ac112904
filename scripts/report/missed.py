"""Missed steps: their cost in people's plays, and a second comparison without the plays that missed most.

Minutes of play are counted in steps. If the machine was too busy to take a step, its time is missing from the minutes:
by the clock, the play was longer. The main analysis includes all plays; this one is an addition.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from priorlab.scripts.analysis.comparison import MAIN, TESTS, Analysis, Cell, analyse
from priorlab.scripts.analysis.curves import labelled
from priorlab.scripts.analysis.players import Kind, of_kind, title_of
from priorlab.scripts.analysis.statistics import LEAST, Played
from priorlab.scripts.report.summary import NOTHING, estimate_text, interval_text, p_text, ratio_text

MISSED = 0.05  # minutes are then at most 5 % short of the clock, far less than the differences between people
ALL, WITHOUT = "all", "without"


@dataclass(frozen=True)
class Slow:
    """How the people's plays on one version kept time; ``gap`` is clock minutes minus minutes of play, where known.

    There are ``n`` plays: ``unknown`` were recorded without times, and ``above`` missed more than the allowed share.
    """

    version: str
    n: int
    unknown: int
    above: int
    most: float  # largest share missed; NaN if none is known
    gap: np.ndarray  # float64 (n - unknown,), minutes


@dataclass(frozen=True)
class Second:
    """The analysis without the people's plays that missed more than ``share`` of their steps.

    If there are none, ``without`` is the main analysis. ``slow`` is in the order of the section's versions.
    """

    kind: Kind
    share: float
    main: Analysis
    without: Analysis
    slow: tuple[Slow, ...]

    @property
    def above(self) -> int:
        return sum(each.above for each in self.slow)

    @property
    def n(self) -> int:
        return sum(each.n for each in self.slow)

    @property
    def unknown(self) -> int:
        return sum(each.unknown for each in self.slow)


def second_analysis(main: Analysis, share: float = MISSED) -> Second | None:
    """``main`` without the plays that missed more than ``share`` of their steps; None if no people played.

    Plays recorded without times are kept: how many steps they missed is unknown.
    """
    section = main.section
    kind = next((kind for kind in section.kinds if kind.player == "person"), None)
    if kind is None:
        return None
    people = of_kind(section.runs, kind)
    kept = tuple(run for run in people if not run.missed_share > share)
    without = main
    if len(kept) < len(people):
        without = analyse(replace(section, runs=kept), main.limit, main.paired)
    groups = {version: of_kind(people, kind, version) for version in section.versions}
    slow = tuple(slow_of(version, runs, share) for version, runs in groups.items() if runs)
    return Second(kind, share, main, without, slow)


def slow_of(version: str, runs: Sequence[Played], share: float) -> Slow:
    known = [run for run in runs if not np.isnan(run.missed_share)]
    return Slow(
        version, len(runs), len(runs) - len(known), above=sum(run.missed_share > share for run in known),
        most=max((run.missed_share for run in known), default=np.nan),
        gap=np.array([run.clock_minutes - run.minutes for run in known]),
    )  # fmt: skip


def rows_of(second: Second) -> pd.DataFrame:
    """``without_missed.csv``: one row per version and analysis."""
    rows = []
    for each in second.slow:
        for name, analysis in ((ALL, second.main), (WITHOUT, second.without)):
            cell = analysis.find(second.kind, each.version)
            test = cell.main_test if cell else None
            left_out = each.above if name == WITHOUT else 0
            row: dict = {
                "version": each.version,
                "player": second.kind.label,
                "plays": name,
                "most_missed": second.share,
            }
            row |= {
                "n": each.n - left_out,
                "left_out": left_out,
                "unknown": each.unknown,
                "won": cell.won if cell else 0,
            }
            for column, estimate in (("mean_minutes", cell and cell.minutes), ("ratio", cell and cell.ratio)):
                row |= {column: estimate.value if estimate else None}
                row |= {f"{column}_{end}": getattr(estimate, end) if estimate else None for end in ("low", "high")}
            row |= {"bound": cell.ratio.bound if cell and cell.ratio else ""}
            row |= {"test": next((test_ for test_ in MAIN if cell and test_ in cell.tests), "")}
            row |= {
                column: getattr(test, column) if test else None for column in ("p", "p_holm", "effect", "low", "high")
            }
            row |= {"why": test.why if test else ""}
            rows.append(row)
    return labelled(second.main.section, rows)


def show_second(second: Second | None) -> dict | None:
    """What the page shows of the second analysis."""
    if second is None:
        return None
    tests = [name for name in MAIN if any(name in cell.tests for cell in second.main.cells)]
    return {
        "share": limit_text(second.share),
        "kind": second.kind,
        "n": second.n,
        "above": second.above,
        "unknown": second.unknown,
        "test": TESTS[tests[0]][0] if tests else "",
        "verdict": verdict(second),
        "rows": [row_words(second, each) for each in second.slow],
    }


def note_on(second: Second | None) -> list[str]:
    """A line for the top of the page if the second analysis excludes a play."""
    if second is None or not second.above:
        return []
    whose = f"{second.above} of {second.n} plays by people missed more than {limit_text(second.share)} of their steps"
    return [f"{whose}. They count here; “Steps that the machine missed” repeats the comparison without them."]


def row_words(second: Second, slow: Slow) -> dict:
    cells = [analysis.find(second.kind, slow.version) for analysis in (second.main, second.without)]
    tests = [cell.main_test if cell else None for cell in cells]
    return {
        "version": slow.version,
        "n": slow.n,
        "above": slow.above,
        "most": NOTHING if np.isnan(slow.most) else share_text(slow.most),
        "gap": seconds_text(np.median(slow.gap)) if len(slow.gap) >= LEAST else NOTHING,
        "most_gap": seconds_text(slow.gap.max()) if len(slow.gap) else NOTHING,
        "minutes": [estimate_text(cell and cell.minutes) for cell in cells],
        "ratio": [ratio_text(cell and cell.ratio) for cell in cells],
        "interval": [interval_text(cell and cell.ratio) for cell in cells],
        "p": [p_text(test.p_holm) if test else NOTHING for test in tests],
    }


def limit_text(share: float) -> str:
    return f"{100 * share:g}\u00a0%"


def share_text(share: float) -> str:
    return f"{100 * share:.1f}\u00a0%"


def seconds_text(minutes: float) -> str:
    return f"{60 * minutes:,.1f}\u00a0s"


def verdict(second: Second) -> str:
    """Whether both analyses agree on which versions are clearly slower or faster, in sentences; "" if there is only one
    analysis, or nothing to compare."""
    if not second.above or not any(map(word_of, second.main.of_kind(second.kind))):
        return ""
    changed = []
    for version in second.main.section.versions:
        cell, other = (analysis.find(second.kind, version) for analysis in (second.main, second.without))
        before, after = word_of(cell), word_of(other)
        if not cell or not before or before == after:
            continue
        name = title_of(version)
        # with too few plays for a test, the interval alone would decide: a different rule, not a different conclusion
        if not other or not after or (cell.is_tested and not other.is_tested):
            changed.append(f"{name} is {before} with all plays; without those, too few are left to judge.")
        else:
            changed.append(f"{name} is {before} with all plays and {after} without those.")
    words = " ".join(sentence[:1].upper() + sentence[1:] for sentence in changed)
    return words or "Both comparisons reach the same conclusion on every version."


def word_of(cell: Cell | None) -> str:
    if cell is None or cell.ratio is None or cell.ratio.low is None:
        return ""
    return "clearly slower" if cell.is_slower else "clearly faster" if cell.is_faster else "not clearly different"
