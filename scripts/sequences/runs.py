"""What `priorlab transfer` learns, in which order, and the rows that it keeps.

A run, of one method and seed, leaves ``OUT/<sequence>/runs/<method>/seed_<n>.json``, which git ignores; the rows of all
runs are joined in ``OUT/<sequence>/``, beside ``settings.json``:

- ``points.csv.xz``  method, seed, learning (which task), share (of it, 0 to 1), task (which is tested), performance
- ``tasks.csv``      method, seed, learning, dormant (units, 0 to 1), rank (of the features), others (of columns: share
  of its sensitivity that lies in those of others, 0 to 1); of games also first_win and mastered, raw inputs of the task
  to the first win and until 90 of the last 100 episodes were won; empty: never
- ``runs.csv``       method, seed, bytes (that are stored), git_commit, software
"""

import json
import lzma
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
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
LOCK = "runs.lock"
OF_ONE_KIND = ("inputs", "agent", "episodes", "steps", "units", "data")  # settings of games or of digits alone


def kind_of(sequence: str, is_own: bool = False) -> ModuleType:
    """What learns a sequence, the lab's or, as ``is_own`` says, of a user's file: the module for digits or for games.
    ValueError for one that there is not."""
    if sequence in digits.SEQUENCES:
        if is_own:
            raise ValueError(f"sequence is {sequence!r}, which is the lab's own: expected the name of one in the file")
        return digits
    if not is_own and sequence not in sequences():
        raise ValueError(
            f"unknown sequence {sequence!r}: expected one of {', '.join([*digits.SEQUENCES, *sequences()])}"
        )
    from priorlab.scripts.sequences import games  # stable-baselines3 takes seconds

    return games


@dataclass(frozen=True)
class Request:
    """What is wanted. Raises ValueError, in one line, for what there is not."""

    sequence: str = "permuted-digits"
    """permuted-digits, rotating-digits, or one of games, such as looks, ever_more_masked and levels"""
    sequences: Path | None = None
    """a TOML file of sequences of games of your own, in which to look for `--sequence`"""
    methods: tuple[str, ...] = ()
    """how it is learned, such as ewc:strength=10 or psp+ewc (default: eighteen for digits, thirteen for games; quick:
    five and four). separate is always among them, as what a single task needs"""
    seeds: int | None = None
    """runs of each method (default: 5; quick: 2 for digits, 1 for games)"""
    first_seed: int = 0
    """number of the first run: from 100 on, say, and in an --out apart, for runs on which settings are chosen"""
    tasks: int | None = None
    """how many are learned, one after another (default: 20 digits, 4 levels, 2 of atari_masks, all of others; quick: 5
    digits, 2 games)"""
    inputs: int | None = None
    """games: raw inputs for which an agent learns each (default: 60,000 for levels, else 100,000 in Princess, 1,000,000
    in Key and Door, 4,000,000 in Atari; quick: 20,000)"""
    agent: Literal["ppo", "dqn"] | None = None
    """games: which learner (default: ppo)"""
    episodes: int | None = None
    """games: episodes of a test (default: 50, Atari: 10; quick: 20)"""
    steps: int | None = None
    """digits: minibatches of 128 a task (default: 300; quick: 100)"""
    units: int | None = None
    """digits: units of each of the two hidden layers (default: 256)"""
    data: DataName | None = None
    """digits: digits (scikit-learn's), mnist or fashion (of torchvision, in the folder data) (default: digits)"""
    heads: bool = False
    """whether each task has outputs of its own"""
    keep_optimizer: bool = False
    """whether the optimizer's moments go on from task to task"""
    quick: bool = False
    """a small one, in a folder of its own, to see what it is like"""
    out: Path | None = None
    """folder of rows and report (default: results/transfer; quick: runs/transfer-quick)"""
    workers: int = 2
    """runs side by side, a processor core each"""
    report_only: bool = False
    """learn nothing; report what there is"""

    def __post_init__(self) -> None:
        kind = self.kind
        for name in ("seeds", "tasks", "workers", *OF_ONE_KIND):
            value = getattr(self, name)
            if isinstance(value, int) and value < 1:
                raise ValueError(f"{name} is {value}: expected 1 or more")
            if value is not None and name in OF_ONE_KIND and name not in kind.DEFAULTS:
                raise ValueError(f"{name} is {value}: expected none, as {self.sequence} has no such setting")
        if self.first_seed < 0:
            raise ValueError(f"first_seed is {self.first_seed}: expected 0 or more")
        settings = self.settings()
        methods = {method: parse(method, self.heads) for method, _ in self.runs()}
        for method, specs in methods.items():
            same = next(name for name, others in methods.items() if sorted(others, key=str) == sorted(specs, key=str))
            if same != method:
                raise ValueError(f"methods {same} and {method}: expected one of them, as they are the same")
            if not self.report_only:
                kind.check_method(method, settings)

    @property
    def kind(self) -> ModuleType:
        return kind_of(self.sequence, self.sequences is not None)

    @property
    def folder(self) -> Path:
        return (self.out or Path("runs/transfer-quick" if self.quick else "results/transfer")) / self.sequence

    def settings(self) -> dict[str, Any]:
        """What all runs share; rows of others are never mixed with theirs."""
        kind = self.kind
        told = {name: getattr(self, name) for name in ("sequence", "heads", "keep_optimizer")}
        told |= kind.DEFAULTS | kind.SIZES.get(self.sequence, {}) | (kind.QUICK if self.quick else {})
        given = {name: getattr(self, name) for name in told}
        told |= {"own": find_sequence(self.sequence, self.sequences).plain()} if self.sequences else {}
        return kind.settings(told | {name: value for name, value in given.items() if value is not None})

    def runs(self) -> list[tuple[str, int]]:
        """(method, seed), seed by seed over all methods, so that whatever is done is balanced."""
        kind = self.kind
        methods = self.methods or (kind.QUICK_METHODS if self.quick else kind.METHODS)
        methods = (*dict.fromkeys(["separate", *methods]),)
        seeds = self.seeds or (kind.QUICK_SEEDS if self.quick else SEEDS)
        return [(method, self.first_seed + seed) for seed in range(seeds) for method in methods]


