"""The page of a sequence of tasks: what each method kept, forgot and carried over, and what it costs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from priorlab.envs.base.files import write_whole
from priorlab.envs.game.sequences import sequence_in
from priorlab.scripts.analysis.comparison import Estimate
from priorlab.scripts.analysis.statistics import RESAMPLES
from priorlab.scripts.report.page import render
from priorlab.scripts.report.summary import NOTHING
from priorlab.scripts.sequences import figures as figures
from priorlab.scripts.sequences.measures import (
    FINETUNE,
    SINGLE,
    Runs,
    better,
    estimated,
    forward,
    given_back,
    measured,
    runs_of,
)
from priorlab.scripts.sequences.runs import Rows

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
PUBLISHED = {  # of some sequences, by method: average performance in percent; and where it is from
    "permuted-digits": (
        {"finetune": "61.8", "ewc": "94", "psp": "97.6"},
        "Published: permuted MNIST, fewer tasks. Fine-tuning, psp with binary contexts: Cheung et al. 2019 (recalled, "
        "not checked). EWC, 10 tasks: Kirkpatrick et al. 2017, as Continual Learning Baselines (ContinualAI) say; "
        "their own run left 83 %.",
    ),
}
MEASURES = {  # what performance is, by kind of task: in the headline's figure, and while a task is learned
    "digits": ("Share of a test that is answered rightly", ""),
    "games": ("Share of episodes that are won", "on the way, of the episodes in that tenth"),
    "atari": (
        "Score, as a part of the way from random play to people (in Pong, from -21 to 21)",
        "on the way, of the episodes in that tenth",
    ),
}
APART = ("sequence", "own", "names", "learner")  # settings that are shown elsewhere
FEW = 4  # networks: a method that stores less is one that shares weights


def write_transfer(folder: Path, rows: Rows, settings: Mapping[str, Any], quick: bool = False) -> Path:
    """Writes report.html and README.md into ``folder``, of rows as ``priorlab.scripts.sequences.runs`` keeps them."""
    all_runs = runs_of(rows)
    found = measured(all_runs)
    kind = "digits" if "agent" not in settings else "atari" if "noop_max" in settings["learner"] else "games"
    published, source = PUBLISHED.get(settings["sequence"], ({}, ""))
    table = [(each, row_of(each, found[each.method], published)) for each in all_runs]
    few = settings["tasks"] <= SHOWN_BY_TASK
    text = render(
        "transfer.html",
        title=title_of(settings),
        headline=headline(all_runs, found),
        findings=findings(all_runs, found),
        quick=quick,
        measure=MEASURES[kind],
        settings={name: value for name, value in settings.items() if name not in APART and value is not None},
        learner=settings.get("learner", {}),
        about=about(settings),
        names=[str(name).replace("_", " ") for name in settings.get("names", ())],
        table=table,
        titles=TITLES,
        by_task=by_task(all_runs) if few else (),
        several=any(each.n > 1 for each in all_runs),
        banded=figures.banded(all_runs),
        columns=any(row["others"] != NOTHING for _, row in table),
        restored=any(each.dash != "-" for each in all_runs),
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
        published=source,
        resamples=f"{RESAMPLES:,}",
        software=sorted(set(rows.runs["software"])),
    )  # fmt: skip
    path = folder / "report.html"
    write_whole(path, text)
    write_whole(folder / "README.md", markdown(settings, headline(all_runs, found), table, source))
    return path


def title_of(settings: Mapping[str, Any]) -> str:
    return str(settings["sequence"]).replace("-", " ").replace("_", " ")


def about(settings: Mapping[str, Any]) -> str:
    """What changes from one game to the next, as the named sequence says; nothing for digits."""
    if "names" not in settings:
        return ""
    sequence = sequence_in(settings)
    fewer = f", the first {settings['tasks']} of them" if settings["tasks"] < len(sequence.tasks) else ""
    return sequence.about[0].upper() + sequence.about[1:] + fewer


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
        ("Left at the end", "How well each task is done when all have been learned, %.",
         [(each, [words(estimated(column)) for column in each.matrices[:, -1].T]) for each in all_runs]),
        ("At sight", "How well it is done before it is learned, with what the tasks before it left, %.",
         [(each, [words(estimated(column)) for column in each.sight.T]) for each in all_runs]),
    ]  # fmt: skip
    if single is not None:
        gains = [
            (each, [forward(each, single, slice(task, task + 1)) for task in range(each.tasks)])
            for each in all_runs
            if each.method != SINGLE
        ]
        tables.append(
            ("Learned sooner than alone", "Forward transfer to each task, % of what could be gained.",
             [(each, [words(gain, signed=True) for gain in of_tasks]) for each, of_tasks in gains])
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
        backward = found[FINETUNE].get("backward")
        if backward is not None:
            changed = words(backward, signed=True)
            told.append(f"Going on with the same weights, earlier tasks change by {changed} points on average.")
        later = found[FINETUNE].get("later")
        if later is not None and not np.isnan(later.value):
            how = f"{direction(later)} than alone: forward transfer {words(later, signed=True)}"
            told.append(f"So, a task that comes after others is learned {how}.")
    for plain, restored in with_means(by_name):
        back = given_back(plain, restored)
        told.append(
            f"{plain.label} is left with {words(found[plain.method]['performance'])} % on average; with the same "
            "learning, but every layer's mean output given back when a task is played, "
            f"{words(found[restored.method]['performance'])} %"
            + (f": so {words(back)} % of what was forgotten is played again." if back else ".")
        )
    ahead = [runs.label for runs in all_runs if above(found[runs.method].get("later"))]
    if ahead:
        told.append(f"Learn later tasks sooner than alone, with an interval above zero: {'; '.join(ahead)}.")
    return told


def with_means(by_name: Mapping[str, Runs]) -> list[tuple[Runs, Runs]]:
    """Each method that was run with restored means, too, which change nothing of its learning, and that."""
    restored = [runs for runs in by_name.values() if runs.dash == "--"]
    return [(by_name[runs.without_means], runs) for runs in restored if runs.without_means in by_name]


def above(value: Estimate | None) -> bool:
    return value is not None and value.low is not None and value.low > 0


def direction(value: Estimate) -> str:
    if value.low is None or value.high is None:
        return f"{'sooner' if value.value > 0 else 'later'}, in one run,"
    if value.low <= 0 <= value.high:
        return "neither surely sooner nor surely later"
    return "sooner" if value.low > 0 else "later"


def headline(all_runs: Sequence[Runs], found: Mapping[str, Mapping[str, Estimate]]) -> str:
    """What the runs say in a sentence: what fine-tuning keeps, and the best of those that store less than a few
    networks, if there are others."""
    keeping = [each for each in all_runs if each.method not in (SINGLE, FINETUNE)]
    parts = []
    if FINETUNE in found:
        parts.append(f"fine-tuning is left with {percent(found[FINETUNE]['performance'].value)}")
    if keeping:
        one = min(each.bytes for each in all_runs)
        shared = [each for each in keeping if each.bytes < FEW * one] or keeping
        best = max(shared, key=lambda each: found[each.method]["performance"].value)
        of = "" if len(shared) == len(keeping) else f", the best that stores less than {FEW} networks,"
        parts.append(f"{best.label}{of} keeps {percent(found[best.method]['performance'].value)}")
    if SINGLE in found:
        parts.append(f"a network for each task {percent(found[SINGLE]['performance'].value)}")
    return f"After {all_runs[0].tasks} tasks, {', '.join(parts)}"


def row_of(runs: Runs, found: Mapping[str, Estimate], published: Mapping[str, str]) -> dict[str, str]:
    told = {name: words(found[name], signed=name in ("forward", "backward")) for name in TITLES if name in found}
    dormant, rank, others = (float(each[:, -1].mean()) for each in (runs.dormant, runs.rank, runs.others))
    one = {
        "dormant": percent(dormant),
        "rank": NOTHING if np.isnan(rank) else f"{rank:.0f}",
        "others": percent(others),
        "memory": f"{runs.bytes / 1e6:.1f} MB",
    }
    return told | one | {"n": str(runs.n), "published": published.get(base_of(runs.method), NOTHING)}


def base_of(method: str) -> str:
    """Its name without a strength, which is searched for anyway; other settings, or other methods with it, make it
    another."""
    name, _, told = method.partition(":")
    alone = "+" not in method and all(each.startswith("strength=") for each in told.split(",") if told)
    return name if alone else method


def percent(value: float) -> str:
    if np.isnan(value):
        return NOTHING
    return f"{100 * value:.1f}\N{NO-BREAK SPACE}%"


def words(found: Estimate, signed: bool = False) -> str:
    sign = "+" if signed else ""
    if np.isnan(found.value):
        return NOTHING
    value = f"{100 * found.value:{sign}.1f}"
    if found.low is None or found.high is None:
        return value
    return f"{value} ({100 * found.low:{sign}.1f} to {100 * found.high:{sign}.1f})"


def markdown(
    settings: Mapping[str, Any], line: str, table: Sequence[tuple[Runs, Mapping[str, str]]], source: str = ""
) -> str:
    """The table, as README.md of the folder."""
    of_columns = ["others"] if any(told["others"] != NOTHING for _, told in table) else []
    names = [*TITLES, "memory", "dormant", "rank", *of_columns, "n", *(["published"] if source else [])]
    rows = [
        f"| {' | '.join(['method', *((TITLES | {'others': 'in other columns'}).get(name, name) for name in names)])} |",
        "|" + "---|" * (len(names) + 1),
    ]
    rows += [f"| {each.label} | {' | '.join(told.get(name, NOTHING) for name in names)} |" for each, told in table]
    budget = {"inputs": settings.get("learner", {}).get("inputs")}
    given = budget | {name: value for name, value in settings.items() if value is not None}
    told = ", ".join(f"{name} {value}" for name, value in given.items() if name not in APART and value is not None)
    intervals = ", with 95 % intervals over runs" if any(each.n > 1 for each, _ in table) else ""
    return (
        f"# {title_of(settings).capitalize()}\n\n{line}.\n\n"
        + "\n".join(rows)
        + f"\n\nIn percent{intervals}. {told}. {source}".rstrip()
        + " The page: report.html.\n"
    )
