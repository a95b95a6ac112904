"""Figures with one row per version: ratios, minutes, quits, deaths, and when and in which order things were reached."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from priorlab.envs.plays.tracks import Thing
from priorlab.scripts.analysis import statistics
from priorlab.scripts.analysis.comparison import Analysis, Estimate
from priorlab.scripts.analysis.players import Kind, of_kind, title_of
from priorlab.scripts.analysis.reaching import Reach
from priorlab.scripts.analysis.statistics import Ratio
from priorlab.scripts.report.plots import INKS, STYLE, THINGS, Drawing, panel, tick_text
from priorlab.scripts.report.summary import TIMES, decimal, percent, ratio_text

HEIGHT, PAD, LEAST = 16.0, 12.0, 36.0  # px: of a player's line, around a row's lines, of a row
MARKERS = {"": "o", ">=": ">", "<=": "<", "~": "D"}
PUBLISHED = {"marker": "d", "mfc": "none", "mec": INKS["ink"], "ms": 7, "mew": 1.2, "ls": "", "clip_on": False}
LETTER = 0.62  # width of a letter, as a share of the font size
ABOVE = 0.45  # of a row, above its middle: where a published figure is drawn, clear of the players' numbers
MOMENTS = {1 / 60: "1 s", 1 / 6: "10 s", 1.0: "1 m", 10.0: "10 m", 100.0: "100 m"}  # minutes, on a log axis


def row_font(width: float) -> float:
    return 13.0 if width > 600 else 11.0


def names_width(width: float) -> float:
    """px of the names of versions, left of the axes."""
    return 175.0 if width > 600 else 122.0


def row_axes(
    versions: Sequence[str], lines: int, width: float, right: float, top: float, bottom: float = 44
) -> tuple[Figure, Axes]:
    """Axes with one row per version, the first on top, each with room for so many lines; every other row is shaded."""
    step = max(LEAST, HEIGHT * lines + PAD)
    figure, axes = panel(width, step * len(versions) + bottom + top, (names_width(width), bottom, right, top))
    axes.grid(axis="y", visible=False)
    axes.set_ylim(len(versions) - 0.5, -0.5)
    axes.set_yticks(range(len(versions)), [title_of(version) for version in versions])
    axes.tick_params(axis="y", labelcolor=INKS["ink"], pad=8)
    for row in range(1, len(versions), 2):
        axes.axhspan(row - 0.5, row + 0.5, color=INKS["line"], alpha=0.28, lw=0)
    return figure, axes


def offset(line: int, lines: int, most: int | None = None) -> float:
    """Position of a line within a version's row, whose height is 1; ``most``: the number of lines of the fullest row,
    by which rows are as high as they are."""
    return (line - (lines - 1) / 2) * HEIGHT / max(LEAST, HEIGHT * (most or lines) + PAD)


def interval(axes: Axes, y: float, estimate: Estimate, colour: str, text: str, marker: str = "o", hollow: bool = False):
    """A point with its 95 % interval, and a text to its right."""
    high = estimate.value if estimate.high is None else estimate.high
    if estimate.low is not None:
        axes.plot([estimate.low, high], [y, y], color=colour, lw=2 if hollow else 4, alpha=0.35)
    face = {"mfc": INKS["surface"], "mec": colour, "mew": 1.5} if hollow else {"mec": INKS["surface"], "mew": 0.8}
    axes.plot(estimate.value, y, marker, color=colour, ms=7, clip_on=False, **face)
    axes.annotate(
        text, (max(estimate.value, high), y), (7, 0), va="center", textcoords="offset points", color=colour,
        fontweight="bold", annotation_clip=False,
    )  # fmt: skip


def slowdown(
    versions: Sequence[str], kinds: Sequence[Kind], ratios: Mapping[tuple[str, Kind], Ratio], width: float,
    notes: Mapping[str, str], published: Mapping[str, float], what: str = "the first win",
) -> Drawing:  # fmt: skip
    """Inputs to the first win as multiples of the original's, one row per version, with 95 % intervals.

    ``ratios`` are by version and kind of player, drawn in the order of ``versions`` and ``kinds``. ``notes`` are
    written to the right of the rows, with the entry "" as their heading. ``published`` ratios, of the same game, are
    drawn on the axis. ``what``: what the inputs led to.
    """
    changed = [version for version in versions if version != "original"]
    players = [kind for kind in kinds if any(of == kind for _, of in ratios)]
    theirs = {version: published[version] for version in changed if version in published}
    ends = [end for ratio in ratios.values() for end in (ratio.value, ratio.low, ratio.high) if end]
    ends += theirs.values()
    low, high = min([0.5, *[end / 1.15 for end in ends]]), max([4.0, *ends])
    labels = {each: f"{each[1].short} {ratio_text(ratio)}" for each, ratio in ratios.items()}
    right = 150 if notes else 16
    axis = width - names_width(width) - right  # px
    name = 10 + LETTER * row_font(width) * max(map(len, labels.values()), default=0)  # the longest, from a point on
    high *= (high / low) ** (name / (axis - name))
    with matplotlib.rc_context({**STYLE, "font.size": row_font(width)}):
        figure, axes = row_axes(changed, len(players), width, right, top=40 if notes else 10)
        axes.set_xscale("log", base=2)
        axes.set_xlim(low, high)
        ticks = [2.0**k for k in range(-8, 12) if low <= 2.0**k <= high]
        every = int(np.ceil(len(ticks) * 60 / (width - 150)))
        ticks = [tick for tick in ticks if round(np.log2(tick)) % every == 0]  # 1 is always among them
        axes.set_xticks(ticks, [f"{tick:g}{TIMES}" for tick in ticks])
        axes.minorticks_off()
        axes.axvline(1, color=INKS["soft"], lw=1.2)
        axes.set_xlabel(f"inputs to {what}, as a multiple of the original's")
        for row, version in enumerate(changed):
            here = [(kind, ratio) for kind in players if (ratio := ratios.get((version, kind)))]
            for line, (kind, ratio) in enumerate(here):
                estimate = Estimate(ratio.value, ratio.low, ratio.high, ratio.n)
                y = row + offset(line, len(here), len(players))
                interval(axes, y, estimate, INKS[kind.colour], labels[version, kind], MARKERS[ratio.bound])
            if version in theirs:
                axes.plot(theirs[version], row - ABOVE, **PUBLISHED)
        for row, version in enumerate(["", *changed] if notes else []):
            axes.annotate(
                notes[version], (1, row - 1 if row else -0.5), (75, 0 if row else 7), va="center" if row else "bottom",
                xycoords=("axes fraction", "data"), textcoords="offset points", ha="center", annotation_clip=False,
                color=INKS["ink" if row else "soft"],
            )  # fmt: skip
    return Drawing(figure, f"Inputs to {what} in each version as a multiple of the original's")


def human(analysis: Analysis) -> tuple[list[Kind], list[str]]:
    """The kinds of players that are not agents, and the versions that they played."""
    cells = [cell for cell in analysis.cells if not cell.kind.is_agent]
    kinds = [kind for kind in analysis.section.kinds if not kind.is_agent]
    return kinds, [name for name in analysis.section.versions if any(cell.version == name for cell in cells)]


def minutes(analysis: Analysis, width: float, published: Mapping[str, float]) -> Drawing:
    """Mean minutes to solve: filled, quits censored; hollow, quits at the full time; with ``published`` means."""
    kinds, versions = human(analysis)
    with matplotlib.rc_context({**STYLE, "font.size": row_font(width)}):
        figure, axes = row_axes(versions, 2 * len(kinds), width, right=74, top=10)
        shown = [each for cell in analysis.cells for each in (cell.minutes, cell.worst) if each]
        ends = [end for each in shown for end in (each.value, each.high) if end] + [*published.values()]
        axes.set_xlim(0, min(1.03 * max(ends, default=1), max(analysis.limit, *published.values(), 0)))
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_xlabel(f"mean minutes to solve, counted to {analysis.limit:g}")
        for row, version in enumerate(versions):
            cells = [cell for kind in kinds if (cell := analysis.find(kind, version))]
            for line, cell in enumerate(cells):
                for at, estimate in enumerate((cell.minutes, cell.worst)):
                    y = row + offset(2 * line + at, 2 * len(cells), 2 * len(kinds))
                    if estimate:
                        text = decimal(estimate.value)
                        interval(axes, y, estimate, INKS[cell.kind.colour], text, hollow=bool(at))
            if version in published:
                axes.plot(published[version], row - ABOVE, **PUBLISHED)
    return Drawing(figure, "Mean minutes to solve in each version, quits censored and quits at the full time")


def quits(analysis: Analysis, width: float) -> Drawing:
    """The share that quit, with Wilson's interval."""
    kinds, versions = human(analysis)
    with matplotlib.rc_context({**STYLE, "font.size": row_font(width)}):
        figure, axes = row_axes(versions, len(kinds), width, right=74, top=10)
        most = max((cell.quit.high or cell.quit.value for cell in analysis.cells if cell.quit), default=1)
        last = next(end for end in (0.1, 0.2, 0.4, 0.6, 0.8, 1.0) if end > 0.98 * most)
        axes.set_xlim(-0.005 * last, last)
        ticks = last * np.arange(5) / 4 if last > 0.1 else [0, 0.05, 0.1]
        axes.set_xticks(ticks, [f"{100 * tick:g} %" for tick in ticks])
        axes.set_xlabel("share that quit")
        for row, version in enumerate(versions):
            cells = [cell for kind in kinds if (cell := analysis.find(kind, version))]
            for line, cell in enumerate(cells):
                if cell.quit:
                    y, text = row + offset(line, len(cells), len(kinds)), f"{percent(cell.quit.value)} of {cell.quit.n}"
                    interval(axes, y, cell.quit, INKS[cell.kind.colour], text)
    return Drawing(figure, "Share that quit in each version")


