"""Curves in small panels, one per version: every kind of player, and as thin broken lines the same on the original."""

from collections.abc import Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from priorlab.scripts.analysis.hypotheses import FEW
from priorlab.scripts.analysis.players import Kind, title_of
from priorlab.scripts.report.plots import FIRST_INPUTS, INKS, STYLE, Drawing, apart, inputs_axis, panel, tick_text

REFERENCE = {"lw": 0.9, "ls": (0, (3, 2)), "alpha": 0.75}
NEAR_LEFT = 0.5  # of an axis: a name to the left of a point there would leave the figure
BOUND = {"color": INKS["ink"], "lw": 1.2, "ls": (0, (1, 1.6))}  # of the best possible play


def curve(frame: pd.DataFrame, kind: Kind, version: str) -> pd.DataFrame:
    """The rows of one kind of player on one version."""
    return frame.loc[(frame["player"] == kind.label) & (frame["version"] == version)] if len(frame) else frame


def exploration_panel(
    frame: pd.DataFrame, version: str, kinds: Sequence[Kind], last: float, most: float, reachable: int | None = None
) -> Drawing:
    """Unique states against inputs: mean and band of each kind; ``frame`` comes from ``tables.exploration``.

    ``reachable``: the number of all reachable states, drawn as a bound.
    """
    width, height = 262.0, 200.0
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(width, height, (38, 36, margin_of(kinds), 14))
        inputs_axis(axes, last)
        axes.set_ylim(0, most * 1.04)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.set_xlabel("inputs")
        if reachable:
            axes.axhline(reachable, **BOUND)
        name_ends(axes, draw_curves(axes, frame, version, kinds, "states"), last, most, height)
    return Drawing(figure, f"Unique states against inputs, {title_of(version)}")


def success_panel(
    frame: pd.DataFrame, version: str, kinds: Sequence[Kind], last: float, soonest: float | None = None
) -> Drawing:
    """The share won of the last 100 episodes against inputs: mean and band of each kind of agent, in ``share``.

    ``soonest``: inputs before which no episode can be won, drawn as a bound.
    """
    width, height = 262.0, 180.0
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(width, height, (40, 36, margin_of(kinds), 14))
        axes.set_xlim(0, last)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(lambda value, _: tick_text(value))
        axes.set_ylim(-0.02, 1.04)
        axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
        axes.set_xlabel("inputs")
        if soonest:
            axes.plot([soonest, soonest, last], [0, 1, 1], **BOUND)
        name_ends(axes, draw_curves(axes, frame, version, kinds, "share"), None, 1, height)
    return Drawing(figure, f"Share won of the last 100 episodes against inputs, {title_of(version)}")


def margin_of(kinds: Sequence[Kind]) -> float:
    """Width of the right margin that fits the names of these kinds, in px."""
    return max(52, 6.6 * max((len(kind.short) for kind in kinds), default=0) + 12)


def draw_curves(
    axes: Axes, frame: pd.DataFrame, version: str, kinds: Sequence[Kind], column: str
) -> list[tuple[Kind, float, float]]:
    """Draws the curves of a version and, for comparison, of the original; returns the end of each."""
    ends = []
    for kind in reversed(kinds):
        colour = INKS[kind.colour]
        reference, here = (curve(frame, kind, name).dropna(subset=column) for name in ("original", version))
        for rows in each_play(reference) if version != "original" else []:
            axes.plot(rows["inputs"], rows[column], color=colour, **REFERENCE)
        for rows in each_play(here):
            low, high = (rows[end].to_numpy(float) for end in ("low", "high"))  # None where there is no band
            axes.fill_between(rows["inputs"], low, high, color=colour, alpha=0.22, lw=0)
            axes.plot(rows["inputs"], rows[column], color=colour, lw=2)
            end = (float(rows["inputs"].iloc[-1]), float(rows[column].iloc[-1]))
            axes.plot(*end, "o", color=colour, ms=4, clip_on=False)
            ends.append((kind, *end))
    return ends


