"""The matrix as heat maps with its relief below, and slow-downs by version."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from priorlab.scripts.analysis.players import Kind
from priorlab.scripts.analysis.published import published_figures, published_ratio
from priorlab.scripts.analysis.statistics import Ratio
from priorlab.scripts.priors.cast import MATRIX_FULL, WITHOUT
from priorlab.scripts.priors.cells import VERSIONS
from priorlab.scripts.priors.comparing import KINDS, kind_of
from priorlab.scripts.priors.matrix import ALL, MASK_NAMES, MASKS, SETS, Matrix
from priorlab.scripts.priors.recorded import GROUPS
from priorlab.scripts.priors.slowdowns import Slowdown
from priorlab.scripts.report.plots import INKS, STYLE, Drawing
from priorlab.scripts.report.render import WIDE
from priorlab.scripts.report.summary import NOTHING, TIMES, times
from priorlab.scripts.report.version_figures import interval, slowdown

CELL, GAP = (88.0, 52.0), 0.035  # px of a cell; the gap around it, as a share
LEFT, MIDDLE, TOP, RIGHT = 186.0, 104.0, 84.0, 18.0  # px: row names, between the heat maps, above them, right of them
FULL_GAP = 0.22  # rows, below that of the full player
STRIP, ABOVE_STRIP, BELOW_STRIP = 34.0, 92.0, 46.0  # px: a line of the relief, above and below all lines
DEEPEST = 0.62  # opacity of the strongest cell, so that numbers stay readable on light and on dark
LEAST_SCALE = np.log(1.5)  # the strongest colour stands for this factor or more
SLOWER, FASTER = INKS["person"], INKS["ppo"]  # orange and blue: told apart by every kind of colour vision
NAMES = {MATRIX_FULL: "with all priors", **{name: f"without {MASK_NAMES[dial]}" for name, dial in WITHOUT.items()}}
TICKS = (1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)  # and their inverses, of which as many are shown as there is room for


def matrix_figure(matrices: Mapping[str, Matrix], name: str) -> Drawing:
    """Increments and residuals of one set, and below them the relief of every set, if it is that of all."""
    matrix = matrices[name]
    shown = [each for each in matrices.values() if each.relief] if name == ALL else []
    rows = len(WITHOUT) + 1 + FULL_GAP
    below = ABOVE_STRIP + STRIP * len(shown) + BELOW_STRIP if shown else 16.0
    height = TOP + rows * CELL[1] + below
    increments = matrix.increments.mean(axis=0)
    with matplotlib.rc_context({**STYLE, "font.size": 13}):
        figure = Figure(figsize=(WIDE / 72, height / 72))
        lines = np.array([0, *np.arange(1, len(WITHOUT) + 1) + FULL_GAP])
        left = heat_axes(figure, height, LEFT, rows)
        heat(left, increments, lines)
        named(left, lines, [NAMES[MATRIX_FULL], *map(NAMES.__getitem__, WITHOUT)], rows)
        titled(left, "What each mask adds", "times the inputs without it; mean over seeds")
        right = heat_axes(figure, height, LEFT + len(MASKS) * CELL[0] + MIDDLE, rows)
        heat(right, matrix.residuals.mean(axis=0), lines[1:])
        named(right, lines[1:], ["" for _ in WITHOUT], rows)
        titled(right, "Row and column means removed", "what is left of each pair")
        scale(right, lines[0])
        if shown:
            strip(figure, height, shown)
    return Drawing(
        figure, f"Raised without a prior, times every mask, {SETS[name]}: what each mask adds, and what is left"
    )


def heat_axes(figure: Figure, height: float, x: float, rows: float) -> Axes:
    wide, tall = len(MASKS) * CELL[0], rows * CELL[1]
    axes = figure.add_axes((x / WIDE, (height - TOP - tall) / height, wide / WIDE, tall / height))
    axes.set_xlim(0, len(MASKS))
    axes.set_ylim(rows, 0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    return axes


def heat(axes: Axes, logs: np.ndarray, lines: Sequence[float] | np.ndarray) -> None:
    """Cells of logarithms, written as factors; the last four rows have a framed diagonal."""
    most = max(float(np.abs(logs).max()), float(LEAST_SCALE))
    first = len(logs) - len(MASKS)
    for row, y in enumerate(lines):
        for column in range(len(MASKS)):
            value = logs[row, column]
            colour, depth = SLOWER if value > 0 else FASTER, DEEPEST * min(abs(value) / most, 1)
            corner, size = (column + GAP, y + GAP), 1 - 2 * GAP
            axes.add_patch(Rectangle(corner, size, size, facecolor=colour, alpha=depth, lw=0))
            framed = row - first == column
            edge = {"edgecolor": INKS["ink"], "lw": 2.4} if framed else {"edgecolor": INKS["line"], "lw": 1.0}
            axes.add_patch(Rectangle(corner, size, size, fill=False, **edge, clip_on=False))
            axes.text(
                column + 0.5, y + 0.5, factor(value), ha="center", va="center", fontsize=15,
                fontweight="bold" if framed else "normal",
            )  # fmt: skip


def factor(log: float) -> str:
    """Such as 0.84x, 2.31x and 14.2x."""
    value = float(np.exp(log))
    return f"{value:.2f}{TIMES}" if value < 9.995 else f"{value:.1f}{TIMES}"


def named(axes: Axes, lines: Sequence[float] | np.ndarray, names: Sequence[str], rows: float) -> None:
    axes.set_yticks([y + 0.5 for y in lines], names)
    axes.set_xticks([k + 0.5 for k in range(len(MASKS))], [*MASK_NAMES.values()])
    axes.tick_params(axis="x", top=True, bottom=False, labeltop=True, labelbottom=False, labelcolor=INKS["ink"], pad=3)
    axes.tick_params(axis="y", labelcolor=INKS["ink"], pad=8)
    if any(names):
        axes.annotate("raised", (0, 1), (-8, 12), xycoords="axes fraction", textcoords="offset points", ha="right",
                      color=INKS["soft"])  # fmt: skip


def titled(axes: Axes, title: str, below: str, at: tuple[float, float] = (3, 37)) -> None:
    """A title and a line below it, above the axes; ``at``: px of that line, from the axes' upper left corner."""
    where: dict[str, Any] = {"xy": (0, 1), "xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate(title, xytext=(at[0], at[1] + 19), fontweight="bold", fontsize=15, **where)
    axes.annotate(below, xytext=at, color=INKS["soft"], **where)


def scale(axes: Axes, y: float) -> None:
    """What the colours mean, in the free row above the residuals."""
    for k, (colour, words) in enumerate(((FASTER, "less slowed"), (SLOWER, "more slowed"))):
        x = 0.06 + 1.9 * k
        axes.add_patch(Rectangle((x, y + 0.4), 0.26, 0.3, facecolor=colour, alpha=DEEPEST, lw=0))
        axes.text(x + 0.36, y + 0.56, words, va="center", color=INKS["soft"])


def strip(figure: Figure, height: float, shown: Sequence[Matrix]) -> None:
    """The relief of each set with its interval."""
    width = WIDE - LEFT - RIGHT - 170
    tall = STRIP * len(shown)
    axes = figure.add_axes((LEFT / WIDE, BELOW_STRIP / height, width / WIDE, tall / height))
    factors = [each.factor for each in shown]
    ends = [end for each in factors if each for end in (each.value, each.low, each.high) if end]
    reach = max(1.5, *(max(end, 1 / end) for end in ends)) ** 1.08
    reach = min(reach, 16.0)
    axes.set_xscale("log", base=2)
    axes.set_xlim(1 / reach, reach)
    above: list[float] = []
    for tick in TICKS:
        if tick <= reach and np.log(tick / max([1.0, *above])) > 0.13 * np.log(reach):
            above.append(tick)
    ticks = [*(1 / tick for tick in reversed(above)), 1.0, *above]
    axes.set_xticks(ticks, [f"{tick:.2g}{TIMES}" if tick < 1 else f"{tick:g}{TIMES}" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_yticks(range(len(shown)), [SETS[each.set] for each in shown])
    axes.tick_params(axis="y", labelcolor=INKS["ink"], pad=8)
    axes.grid(axis="y", visible=False)
    axes.axvline(1, color=INKS["soft"], lw=1.4)
    axes.set_xlabel("relief: right of 1, a player raised without a prior is less slowed by its mask")
    for line, estimate in enumerate(factors):
        assert estimate is not None
        bounds = "" if estimate.low is None else f" ({estimate.low:.2f} \u2013 {estimate.high:.2f})"
        text = f"{estimate.value:.2f}{bounds}"
        colour = INKS["ink"] if line == 0 else INKS["soft"]
        interval(axes, line, estimate, colour, "", "D" if line == 0 else "o")
        axes.annotate(text, (1, line), (10, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                      va="center", color=colour, fontweight="bold" if line == 0 else "normal")  # fmt: skip
    below = "minus the mean of the four framed cells on the right, as a factor; 95 % intervals over training seeds"
    titled(axes, "Relief", below, (24 - LEFT, 28))


def ratios_of(slowdowns: Sequence[Slowdown], group: str) -> dict[tuple[str, Kind], Ratio]:
    """By version and player of KINDS, with intervals over training seeds."""
    return {
        (each.version, kind_of(each.player)): Ratio(over.value, over.low, over.high, each.bound, over.n, over.n)
        for each in slowdowns
        if each.group == group and each.player in KINDS and (over := each.over_seeds)
    }


def slowdown_figure(slowdowns: Sequence[Slowdown], group: str) -> Drawing | None:
    """Inputs as multiples of the original's, of the players of KINDS; None where there are none. People's published
    ratios stand beside, and on the axis in the game that they played."""
    kinds, ratios = [kind_of(player) for player in KINDS], ratios_of(slowdowns, group)
    if not ratios:
        return None
    figures, theirs = published_figures(), GROUPS[group] == published_figures()["game"]
    people = {version: ratio for version in VERSIONS if (ratio := published_ratio(figures, version))}
    notes = {"": "people (grade)" if theirs else f"people on\n{figures['game']} (grade)"}
    for version in VERSIONS:
        grade = figures["versions"].get(version, {}).get("grade")
        notes[version] = f"{times(people[version])} ({grade})" if version in people else NOTHING
    return slowdown(VERSIONS, kinds, ratios, WIDE, notes, people if theirs else {}, "the win")
