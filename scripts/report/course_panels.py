"""How plays go, in small panels, one per version: entropy and deaths against inputs, and each play as a thin line.

The frames are tables of ``scripts/analysis/further_tables.py``.
"""

from collections.abc import Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator

from priorlab.scripts.analysis.players import Kind, title_of
from priorlab.scripts.report.panels import curve, draw_curves, each_play, margin_of, name_ends
from priorlab.scripts.report.plots import INKS, STYLE, Drawing, inputs_axis, panel, tick_text

WIDTH, HEIGHT = 262.0, 190.0  # px of a panel
MOST_LINES = 40  # plays of a kind in one panel
SINGLE = {"states": "unique states", "covered": "share of the way covered"}  # columns of the table ``single``


def entropy_panel(frame: pd.DataFrame, version: str, kinds: Sequence[Kind], last: float, most: float) -> Drawing:
    """Mean state-visit entropy (bits) at the same numbers of inputs: mean and band of each kind; from
    ``mean_entropy``. ``last`` and ``most``: ends of the axes, inputs and bits.
    """
    matched = frame.dropna(subset="at_inputs").rename(columns={"at_inputs": "inputs"}) if len(frame) else frame
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(WIDTH, HEIGHT, (30, 36, margin_of(kinds), 14))
        inputs_axis(axes, last, 80)
        axes.set_ylim(0, most * 1.04)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.set_xlabel("inputs")
        name_ends(axes, draw_curves(axes, matched, version, kinds, "mean_entropy"), last, most, HEIGHT)
    return Drawing(figure, f"State-visit entropy in bits against inputs, {title_of(version)}")


def deaths_panel(frame: pd.DataFrame, version: str, kinds: Sequence[Kind], last: float, most: float) -> Drawing:
    """Mean cumulative deaths against inputs: mean and band of each kind, on an axis of the log of one plus deaths; from
    ``mean_deaths``. ``last`` and ``most``: ends of the axes, inputs and deaths.
    """
    scaled = frame.copy()
    for name in ("cumulative_deaths", "low", "high") if len(frame) else ():
        scaled[name] = np.log10(1 + frame[name].astype(float))
    top = float(np.log10(1 + most))
    ticks = [0, *(10**power for power in range(9) if 10**power <= most)]
    ticks = ticks if len(ticks) > 2 else [0, *range(1, int(most) + 1)]
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(WIDTH, HEIGHT, (36, 36, margin_of(kinds), 14))
        inputs_axis(axes, last)
        axes.set_ylim(0, top * 1.04)
        axes.set_yticks([float(np.log10(1 + tick)) for tick in ticks], [tick_text(tick) for tick in ticks])
        axes.set_xlabel("inputs")
        name_ends(axes, draw_curves(axes, scaled, version, kinds, "cumulative_deaths"), last, top, HEIGHT)
    return Drawing(figure, f"Mean cumulative deaths against inputs, {title_of(version)}")


def single_panel(
    frame: pd.DataFrame, version: str, kinds: Sequence[Kind], column: str, last: float, most: float = 1.0
) -> Drawing:
    """Each play or run as a thin line against inputs (log axis), with a dot at its end; from ``single``.

    ``column`` is one of SINGLE: unique states, on a log axis up to ``most``, or the share of the way covered. Of more
    than MOST_LINES plays of a kind, so many are drawn, evenly spaced in the order of their lengths.
    """
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(WIDTH, HEIGHT, (40, 36, 14, 14))
        inputs_axis(axes, last, 1)
        if column == "states":
            axes.set_yscale("log")
            axes.set_ylim(1, most * 1.2)
            ticks = [10**power for power in range(7) if 10**power <= most * 1.2]
            axes.set_yticks(ticks, [tick_text(tick) for tick in ticks])
            axes.minorticks_off()
        else:
            axes.set_ylim(-0.02, 1.04)
            axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
        axes.set_xlabel("inputs")
        for kind in reversed(kinds):
            plays = each_play(curve(frame, kind, version))
            plays = [rows for rows in plays if column in rows and not rows[column].hasnans]
            if not plays:
                continue
            colour, alpha = INKS[kind.colour], float(np.clip(8 / len(plays), 0.25, 0.8))
            lines = [line_of(rows, column) for rows in spaced(plays)]
            style = {"lw": 0.8, "alpha": alpha, "capstyle": "round", "joinstyle": "round"}
            axes.add_collection(LineCollection(lines, colors=colour, **style), autolim=False)
            axes.plot(*np.array([line[-1] for line in lines]).T, "o", color=colour, ms=2.5, mew=0, clip_on=False)
    return Drawing(figure, f"{SINGLE[column].capitalize()} against inputs, each play, {title_of(version)}")


def line_of(rows: pd.DataFrame, column: str) -> np.ndarray:
    """float64 (points, 2): inputs and a column of SINGLE; the share covered as steps, each to the right and then up."""
    points = rows[["inputs", column]].to_numpy(float)
    if column != "covered":
        return points
    return np.column_stack([points[:, 0].repeat(2)[1:], points[:, 1].repeat(2)[:-1]])


def spaced(plays: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """At most MOST_LINES of the plays, evenly spaced in the order of their lengths."""
    ordered = sorted(plays, key=lambda rows: float(rows["inputs"].iloc[-1]))
    if len(ordered) <= MOST_LINES:
        return ordered
    return [ordered[round(at)] for at in np.linspace(0, len(ordered) - 1, MOST_LINES)]