class Rows(NamedTuple):
    """The tables of COLUMNS."""

    points: pd.DataFrame
    tasks: pd.DataFrame
    runs: pd.DataFrame

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Those that are kept in the folder; none where it holds none."""
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
        """Those of one run, as ``learn`` gives it."""
        front = [run["method"], run["seed"]]
        points = [[*front, *point] for point in run["points"]]
        tasks = [[*front, learning, *map(of_task.get, TASK)] for learning, of_task in enumerate(run["learned"])]
        told = ", ".join(f"{name} {version}" for name, version in run["software"].items())
        rows = points, tasks, [[*front, run["bytes"], run["git_commit"] or "", told]]
        tables = [pd.DataFrame(each, columns=list(columns)) for each, columns in zip(rows, COLUMNS.values())]
        tables[1] = tables[1].astype({name: FLOATS[name] for name in TASK})
        return cls(*tables)

    def whole(self) -> Self:
        """Without rows of runs that ``runs.csv``, which is written last, does not hold."""
        have = set(zip(self.runs["method"], self.runs["seed"]))
        known = [[key in have for key in zip(table["method"], table["seed"])] for table in self]
        return type(self)(*(table.loc[np.array(each, bool)] for table, each in zip(self, known)))

    def ordered(self, order: Sequence[str]) -> Self:
        """The same with methods in this order, then others."""
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
    """One run, from its start or from where it was stopped: its points, what each task took, and what is stored."""
    torch.set_num_threads(1)
    about = {"method": method, "seed": seed, "settings": settings}
    about |= {"software": software(), "git_commit": git_commit()}
    return about | kind_of(settings["sequence"], "own" in settings).learn(method, seed, settings, folder)


def learn_missing(request: Request, console: Console | None = None) -> None:
    """Runs what has no file yet; each file is written whole, so that whatever is stopped goes on. OSError where another
    process does so in the same folder."""
    folder = request.folder
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder / LOCK, f"{folder}: another process adds runs here: expected one"):
        add_missing(request, console)


def add_missing(request: Request, console: Console | None) -> None:
    folder, settings = request.folder, request.settings()
    known = folder / "settings.json"
    if known.exists():
        check_same(settings_of(folder), settings, folder)
    have = {(run["method"], run["seed"]) for run in Rows.read(folder).runs.to_dict("records")}
    waiting = [run for run in request.runs() if run not in have and not file_of(folder, *run).exists()]
    write_whole(known, json.dumps(settings, indent=2) + "\n")
    jobs = [(method, seed, settings, folder) for method, seed in waiting]
    for (method, seed, *_), run in side_by_side(learn, jobs, request.workers, "all runs", console):
        path = file_of(folder, method, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(run))


def file_of(folder: Path, method: str, seed: int) -> Path:
    return folder / "runs" / method.replace(":", "_") / f"seed_{seed}.json"


def settings_of(folder: Path) -> dict[str, Any]:
    """What all runs in the folder share."""
    return read_json(folder / "settings.json")


def gather(folder: Path) -> Rows:
    """The rows that are kept and those of runs that have been finished since, written together; not where another
    process adds runs, which writes them itself."""
    rows = Rows.read(folder).whole()
    have = set(zip(rows.runs["method"], rows.runs["seed"]))
    finished = []
    for path in sorted(folder.glob("runs/*/seed_*.json")):
        finished.append(read_json(path))
        check_same(finished[-1]["settings"], settings_of(folder), path)
    new = [Rows.of(run) for run in finished if (run["method"], run["seed"]) not in have]
    if not new:
        return rows
    parts = [*([rows] if len(rows.runs) else []), *new]
    joined = Rows(*(pd.concat(tables, ignore_index=True) for tables in zip(*parts)))
    settings = settings_of(folder)
    joined = joined.ordered(kind_of(settings["sequence"], "own" in settings).METHODS)
    with suppress(Taken), held(folder / LOCK, f"{folder}: another process adds runs here"):
        joined.write(folder)
    return joined
