"""Learning over repeated plays, in small panels, one per version; from the table ``learning``."""

from collections.abc import Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator

from priorlab.scripts.analysis.players import Kind, title_of
from priorlab.scripts.report.panels import curve, margin_of
from priorlab.scripts.report.plots import INKS, STYLE, Drawing, apart, panel, tick_text

WIDTH, HEIGHT = 262.0, 190.0  # px of a panel


def plays_panel(frame: pd.DataFrame, version: str, kinds: Sequence[Kind]) -> Drawing:
    """Restricted mean inputs of the first, second, ... play of people, with 95 % intervals.

    ``kinds``: of people and simulated players.
    """
    human = [kind for kind in kinds if not kind.is_agent]
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(WIDTH, HEIGHT, (40, 36, margin_of(human), 14))
        plays = np.concatenate([frame.loc[frame["player"] == kind.label, "attempt"].to_numpy(int) for kind in human])
        axes.set_xlim(0.7, plays.max(initial=2) + 0.3)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.set_xlabel("play of this version")
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(lambda value, _: tick_text(value))
        ends = draw(axes, frame, version, human)
        axes.set_ylim(0, axes.get_ylim()[1])
        name(axes, ends)
    return Drawing(figure, f"Mean inputs to the win by number of the play, {title_of(version)}")


def episodes_panel(frame: pd.DataFrame, version: str, kinds: Sequence[Kind]) -> Drawing:
    """Mean inputs per episode of agents against the number of episodes so far, with 95 % intervals; log axes."""
    agents = [kind for kind in kinds if kind.is_agent]
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(WIDTH, HEIGHT, (44, 36, margin_of(agents), 14))
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("episodes")
        ends = draw(axes, frame, version, agents)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(10, numticks=5))
            axis.set_major_formatter(lambda value, _: tick_text(value))
        axes.minorticks_off()
        name(axes, ends)
    return Drawing(figure, f"Mean inputs per episode against episodes so far, {title_of(version)}")


def draw(axes: Axes, frame: pd.DataFrame, version: str, kinds: Sequence[Kind]) -> list[tuple[Kind, float]]:
    """Draws the means with their intervals; returns the last mean of each kind."""
    ends: list[tuple[Kind, float]] = []
    for line, kind in enumerate(reversed(kinds)):
        rows = curve(frame, kind, version).dropna(subset="mean_inputs")
        if not len(rows):
            continue
        colour, shift = INKS[kind.colour], 0.06 * (line - (len(kinds) - 1) / 2)
        x = rows["attempt"].to_numpy(float) + (0 if axes.get_xscale() == "log" else shift)
        y, low, high = (rows[f"mean_inputs{end}"].to_numpy(float) for end in ("", "_low", "_high"))
        axes.vlines(x, low, high, color=colour, lw=4, alpha=0.35)
        axes.plot(x, y, "o-", color=colour, lw=1.4, ms=5, mec=INKS["surface"], mew=0.8)
        ends.append((kind, float(y[-1])))
    return ends


def name(axes: Axes, ends: Sequence[tuple[Kind, float]]) -> None:
    """Names each kind at the right, at the height of its last mean; call it when the axes are final."""
    places = [axes.transLimits.transform(axes.transScale.transform((1, y)))[1] for _, y in ends]
    for (kind, _), y in zip(ends, apart(places, [0.09] * len(ends), -0.05, 1.05)):
        axes.annotate(
            kind.short, (1, y), (7, 0), xycoords="axes fraction", textcoords="offset points", va="center",
            color=INKS[kind.colour], fontweight="bold", fontsize=10, annotation_clip=False,
        )  # fmt: skip
