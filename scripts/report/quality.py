"""How good the data on people are: their way from consent to analysis as a flow diagram, and what held plays up."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from priorlab.scripts.analysis.flow import BEFORE, STAGES, Flow, Waits
from priorlab.scripts.analysis.players import title_of
from priorlab.scripts.report.plots import INKS, STYLE, Drawing
from priorlab.scripts.report.summary import NOTHING

LINE, PAD, GAP, LETTER = 15.0, 9.0, 20.0, 5.9  # px: of a line, around the text of a box, between boxes, of a letter
ENDINGS = ("won", "limit", "quit", "interrupted")
LEFT_OUT = ("excluded", "later")


@dataclass(frozen=True)
class Box:
    """One stage of the flow: who remains, how they divide up, and who was lost before the next stage."""

    title: str
    n: int
    parts: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def show_quality(flow: Flow | None, waits: Sequence[Waits], widths: dict[str, float]) -> dict | None:
    """What the page shows of the flow and of interruptions; None if no people played."""
    if flow is None:
        return None
    stages = [stage for stage in STAGES if flow.total(stage)]
    return {
        "flow": {name: flow_figure(flow, width) for name, width in widths.items()},
        "versions": flow.versions,
        "rows": [
            (STAGES[stage], [flow.counts[version][stage] for version in flow.versions], flow.total(stage))
            for stage in stages
        ],
        "has_sessions": flow.has_sessions,
        "waits": [
            {
                "version": each.version,
                "n": each.n,
                "paused": of_those(each.paused, each.paused_seconds),
                "idle": of_those(each.idle, each.idle_seconds),
                "resumed": each.resumed,
            }
            for each in waits
        ],
    }


def of_those(n: int, seconds: float) -> str:
    """A number of plays and the median of their seconds."""
    return f"{n} ({seconds:,.0f}\u00a0s)" if n else NOTHING


def boxes_of(flow: Flow) -> list[Box]:
    """The stages of the diagram from consent, if it was recorded, to analysis."""

    def listed(stages: Sequence[str]) -> tuple[str, ...]:
        return tuple(f"{STAGES[stage]}: {flow.total(stage)}" for stage in stages if flow.total(stage))

    boxes = []
    if flow.has_sessions:
        boxes.append(Box("Gave consent", flow.total("consented"), lost=listed(BEFORE)))
    if flow.total("no_input"):
        boxes.append(Box("Began to play", flow.total("began"), lost=listed(["no_input"])))
    boxes.append(Box("Played", flow.total("played"), listed(ENDINGS), listed(LEFT_OUT)))
    each = tuple(f"{title_of(name)}: {flow.counts[name]['analysed']}" for name in flow.versions)
    return [*boxes, Box("Analysed", flow.total("analysed"), each if len(each) > 1 else ())]


def flow_figure(flow: Flow, width: float) -> Drawing:
    """The flow as boxes from top to bottom; on the right, who was lost between two stages."""
    boxes = boxes_of(flow)
    width = min(width, 760.0)
    main, side = 0.56 * width, 0.34 * width
    texts = [lines_of(f"{box.title}: {box.n}", ", ".join(box.parts), main) for box in boxes]
    lost = [lines_of("Lost" if box.title != "Played" else "Left out", ", ".join(box.lost), side) for box in boxes]
    heights = [LINE * len(lines) + 2 * PAD for lines in texts]
    gaps = [max(GAP, (LINE * len(lines) + 2 * PAD + 8 if box.lost else 0)) for box, lines in zip(boxes, lost)]
    total = sum(heights) + sum(gaps[:-1]) + 4
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width / 72, total / 72))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, width), ylim=(total, 0))
        axes.axis("off")
        top = 2.0
        for box, lines, height, gone, gap in zip(boxes, texts, heights, lost, gaps):
            draw_box(axes, 2, top, main, lines)
            if box is not boxes[-1]:
                middle, end = 2 + main / 2, top + height + gap
                axes.annotate("", (middle, end), (middle, top + height), arrowprops=ARROW)
                if box.lost:
                    at = top + height + gap / 2
                    axes.annotate("", (width - side - 2, at), (middle, at), arrowprops=ARROW)
                    draw_box(axes, width - side - 2, at - (LINE * len(gone) + 2 * PAD) / 2, side, gone)
            top += height + gap
    return Drawing(figure, "From consent to analysis: " + "; ".join(f"{box.title} {box.n}" for box in boxes))


ARROW = {"arrowstyle": "-|>", "color": INKS["soft"], "lw": 1.0, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 9}


def lines_of(title: str, text: str, width: float) -> list[str]:
    """The title and the text, wrapped to the inside of a box."""
    return [title, *textwrap.wrap(text, int((width - 2 * PAD) / LETTER))]


def draw_box(axes: Axes, left: float, top: float, width: float, lines: Sequence[str]) -> None:
    """A box with its lines of text, the first one bold."""
    height = LINE * len(lines) + 2 * PAD
    style = {"boxstyle": "round,pad=0,rounding_size=6", "fc": INKS["page"], "ec": INKS["line"], "lw": 1.0}
    axes.add_patch(FancyBboxPatch((left, top), width, height, **style))
    for number, line in enumerate(lines):
        axes.text(
            left + PAD, top + PAD + LINE * (number + 0.5), line, va="center_baseline", fontsize=10.5,
            fontweight="normal" if number else "bold", color=INKS["soft" if number else "ink"],
        )  # fmt: skip
