"""What `priorlab transfer` learns where the answer is known, digits task after task, and the rows that it keeps.

A run, of one method and seed, leaves ``OUT/<sequence>/runs/<method>/seed_<n>.json``, which git ignores; the rows of all
runs are joined in ``OUT/<sequence>/``: ``points.csv.xz`` and ``runs.csv``, with ``settings.json``.
"""

import io
import json
import lzma
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from rich.progress import Progress

from envs.files import write_bytes, write_whole
from envs.results import check_same, git_commit, software
from transfer.digits import Data, network, permuted, rotating
from transfer.digits import read as read_digits
from transfer.methods import keep, parse
from transfer.metrics import dormant_units, effective_rank
from transfer.network import Network
from transfer.supervised import Problem, Training, learn_all

SEQUENCES: dict[str, Callable[[int, int, Data], list[Problem]]] = {
    "permuted-digits": permuted,
    "rotating-digits": rotating,
}
METHODS = (  # penalties in several strengths, as nobody knows the right one beforehand
    "finetune", "separate", "scratch", "l2:strength=0.01", "l2:strength=0.1", "ewc:strength=0.1", "ewc:strength=1",
    "ewc:strength=10", "online-ewc:strength=10", "online-ewc:strength=100", "psp", "psp:contexts=complex", "packing",
    "progressive", "random-column",
)  # fmt: skip
QUICK_METHODS = ("finetune", "separate", "ewc:strength=1", "psp", "packing")
POINTS, RUNS = "points.csv.xz", "runs.csv"


@dataclass(frozen=True)
class Request:
    """What is wanted. Raises ValueError, in one line, for what there is not."""

    sequence: str = "permuted-digits"
    """permuted-digits or rotating-digits"""
    methods: tuple[str, ...] = ()
    """how it is learned, such as ewc:strength=10 or psp+ewc (default: fifteen; quick: five). separate is always
    among them, as what a single task needs"""
    seeds: int | None = None
    """runs of each method (default: 5; quick: 2)"""
    tasks: int | None = None
    """how many are learned, one after another (default: 20; quick: 5)"""
    steps: int | None = None
    """minibatches of 128 a task (default: 300; quick: 100)"""
    units: int = 256
    """of each of the two hidden layers"""
    heads: bool = False
    """whether each task has outputs of its own"""
    data: Data = "digits"
    """digits (scikit-learn's), mnist or fashion (of torchvision, in the folder data)"""
    quick: bool = False
    """a small one, in a folder of its own, to see what it is like"""
    out: Path | None = None
    """folder of rows and report (default: results/transfer; quick: runs/transfer-quick)"""
    workers: int = 2
    """runs side by side, a processor core each"""
    report_only: bool = False
    """learn nothing; report what there is"""

    def __post_init__(self) -> None:
        if self.sequence not in SEQUENCES:
            raise ValueError(f"unknown sequence {self.sequence!r}: expected one of {', '.join(SEQUENCES)}")
        for name in ("seeds", "tasks", "steps", "units", "workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}: expected 1 or more")
        for method in self.methods:
            keep(Network(network(2, 0), example=torch.zeros(1, 784)), parse(method, self.heads), 2)

    @property
    def folder(self) -> Path:
        return (self.out or Path("runs/transfer-quick" if self.quick else "results/transfer")) / self.sequence

    def settings(self) -> dict[str, Any]:
        """What all runs share; rows of others are never mixed with theirs."""
        training = replace(Training(), steps=self.steps or (100 if self.quick else Training.steps))
        tasks = self.tasks or (5 if self.quick else 20)
        own = {"sequence": self.sequence, "tasks": tasks, "units": self.units, "heads": self.heads, "data": self.data}
        return own | asdict(training)

    def runs(self) -> list[tuple[str, int]]:
        """(method, seed), seed by seed over all methods, so that whatever is done is balanced."""
        methods = self.methods or (QUICK_METHODS if self.quick else METHODS)
        methods = (*dict.fromkeys(["separate", *methods]),)
        return [(method, seed) for seed in range(self.seeds or (2 if self.quick else 5)) for method in methods]