def deaths(analysis: Analysis, width: float) -> Drawing:
    """Deaths before the first win: one dot per run or person, hollow if it never won; the bar is the median."""
    section = analysis.section
    kinds = [kind for kind in section.kinds if not np.isnan([run.deaths for run in of_kind(section.runs, kind)]).all()]
    most = max(2.0, np.nanmax([run.deaths for run in section.runs]) * 1.15)
    with matplotlib.rc_context({**STYLE, "font.size": row_font(width)}):
        figure, axes = row_axes(section.versions, len(kinds), width, right=16, top=10)
        axes.set_xscale("symlog", linthresh=1, linscale=0.5)
        axes.set_xlim(-0.25, most)
        steps = (1, 2, 5) if most < 200 else (1,)
        ticks = [0, *[step * 10**k for k in range(8) for step in steps if step * 10**k <= most]]
        axes.set_xticks(ticks, [tick_text(tick) for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel("deaths before the first win")
        for row, version in enumerate(section.versions):
            here = [kind for kind in kinds if of_kind(section.runs, kind, version)]
            for line, kind in enumerate(here):
                rows = of_kind(section.runs, kind, version)
                y, colour = row + offset(line, len(here), len(kinds)), INKS[kind.colour]
                many = len(rows) > 12
                for won, face in ((True, colour), (False, INKS["surface"])):
                    dots = [run.deaths for run in rows if run.won == won]
                    # many dots would hide each other, so they are shifted a little, always the same way
                    strewn = (np.arange(len(dots)) * 0.618 % 1 - 0.5) * (0.28 / max(len(kinds), 1) if many else 0)
                    style = {"ms": 4 if many else 6, "mfc": face, "mec": colour, "mew": 1.0 if many else 1.3}
                    axes.plot(dots, y + strewn, "o", clip_on=False, alpha=0.5 if many else 0.8, **style)
                if len(rows) >= statistics.LEAST or (kind.is_agent and rows):
                    axes.plot(np.median([run.deaths for run in rows]), y, "|", color=colour, ms=14, mew=2.4)
    return Drawing(figure, "Deaths before the first win in each version")


def reach_times(
    reaches: Sequence[Reach], versions: Sequence[str], kinds: Sequence[Kind], first: float, last: float
) -> Drawing:
    """When half of the players had reached one thing, one row per version, with 95 % intervals.

    The log axis runs from ``first`` to ``last`` minutes; to its right is the number of players who reached the thing. A
    triangle at its end: fewer than half were seen to. Very few players have one hollow dot each.
    """
    left, right, step = 112.0, 40.0, 13.0 * len(kinds) + 9
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(300, step * len(versions) + 40, (left, 34, right, 6))
        axes.grid(axis="y", visible=False)
        axes.set_ylim(len(versions) - 0.5, -0.5)
        axes.set_yticks(range(len(versions)), [title_of(version) for version in versions])
        axes.tick_params(axis="y", labelcolor=INKS["ink"], pad=6)
        axes.set_xscale("log")
        axes.set_xlim(first, last)
        ticks = [tick for tick in MOMENTS if first <= tick <= last]
        axes.set_xticks(ticks, [MOMENTS[tick] for tick in ticks])
        axes.minorticks_off()
        for row in range(1, len(versions), 2):
            axes.axhspan(row - 0.5, row + 0.5, color=INKS["line"], alpha=0.28, lw=0)
        for each in reaches:
            here = [kind for kind in kinds if any((one.version, one.kind) == (each.version, kind) for one in reaches)]
            line, colour = here.index(each.kind), INKS[each.kind.colour]
            y = versions.index(each.version) + (line - (len(here) - 1) / 2) * 13 / step
            if each.median is None:
                axes.plot(each.times, [y] * len(each.times), "o", mfc="none", mec=colour, ms=6, mew=1.3, clip_on=False)
            low, high = (each.median.low, each.median.high) if each.median else (None, None)
            if low is not None and high is not None and np.isfinite(low):
                ends = np.clip([low, min(high, last)], first, last)
                axes.plot(ends, [y, y], color=colour, lw=4, alpha=0.35)
            if each.median and np.isfinite(each.median.value):
                at = float(np.clip(each.median.value, first, last))
                axes.plot(at, y, "o", color=colour, ms=6, mec=INKS["surface"], mew=0.8, clip_on=False)
            elif each.median and each.times:
                axes.plot(last, y, ">", mfc=INKS["surface"], mec=colour, ms=6, mew=1.3, clip_on=False)
            axes.annotate(
                f"{len(each.times)}/{each.n}", (1, y), (8, 0), xycoords=("axes fraction", "data"), va="center",
                textcoords="offset points", color=colour, fontsize=9, annotation_clip=False,
            )  # fmt: skip
    name = reaches[0].thing.name if reaches else ""
    return Drawing(figure, f"When half of the players had reached {name}, in each version")


def reach_order(
    reaches: Sequence[Reach], things: Sequence[Thing], versions: Sequence[str], kinds: Sequence[Kind], width: float
) -> Drawing:
    """The mean place of each thing (column) in the order of reaching, by version (row); early is dark."""
    wide, most = width > 600, max(len(things), 2)
    with matplotlib.rc_context({**STYLE, "font.size": row_font(width)}):
        figure, axes = row_axes(versions, len(kinds), width, 100 if wide and len(kinds) > 1 else 8, 30, 10)
        axes.grid(visible=False)
        axes.set_xlim(-0.5, len(things) - 0.5)
        axes.xaxis.tick_top()
        column = axes.get_position().width * width / len(things)  # px
        turned = 90 if column < 9 * max(len(thing.short) for thing in things) else 0
        axes.set_xticks(range(len(things)), [thing.short for thing in things], fontweight="bold", rotation=turned)
        for label, thing in zip(axes.get_xticklabels(), things):
            label.set_color(INKS[THINGS.get(thing.kind, thing.kind)])
        axes.spines["bottom"].set_visible(False)
        height = offset(1, len(kinds)) - offset(0, len(kinds)) if len(kinds) > 1 else 0.7
        placed = [each for each in reaches if each.thing in things and each.place]
        here = {name: [kind for kind in kinds if any((each.version, each.kind) == (name, kind) for each in placed)]
                for name in versions}  # fmt: skip
        for each in placed:
            assert each.place
            line = here[each.version].index(each.kind)
            x, y = things.index(each.thing), versions.index(each.version)
            y += offset(line, len(here[each.version]), len(kinds))
            dark = 0.62 * (1 - (each.place.value - 1) / (most - 1))
            axes.barh(y, 0.94, 0.94 * height, x - 0.47, color=INKS[each.kind.colour], alpha=float(np.clip(dark, 0, 1)))
            value = f"{each.place.value:.1f}" if wide else f"{each.place.value:.0f}"
            value = value if column > 15 else ""
            axes.text(x, y, value, ha="center", va="center_baseline", fontsize=row_font(width) - (0 if wide else 1.5))
        for row, version in enumerate(versions if wide and len(kinds) > 1 else ()):
            for line, kind in enumerate(here[version]):
                axes.annotate(
                    kind.short, (1, row + offset(line, len(here[version]), len(kinds))), (6, 0), va="center",
                    fontsize=11, xycoords=("axes fraction", "data"), textcoords="offset points",
                    color=INKS[kind.colour], annotation_clip=False,
                )  # fmt: skip
    return Drawing(figure, "Mean place of each object and ladder in the order of reaching, in each version")
