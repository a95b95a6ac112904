"""The page of a sequence of tasks: what each method kept, forgot and carried over, and what it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from envs.files import write_whole
from scripts.report import sequence_figures as figures
from scripts.report.analysis import Estimate
from scripts.report.efficiency import improvement, middle_mean
from scripts.report.page import render
from scripts.report.statistics import RESAMPLES, quantiles, resamples
from scripts.report.summary import NOTHING
from transfer import metrics

SINGLE, FINETUNE = "separate", "finetune"  # what a task alone comes to; what every method is held against
COLOURS = (
    "random", "ink", "dqn", "person", "key", "ppo", "fifth", "simulated", "fourth", "sixth", "monster", "goal",
    "seventh", "fire", "spikes",
)  # fmt: skip
TITLES = {
    "performance": "average performance",
    "middle": "interquartile mean",
    "forgetting": "forgetting",
    "forward": "forward transfer",
    "backward": "backward transfer",
    "better": "better than fine-tuning",
}
PUBLISHED = (  # what, grade; all on other data
    ("EWC's paper shows it forgetting the first of ten permuted MNIST tasks; 61.8 % in PSP's", "unchecked"),
    ("97.6 % with binary contexts on permuted MNIST (Cheung et al. 2019)", "unchecked"),
)


@dataclass(frozen=True)
class Runs:
    """All n runs of one method over N tasks.

    matrices: float (n, N, N), as ``transfer.metrics`` takes them; areas: (n, N), under each task's own learning curve;
    curves: (n, m) at ``grid`` (m,), in tasks, how well the task being learned is done.
    """

    method: str
    colour: str
    matrices: np.ndarray
    areas: np.ndarray
    grid: np.ndarray
    curves: np.ndarray
    bytes: float
    dormant: float
    rank: float

    @property
    def label(self) -> str:
        return self.method.replace(":", ", ").replace("=", " ")

    @property
    def n(self) -> int:
        return len(self.matrices)

    def so_far(self) -> np.ndarray:
        """(n, N): the mean over the tasks learned so far, after each."""
        return np.array([[matrix[k, : k + 1].mean() for k in range(len(matrix))] for matrix in self.matrices])


def runs_of(points: pd.DataFrame, runs: pd.DataFrame) -> list[Runs]:
    """Of each method, in the order of ``runs``."""
    found = []
    by_run: dict[tuple, pd.DataFrame] = dict(iter(points.groupby(["method", "seed"])))  # pyright: ignore
    for number, method in enumerate(runs["method"].unique().tolist()):
        matrices, areas, curves, grid = [], [], [], np.zeros(0)
        for rows in (each for key, each in by_run.items() if key[0] == method):
            after = rows.query("share == 1").pivot(index="learning", columns="task", values="performance")
            matrices.append(after.to_numpy(float))
            own = rows.query("task == learning").sort_values(["learning", "share"], kind="stable")
            learning, share, performance = own[["learning", "share", "performance"]].to_numpy(float).T
            grid = learning + share
            curves.append(performance)
            tasks = np.unique(learning)
            areas.append([metrics.area(share[learning == task], performance[learning == task]) for task in tasks])
        about = runs.query("method == @method")[["bytes", "dormant", "rank"]].to_numpy(float).mean(axis=0).tolist()
        colour = COLOURS[number % len(COLOURS)]
        found.append(Runs(method, colour, np.array(matrices), np.array(areas), grid, np.array(curves), *about))
    return found


def estimated(values: np.ndarray) -> Estimate:
    """The mean over runs (n,) and its 95 % bootstrap interval."""
    n = len(values)
    if n < 2:
        return Estimate(float(values.mean()), None, None, n)
    means = resamples(n, np.random.default_rng(0)) @ values / n
    low, high = np.quantile(means, quantiles(n)).tolist()
    return Estimate(float(values.mean()), low, high, n)


def middle(scores: np.ndarray) -> Estimate:
    """The interquartile mean of scores (n, N) of runs and tasks, runs resampled."""
    n, tasks = scores.shape
    value = float(middle_mean(scores.ravel())[0])
    if n < 2:
        return Estimate(value, None, None, n)
    weights = np.repeat(resamples(n, np.random.default_rng(0)), tasks, axis=1)  # (resamples, n) -> (resamples, n N)
    low, high = np.quantile(middle_mean(scores.ravel(), weights), quantiles(n)).tolist()
    return Estimate(value, low, high, n)


def better(here: np.ndarray, there: np.ndarray) -> Estimate:
    """Probability that a run of ``here`` (n,) does better than one of ``there`` (m,)."""
    generator = np.random.default_rng(0)
    return improvement(here, there, [resamples(len(each), generator) for each in (here, there)])


def measured(all_runs: Sequence[Runs]) -> dict[str, dict[str, Estimate]]:
    """Of each method, each measure of TITLES that can be had."""
    by_name = {runs.method: runs for runs in all_runs}
    single = by_name[SINGLE].areas.mean(axis=0) if SINGLE in by_name else None
    found: dict[str, dict[str, Estimate]] = {}
    for runs in all_runs:
        last = np.array([metrics.average_performance(matrix) for matrix in runs.matrices])
        own = {
            "performance": estimated(last),
            "middle": middle(runs.matrices[:, -1]),
            "forgetting": estimated(np.array([metrics.forgetting(matrix) for matrix in runs.matrices])),
        }
        if runs.matrices.shape[1] > 1:
            own["backward"] = estimated(np.array([metrics.backward_transfer(matrix) for matrix in runs.matrices]))
        if single is not None and runs.method != SINGLE:
            gained = [metrics.forward_transfer(areas, single) for areas in runs.areas]
            own["forward"] = estimated(np.array(gained))
        if FINETUNE in by_name and runs.method != FINETUNE:
            other = by_name[FINETUNE].matrices[:, -1].mean(axis=1)
            own["better"] = better(last, other)
        found[runs.method] = own
    return found


def write_transfer(
    folder: Path, points: pd.DataFrame, runs: pd.DataFrame, settings: Mapping[str, Any], quick: bool = False
) -> Path:
    """Writes report.html and README.md into ``folder``, of rows as ``scripts.experiments.digits.gather`` gives them."""
    all_runs = runs_of(points, runs)
    found = measured(all_runs)
    table = [(each, row_of(each, found[each.method])) for each in all_runs]
    text = render(
        "transfer.html",
        title=str(settings["sequence"]).replace("-", " "),
        headline=headline(all_runs, found),
        quick=quick,
        settings=settings,
        table=table,
        titles=TITLES,
        figures={
            name: draw(all_runs, found)
            for name, draw in (
                ("sofar", figures.so_far), ("bars", figures.intervals), ("memory", figures.memory),
            )
        },
        curves=[(each, figures.curve(each)) for each in all_runs],
        matrices=[(each, figures.matrix(each)) for each in all_runs],
        published=PUBLISHED,
        resamples=f"{RESAMPLES:,}",
        software=sorted(set(runs["software"])),
    )  # fmt: skip
    path = folder / "report.html"
    write_whole(path, text)
    write_whole(folder / "README.md", markdown(settings, headline(all_runs, found), table))
    return path


def headline(all_runs: Sequence[Runs], found: Mapping[str, Mapping[str, Estimate]]) -> str:
    """What the runs say in a sentence: who keeps most, and what fine-tuning keeps."""
    keeping = [each for each in all_runs if each.method not in (SINGLE, FINETUNE)]
    tasks = all_runs[0].matrices.shape[1]
    if not keeping:
        return f"{tasks} tasks, one after another"
    parts = []
    if FINETUNE in found:
        parts.append(f"fine-tuning is left with {percent(found[FINETUNE]['performance'].value)}")
    shared = [each for each in keeping if each.bytes < 4 * min(other.bytes for other in all_runs)] or keeping
    best = max(shared, key=lambda each: found[each.method]["performance"].value)
    parts.append(f"{best.label} keeps {percent(found[best.method]['performance'].value)}")
    if SINGLE in found:
        parts.append(f"a network for each task {percent(found[SINGLE]['performance'].value)}")
    return f"After {tasks} tasks, {', '.join(parts)}"


def row_of(runs: Runs, found: Mapping[str, Estimate]) -> dict[str, str]:
    told = {name: words(found[name], signed=name in ("forward", "backward")) for name in TITLES if name in found}
    one = {"dormant": percent(runs.dormant), "rank": f"{runs.rank:.0f}", "memory": f"{runs.bytes / 1e6:.1f} MB"}
    return told | one | {"n": str(runs.n)}


def percent(value: float) -> str:
    return f"{100 * value:.1f}\N{NO-BREAK SPACE}%"


def words(found: Estimate, signed: bool = False) -> str:
    sign = "+" if signed else ""
    value = f"{100 * found.value:{sign}.1f}"
    if found.low is None or found.high is None:
        return value
    return f"{value} ({100 * found.low:{sign}.1f} to {100 * found.high:{sign}.1f})"


def markdown(settings: Mapping[str, Any], line: str, table: Sequence[tuple[Runs, Mapping[str, str]]]) -> str:
    """The table, as README.md of the folder."""
    names = [*TITLES, "memory", "dormant", "rank", "n"]
    rows = [
        f"| {' | '.join(['method', *(TITLES.get(name, name) for name in names)])} |",
        "|" + "---|" * (len(names) + 1),
    ]
    rows += [f"| {each.label} | {' | '.join(told.get(name, NOTHING) for name in names)} |" for each, told in table]
    told = ", ".join(f"{name} {value}" for name, value in settings.items() if name != "sequence")
    return (
        f"# {str(settings['sequence']).replace('-', ' ').capitalize()}\n\n{line}.\n\n" + "\n".join(rows) + "\n\n"
        f"In percent, with 95 % intervals over runs. {told}. The page: report.html.\n"
    )
