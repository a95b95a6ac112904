"""The runs of `priorlab transfer`: their order, and the rows that are kept.

A run of one method and seed writes ``OUT/<sequence>/runs/<method>/seed_<n>.json``, which git ignores. The rows of all
runs are joined in ``OUT/<sequence>/``, next to ``settings.json``:

- ``points.csv.xz``  method, seed, learning (which task), share (of its training, 0 to 1), task (the one tested),
  performance
- ``tasks.csv``      method, seed, learning, dormant (share of units, 0 to 1), rank (of the features), others (of
  columns: the share of a column's sensitivity that is to other columns, 0 to 1); for games also first_win and mastered:
  raw inputs of the task to the first win, and until 90 of the last 100 episodes were won; empty: never
- ``runs.csv``       method, seed, bytes (stored), git_commit, software
"""

import json
import lzma
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import pandas as pd
import torch
from rich.console import Console

from priorlab.envs.base.files import read_json, write_bytes, write_whole
from priorlab.envs.base.locks import Taken, held
from priorlab.envs.base.provenance import git_commit, software
from priorlab.envs.base.tables import kinds, read_table
from priorlab.envs.game.sequences import find_sequence, sequences
from priorlab.envs.results.rows import check_same
from priorlab.scripts.checks import check_counts
from priorlab.scripts.running.side_by_side import side_by_side
from priorlab.scripts.sequences import digits
from priorlab.transfer.digits import DataName
from priorlab.transfer.keeping import parse

COLUMNS = {
    "points.csv.xz": ("method", "seed", "learning", "share", "task", "performance"),
    "tasks.csv": ("method", "seed", "learning", "dormant", "rank", "others", "first_win", "mastered"),
    "runs.csv": ("method", "seed", "bytes", "git_commit", "software"),
}
TASK = COLUMNS["tasks.csv"][3:]
FLOATS: Any = dict.fromkeys(("share", "performance", *TASK), float)
WHOLE: Any = dict.fromkeys(("seed", "learning", "task", "bytes"), int)
SEEDS = 5
LOCK, SETTINGS = "runs.lock", "settings.json"
OF_ONE_KIND = ("inputs", "agent", "episodes", "steps", "units", "data")  # settings that only games or only digits have


def kind_of(sequence: str, from_file: bool = False) -> ModuleType:
    """The module that learns a sequence: digits or games. ``from_file``: the sequence is of a user's file.

    ValueError for an unknown sequence.
    """
    if sequence in digits.SEQUENCES:
        if from_file:
            raise ValueError(f"{sequence!r} is built into Priorlab: expected the name of a sequence in the file")
        return digits
    if not from_file and sequence not in sequences():
        known = ", ".join([*digits.SEQUENCES, *sequences()])
        raise ValueError(f"unknown sequence {sequence!r}: expected one of {known}")
    from priorlab.scripts.sequences import games  # stable-baselines3 takes seconds

    return games


