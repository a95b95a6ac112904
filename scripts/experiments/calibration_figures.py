"""Reliability by role, in a panel for each setting of the dials; and the learning curve."""

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

from priorlab.agents.priors.appraisal import BINS, CONDITIONS
from priorlab.agents.priors.roles import ROLES
from priorlab.scripts.report.plots import INKS, STYLE, Drawing, panel, tick_text
from priorlab.scripts.report.render import WIDE

EDGE = 1 / BINS  # probabilities below it, and above 1 less it, are called sure
FEWEST = 20  # probabilities in a bin that is drawn
NEAR = 1.1  # the learning curve is averaged over pictures up to so many times as many, or as few
COLOURS: dict[str, str] = dict(zip(ROLES, ("random", "ink", "dqn", "ppo", "person", "sixth", "simulated", "seventh")))
MARKS: dict[str, str] = dict(zip(ROLES, "osD^vPX*"))
ACROSS, SIDE, LEFT, RIGHT, BELOW, TOP = 4, 205, 62, 24, 44, 26  # panels a row; px


def reliability_diagram(rows: Any) -> Drawing:
    """The share that was true against the mean probability, before any evidence, of probabilities that are unsure.

    rows: a DataFrame of reliability.csv.
    """
    rows = rows[(rows["share"] == 0) & rows["mean"].between(EDGE, 1 - EDGE) & (rows["probabilities"] >= FEWEST)]
    shown = [role for role in ROLES if role in set(rows["role"])]
    down = -(-(len(CONDITIONS) + 1) // ACROSS)
    height = down * (SIDE + TOP + BELOW)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDE / 72, height / 72))
        for place, condition in enumerate(CONDITIONS):
            axes = cell(figure, place, height)
            reliability(axes, rows[rows["condition"] == condition])
            axes.set_title(condition, loc="left", fontsize=11, color=INKS["ink"], fontweight="bold")
            if place % ACROSS == 0:
                axes.set_ylabel("share that was true")
            if place + ACROSS > len(CONDITIONS):
                axes.set_xlabel("mean probability")
        key(cell(figure, len(CONDITIONS), height), shown)
    return Drawing(figure, "How often what got a probability was true, by role and setting of the dials")


def cell(figure: Figure, place: int, height: float) -> Axes:
    """The axes of that place, from the top left."""
    row, column = divmod(place, ACROSS)
    step = (WIDE - LEFT - RIGHT - SIDE) / (ACROSS - 1)
    bottom = height - (row + 1) * (SIDE + TOP + BELOW) + BELOW
    return figure.add_axes(((LEFT + column * step) / WIDE, bottom / height, SIDE / WIDE, SIDE / height))


def reliability(axes: Axes, rows: Any) -> None:
    axes.plot([0, 1], [0, 1], color=INKS["soft"], lw=1, ls=(0, (4, 3)))
    for role in ROLES:
        own = rows[rows["role"] == role].sort_values("mean")
        colour = INKS[COLOURS[role]]
        bins = np.floor(own["mean"].to_numpy(float) / EDGE)
        for part in np.split(np.arange(len(own)), np.flatnonzero(np.diff(bins) > 1) + 1):  # no line over empty bins
            axes.plot(own["mean"].iloc[part], own["true"].iloc[part], color=colour, lw=1.3, alpha=0.55)
        sizes = 9 + 5 * np.log10(own["probabilities"].to_numpy(float)) ** 1.5
        axes.scatter(own["mean"], own["true"], sizes, color=colour, marker=MARKS[role], lw=0, zorder=3, clip_on=False)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    for set_ticks in (axes.set_xticks, axes.set_yticks):
        set_ticks([0, 0.5, 1], ["0", "50 %", "100 %"])


def key(axes: Axes, roles: Sequence[str]) -> None:
    """The names of the roles."""
    axes.set_axis_off()
    for number, role in enumerate(roles):
        y = 0.97 - number * 0.105
        axes.plot([0.02, 0.14], [y, y], color=INKS[COLOURS[role]], lw=1.3, alpha=0.55)
        axes.plot(0.08, y, MARKS[role], color=INKS[COLOURS[role]], ms=6, mew=0)
        axes.text(0.2, y, role, va="center", color=INKS["ink"])
    axes.plot([0.02, 0.14], [0.11, 0.11], color=INKS["soft"], lw=1, ls=(0, (4, 3)))
    axes.text(0.2, 0.11, "as good as it says", va="center", color=INKS["soft"])
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)


def learning_curve(rows: Any) -> Drawing:
    """The loss against pictures, both on log scales, and its running mean. rows: a DataFrame of progress.csv."""
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(WIDE, 300, (58, 44, 14, 12))
        axes.plot(rows["pictures"], rows["loss"], color=INKS["ppo"], lw=0.8, alpha=0.35)
        at, logs = (np.log(rows[name].to_numpy(float)) for name in ("pictures", "loss"))
        smooth = [logs[np.abs(at - here) < np.log(NEAR)].mean() for here in at]
        axes.plot(rows["pictures"], np.exp(smooth), color=INKS["ppo"], lw=2.2)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(rows["pictures"].iloc[0], rows["pictures"].iloc[-1])
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: tick_text(value)))
        axes.minorticks_off()
        axes.set_xlabel("pictures learned from")
        axes.set_ylabel("loss, nats per cell")
    return Drawing(figure, "The loss against pictures learned from")
