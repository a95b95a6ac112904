"""The figures of a sequence of tasks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator

from priorlab.scripts.analysis.comparison import Estimate
from priorlab.scripts.analysis.resampling import resamples
from priorlab.scripts.analysis.statistics import quantiles
from priorlab.scripts.report.plots import INKS, STYLE, apart, panel, svg

if TYPE_CHECKING:
    from priorlab.scripts.sequences.measures import Runs

WIDE, NARROW = 1060.0, 400.0  # px
LETTER = 6.6  # px of a label
BANDS = 6  # methods at most whose intervals can be distinguished in one figure
Found = Mapping[str, Mapping[str, Estimate]]


def banded(all_runs: Sequence["Runs"]) -> bool:
    """Whether ``so_far`` draws intervals."""
    return len(all_runs) <= BANDS and any(runs.n > 1 for runs in all_runs)


def so_far(all_runs: Sequence["Runs"], found: Found) -> dict[str, str]:
    """Mean performance over the tasks learned so far, after each of them; with intervals where methods are few."""
    return {"wide": lines(all_runs, WIDE, 420), "narrow": lines(all_runs, NARROW, 380)}


def labels(all_runs: Sequence["Runs"], width: float) -> tuple[list[str], float, list[int]]:
    """Each method's name, on a narrow page a line for each of several; px of the longest line; lines of each."""
    names = [each.label if width == WIDE else each.label.replace(" + ", "\n+ ") for each in all_runs]
    longest = max(len(line) for name in names for line in name.split("\n"))
    return names, LETTER * longest, [1 + name.count("\n") for name in names]