@dataclass(frozen=True)
class Request:
    """The command's settings. Raises ValueError, in one line, for values that don't exist."""

    sequence: str = "permuted-digits"
    """permuted-digits, rotating-digits, or a sequence of games such as looks, ever_more_masked or levels"""
    sequences: Path | None = None
    """look for `--sequence` in this TOML file of your own sequences of games"""
    methods: tuple[str, ...] = ()
    """methods such as ewc:strength=10 or psp+ewc (default: eighteen for digits, thirteen for games; quick: five and
    four). separate always runs too, as the reference for a single task"""
    seeds: int | None = None
    """runs of each method (default: 5; quick: 2 for digits, 1 for games)"""
    first_seed: int = 0
    """number of the first run; to choose settings, use numbers from 100 on, say, and a separate --out"""
    tasks: int | None = None
    """number of tasks to learn (default: 20 digits, 4 levels, 2 of atari_masks, all of others; quick: 5
    digits, 2 games)"""
    inputs: int | None = None
    """games: raw inputs per task (default: 60,000 for levels, else 100,000 in Princess, 1 million
    in Key and Door, 4 million in Atari; quick: 20,000)"""
    agent: Literal["ppo", "dqn"] | None = None
    """games: the learner (default: ppo)"""
    episodes: int | None = None
    """games: episodes per test (default: 50, Atari: 10; quick: 20)"""
    steps: int | None = None
    """digits: minibatches of 128 per task (default: 300; quick: 100)"""
    units: int | None = None
    """digits: units in each of the two hidden layers (default: 256)"""
    data: DataName | None = None
    """digits: digits (scikit-learn's), mnist or fashion (torchvision's, in the folder data) (default: digits)"""
    heads: bool = False
    """give each task separate outputs"""
    keep_optimizer: bool = False
    """keep the optimizer's moments from task to task"""
    quick: bool = False
    """run a small version in a separate folder, as a demonstration"""
    out: Path | None = None
    """folder for rows and report (default: results/transfer; quick: runs/transfer-quick)"""
    workers: int = 2
    """runs in parallel, one CPU core each"""
    report_only: bool = False
    """learn nothing; only report existing rows"""

    def __post_init__(self) -> None:
        kind, positive = self.kind, ("seeds", "tasks", "workers", "inputs", "episodes", "steps", "units")
        check_counts(**{name: getattr(self, name) for name in positive})
        for name in OF_ONE_KIND:
            if getattr(self, name) is not None and name not in kind.DEFAULTS:
                raise ValueError(f"{self.sequence} has no setting {name}, got {getattr(self, name)}")
        if self.first_seed < 0:
            raise ValueError(f"first_seed must be at least 0, got {self.first_seed}")
        methods = {method: parse(method, self.heads) for method, _ in self.runs()}
        for method, specs in methods.items():
            same = next(name for name, others in methods.items() if sorted(others, key=str) == sorted(specs, key=str))
            if same != method:
                raise ValueError(f"methods {same} and {method} are the same: name only one")
            if not self.report_only:
                kind.check_method(method, specs, self.settings)

    @cached_property
    def kind(self) -> ModuleType:
        return kind_of(self.sequence, self.sequences is not None)

    @property
    def folder(self) -> Path:
        return (self.out or Path("runs/transfer-quick" if self.quick else "results/transfer")) / self.sequence

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The settings that all runs share; rows with other settings are never mixed with theirs."""
        kind = self.kind
        chosen = {name: getattr(self, name) for name in ("sequence", "heads", "keep_optimizer")}
        chosen |= kind.DEFAULTS | kind.SIZES.get(self.sequence, {}) | (kind.QUICK if self.quick else {})
        given = {name: getattr(self, name) for name in chosen}
        chosen |= {"own": find_sequence(self.sequence, self.sequences).plain()} if self.sequences else {}
        return kind.settings(chosen | {name: value for name, value in given.items() if value is not None})

    def runs(self) -> list[tuple[str, int]]:
        """(method, seed): each seed goes over all methods, so that the runs stay balanced at any time."""
        kind = self.kind
        methods = self.methods or (kind.QUICK_METHODS if self.quick else kind.METHODS)
        methods = (*dict.fromkeys(["separate", *methods]),)
        seeds = self.seeds or (kind.QUICK_SEEDS if self.quick else SEEDS)
        return [(method, self.first_seed + seed) for seed in range(seeds) for method in methods]


class Tables(NamedTuple):
    """The rows of runs, in the tables of COLUMNS."""

    points: pd.DataFrame
    tasks: pd.DataFrame
    runs: pd.DataFrame

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Reads the rows in the folder; the tables are empty if it has none."""
        tables = []
        for name, columns in COLUMNS.items():
            path = folder / name
            if not path.exists():
                tables.append(pd.DataFrame(columns=list(columns)))
                continue
            tables.append(read_table(path, kinds(columns, **WHOLE, **FLOATS)))
        return cls(*tables)

    @classmethod
    def of(cls, run: Mapping[str, Any]) -> Self:
        """The rows of one run, as ``learn`` returns it."""
        front = [run["method"], run["seed"]]
        points = [[*front, *point] for point in run["points"]]
        tasks = [[*front, learning, *map(of_task.get, TASK)] for learning, of_task in enumerate(run["learned"])]
        versions = ", ".join(f"{name} {version}" for name, version in run["software"].items())
        rows = points, tasks, [[*front, run["bytes"], run["git_commit"] or "", versions]]
        tables = [pd.DataFrame(each, columns=list(columns)) for each, columns in zip(rows, COLUMNS.values())]
        tables[1] = tables[1].astype({name: FLOATS[name] for name in TASK})
        return cls(*tables)

    def keys(self) -> set[tuple[str, int]]:
        """(method, seed) of the complete runs: ``runs.csv`` is written last."""
        return set(zip(self.runs["method"], self.runs["seed"]))

    def complete(self) -> Self:
        """The rows of complete runs only."""
        keys = self.keys()
        known = [[key in keys for key in zip(table["method"], table["seed"])] for table in self]
        return type(self)(*(table.loc[np.array(each, bool)] for table, each in zip(self, known)))

    def ordered(self, order: Sequence[str]) -> Self:
        """The same rows, with methods in this order, then all others."""
        place = {method: number for number, method in enumerate(order)}
        tables = [
            table.assign(place=table["method"].map(lambda method: place.get(method, len(place))))
            .sort_values(["place", "method", "seed"], kind="stable", ignore_index=True)
            .drop(columns="place")
            for table in self
        ]
        return type(self)(*tables)

    def write(self, folder: Path) -> None:
        """Replaces the files, ``runs.csv`` last."""
        for name, table in zip(COLUMNS, self):
            text = table.to_csv(index=False, lineterminator="\n", float_format="%.6g").encode()
            write_bytes(folder / name, lzma.compress(text) if name.endswith(".xz") else text)


