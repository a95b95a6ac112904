"""The page of a sequence of tasks: what each method kept, forgot and carried over, and what it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from envs.files import write_whole
from scripts.experiments.sequences import Rows
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
    "sight": "at sight",
    "better": "better than fine-tuning",
}
SHOWN_BY_TASK = 10  # at most so many tasks have columns of their own
PUBLISHED = {  # average performance by method, in percent, and where it is from; all on other data
    "digits": (
        {"finetune": "61.8", "psp": "97.6"},
        "Published: permuted MNIST, psp with binary contexts (Cheung et al. 2019; unchecked).",
    ),
    "games": (
        {"finetune": "5", "ewc": "60", "packing": "80"},
        "Published: twenty tasks of a robot's arm (Continual World, Wołczyk et al. 2021), where forgetting is .73, .02 "
        "and 0, and forward transfer .20, -.18 and .18.",
    ),
}


@dataclass(frozen=True)
class Runs:
    """All n runs of one method over N tasks.

    matrices: float (n, N, N), as ``transfer.metrics`` takes them; areas: (n, N), under each task's own learning curve;
    curves: (n, m) at ``grid`` (m,), in tasks, how well the task being learned is done; sight: (n, N), how well before
    it was learned; dormant, rank: (n, N), after each task; first_win: (n, N), inputs of the task, NaN where never.
    """

    method: str
    colour: str
    matrices: np.ndarray
    areas: np.ndarray
    grid: np.ndarray
    curves: np.ndarray
    sight: np.ndarray
    dormant: np.ndarray
    rank: np.ndarray
    first_win: np.ndarray
    bytes: float

    @property
    def label(self) -> str:
        return self.method.replace(":", ", ").replace("=", " ")

    @property
    def n(self) -> int:
        return len(self.matrices)

    def so_far(self) -> np.ndarray:
        """(n, N): the mean over the tasks learned so far, after each."""
        return np.array([[matrix[k, : k + 1].mean() for k in range(len(matrix))] for matrix in self.matrices])


def runs_of(rows: Rows) -> list[Runs]:
    """Of each method, in the order of ``rows.runs``."""
    found = []
    by_run: dict[tuple, pd.DataFrame] = dict(iter(rows.points.groupby(["method", "seed"])))  # pyright: ignore
    for number, method in enumerate(rows.runs["method"].unique().tolist()):
        matrices, areas, curves, sight, grid = [], [], [], [], np.zeros(0)
        for points in (each for key, each in by_run.items() if key[0] == method):
            after = points.query("share == 1").pivot(index="learning", columns="task", values="performance")
            matrices.append(after.to_numpy(float))
            own = points.query("task == learning").sort_values(["learning", "share"], kind="stable")
            learning, share, performance = own[["learning", "share", "performance"]].to_numpy(float).T
            grid = learning + share
            curves.append(performance)
            sight.append(performance[share == 0])
            tasks = np.unique(learning)
            areas.append([metrics.area(share[learning == task], performance[learning == task]) for task in tasks])
        of_tasks: pd.DataFrame = rows.tasks[rows.tasks["method"] == method]  # pyright: ignore[reportAssignmentType]
        told = {
            name: of_tasks.pivot(index="seed", columns="learning", values=name).to_numpy(float)
            for name in ("dormant", "rank", "first_win")
        }
        size = float(rows.runs.loc[rows.runs["method"] == method, "bytes"].mean())
        colour = COLOURS[number % len(COLOURS)]
        found.append(
            Runs(
                method, colour, np.array(matrices), np.array(areas), grid, np.array(curves), np.array(sight), **told,
                bytes=size,
            )
        )  # fmt: skip
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
            own["sight"] = estimated(runs.sight[:, 1:].mean(axis=1))
        if single is not None and runs.method != SINGLE:
            gained = [metrics.forward_transfer(areas, single) for areas in runs.areas]
            own["forward"] = estimated(np.array(gained))
        if FINETUNE in by_name and runs.method != FINETUNE:
            other = by_name[FINETUNE].matrices[:, -1].mean(axis=1)
            own["better"] = better(last, other)
        found[runs.method] = own
    return found


def write_transfer(folder: Path, rows: Rows, settings: Mapping[str, Any], quick: bool = False) -> Path:
    """Writes report.html and README.md into ``folder``, of rows as ``scripts.experiments.sequences`` keeps them."""
    all_runs = runs_of(rows)
    found = measured(all_runs)
    kind = "games" if "agent" in settings else "digits"
    table = [(each, row_of(each, found[each.method], PUBLISHED[kind][0])) for each in all_runs]
    few = settings["tasks"] <= SHOWN_BY_TASK
    text = render(
        "transfer.html",
        title=title_of(settings),
        headline=headline(all_runs, found),
        findings=findings(all_runs, found),
        quick=quick,
        kind=kind,
        settings={name: value for name, value in settings.items() if name not in ("sequence", "names", "learner")},
        learner=settings.get("learner", {}),
        names=[str(name).replace("_", " ") for name in settings.get("names", ())],
        table=table,
        titles=TITLES,
        by_task=by_task(all_runs) if few else (),
        pairs=pairs(all_runs),
        figures={
            name: draw(all_runs, found)
            for name, draw in (
                ("sofar", figures.so_far), ("bars", figures.intervals), ("memory", figures.memory),
                ("plasticity", figures.plasticity),
            )
        },
        curves=[(each, figures.curve(each)) for each in all_runs],
        matrices=[(each, figures.matrix(each)) for each in all_runs],
        published=PUBLISHED[kind][1],
        resamples=f"{RESAMPLES:,}",
        software=sorted(set(rows.runs["software"])),
    )  # fmt: skip
    path = folder / "report.html"
    write_whole(path, text)
    write_whole(folder / "README.md", markdown(settings, headline(all_runs, found), table))
    return path


def title_of(settings: Mapping[str, Any]) -> str:
    return str(settings["sequence"]).replace("-", " ").replace("_", " ")


def pairs(all_runs: Sequence[Runs]) -> list[tuple[Runs, list[tuple[str, bool]]]]:
    """Of each method, the probability that a run of it does better than one of each other, in percent, and whether its
    interval lies above a half."""
    last = {runs.method: runs.matrices[:, -1].mean(axis=1) for runs in all_runs}
    found = []
    for here in all_runs:
        row = []
        for there in all_runs:
            value = better(last[here.method], last[there.method]) if here is not there else None
            row.append((f"{100 * value.value:.0f}", (value.low or 0) > 0.5) if value else ("", False))
        found.append((here, row))
    return found


def by_task(all_runs: Sequence[Runs]) -> list[tuple[str, str, list[tuple[Runs, list[str]]]]]:
    """Tables (title, what it shows, rows) with a column for each task."""
    single = next((each for each in all_runs if each.method == SINGLE), None)
    tables = [
        ("Left at the end", "How well each task is done when all have been learned, %.",
         [(each, [words(estimated(column)) for column in each.matrices[:, -1].T]) for each in all_runs]),
        ("At sight", "How well it is done before it is learned, with what the tasks before it left, %.",
         [(each, [words(estimated(column)) for column in each.sight.T]) for each in all_runs]),
    ]  # fmt: skip
    if single is not None:
        alone = single.areas.mean(axis=0)
        gains = [(each, metrics.gained(each.areas, alone)) for each in all_runs if each.method != SINGLE]
        tables.append(
            ("Learned sooner than alone", "Forward transfer to each task, % of what could be gained.",
             [(each, [words(estimated(column), signed=True) for column in gain.T]) for each, gain in gains])
        )  # fmt: skip
    if not all(np.isnan(each.first_win).all() for each in all_runs):
        tables.append(
            ("The first win", "Inputs of the task until it was won for the first time: median over runs.",
             [(each, [first(column) for column in each.first_win.T]) for each in all_runs])
        )  # fmt: skip
    return tables


def first(inputs: np.ndarray) -> str:
    """The median over runs (n,), of which those that never won have NaN."""
    median = float(np.median(np.nan_to_num(inputs, nan=np.inf)))
    return f"{median:,.0f}" if np.isfinite(median) else "never"


def findings(all_runs: Sequence[Runs], found: Mapping[str, Mapping[str, Estimate]]) -> list[str]:
    """Sentences: whether each task can be learned alone, what is forgotten, and what carries over, as intervals say."""
    by_name = {runs.method: runs for runs in all_runs}
    told = []
    if SINGLE in by_name:
        hardest = np.diag(by_name[SINGLE].matrices.mean(axis=0)).min()
        told.append(f"Learned alone, with the same budget, the hardest of the tasks is done to {percent(hardest)}.")
    if FINETUNE in by_name:
        lost, carried = (found[FINETUNE].get(name) for name in ("forgetting", "forward"))
        if lost is not None:
            told.append(f"Going on with the same weights loses {words(lost)} points of each task on average.")
        if carried is not None:
            how = f"{direction(carried)} than alone: forward transfer {words(carried, signed=True)}"
            told.append(f"So, a task that comes after others is learned {how}.")
    ahead = [runs.label for runs in all_runs if above(found[runs.method].get("forward"))]
    if ahead:
        told.append(f"Learns sooner with what came before, beyond doubt of these runs: {', '.join(ahead)}.")
    return told


def above(value: Estimate | None) -> bool:
    return value is not None and value.low is not None and value.low > 0


def direction(value: Estimate) -> str:
    if value.low is None or value.high is None or value.low <= 0 <= value.high:
        return "neither surely sooner nor surely later"
    return "sooner" if value.low > 0 else "later"


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


def row_of(runs: Runs, found: Mapping[str, Estimate], published: Mapping[str, str]) -> dict[str, str]:
    told = {name: words(found[name], signed=name in ("forward", "backward")) for name in TITLES if name in found}
    dormant, rank = (float(each[:, -1].mean()) for each in (runs.dormant, runs.rank))
    one = {"dormant": percent(dormant), "rank": f"{rank:.0f}", "memory": f"{runs.bytes / 1e6:.1f} MB"}
    return told | one | {"n": str(runs.n), "published": published.get(runs.method.partition(":")[0], NOTHING)}


def percent(value: float) -> str:
    return f"{100 * value:.1f}\N{NO-BREAK SPACE}%"


def words(found: Estimate, signed: bool = False) -> str:
    sign = "+" if signed else ""
    if np.isnan(found.value):
        return NOTHING
    value = f"{100 * found.value:{sign}.1f}"
    if found.low is None or found.high is None:
        return value
    return f"{value} ({100 * found.low:{sign}.1f} to {100 * found.high:{sign}.1f})"


def markdown(settings: Mapping[str, Any], line: str, table: Sequence[tuple[Runs, Mapping[str, str]]]) -> str:
    """The table, as README.md of the folder."""
    names = [*TITLES, "memory", "dormant", "rank", "n", "published"]
    rows = [
        f"| {' | '.join(['method', *(TITLES.get(name, name) for name in names)])} |",
        "|" + "---|" * (len(names) + 1),
    ]
    rows += [f"| {each.label} | {' | '.join(told.get(name, NOTHING) for name in names)} |" for each, told in table]
    told = ", ".join(f"{name} {value}" for name, value in settings.items() if name not in ("sequence", "learner"))
    return (
        f"# {str(settings['sequence']).replace('-', ' ').replace('_', ' ').capitalize()}\n\n{line}.\n\n"
        + "\n".join(rows)
        + "\n\n"
        f"In percent, with 95 % intervals over runs. {told}. The page: report.html.\n"
    )
