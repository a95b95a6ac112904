"""Figures as SVG text that takes its colours and its font from the page, so that one drawing serves light and dark."""

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from scripts.report.statistics import Played, exploration_curve, grid_of, kaplan_meier, times_of
from scripts.report.summary import TIMES, Cell, Kind, of_kind, ratio_text, title_of

INKS = {  # drawn with these, shown with the page's variable of that name
    "ink": "#1d2329", "soft": "#5f6b76", "line": "#d9dee3", "surface": "#ffffff",
    "person": "#d9480f", "ppo": "#1c6fd1", "random": "#7a828c",
    "fourth": "#8a3fc4", "fifth": "#0b8f6a", "sixth": "#b5179e", "seventh": "#8f6b00",
}  # fmt: skip
FIRST_INPUTS = 10  # where the axes of inputs begin
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "priorlab", "font.size": 10.5, "text.color": INKS["ink"],
    "axes.edgecolor": INKS["line"], "axes.labelcolor": INKS["soft"], "axes.axisbelow": True,
    "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False,
    "axes.grid": True, "grid.color": INKS["line"], "grid.linewidth": 0.7, "lines.solid_capstyle": "round",
    "xtick.color": INKS["soft"], "xtick.major.pad": 6, "xtick.major.size": 0, "xtick.minor.size": 0,
    "ytick.color": INKS["soft"], "ytick.major.size": 0,
}  # fmt: skip
matplotlib.use("svg")


def svg(figure: Figure, label: str) -> str:
    """The figure as an ``<svg>`` element of the page; ``label`` says in words what it shows."""
    with matplotlib.rc_context(STYLE):  # fonttype and hashsalt count at writing
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'<g id="[^"]*">', "<g>", text)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r"font: [^;\"]*?([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    text = re.sub(r"font-family: [^;\"]*;?", "", text)
    for name, colour in INKS.items():
        text = text.replace(colour, f"var(--{name})")
    box = re.search(r'viewBox="([^"]*)"', text)
    opening = f'<svg viewBox="{box.group(1) if box else ""}" role="img" aria-label="{label}"'
    opening += ' xmlns:xlink="http://www.w3.org/1999/xlink">'
    return re.sub(r"<svg[^>]*>", opening, text, count=1).strip()


def panel(width: float, height: float, margins: tuple[float, float, float, float]) -> tuple[Figure, Axes]:
    """One axes in a figure of ``width`` x ``height`` px; margins left, bottom, right, top in px."""
    left, bottom, right, top = margins
    figure = Figure(figsize=(width / 72, height / 72))
    box = (left / width, bottom / height, (width - left - right) / width, (height - bottom - top) / height)
    return figure, figure.add_axes(box)


def inputs_axis(axes: Axes, last: float) -> None:
    """A log axis of inputs, with its ends labelled as people say them."""
    axes.set_xscale("log")
    axes.set_xlim(FIRST_INPUTS, last)
    ticks = [10**k for k in range(1, 9) if 10**k <= last * 1.001]
    axes.set_xticks(ticks, [said(tick) for tick in ticks])
    axes.minorticks_off()


def said(value: float) -> str:
    return f"{value / 1e6:g}M" if value >= 1e6 else f"{value / 1e3:g}k" if value >= 1e3 else f"{value:g}"


