"""What `priorlab lecture` measures, in which order, and the rows that it keeps.

In ``OUT/``: ``rows.csv``: claim, change (of its settings; empty: none), seed, figure, line, x, value; ``runs.csv``:
claim, change, seed, seconds, git_commit, software; ``settings.json``: the settings of each claim, but for changes.
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
from priorlab.scripts.lecture.claim import CLAIMS, find_claim
from priorlab.scripts.running.side_by_side import side_by_side

COLUMNS = {
    "rows.csv": ("claim", "change", "seed", "figure", "line", "x", "value"),
    "runs.csv": ("claim", "change", "seed", "seconds", "git_commit", "software"),
}
NUMBERS = {"seed": int, "x": float, "value": float, "seconds": float}  # columns; others are text
SEEDS, QUICK_SEEDS = 5, 2


@dataclass(frozen=True)
class Request:
    """What is wanted. Raises ValueError, in one line, for what there is not."""

    claims: tuple[str, ...] = CLAIMS
    """which are measured"""
    change: str = ""
    """something else than a claim's settings, such as shots=5; its page shows both (with one claim)"""
    seeds: int | None = None
    """how often each is measured (default: 5; quick: 2)"""
    quick: bool = False
    """small ones, in a folder of their own, to see what it is like"""
    out: Path | None = None
    """folder of rows and pages (default: results/lecture; quick: runs/lecture-quick)"""
    workers: int = 2
    """measured side by side, a processor core each"""
    report_only: bool = False
    """measure nothing; write the pages of what there is"""

    def __post_init__(self) -> None:
        for name in ("seeds", "workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}: expected 1 or more")
        if self.change and len(self.claims) != 1:
            raise ValueError(f"change is {self.change!r}: expected --claims with the one that it is a setting of")
        for claim in self.claims:
            found = find_claim(claim)
            if not self.report_only:
                found.changed(self.change)

    @property
    def folder(self) -> Path:
        return self.out or Path("runs/lecture-quick" if self.quick else "results/lecture")

    def runs(self) -> list[tuple[str, str, int]]:
        """(claim, change, seed), claim by claim; with a change also without it, as what it is held against."""
        seeds = self.seeds or (QUICK_SEEDS if self.quick else SEEDS)
        return [
            (claim, change, seed)
            for claim in dict.fromkeys(self.claims)
            for change in dict.fromkeys(["", find_claim(claim).told(self.change, self.quick)])
            for seed in range(seeds)
        ]


class Rows(NamedTuple):
    """The tables of COLUMNS, and the settings of each claim."""

    rows: pd.DataFrame
    runs: pd.DataFrame
    settings: Mapping[str, Mapping[str, Any]]


def read(folder: Path) -> Rows:
    """What is kept in the folder; nothing where there is nothing."""
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
    settings = {claim: find_claim(claim).plain() | own for claim, own in settings.items()}  # what came later: as it was
    return Rows(rows[run_of(rows).isin(whole(rows, runs))], runs, settings)


def run_of(table: pd.DataFrame) -> pd.Series:
    """(claim, change, seed) of each line."""
    return pd.Series(list(zip(table["claim"], table["change"], table["seed"])), table.index, dtype=object)


def whole(rows: pd.DataFrame, runs: pd.DataFrame) -> list[tuple[str, str, int]]:
    """The runs that were finished, and have all figures that their claims have by now."""
    figures = {run: set(own) for run, own in rows["figure"].groupby(run_of(rows))}
    return [
        run for run in run_of(runs)
        if figures.get(run, set()) >= {figure.name for figure in find_claim(run[0]).figures}
    ]  # fmt: skip


def measured(claim: str, change: str, seed: int, small: bool) -> tuple[list[tuple], float]:
    """The rows of one run, and the seconds that it took."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    found = find_claim(claim)
    begun = time.perf_counter()
    rows = [tuple(row) for row in found.measure(found.changed(change, small), seed)]
    return rows, time.perf_counter() - begun


def measure_missing(request: Request, console: Console | None = None) -> None:
    """Measures what has no rows yet; each run's rows are written when it is finished."""
    request.folder.mkdir(parents=True, exist_ok=True)
    with held(request.folder / "rows.lock", f"{request.folder}: another process adds rows here: expected one"):
        add_missing(request, console)


def add_missing(request: Request, console: Console | None) -> None:
    folder, kept = request.folder, read(request.folder)
    settings = dict(kept.settings)
    for claim in request.claims:
        own = find_claim(claim).plain(request.quick)
        check_same(settings.setdefault(claim, own), own, folder / claim)
    have = set(whole(kept.rows, kept.runs))
    jobs = [(*run, request.quick) for run in request.runs() if run not in have]
    rows, runs = kept.rows, kept.runs
    told = [git_commit() or "", "; ".join(f"{name} {version}" for name, version in software().items())]
    done = side_by_side(measured, jobs, request.workers, "the lecture", console)
    for (*run, _), (found, seconds) in done:
        rows = joined(rows, run, [[*run, *row] for row in found])
        runs = joined(runs, run, [[*run, round(seconds, 1), *told]])
        write_whole(folder / "settings.json", json.dumps(settings, indent=2) + "\n")
        for name, table in (("rows.csv", rows), ("runs.csv", runs)):  # a run without its line in runs.csv is none
            write_whole(folder / name, table.to_csv(index=False, lineterminator="\n", float_format="%.6g"))


def joined(table: pd.DataFrame, run: list, lines: list[list]) -> pd.DataFrame:
    """The table with these lines instead of what it has of the same run, in the order of claims, changes and seeds."""
    others = [line for line in table.to_numpy(object).tolist() if line[:3] != run]
    ordered = sorted(others + lines, key=lambda line: (CLAIMS.index(line[0]), *line[1:3]))
    return pd.DataFrame(ordered, columns=table.columns)
