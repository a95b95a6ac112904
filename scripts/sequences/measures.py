"""What a sequence of tasks shows, by method: its runs as arrays, and each measure with its interval.

Whole runs are resampled, each with all its tasks. Agarwal et al. 2021 (arXiv 2108.13264) resample the runs of each task
apart, as theirs of one task know nothing of those of another. Here one network learned all tasks of a run, so how well
they are done depends on one another, and drawn apart they would make intervals too narrow or too wide.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from priorlab.scripts.analysis.comparison import Estimate
from priorlab.scripts.analysis.efficiency import improvement, middle_mean
from priorlab.scripts.analysis.resampling import resamples
from priorlab.scripts.analysis.statistics import quantiles
from priorlab.scripts.sequences.runs import Tables
from priorlab.transfer import metrics
from priorlab.transfer.keeping import meets_tasks, parse

SINGLE, FINETUNE = "separate", "finetune"  # what a task alone comes to; what every method is held against
MEANS = "means"  # what is added to a method to restore means; alone, to fine-tuning
COLOURS = (
    "random", "ink", "dqn", "person", "key", "ppo", "fifth", "simulated", "fourth", "sixth", "monster", "goal",
    "seventh", "fire", "spikes",
)  # fmt: skip


@dataclass(frozen=True)
class Runs:
    """All n runs of one method over N tasks.

    matrices: float (n, N, N) as in ``transfer/metrics.py``; areas: (n, N), under each task's own learning curve;
    curves: (n, m) at ``grid`` (m,), in tasks, how well the task being learned is done; sight: (n, N), how well before
    it was learned; dormant, rank, others: (n, N), after each task; first_win: (n, N), inputs of the task, NaN where
    never.
    """

    method: str
    colour: str
    seeds: tuple[int, ...]
    matrices: np.ndarray
    areas: np.ndarray
    grid: np.ndarray
    curves: np.ndarray
    sight: np.ndarray
    dormant: np.ndarray
    rank: np.ndarray
    others: np.ndarray
    first_win: np.ndarray
    bytes: float

    @property
    def label(self) -> str:
        """Its parts, each with its settings in brackets; of settings that are words, the words alone: psp (complex) +
        ewc (strength 5)."""
        told = re.sub(r":([^+]+)", r" (\1)", self.method).replace("+", " + ").replace(",", ", ")
        return re.sub(r"\w+=(?=[a-z])", "", told).replace("=", " ")

    @property
    def without_means(self) -> str:
        """The same method without restored means."""
        parts = [part for part in self.method.split("+") if part.partition(":")[0] != MEANS]
        return "+".join(parts) or FINETUNE

    @property
    def dash(self) -> str:
        """How its lines are drawn: with restored means dashed, where new tasks are aligned with them dotted."""
        if self.method == self.without_means:
            return "-"
        return ":" if meets_tasks(parse(self.method, heads=False)) else "--"

    @property
    def n(self) -> int:
        return len(self.matrices)

    @property
    def tasks(self) -> int:
        return self.matrices.shape[1]

    def so_far(self) -> np.ndarray:
        """(n, N): the mean over the tasks learned so far, after each."""
        return np.array([[matrix[k, : k + 1].mean() for k in range(len(matrix))] for matrix in self.matrices])


def runs_of(rows: Tables) -> list[Runs]:
    """Of each method, in the order of ``rows.runs``."""
    found: list[Runs] = []
    by_run: dict[tuple, pd.DataFrame] = dict(iter(rows.points.groupby(["method", "seed"])))  # pyright: ignore
    for method in rows.runs["method"].unique().tolist():
        matrices, areas, curves, sight, grid = [], [], [], [], np.zeros(0)
        seeds = tuple(seed for name, seed in by_run if name == method)
        for points in (by_run[method, seed] for seed in seeds):
            after = points.query("share == 1").pivot(index="learning", columns="task", values="performance")
            matrices.append(after.to_numpy(float))
            own = points.query("task == learning").sort_values(["learning", "share"], kind="stable")
            learning, share, performance = own[["learning", "share", "performance"]].to_numpy(float).T
            grid = learning + share
            curves.append(performance)
            sight.append(performance[share == 0])
            tasks = np.unique(learning)
            areas.append(
                [metrics.area_under_curve(share[learning == task], performance[learning == task]) for task in tasks]
            )
        of_tasks: pd.DataFrame = rows.tasks[rows.tasks["method"] == method]  # pyright: ignore[reportAssignmentType]
        told = {
            name: of_tasks.pivot(index="seed", columns="learning", values=name).to_numpy(float)
            for name in ("dormant", "rank", "others", "first_win")
        }
        size = float(rows.runs.loc[rows.runs["method"] == method, "bytes"].mean())
        found.append(
            Runs(
                method, "", seeds, np.array(matrices), np.array(areas), grid, np.array(curves), np.array(sight),
                **told, bytes=size,
            )
        )  # fmt: skip
    apart = [*dict.fromkeys(runs.without_means for runs in found)]
    return [replace(runs, colour=COLOURS[apart.index(runs.without_means) % len(COLOURS)]) for runs in found]


def estimated(values: np.ndarray) -> Estimate:
    """The mean over runs (n,) and its 95 % bootstrap interval."""
    n = len(values)
    if n < 2:
        return Estimate(float(values.mean()), None, None, n)
    means = resamples(n, np.random.default_rng(0)) @ values / n
    low, high = np.quantile(means, quantiles(n)).tolist()
    return Estimate(float(values.mean()), low, high, n)


def middle(scores: np.ndarray) -> Estimate:
    """The interquartile mean of scores (n, N) of runs and tasks, runs resampled with all their tasks."""
    n, tasks = scores.shape
    value = float(middle_mean(scores.ravel())[0])
    if n < 2:
        return Estimate(value, None, None, n)
    weights = np.repeat(resamples(n, np.random.default_rng(0)), tasks, axis=1)  # (resamples, n) -> (resamples, n N)
    low, high = np.quantile(middle_mean(scores.ravel(), weights), quantiles(n)).tolist()
    return Estimate(value, low, high, n)


def better(here: Runs, there: Runs) -> Estimate:
    """Probability that a run of ``here`` does a task better at the end than one of ``there``, the mean over tasks
    (Agarwal et al. 2021, section 4.3); runs are resampled with all their tasks, together where seeds are the same."""
    generator = np.random.default_rng(0)
    mine = resamples(here.n, generator)
    weights = [mine, mine if here.seeds == there.seeds else resamples(there.n, generator)]
    return improvement(here.matrices[:, -1], there.matrices[:, -1], weights)


def given_back(plain: Runs, restored: Runs) -> Estimate | None:
    """The part of what ``plain`` has forgotten that ``restored``, the same networks with restored means, plays again: a
    ratio of means over runs. None where nothing was forgotten, or the runs are of other seeds."""
    if plain.seeds != restored.seeds:
        return None
    forgotten = np.array([metrics.forgetting(matrix) for matrix in plain.matrices])
    back = restored.matrices[:, -1].mean(axis=1) - plain.matrices[:, -1].mean(axis=1)
    if forgotten.mean() <= 0:
        return None
    value, n = float(back.mean() / forgotten.mean()), plain.n
    drawn = resamples(n, np.random.default_rng(0))
    if n < 2 or (drawn @ forgotten <= 0).any():
        return Estimate(value, None, None, n)
    low, high = np.quantile((drawn @ back) / (drawn @ forgotten), quantiles(n)).tolist()
    return Estimate(value, low, high, n)


def forward(runs: Runs, single: Runs, tasks: slice = slice(None)) -> Estimate:
    """Forward transfer to these tasks: the mean over them, of mean areas over runs; runs of the method and those of the
    single task are both resampled, together where they have the same seeds."""

    def mean(areas: np.ndarray, alone: np.ndarray) -> np.ndarray:
        gains = metrics.relative_gains(areas, alone)[..., tasks]
        known = np.isfinite(gains)
        counted = known.sum(axis=-1)
        total = np.where(known, gains, 0).sum(axis=-1)
        return np.divide(total, counted, out=np.full(np.shape(total), np.nan), where=counted > 0)

    value = float(mean(runs.areas.mean(axis=0), single.areas.mean(axis=0)))
    fewest = min(runs.n, single.n)
    if fewest < 2 or np.isnan(value):
        return Estimate(value, None, None, runs.n)
    generator = np.random.default_rng(0)
    mine = resamples(runs.n, generator)
    theirs = mine if runs.seeds == single.seeds else resamples(single.n, generator)
    values = mean(mine @ runs.areas / runs.n, theirs @ single.areas / single.n)
    low, high = np.nanquantile(values, quantiles(fewest)).tolist()
    return Estimate(value, low, high, runs.n)


def measured(all_runs: Sequence[Runs]) -> dict[str, dict[str, Estimate]]:
    """Of each method, by name: performance, middle (the interquartile mean), forgetting, backward, sight, forward,
    later (forward transfer to all tasks but the first) and better (than fine-tuning), those that can be had."""
    by_name = {runs.method: runs for runs in all_runs}
    single = by_name.get(SINGLE)
    found: dict[str, dict[str, Estimate]] = {}
    for runs in all_runs:
        last = np.array([metrics.average_performance(matrix) for matrix in runs.matrices])
        own = {
            "performance": estimated(last),
            "middle": middle(runs.matrices[:, -1]),
            "forgetting": estimated(np.array([metrics.forgetting(matrix) for matrix in runs.matrices])),
        }
        if runs.tasks > 1:
            own["backward"] = estimated(np.array([metrics.backward_transfer(matrix) for matrix in runs.matrices]))
            own["sight"] = estimated(runs.sight[:, 1:].mean(axis=1))
        if single is not None and runs.method != SINGLE:
            own["forward"] = forward(runs, single)
            if runs.tasks > 1:
                own["later"] = forward(runs, single, slice(1, None))
        if FINETUNE in by_name and runs.method != FINETUNE:
            own["better"] = better(runs, by_name[FINETUNE])
        found[runs.method] = own
    return found