def apart(places: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Where labels of these sizes are written so that they neither meet nor leave low to high, each near its place."""
    order = np.argsort(places, kind="stable")
    moved, wide = np.asarray(places, float)[order], np.asarray(sizes, float)[order]
    least = (wide[:-1] + wide[1:]) / 2
    for _ in range(200):
        moved = np.clip(moved, low + wide / 2, high - wide / 2)
        short = np.maximum(least - np.diff(moved), 0)
        if not short.any():
            break
        moved[:-1] -= short / 2
        moved[1:] += short / 2
    back = np.empty(len(moved))
    back[order] = moved
    return back.tolist()


def exploration_panel(runs: Sequence[Played], version: str, kinds: Sequence[Kind], last: float, most: float) -> str:
    """Unique states against inputs: mean and band a kind of player; thin and broken, the same ones on the original."""
    width, height = 262.0, 200.0
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(width, height, (38, 36, 52, 14))
        inputs_axis(axes, last)
        axes.set_ylim(0, most * 1.04)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.set_xlabel("inputs")
        ends: list[tuple[Kind, float, float]] = []
        for kind in reversed(kinds):
            colour = INKS[kind.colour]
            compared = of_kind(runs, kind, "original")
            if version != "original" and compared:
                grid = grid_of(max(run.budget for run in compared))
                axes.plot(grid, exploration_curve(compared, grid)[0], color=colour, lw=0.9, ls=(0, (3, 2)), alpha=0.75)
            rows = of_kind(runs, kind, version)
            if not rows:
                continue
            grid = grid_of(max(run.budget for run in rows))
            mean, band = exploration_curve(rows, grid)
            if band is not None:
                axes.fill_between(grid, band[0], band[1], color=colour, alpha=0.22, lw=0)
            axes.plot(grid, mean, color=colour, lw=2)
            axes.plot(grid[-1], mean[-1], "o", color=colour, ms=4, clip_on=False)
            ends.append((kind, float(grid[-1]), float(mean[-1])))
        name_ends(axes, ends, last, most, height)
    return svg(figure, f"Unique states against inputs, {title_of(version)}")


def name_ends(axes: Axes, ends: list[tuple[Kind, float, float]], last: float, most: float, height: float) -> None:
    """Names curves where they end: in the margin where they reach it, else left above their last point."""
    line = most * 13 / (height - 50)
    for inside in (True, False):
        chosen = [end for end in ends if (end[1] <= last / 6) == inside]
        places = apart([end[2] for end in chosen], [line] * len(chosen), -0.1 * most, 1.2 * most)
        for (kind, x, _), y in zip(chosen, places):
            axes.annotate(
                kind.short, (x, y) if inside else (1, y), (-4, 5) if inside else (7, 0), textcoords="offset points",
                xycoords="data" if inside else ("axes fraction", "data"), ha="right" if inside else "left",
                va="baseline" if inside else "center", color=INKS[kind.colour], fontweight="bold", fontsize=10,
            )  # fmt: skip


def survival_panel(runs: Sequence[Played], version: str, kinds: Sequence[Kind], last: float) -> str:
    """Share of runs or people that had not won yet; thin and broken, the same players on the original."""
    width, height = 262.0, 180.0
    left, right = 40.0, 14.0
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(width, height, (left, 36, right, 22))
        inputs_axis(axes, last)
        axes.set_ylim(-0.02, 1.04)
        axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
        axes.set_xlabel("inputs")
        starts: list[tuple[Kind, float]] = []
        for kind in reversed(kinds):
            if version != "original":
                draw_survival(axes, of_kind(runs, kind, "original"), INKS[kind.colour], reference=True)
            rows = of_kind(runs, kind, version)
            if rows:
                draw_survival(axes, rows, INKS[kind.colour], reference=False)
                first = min([run.inputs for run in rows if run.won], default=max(run.inputs for run in rows))
                starts.append((kind, first))
        scale = np.log10(last / FIRST_INPUTS)
        across = width - left - right
        places = [np.log10(x / FIRST_INPUTS) / scale * across for _, x in starts]
        places = apart(places, [6.5 * len(kind.short) + 6 for kind, _ in starts], -left, across + right)
        for (kind, _), place in zip(starts, places):
            axes.annotate(
                kind.short, (place / across, 1.03), (0, 4), xycoords="axes fraction", textcoords="offset points",
                ha="center", color=INKS[kind.colour], fontweight="bold", fontsize=9.5,
            )  # fmt: skip
    return svg(figure, f"Share that has not won yet against inputs, {title_of(version)}")


def draw_survival(axes: Axes, runs: Sequence[Played], colour: str, reference: bool) -> None:
    if not runs:
        return
    times, won = times_of(runs)
    ordered, share = kaplan_meier(times, won)
    xs, ys = np.concatenate([[FIRST_INPUTS], ordered]), np.concatenate([[1.0], share])
    if reference:
        axes.step(xs, ys, where="post", color=colour, lw=0.9, ls=(0, (3, 2)), alpha=0.75)
        return
    axes.step(xs, ys, where="post", color=colour, lw=2, clip_on=False)
    censored = np.sort(times[~won])
    at = share[np.searchsorted(ordered, censored, side="right") - 1]
    axes.plot(censored, at, "|", color=colour, ms=9, mew=1.8, clip_on=False)


def slowdown(
    cells: Sequence[tuple[str, Cell]],
    versions: Sequence[str],
    kinds: Sequence[Kind],
    width: float,
    beside: dict[str, str],
) -> str:
    """Inputs to the first win as multiples of the original's, a row a version, with 95 % intervals.

    ``beside`` is written at the right of each row, under its entry "" as a heading; it has no place on the axis.
    """
    shown = [version for version in versions if version != "original"]
    ratios = {(version, cell.kind): cell.ratio for version, cell in cells if cell.ratio}
    players = [kind for kind in kinds if any(of == kind for _, of in ratios)]
    ends = [end for ratio in ratios.values() for end in (ratio.value, ratio.low, ratio.high) if end]
    low, high = min([0.5, *[end / 1.15 for end in ends]]), max([4.0, *ends])
    axis, name = (735, 120) if beside else (262, 95)  # px of the axis, and of the longest name right of a point
    high *= (high / low) ** (name / (axis - name))
    with matplotlib.rc_context({**STYLE, "font.size": row_font(width)}):
        figure, axes = row_axes(shown, len(players), width, right=150 if beside else 16, top=40 if beside else 10)
        axes.set_xscale("log", base=2)
        axes.set_xlim(low, high)
        ticks = [2.0**k for k in range(-8, 12) if low <= 2.0**k <= high]
        every = int(np.ceil(len(ticks) * 60 / (width - 150)))
        ticks = [tick for tick in ticks if round(np.log2(tick)) % every == 0]  # 1 is always among them
        axes.set_xticks(ticks, [f"{tick:g}{TIMES}" for tick in ticks])
        axes.minorticks_off()
        axes.axvline(1, color=INKS["soft"], lw=1.2)
        axes.set_xlabel("inputs to the first win, as a multiple of the original's")
        for row, version in enumerate(shown):
            for kind in players:
                ratio = ratios.get((version, kind))
                if ratio is None:
                    continue
                y, colour = row + offset(kind, players), INKS[kind.colour]
                if ratio.low is not None and ratio.high is not None:
                    axes.plot([ratio.low, ratio.high], [y, y], color=colour, lw=4, alpha=0.35)
                marker = {"": "o", ">=": ">", "<=": "<", "~": "D"}[ratio.bound]
                axes.plot(ratio.value, y, marker, color=colour, ms=7, mec=INKS["surface"], mew=0.8)
                axes.annotate(
                    f"{kind.short} {ratio_text(ratio)}", (max(ratio.value, ratio.high or 0), y), (7, 0), va="center",
                    textcoords="offset points", color=colour, fontweight="bold", annotation_clip=False,
                )  # fmt: skip
        for row, version in enumerate(["", *shown] if beside else []):
            axes.annotate(
                beside[version], (1, row - 1 if row else -0.5), (75, 0 if row else 7), va="center" if row else "bottom",
                xycoords=("axes fraction", "data"), textcoords="offset points", ha="center", annotation_clip=False,
                color=INKS["ink" if row else "soft"],
            )  # fmt: skip
    return svg(figure, "Inputs to the first win in each version as a multiple of the original's")


def deaths(runs: Sequence[Played], versions: Sequence[str], kinds: Sequence[Kind], width: float) -> str:
    """Deaths before the first win: a dot a run or person, hollow where it never won; the bar is the median."""
    most = max(10.0, max(run.deaths for run in runs) * 1.6)
    with matplotlib.rc_context({**STYLE, "font.size": row_font(width)}):
        figure, axes = row_axes(versions, len(kinds), width, right=16, top=10)
        axes.set_xscale("symlog", linthresh=1, linscale=0.5)
        axes.set_xlim(-0.25, most)
        ticks = [0, *[10**k for k in range(0, 8) if 10**k <= most]]
        axes.set_xticks(ticks, [said(tick) for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel("deaths before the first win")
        for row, version in enumerate(versions):
            for kind in kinds:
                rows = of_kind(runs, kind, version)
                y, colour = row + offset(kind, kinds), INKS[kind.colour]
                for won, face in ((True, colour), (False, INKS["surface"])):
                    dots = [run.deaths for run in rows if run.won == won]
                    style = {"ms": 6, "mfc": face, "mec": colour, "mew": 1.3, "alpha": 0.8}
                    axes.plot(dots, np.full(len(dots), y), "o", clip_on=False, **style)
                if rows:
                    axes.plot(np.median([run.deaths for run in rows]), y, "|", color=colour, ms=14, mew=2.4)
    return svg(figure, "Deaths before the first win in each version")


def row_font(width: float) -> float:
    return 13.0 if width > 600 else 11.0


def row_axes(versions: Sequence[str], players: int, width: float, right: float, top: float) -> tuple[Figure, Axes]:
    """Axes with a row a version, the first on top, each with room for so many players, every other one shaded."""
    step = max(36.0, 16.0 * players + 12)
    left = 175.0 if width > 600 else 122.0
    figure, axes = panel(width, step * len(versions) + 44 + top, (left, 44, right, top))
    axes.grid(axis="y", visible=False)
    axes.set_ylim(len(versions) - 0.5, -0.5)
    axes.set_yticks(range(len(versions)), [title_of(version) for version in versions])
    axes.tick_params(axis="y", labelcolor=INKS["ink"], pad=8)
    for row in range(1, len(versions), 2):
        axes.axhspan(row - 0.5, row + 0.5, color=INKS["line"], alpha=0.28, lw=0)
    return figure, axes


def offset(kind: Kind, players: Sequence[Kind]) -> float:
    """Where a player's line lies within a version's row, whose height is 1."""
    step = max(36.0, 16.0 * len(players) + 12)
    return (list(players).index(kind) - (len(players) - 1) / 2) * 16 / step