def each_play(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each curve: one curve per player if there are only one or two people, otherwise one for the mean."""
    return [group for _, group in rows.groupby("play", sort=False)] if "play" in rows else [rows] if len(rows) else []


def name_ends(
    axes: Axes, ends: list[tuple[Kind, float, float]], last: float | None, most: float, height: float
) -> None:
    """Names each curve at its end: in the margin if it reaches it, otherwise above its last point, to the left.

    ``last`` is the end of a log axis; without it, all curves reach the margin.
    """
    line = most * 13 / (height - 50)
    for inside in (True, False):
        chosen = [end for end in ends if (last is not None and end[1] <= last / 6) == inside]
        places = apart([end[2] for end in chosen], [line] * len(chosen), -0.1 * most, 1.2 * most)
        for (kind, x, _), y in zip(chosen, places):
            is_early = axes.transLimits.transform(axes.transScale.transform((x, y)))[0] < NEAR_LEFT
            axes.annotate(
                kind.short, (x, y) if inside else (1, y), (-4, 5) if inside else (7, 0), textcoords="offset points",
                xycoords="data" if inside else ("axes fraction", "data"),
                ha="right" if inside and not is_early else "left",
                va="baseline" if inside else "center", color=INKS[kind.colour], fontweight="bold", fontsize=10,
            )  # fmt: skip


def survival_panel(
    frame: pd.DataFrame, version: str, kinds: Sequence[Kind], unit: str, last: float, soonest: float | None = None
) -> Drawing:
    """Share that had not won yet against inputs (log axis) or minutes; ``frame`` comes from ``tables.survival``.

    ``soonest``: inputs before which nobody can have won, drawn as a bound; the axis starts in its decade.
    """
    width, height = 262.0, 180.0
    left, right = 40.0, 14.0
    first = 10 ** np.floor(np.log10(soonest)) if soonest else FIRST_INPUTS
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(width, height, (left, 36, right, 22))
        if unit == "inputs":
            inputs_axis(axes, last, first)
        else:
            axes.set_xlim(0, last)
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_ylim(-0.02, 1.04)
        axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
        axes.set_xlabel(unit)
        if soonest:
            axes.plot([soonest, soonest, last], [1, 0, 0], **BOUND)
        starts: list[tuple[Kind, float]] = []
        for kind in reversed(kinds):
            if version != "original":
                draw_survival(
                    axes, curve(frame, kind, "original"), unit, first, last, INKS[kind.colour], reference=True
                )
            rows = curve(frame, kind, version)
            if len(rows):
                draw_survival(axes, rows, unit, first, last, INKS[kind.colour], reference=False)
                times, fallen = rows[unit].to_numpy(float), np.flatnonzero(rows["share"] < 1)
                starts.append((kind, float(times[fallen[0] if len(fallen) else -1])))
        across = width - left - right
        places = [min(place(x, unit, first, last), 1) * across for _, x in starts]
        places = apart(places, [6.5 * len(kind.short) + 6 for kind, _ in starts], -left, across + right)
        for (kind, _), at in zip(starts, places):
            axes.annotate(
                kind.short, (at / across, 1.03), (0, 4), xycoords="axes fraction", textcoords="offset points",
                ha="center", color=INKS[kind.colour], fontweight="bold", fontsize=9.5,
            )  # fmt: skip
    return Drawing(figure, f"Share that has not won yet against {unit}, {title_of(version)}")


def place(x: float, unit: str, first: float, last: float) -> float:
    """Position along the axis, from 0 to 1."""
    return np.log10(max(x, first) / first) / np.log10(last / first) if unit == "inputs" else x / last


def draw_survival(
    axes: Axes, rows: pd.DataFrame, unit: str, first: float, last: float, colour: str, reference: bool
) -> None:
    if not len(rows):
        return
    xs = np.maximum(rows[unit].to_numpy(float), first if unit == "inputs" else 0)
    ys, low, high = (rows[name].to_numpy(float) for name in ("share", "low", "high"))
    if reference:
        axes.step(xs, ys, where="post", color=colour, **REFERENCE)
        return
    if rows["n"].iloc[0] >= FEW:
        axes.fill_between(xs, low, high, step="post", color=colour, alpha=0.18, lw=0)
    axes.step(xs, ys, where="post", color=colour, lw=2, clip_on=xs.max() > last)
    censored = np.flatnonzero(np.diff(ys) == 0) + 1
    axes.plot(xs[censored], ys[censored], "|", color=colour, ms=9, mew=1.4, clip_on=xs.max() > last, alpha=0.8)