def learn(method: str, seed: int, settings: dict[str, Any]) -> dict[str, Any]:
    """One run: its points, and after each task how much of the network is dormant, and its features' rank."""
    torch.set_num_threads(1)
    tasks, heads = settings["tasks"], settings["heads"]
    problems = SEQUENCES[settings["sequence"]](tasks, seed, settings["data"])
    seen = Network(network(settings["units"], seed), example=problems[0].inputs[:1])
    kept = keep(seen, parse(method, heads), tasks, seed)
    plasticity: list[tuple[int, float, float]] = []

    def after(task: int) -> None:
        inputs = problems[task].test_inputs
        plasticity.append((task, dormant_units(kept.network, inputs), effective_rank(kept.network, inputs)))

    training = Training(**{name: settings[name] for name in asdict(Training())})
    points = learn_all(kept, problems, training, seed, after)
    about = {"method": method, "seed": seed, "bytes": kept.bytes(), "software": software(), "git_commit": git_commit()}
    return about | {"points": [list(asdict(point).values()) for point in points], "plasticity": plasticity}


def learn_missing(request: Request, show: Progress | None = None) -> None:
    """Runs what has no file yet; each file is written whole, so that whatever is stopped goes on."""
    folder, settings = request.folder, request.settings()
    read_digits(request.data)  # ValueError where they are not there
    known = folder / "settings.json"
    if known.exists():
        check_same(settings_of(folder), settings, folder)
    have = {(run["method"], run["seed"]) for run in read(folder)[1].to_dict("records")}
    waiting = [run for run in request.runs() if run not in have and not file_of(folder, *run).exists()]
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(known, json.dumps(settings, indent=2) + "\n")
    bar = show.add_task("all runs", total=len(waiting)) if show else None
    with ProcessPoolExecutor(request.workers, mp_context=get_context("spawn")) as pool:
        found = [pool.submit(learn, *run, settings) for run in waiting]
        try:
            for each in as_completed(found):
                run = each.result()
                path = file_of(folder, run["method"], run["seed"])
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, json.dumps(run))
                if show and bar is not None:
                    show.advance(bar)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def file_of(folder: Path, method: str, seed: int) -> Path:
    return folder / "runs" / method.replace(":", "_") / f"seed_{seed}.json"


def settings_of(folder: Path) -> dict[str, Any]:
    """What all runs in the folder share."""
    return json.loads((folder / "settings.json").read_text(encoding="utf-8"))


def read(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows that are kept: points (method, seed, learning, share, task, performance) and runs."""
    points = pd.DataFrame(columns=["method", "seed", "learning", "share", "task", "performance"])
    runs = pd.DataFrame(columns=["method", "seed", "bytes", "dormant", "rank", "git_commit", "software"])
    if (folder / RUNS).exists():
        points = pd.read_csv(io.BytesIO(lzma.decompress((folder / POINTS).read_bytes())))
        runs = pd.read_csv(folder / RUNS)
    return points, runs


def gather(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same, with those of runs that have been finished since, and written."""
    points, runs = read(folder)
    have = set(zip(runs["method"], runs["seed"]))
    new_points, new_runs = [], []
    for path in sorted((folder / "runs").glob("*/seed_*.json")):
        run = json.loads(path.read_text(encoding="utf-8"))
        method, seed = run["method"], run["seed"]
        if (method, seed) in have:
            continue
        new_points += [[method, seed, *point] for point in run["points"]]
        _, dormant, rank = run["plasticity"][-1]
        told = ", ".join(f"{name} {version}" for name, version in run["software"].items())
        new_runs.append([method, seed, run["bytes"], dormant, rank, run["git_commit"] or "", told])
    if new_runs:
        points = joined(points, pd.DataFrame(new_points, columns=points.columns))
        runs = joined(runs, pd.DataFrame(new_runs, columns=runs.columns))
        text = points.to_csv(index=False, lineterminator="\n", float_format="%.6g")
        write_bytes(folder / POINTS, lzma.compress(text.encode()))
        write_whole(folder / RUNS, runs.to_csv(index=False, lineterminator="\n", float_format="%.6g"))
    return points, runs


def joined(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Methods as the table above has them, then others."""
    both = pd.concat([old, new], ignore_index=True) if len(old) else new
    place = both["method"].map(lambda name: METHODS.index(name) if name in METHODS else len(METHODS))
    ordered = both.assign(place=place).sort_values(["place", "method", "seed"], kind="stable", ignore_index=True)
    return ordered.drop(columns="place")
