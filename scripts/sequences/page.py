"""The page of a sequence of tasks: what each method retains, forgets and transfers, and what it costs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from priorlab.envs.base.files import write_whole
from priorlab.scripts.analysis.resampling import RESAMPLES
from priorlab.scripts.report import readme
from priorlab.scripts.report.render import render
from priorlab.scripts.report.summary import NOTHING
from priorlab.scripts.sequences import figures as figures
from priorlab.scripts.sequences.measures import SINGLE, Runs, better, estimated, forward, measured, runs_of
from priorlab.scripts.sequences.readme import (
    FIGURES,
    KEPT,
    MEASURES,
    PUBLISHED,
    TITLES,
    about,
    findings,
    headline,
    kind_name,
    readme_of,
    row_of,
    title,
    title_of,
    words,
)
from priorlab.scripts.sequences.runs import Tables

SHOWN_BY_TASK = 10  # at most so many tasks have columns of their own
APART = ("sequence", "own", "names", "learner")  # settings that are shown elsewhere


def write_transfer(folder: Path, rows: Tables, settings: Mapping[str, Any], quick: bool = False) -> Path:
    """Writes report.html and README.md into ``folder``, of rows as ``priorlab.scripts.sequences.runs`` keeps them."""
    all_runs = runs_of(rows)
    found = measured(all_runs)
    published, source = PUBLISHED.get(settings["sequence"], ({}, ""))
    table = [(each, row_of(each, found[each.method], published)) for each in all_runs]
    few = settings["tasks"] <= SHOWN_BY_TASK
    drawn = {
        "sofar": figures.so_far(all_runs, found),
        "bars": figures.intervals(all_runs, found),
        "memory": figures.memory(all_runs, found),
        "plasticity": figures.plasticity(all_runs, found),
    }
    text = render(
        "transfer.html",
        title=title_of(settings),
        headline=headline(all_runs, found),
        findings=findings(all_runs, found),
        quick=quick,
        measure=MEASURES[kind_name(settings)],
        settings={name: value for name, value in settings.items() if name not in APART and value is not None},
        learner=settings.get("learner", {}),
        about=about(settings),
        names=[*map(title, settings.get("names", ()))],
        table=table,
        titles={name: TITLES[name] for name in (KEPT[0], "middle", *KEPT[1:])},
        by_task=by_task(all_runs) if few else (),
        several=any(each.n > 1 for each in all_runs),
        banded=figures.banded(all_runs),
        has_others=any(row["others"] != NOTHING for _, row in table),
        restored=any(each.dash != "-" for each in all_runs),
        pairs=pairs(all_runs),
        figures=drawn,
        curves=[(each, figures.curve(each)) for each in all_runs],
        matrices=[(each, figures.matrix(each)) for each in all_runs],
        published=source,
        resamples=f"{RESAMPLES:,}",
        software=readme.made_with(rows.runs["software"], rows.runs["git_commit"].fillna("")),
    )
    path = folder / "report.html"
    write_whole(path, text)
    shown = {name: drawn[which]["wide"] for which, name in FIGURES.items()}
    readme.write(folder, readme_of(folder, rows, settings, quick), shown)
    return path


def pairs(all_runs: Sequence[Runs]) -> list[tuple[Runs, list[tuple[str, bool]]]]:
    """Of each method, the probability that a run of it does a task better than one of each other, in percent, and
    whether its interval lies above a half."""
    found = []
    for here in all_runs:
        row = []
        for there in all_runs:
            value = better(here, there) if here is not there else None
            row.append((f"{100 * value.value:.0f}", (value.low or 0) > 0.5) if value else ("", False))
        found.append((here, row))
    return found


def by_task(all_runs: Sequence[Runs]) -> list[tuple[str, str, list[tuple[Runs, list[str]]]]]:
    """Tables (title, what it shows, rows) with a column for each task."""
    single = next((each for each in all_runs if each.method == SINGLE), None)
    tables = [
        ("Final performance", "Performance on each task after the last one was learned, %.",
         [(each, [words(estimated(column)) for column in each.matrices[:, -1].T]) for each in all_runs]),
        ("Zero-shot", "Performance on each task before it is learned, from what the tasks before it left, %.",
         [(each, [words(estimated(column)) for column in each.sight.T]) for each in all_runs]),
    ]  # fmt: skip
    if single is not None:
        gains = [
            (each, [forward(each, single, slice(task, task + 1)) for task in range(each.tasks)])
            for each in all_runs
            if each.method != SINGLE
        ]
        tables.append(
            ("Faster than alone", "Forward transfer to each task, % of what could be gained.",
             [(each, [words(gain, signed=True) for gain in of_tasks]) for each, of_tasks in gains])
        )  # fmt: skip
    if not all(np.isnan(each.first_win).all() for each in all_runs):
        tables.append(
            ("The first win", "Inputs of the task until its first win: the median over runs.",
             [(each, [first(column) for column in each.first_win.T]) for each in all_runs])
        )  # fmt: skip
    return tables


def first(inputs: np.ndarray) -> str:
    """The median over runs (n,), of which those that never won have NaN."""
    median = float(np.median(np.nan_to_num(inputs, nan=np.inf)))
    return f"{median:,.0f}" if np.isfinite(median) else "never"
