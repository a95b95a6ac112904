"""The first figure: how far each kind of player had come, and how much it had seen, after equally many inputs.

Axes end where people and agents can no longer be compared: with the longest play, or with the longest run if that is
shorter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from priorlab.scripts.analysis.players import Kind, Section, title_of
from priorlab.scripts.report.panels import REFERENCE, curve, each_play, margin_of
from priorlab.scripts.report.plots import FIRST_INPUTS, INKS, STYLE, Drawing, apart, inputs_axis, panel, tick_text
from priorlab.scripts.report.summary import NOTHING, percent

PRINT_MM = 178.0  # width of a page's two columns in most journals
MM = 72 / 25.4  # points
SHAPES = ("o", "s", "^", "D", "v", "P", "X")  # of kinds in print, where colour alone may not be seen
TEXT, SMALL, KEY = 7.5, 6.5, 30.0  # points, in print: texts, and a legend's line with the space around it
LEFT, RIGHT, BETWEEN, ROW, HEAD, FOOT = 34.0, 6.0, 9.0, 62.0, 17.0, 24.0  # points: margins, panels and their titles
ALONE = 90.0  # points, of panels in a single row: as high as the name of their measure is long
PRINT: dict[Any, Any] = {
    "font.size": SMALL, "xtick.major.pad": 2, "ytick.major.pad": 2, "grid.linewidth": 0.4, "axes.linewidth": 0.6,
    "xtick.labelsize": SMALL, "ytick.labelsize": SMALL,
}  # fmt: skip


@dataclass(frozen=True)
class Measure:
    """What a curve shows: the column of the table of its own name, and the axis."""

    table: str
    column: str
    title: str
    is_log: bool


PROGRESS = Measure("progress", "progress", "Shortest way covered", is_log=False)
STATES = Measure("exploration", "states", "Unique states", is_log=True)
MEASURES = (PROGRESS, STATES)


@dataclass(frozen=True)
class Curves:
    """The tables of a section with such curves, and the ends of the axes they share."""

    tables: Mapping[str, pd.DataFrame]
    kinds: Sequence[Kind]
    last: float  # inputs
    most: float  # unique states

    def of(self, measure: Measure) -> pd.DataFrame:
        return self.tables.get(measure.table, pd.DataFrame())

    @property
    def measures(self) -> list[Measure]:
        """Those that are recorded of any player."""
        return [measure for measure in MEASURES if len(self.of(measure))]

    def has(self, measure: Measure, version: str) -> bool:
        frame = self.of(measure)
        return len(frame) > 0 and bool((frame["version"] == version).any())


def curves_of(section: Section, tables: Mapping[str, pd.DataFrame]) -> Curves:
    """The curves of a section, from ``tables_of``, cut where people and agents can still be compared."""
    last = matched_inputs(section)
    cut = {name: cut_at(tables[name], last) for name in ("progress", "progress_at", "exploration") if name in tables}
    states = cut.get("exploration", pd.DataFrame())
    most = states[["states", "high"]].max().max() if len(states) else 0
    drawn = {player for frame in cut.values() if len(frame) for player in frame["player"].unique()}
    kinds = [kind for kind in section.kinds if kind.label in drawn]
    return Curves(cut, kinds, last, float(np.nanmax([100.0, most])))


def matched_inputs(section: Section) -> float:
    """Inputs up to which players are compared: to the end of the longest play and of the longest run, whichever is
    shorter."""
    followed = [run for run in section.runs if run.curve.size]
    ends = [[run.budget for run in followed if (run.player == "agent") == is_agent] for is_agent in (False, True)]
    return float(max(10 * FIRST_INPUTS, min((max(each) for each in ends if each), default=0)))


def cut_at(frame: pd.DataFrame, last: float) -> pd.DataFrame:
    return frame.loc[frame["inputs"] <= last] if len(frame) else frame


def measure_panel(curves: Curves, measure: Measure, version: str) -> Drawing | None:
    """One measure against inputs on one version: mean and band of each kind of player; None if it was not recorded."""
    if not curves.has(measure, version):
        return None
    right = margin_of(curves.kinds)
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(262, 196, (40, 36, right, 22))
        set_axes(axes, curves, measure)
        axes.set_xlabel("inputs")
        axes.set_title(measure.title.lower(), loc="left", fontsize=10, color=INKS["soft"], pad=8, x=-0.2)
        name_curves(axes, draw(axes, curves, measure, version), 196 - 58)
    return Drawing(figure, f"{measure.title} against inputs, {title_of(version)}")


def set_axes(axes: Axes, curves: Curves, measure: Measure) -> None:
    inputs_axis(axes, curves.last)
    if measure.is_log:
        axes.set_yscale("log")
        axes.set_ylim(0.75, curves.most * 1.15)
        ticks = [10**k for k in range(7) if 10**k <= curves.most]
        axes.set_yticks(ticks, [tick_text(tick) for tick in ticks])
        axes.minorticks_off()
    else:
        axes.set_ylim(-0.02, 1.03)
        axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])


def draw(
    axes: Axes,
    curves: Curves,
    measure: Measure,
    version: str,
    width: float = 2.0,
    shapes: Mapping[Kind, str] | None = None,
) -> list[tuple[Kind, float]]:
    """Draws the curves of a version and, as thin broken lines, of the same players on the original.

    ``shapes``: a marker at each power of ten. Returns each kind and the height at its end, as a share of the axis.
    """
    frame, ends = curves.of(measure), []
    for kind in reversed(curves.kinds):
        colour = INKS[kind.colour]
        here, reference = (curve(frame, kind, name).dropna(subset=measure.column) for name in (version, "original"))
        for rows in each_play(reference) if version != "original" and len(here) else []:
            axes.plot(rows["inputs"], rows[measure.column], color=colour, **{**REFERENCE, "lw": 0.45 * width})
        for rows in each_play(here):
            inputs, heights = rows["inputs"].to_numpy(float), rows[measure.column].to_numpy(float)
            axes.fill_between(inputs, rows["low"], rows["high"], color=colour, alpha=0.2, lw=0)
            axes.plot(inputs, heights, color=colour, lw=width)
            if shapes:
                at = [k for k in 10.0 ** np.arange(1, 8) if inputs[0] <= k <= inputs[-1]]
                places = np.interp(np.log(at), np.log(inputs), heights) if at else []
                axes.plot(at, places, shapes[kind], color=colour, ms=3.2, mec=INKS["surface"], mew=0.4, clip_on=False)
            else:
                axes.plot(inputs[-1], heights[-1], "o", color=colour, ms=4, clip_on=False)
            ends.append(
                (kind, float(axes.transLimits.transform(axes.transScale.transform((inputs[-1], heights[-1])))[1]))
            )
    return ends


def name_curves(axes: Axes, ends: Sequence[tuple[Kind, float]], height: float) -> None:
    """Names each curve in the right margin, as near to its end as possible; ``height`` of the axes in px."""
    line = 13 / height
    for (kind, _), y in zip(ends, apart([end for _, end in ends], [line] * len(ends), -0.05, 1.1)):
        axes.annotate(
            kind.short, (1, y), (8, 0), textcoords="offset points", xycoords="axes fraction", va="center",
            color=INKS[kind.colour], fontweight="bold", fontsize=10, annotation_clip=False,
        )  # fmt: skip


def print_figure(curves: Curves, versions: Sequence[str], width_mm: float = PRINT_MM) -> Drawing | None:
    """The figure for a paper: each measure as small multiples over versions, with one legend; None without curves.

    As wide as two columns of a journal. Kinds of players also differ in their markers, so that it can be read without
    colours.
    """
    blocks = [(measure, [name for name in versions if curves.has(measure, name)]) for measure in curves.measures]
    blocks = [block for block in blocks if block[1]]
    if not blocks:
        return None
    width = width_mm * MM
    lefts, wide = columns_of(max(len(names) for _, names in blocks), width)
    row_height = ROW if max(len(names) for _, names in blocks) > len(lefts) else ALONE
    heights = [-(-len(names) // len(lefts)) * (row_height + HEAD) + FOOT for _, names in blocks]
    shapes = dict(zip(curves.kinds, SHAPES * 2))
    keys = legend_of(curves, shapes, len(versions) > 1)
    beside = entries_beside([str(key.get_label()) for key in keys], width - lefts[0])
    key_height = 10.0 * -(-len(keys) // beside) + 4
    height = key_height + sum(heights)
    with matplotlib.rc_context({**STYLE, **PRINT}):
        figure = Figure(figsize=(width / 72, height / 72))
        top = height - key_height
        for letter, (measure, names), block in zip("ab", blocks, heights):
            for place, version in enumerate(names):
                row, column = divmod(place, len(lefts))
                bottom = top - (row + 1) * (row_height + HEAD)
                box = (lefts[column] / width, bottom / height, wide / width, row_height / height)
                axes = figure.add_axes(box)
                set_axes(axes, curves, measure)
                axes.tick_params(labelbottom=place + len(lefts) >= len(names), labelleft=column == 0)
                axes.set_title(title_of(version), fontsize=TEXT, loc="left", pad=3, color=INKS["ink"])
                draw(axes, curves, measure, version, 1.1, shapes)
            bold = {"fontsize": 10, "fontweight": "bold", "va": "top"}
            figure.text(1 / width, (top - 4) / height, letter, **bold)
            middle = {"ha": "center", "va": "center", "fontsize": TEXT}
            figure.text(7 / width, (top - (block - FOOT + HEAD) / 2) / height, measure.title, rotation=90, **middle)
            figure.text((lefts[0] + lefts[-1] + wide) / 2 / width, (top - block + 5) / height, "Inputs", **middle)
            top -= block
        figure.legend(
            handles=keys, loc="upper left", bbox_to_anchor=(lefts[0] / width, 1), ncols=beside,
            frameon=False, fontsize=SMALL, borderpad=0, handlelength=2.2, columnspacing=1.6, borderaxespad=0.2,
        )  # fmt: skip
    what = " and ".join(measure.title.lower() for measure, _ in blocks)
    return Drawing(figure, f"{what[:1].upper()}{what[1:]} against inputs, by version")


def columns_of(n: int, width: float) -> tuple[list[float], float]:
    """(the left ends of the columns of panels in print, their width) in points; at most five, with few empty places."""
    count = n if n <= 5 else min((5, 4), key=lambda each: -n % each)
    wide = (width - LEFT - RIGHT - BETWEEN * (count - 1)) / count
    return [LEFT + (wide + BETWEEN) * column for column in range(count)], wide


def legend_of(curves: Curves, shapes: Mapping[Kind, str], with_original: bool) -> list[Line2D]:
    """The entries of the legend in print."""
    keys = [
        Line2D([], [], color=INKS[kind.colour], marker=shapes[kind], lw=1.1, ms=3.6, label=kind.who)
        for kind in curves.kinds
    ]
    if with_original:
        broken = {**REFERENCE, "lw": 0.6, "color": INKS["soft"]}
        keys.append(Line2D([], [], **broken, label="the same players on the original"))
    return keys


def entries_beside(labels: Sequence[str], width: float) -> int:
    """How many columns of a legend, filled from top to bottom, fit into this width in points."""
    for count in range(len(labels), 1, -1):
        rows = -(-len(labels) // count)
        columns = [labels[place : place + rows] for place in range(0, len(labels), rows)]
        if sum(KEY + 0.56 * SMALL * max(map(len, column)) for column in columns) <= width:
            return count
    return 1


def shares_at(curves: Curves, versions: Sequence[str]) -> dict:
    """The share of the shortest way covered at matched inputs, one row per version and kind of player; random last."""
    frame = curves.tables.get("progress_at", pd.DataFrame())
    marks = sorted(frame["inputs"].unique().tolist()) if len(frame) else []
    groups = []
    for version in versions:
        rows = []
        for kind in curves.kinds:
            here = curve(frame, kind, version)
            if len(here):
                shares = dict(zip(here["inputs"].tolist(), here["progress"].tolist()))
                words = [percent(shares[mark]) if mark in shares else NOTHING for mark in marks]
                rows.append((kind, int(here["n"].iloc[0]), words))
        groups.append((version, rows))
    return {"marks": [f"{mark:,}" for mark in marks], "groups": [group for group in groups if group[1]]}