def learn(method: str, seed: int, settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Does one run, or resumes it: its points, what each task took, and how many bytes it stores."""
    torch.set_num_threads(1)
    about = {"method": method, "seed": seed, "settings": settings}
    about |= {"software": software(), "git_commit": git_commit()}
    return about | kind_of(settings["sequence"], "own" in settings).learn(method, seed, settings, folder)


def learn_missing(request: Request, console: Console | None = None) -> None:
    """Does the runs that have no file yet, each of which is written atomically.

    OSError if another process adds runs to the same folder.
    """
    folder, settings = request.folder, request.settings
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder / LOCK, f"{folder}: another process is adding runs here"):
        check_same(settings_of(folder, settings), settings, folder)
        done = Tables.read(folder).keys()
        waiting = [run for run in request.runs() if run not in done and not file_of(folder, *run).exists()]
        write_whole(folder / SETTINGS, json.dumps(settings, indent=2) + "\n")
        jobs = [(method, seed, settings, folder) for method, seed in waiting]
        for (method, seed, *_), run in side_by_side(learn, jobs, request.workers, "all runs", console):
            path = file_of(folder, method, seed)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(run))


def file_of(folder: Path, method: str, seed: int) -> Path:
    return folder / "runs" / method.replace(":", "_") / f"seed_{seed}.json"


def settings_of(folder: Path, default: dict[str, Any]) -> dict[str, Any]:
    """The settings that all runs in the folder share; ``default`` if it has none."""
    path = folder / SETTINGS
    return read_json(path) if path.exists() else default


def gather(folder: Path, settings: dict[str, Any]) -> Tables:
    """Joins the rows in the folder with those of newly finished runs, and writes them.

    If another process is adding runs, that process will write them.
    """
    rows = Tables.read(folder).complete()
    finished = []
    for path in sorted(folder.glob("runs/*/seed_*.json")):
        finished.append(read_json(path))
        check_same(finished[-1]["settings"], settings, path)
    known = rows.keys()
    new = [Tables.of(run) for run in finished if (run["method"], run["seed"]) not in known]
    if not new:
        return rows
    parts = [*([rows] if len(rows.runs) else []), *new]
    joined = Tables(*(pd.concat(tables, ignore_index=True) for tables in zip(*parts)))
    joined = joined.ordered(kind_of(settings["sequence"], "own" in settings).METHODS)
    with suppress(Taken), held(folder / LOCK, "another process is adding runs"):
        joined.write(folder)
    return joined
