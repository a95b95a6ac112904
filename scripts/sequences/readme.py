"""README.md of a sequence of tasks, and the sentences that it shares with the page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from priorlab.envs.game.sequences import sequence_in
from priorlab.scripts.analysis.comparison import Estimate
from priorlab.scripts.report import readme
from priorlab.scripts.report.summary import NOTHING
from priorlab.scripts.sequences.measures import FINETUNE, SINGLE, Runs, given_back, measured, runs_of
from priorlab.scripts.sequences.runs import OF_ONE_KIND, Tables, kind_of

TITLES = {
    "performance": "average performance",
    "middle": "interquartile mean",
    "forgetting": "forgetting",
    "forward": "forward transfer",
    "backward": "backward transfer",
    "sight": "zero-shot",
    "better": "better than fine-tuning",
    "memory": "memory",
    "dormant": "dormant units",
    "rank": "effective rank",
    "others": "in other columns",
    "n": "runs",
    "published": "published",
}
KEPT = ("performance", "forgetting", "backward", "forward", "sight", "better")
NEEDED = ("middle", "memory", "dormant", "rank", "others", "n", "published")
PUBLISHED = {  # of some sequences, by method: average performance in percent; and where it is from
    "permuted-digits": (
        {"finetune": "61.8", "ewc": "94", "psp": "97.6"},
        "Published: permuted MNIST with fewer tasks. Fine-tuning and psp with binary contexts: Cheung et al. 2019 "
        "(recalled, not checked). EWC after 10 tasks: Kirkpatrick et al. 2017, as cited by Continual Learning "
        "Baselines (ContinualAI), whose own run reached 83 %.",
    ),
}
MEASURES = {  # what performance is, by kind of task: at its end, and while it is learned
    "digits": ("Share of test digits classified correctly", ""),
    "games": ("Share of episodes won", "during learning, of the episodes in that tenth"),
    "atari": (
        "Score as a fraction of the way from random play to people (in Pong, from -21 to 21)",
        "during learning, of the episodes in that tenth",
    ),
}
DIGITS = {
    "permuted-digits": "Handwritten digits: each task shows them with their pixels in another fixed order",
    "rotating-digits": "Handwritten digits: each task turns them further, a full turn over all tasks",
}
FIGURES = {"sofar": "learned.svg", "bars": "kept.svg"}
USUAL = Path("results/transfer")
FEW = 4  # networks: a method that stores less is one that shares weights


def readme_of(folder: Path, rows: Tables, settings: Mapping[str, Any], quick: bool = False) -> str:
    """The text of README.md, of rows as ``priorlab.scripts.sequences.runs`` keeps them."""
    all_runs = runs_of(rows)
    found = measured(all_runs)
    published, source = PUBLISHED.get(settings["sequence"], ({}, ""))
    cells = [(runs, row_of(runs, found[runs.method], published)) for runs in all_runs]
    flags = {
        "sequence": settings["sequence"], "sequences": "FILE" if "own" in settings else None,
        "out": readme.elsewhere(folder.parent, USUAL), "quick": quick,
    }  # fmt: skip
    asked = {name: settings.get(name) for name in ("tasks", *OF_ONE_KIND, "heads", "keep_optimizer")}
    methods = methods_of(rows, settings)
    return readme.readme(
        "transfer.md",
        folder,
        title=title_of(settings).capitalize(),
        finding=headline(all_runs, found),
        made=[readme.command("transfer", **flags, methods=methods, seeds=all_runs[0].n, **asked)],
        again=readme.command("transfer", **flags, report_only=True),
        software=readme.made_with(rows.runs["software"], rows.runs["git_commit"].fillna("")),
        quick=quick,
        about=about(settings),
        names=[*map(title, settings.get("names", ()))],
        findings=findings(all_runs, found),
        figures=FIGURES,
        measure=MEASURES[kind_name(settings)][0],
        several=any(runs.n > 1 for runs in all_runs),
        kept=columns(cells, KEPT),
        needed=columns(cells, NEEDED),
        source=source,
    )


def methods_of(rows: Tables, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Those that have rows; none where they are what the command learns anyway."""
    methods = (*rows.runs["method"].unique(),)
    return () if methods == kind_of(settings["sequence"], "own" in settings).METHODS else methods


