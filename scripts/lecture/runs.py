"""The measurements of `priorlab lecture`: their order, and the rows that are kept.

``OUT/`` holds ``rows.csv``: claim, change (of its settings; empty: none), seed, figure, line, x, value; ``runs.csv``:
claim, change, seed, seconds, git_commit, software; ``settings.json``: the settings of each claim without changes.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch
from rich.console import Console

from priorlab.envs.base.files import read_json, write_whole
from priorlab.envs.base.locks import held
from priorlab.envs.base.provenance import git_commit, software
from priorlab.envs.base.tables import kinds, read_table
from priorlab.envs.results.rows import check_same
from priorlab.scripts.checks import check_counts
from priorlab.scripts.lecture.catalogue import CLAIMS, find_claim
from priorlab.scripts.running.side_by_side import side_by_side

COLUMNS = {
    "rows.csv": ("claim", "change", "seed", "figure", "line", "x", "value"),
    "runs.csv": ("claim", "change", "seed", "seconds", "git_commit", "software"),
}
NUMBERS = {"seed": int, "x": float, "value": float, "seconds": float}  # columns of numbers; the others are text
SEEDS, QUICK_SEEDS = 5, 2


@dataclass(frozen=True)
class Request:
    """The command's settings. Raises ValueError, in one line, for values that don't exist."""

    claims: tuple[str, ...] = CLAIMS
    """claims to measure"""
    change: str = ""
    """change a claim's settings, such as shots=5; its page shows the results of both (for one claim)"""
    seeds: int | None = None
    """measurements of each (default: 5; quick: 2)"""
    quick: bool = False
    """run small versions in a separate folder, as a demonstration"""
    out: Path | None = None
    """folder for rows and pages (default: results/lecture; quick: runs/lecture-quick)"""
    workers: int = 2
    """measurements in parallel, one CPU core each"""
    report_only: bool = False
    """measure nothing; only write the pages of existing rows"""

    def __post_init__(self) -> None:
        check_counts(seeds=self.seeds, workers=self.workers)
        if self.change and len(self.claims) != 1:
            raise ValueError(f"change {self.change!r} needs --claims with the one claim whose settings it changes")
        for claim in map(find_claim, self.claims):
            if not self.report_only:
                claim.changed(self.change)

    @property
    def folder(self) -> Path:
        return self.out or Path("runs/lecture-quick" if self.quick else "results/lecture")

    def runs(self) -> list[tuple[str, str, int]]:
        """(claim, change, seed), claim by claim; with a change also without it, for comparison."""
        seeds = self.seeds or (QUICK_SEEDS if self.quick else SEEDS)
        return [
            (claim, change, seed)
            for claim in dict.fromkeys(self.claims)
            for change in dict.fromkeys(["", find_claim(claim).normal_form(self.change, self.quick)])
            for seed in range(seeds)
        ]


class Recorded(NamedTuple):
    """The tables of COLUMNS, and the settings of each claim."""

    rows: pd.DataFrame
    runs: pd.DataFrame
    settings: Mapping[str, Mapping[str, Any]]


def read(folder: Path) -> Recorded:
    """What is recorded in the folder; the tables may be empty."""
    tables: list[Any] = []
    for name, columns in COLUMNS.items():
        if (folder / name).exists():
            table = read_table(folder / name, kinds(columns, **NUMBERS))
        else:
            table = pd.DataFrame(columns=list(columns))
        tables.append(table)
    rows, runs = tables
    path = folder / "settings.json"
    settings = read_json(path) if path.exists() else {}
    # settings that are newer than the rows have their defaults
    settings = {claim: find_claim(claim).plain() | recorded for claim, recorded in settings.items()}
    return Recorded(rows[run_of(rows).isin(complete_runs(rows, runs))], runs, settings)


def run_of(table: pd.DataFrame) -> pd.Series:
    """(claim, change, seed) of each line."""
    return pd.Series(list(zip(table["claim"], table["change"], table["seed"])), table.index, dtype=object)


def complete_runs(rows: pd.DataFrame, runs: pd.DataFrame) -> list[tuple[str, str, int]]:
    """The finished runs that have all figures that their claims have today."""
    figures = {run: set(names) for run, names in rows["figure"].groupby(run_of(rows))}
    return [
        run for run in run_of(runs)
        if figures.get(run, set()) >= {figure.name for figure in find_claim(run[0]).figures}
    ]  # fmt: skip


def measure(claim: str, change: str, seed: int, small: bool) -> tuple[list[tuple], float]:
    """The rows of one run, and the seconds it took."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    experiment = find_claim(claim)
    begun = time.perf_counter()
    rows = [tuple(row) for row in experiment.measure(experiment.changed(change, small), seed)]
    return rows, time.perf_counter() - begun


def measure_missing(request: Request, console: Console | None = None) -> None:
    """Does the runs that have no rows yet, and writes the rows of each when it is finished.

    OSError if another process adds rows to the same folder.
    """
    request.folder.mkdir(parents=True, exist_ok=True)
    with held(request.folder / "rows.lock", f"{request.folder}: another process is adding rows here"):
        add_missing(request, console)


def add_missing(request: Request, console: Console | None) -> None:
    folder, recorded = request.folder, read(request.folder)
    settings = dict(recorded.settings)
    for claim in request.claims:
        plain = find_claim(claim).plain(request.quick)
        check_same(settings.setdefault(claim, plain), plain, folder / claim)
    rows, runs = recorded.rows, recorded.runs
    complete = set(complete_runs(rows, runs))
    jobs = [(*run, request.quick) for run in request.runs() if run not in complete]
    provenance = [git_commit() or "", "; ".join(f"{name} {version}" for name, version in software().items())]
    done = side_by_side(measure, jobs, request.workers, "the lecture", console)
    for (*run, _), (new, seconds) in done:
        rows = joined(rows, run, [[*run, *row] for row in new])
        runs = joined(runs, run, [[*run, round(seconds, 1), *provenance]])
        write_whole(folder / "settings.json", json.dumps(settings, indent=2) + "\n")
        for name, table in (("rows.csv", rows), ("runs.csv", runs)):  # a run counts once it has its line in runs.csv
            write_whole(folder / name, table.to_csv(index=False, lineterminator="\n", float_format="%.6g"))


def joined(table: pd.DataFrame, run: list, lines: list[list]) -> pd.DataFrame:
    """The table with these lines in place of those of the same run, in the order of claims, changes and seeds."""
    others = [line for line in table.to_numpy(object).tolist() if line[:3] != run]
    ordered = sorted(others + lines, key=lambda line: (CLAIMS.index(line[0]), *line[1:3]))
    return pd.DataFrame(ordered, columns=table.columns)