def lines(all_runs: Sequence["Runs"], width: float, height: float) -> str:
    names, across, counts = labels(all_runs, width)
    margin = 8 + across
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(width, height, (44, 40, margin, 10))
        ends = []
        tasks = np.arange(1, all_runs[0].matrices.shape[1] + 1)
        for runs in all_runs:
            curves, colour = runs.so_far(), INKS[runs.colour]
            if runs.n > 1 and banded(all_runs):
                means = resamples(runs.n, np.random.default_rng(0)) @ curves / runs.n
                axes.fill_between(tasks, *np.quantile(means, quantiles(runs.n), axis=0), color=colour, alpha=0.15, lw=0)
            axes.plot(tasks, curves.mean(axis=0), color=colour, lw=2, ls=runs.dash, marker="o", ms=3)
            ends.append(float(curves.mean(axis=0)[-1]))
        axes.set_ylim(0, 1.02)
        axes.set_xlim(0.7, len(tasks) + 0.2)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("tasks learned")
        line = 1.02 * 14 / (height - 50)
        top = 1.02 * (1 + 10 / (height - 50))  # of the figure
        for runs, name, place in zip(all_runs, names, apart(ends, [line * count for count in counts], -0.05, top)):
            axes.annotate(
                name, (1, place), (7, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                va="center", color=INKS[runs.colour], fontweight="bold", fontsize=10,
            )  # fmt: skip
    return svg(figure, "Mean performance over the tasks learned so far, against their number")


def intervals(all_runs: Sequence["Runs"], found: Found) -> dict[str, str]:
    """Average performance, forgetting and forward transfer, with their intervals, a row a method."""
    shown = {"performance": "average performance, %", "forgetting": "forgetting, %", "forward": "forward transfer, %"}
    return {
        "wide": forest(all_runs, found, shown, WIDE),
        "narrow": forest(all_runs, found, {"performance": shown["performance"]}, NARROW),
    }


def forest(all_runs: Sequence["Runs"], found: Found, shown: Mapping[str, str], width: float) -> str:
    names, across, counts = labels(all_runs, width)
    left, gap, row = 12 + across, 26.0, 12.0 + 12 * max(counts)
    height = row * len(all_runs) + 52
    each_wide = (width - left - gap * len(shown)) / len(shown)
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(width, height, (left, 40, width - left - each_wide, 8))
        panels = [axes]
        for number in range(1, len(shown)):
            box = ((left + number * (each_wide + gap)) / width, 40 / height, each_wide / width, (height - 48) / height)
            panels.append(figure.add_axes(box))
        for axes, (name, title) in zip(panels, shown.items()):
            for place, runs in enumerate(all_runs):
                value = found[runs.method].get(name)
                if value is None:
                    continue
                colour = INKS[runs.colour]
                if value.low is not None and value.high is not None:
                    axes.plot([100 * value.low, 100 * value.high], [place, place], color=colour, alpha=0.35, lw=7)
                axes.plot(100 * value.value, place, "o", color=colour, ms=7)
            axes.set_ylim(len(all_runs) - 0.4, -0.6)
            axes.set_yticks(range(len(all_runs)), names if axes is panels[0] else [""] * len(all_runs))
            for tick, runs in zip(axes.get_yticklabels(), all_runs):
                tick.set_color(INKS[runs.colour])
                tick.set_fontweight("bold")
            axes.set_xlabel(title)
            if name != "performance":
                axes.axvline(0, color=INKS["soft"], lw=1)
    return svg(figure, " and ".join(shown.values()) + " of each method")


def memory(all_runs: Sequence["Runs"], found: Found) -> dict[str, str]:
    """Average performance against what must be stored."""
    return {"wide": scatter(all_runs, found, WIDE, 360), "narrow": scatter(all_runs, found, NARROW, 360)}


def scatter(all_runs: Sequence["Runs"], found: Found, width: float, height: float) -> str:
    with matplotlib.rc_context(STYLE):
        names, longest, counts = labels(all_runs, width)
        right = 8 + longest
        figure, axes = panel(width, height, (44, 40, right, 14))
        axes.set_xscale("log")
        sizes = [runs.bytes / 1e6 for runs in all_runs]
        low, high = 0.8 * min(sizes), 1.25 * max(sizes)
        axes.set_xlim(low, high)
        axes.set_ylim(0, 1.05)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
        ticks = [tick for tick in (0.5, 1, 2, 5, 10, 20, 50, 100, 200) if low <= tick <= high]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel("MB stored for all tasks")
        across = width - 44 - right
        at = [across * float(np.log(size / low) / np.log(high / low)) for size in sizes]  # px
        beside: list[list[int]] = []  # runs whose labels could meet, which are written below one another
        edge = -1.0
        for number in np.argsort(at, kind="stable").tolist():
            if at[number] < edge:
                beside[-1].append(number)
            else:
                beside.append([number])
            edge = max(edge, at[number] + 20 + 7 * max(len(line) for line in names[number].split("\n")))
        for group in beside:
            values = [found[all_runs[number].method]["performance"].value for number in group]
            line = 1.05 * 14 / (height - 54)
            places = apart(values, [line * counts[number] for number in group], 0, 1.06)
            for number, value, place in zip(group, values, places):
                runs = all_runs[number]
                level = [sizes[other] for other, at_y in zip(group, values) if abs(at_y - place) < line]
                end = max([sizes[number], *level])  # right of the points that it would cover
                axes.plot(sizes[number], value, "o", color=INKS[runs.colour], ms=8)
                axes.annotate(
                    names[number], (end, place), (9, 0), textcoords="offset points", va="center",
                    color=INKS[runs.colour], fontweight="bold", fontsize=10,
                )  # fmt: skip
    return svg(figure, "Average performance against the memory that all tasks need")


def plasticity(all_runs: Sequence["Runs"], found: Found) -> dict[str, str]:
    """Dormant units and the features' rank after each task: a network that can learn less and less loses both."""
    return {"wide": over_tasks(all_runs, WIDE), "narrow": over_tasks(all_runs, NARROW)}


def over_tasks(all_runs: Sequence["Runs"], width: float) -> str:
    wide = width == WIDE
    across, gap, height = ((width - 150) / 2, 40, 250) if wide else ((width - 70) / 2, 34, 230)
    shown = [
        ("dormant units, %", [100 * runs.dormant.mean(axis=0) for runs in all_runs]),
        ("effective rank", [runs.rank.mean(axis=0) for runs in all_runs]),
    ]
    with matplotlib.rc_context(STYLE):
        figure, left = panel(width, height, (30, 40, width - 30 - across, 10))
        box = ((30 + across + gap) / width, 40 / height, across / width, (height - 50) / height)
        for axes, (title, values) in zip((left, figure.add_axes(box)), shown):
            for runs, after in zip(all_runs, values):
                axes.plot(
                    np.arange(1, len(after) + 1),
                    after,
                    color=INKS[runs.colour],
                    lw=1.8,
                    ls=runs.dash,
                    marker="o",
                    ms=2.5,
                )
            axes.set_ylim(bottom=0)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_xlabel(f"{title}, against tasks learned" if wide else title)
    return svg(figure, "Dormant units and effective rank after each task")


def curve(runs: "Runs") -> str:
    """Performance on the task being learned, throughout the sequence, and on the first task."""
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(262, 160, (36, 34, 10, 10))
        colour, tasks = INKS[runs.colour], runs.matrices.shape[1]
        axes.plot(runs.grid, runs.curves.mean(axis=0), color=colour, lw=1.2)
        axes.plot(
            np.arange(1, tasks + 1), runs.matrices[:, :, 0].mean(axis=0), color=INKS["ink"], lw=1.4, ls=(0, (4, 2))
        )
        axes.set_ylim(0, 1.04)
        axes.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
        axes.set_xlim(0, tasks)
        axes.set_xlabel("tasks")
    return svg(figure, f"{runs.label}: the task being learned, and the first task, throughout the sequence")


def matrix(runs: "Runs") -> str:
    """After each task (a row), the performance on each."""
    mean = runs.matrices.mean(axis=0)
    picture = np.empty((*mean.shape, 4))
    picture[..., :3] = to_rgb(INKS["ppo"])
    picture[..., 3] = np.clip(mean, 0, 1)
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(200, 200, (34, 34, 6, 6))
        axes.imshow(picture, interpolation="nearest", aspect="auto")
        axes.grid(False)
        last = len(mean) - 1
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks([0, last], ["1", str(last + 1)])
        axes.set_xlabel("task", labelpad=-8)
        axes.set_ylabel("after task", labelpad=-10)
    return svg(figure, f"{runs.label}: performance on each task after each was learned")