def columns(cells: Sequence[tuple[Runs, Mapping[str, str]]], names: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of a table of those columns that say something."""
    shown = [name for name in names if any(row.get(name, NOTHING) != NOTHING for _, row in cells)]
    rows = [[runs.label, *(row.get(name, NOTHING) for name in shown)] for runs, row in cells]
    return ["method", *(TITLES[name] for name in shown)], rows


def kind_name(settings: Mapping[str, Any]) -> str:
    return "digits" if "agent" not in settings else "atari" if "noop_max" in settings["learner"] else "games"


def title_of(settings: Mapping[str, Any]) -> str:
    return title(settings["sequence"]).replace("-", " ")


def title(name: object) -> str:
    return str(name).replace("_", " ")


def about(settings: Mapping[str, Any]) -> str:
    """What changes from one task to the next; of games as the named sequence says."""
    if "names" not in settings:
        return DIGITS[settings["sequence"]]
    sequence = sequence_in(settings)
    fewer = f", the first {settings['tasks']} of them" if settings["tasks"] < len(sequence.tasks) else ""
    return sequence.about[0].upper() + sequence.about[1:] + fewer


def headline(all_runs: Sequence[Runs], found: Mapping[str, Mapping[str, Estimate]]) -> str:
    """What the best method retains, and what fine-tuning does; where there is no other, a network for each task."""
    parts = []
    best = best_of(all_runs, found)
    if best is not None:
        parts.append((best.label, best.method))
    if FINETUNE in found:
        parts.append(("fine-tuning", FINETUNE))
    if SINGLE in found and len(parts) < 2:
        parts.append(("separate networks", SINGLE))
    told = [f"{name} {'' if at else 'retains '}{percent(found[method]['performance'].value)}"
            for at, (name, method) in enumerate(parts)]  # fmt: skip
    return f"After {all_runs[0].tasks} tasks, {', '.join(told)}"


def best_of(all_runs: Sequence[Runs], found: Mapping[str, Mapping[str, Estimate]]) -> Runs | None:
    """The method of the highest average performance of those that share weights, or of all, where none does."""
    keeping = [each for each in all_runs if each.method not in (SINGLE, FINETUNE)]
    shared = [each for each in keeping if is_small(each, all_runs)] or keeping
    return max(shared, key=lambda each: found[each.method]["performance"].value, default=None)


def is_small(runs: Runs, all_runs: Sequence[Runs]) -> bool:
    """Whether it stores less than a few networks, and so shares weights between tasks."""
    return runs.bytes < FEW * min(each.bytes for each in all_runs)


def findings(all_runs: Sequence[Runs], found: Mapping[str, Mapping[str, Estimate]]) -> list[str]:
    """Sentences: whether each task can be learned alone, what is forgotten, and what transfers, as intervals say."""
    by_name = {runs.method: runs for runs in all_runs}
    best = best_of(all_runs, found)
    told = []
    if best is not None and is_small(best, all_runs):
        told.append(f"Of the methods that store less than {FEW} networks, {best.label} retains the most.")
    if SINGLE in by_name:
        hardest = np.diag(by_name[SINGLE].matrices.mean(axis=0)).min()
        told.append(
            f"A separate network for each task reaches {percent(found[SINGLE]['performance'].value)} on average and "
            f"{percent(hardest)} on the hardest task."
        )
    if FINETUNE in by_name:
        backward, later = (found[FINETUNE].get(name) for name in ("backward", "later"))
        if backward is not None:
            told.append(f"Fine-tuning changes earlier tasks by {words(backward, signed=True)} points on average.")
        if later is not None and not np.isnan(later.value):
            told.append(f"{speed(later)}: forward transfer {words(later, signed=True)} %.")
    back = [(plain, given_back(plain, restored)) for plain, restored in with_means(by_name)]
    recovered = [f"{words(share)} % of what {plain.label} forgot" for plain, share in back if share]
    if recovered:
        several = f"{', '.join(recovered[:-1])} and " if recovered[1:] else ""
        told.append(f"Restoring each layer's mean output when a task is played recovers {several}{recovered[-1]}.")
    ahead = [runs.label for runs in all_runs if above(found[runs.method].get("later"))]
    if ahead:
        told.append(
            f"Methods that learn later tasks faster than alone, with an interval above zero: {'; '.join(ahead)}."
        )
    return told


def with_means(by_name: Mapping[str, Runs]) -> list[tuple[Runs, Runs]]:
    """Each method that was also run with restored means, which change nothing of its learning, and that."""
    restored = [runs for runs in by_name.values() if runs.dash == "--"]
    return [(by_name[runs.without_means], runs) for runs in restored if runs.without_means in by_name]


def above(value: Estimate | None) -> bool:
    return value is not None and value.low is not None and value.low > 0


def speed(later: Estimate) -> str:
    """Whether fine-tuning learns later tasks faster than they are learned alone."""
    if later.low is None or later.high is None or later.low <= 0 <= later.high:
        return "Whether fine-tuning learns later tasks faster than alone is inconclusive"
    return f"Fine-tuning learns later tasks {'faster' if later.low > 0 else 'more slowly'} than alone"


def row_of(runs: Runs, found: Mapping[str, Estimate], published: Mapping[str, str]) -> dict[str, str]:
    """Every cell of a method's row in the tables, by TITLES."""
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
