"""Figures for pages and papers. On a page, SVG takes its colours and font from the page, so one drawing serves light
and dark; files are SVG or PDF.
"""

import io
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import isotonic_regression

COLOURS: dict[str, list[str]] = tomllib.loads(  # by name: on light, on dark; also the variables of a page
    (Path(__file__).parent / "templates" / "colours.toml").read_text(encoding="utf-8")
)
INKS = {name: light for name, (light, _) in COLOURS.items()}  # the colours that figures are drawn in
THINGS = {"ladder": "soft", "door": "goal"}  # inks of a level's things; the others have the name of their ink
FONT = "font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"
FIRST_INPUTS = 10  # at the left end of axes of inputs
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "priorlab", "font.size": 10.5, "text.color": INKS["ink"],
    "axes.edgecolor": INKS["line"], "axes.labelcolor": INKS["soft"], "axes.axisbelow": True,
    "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False,
    "axes.grid": True, "grid.color": INKS["line"], "grid.linewidth": 0.7, "lines.solid_capstyle": "round",
    "xtick.color": INKS["soft"], "xtick.major.pad": 6, "xtick.major.size": 0, "xtick.minor.size": 0,
    "ytick.color": INKS["soft"], "ytick.major.size": 0,
}  # fmt: skip
matplotlib.use("svg")


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure and its description in words. Templates and ``str`` get it as the ``<svg>`` element of a page."""

    figure: Figure
    label: str

    @cached_property
    def text(self) -> str:
        return svg(self.figure, self.label)

    def __str__(self) -> str:
        return self.text

    def __html__(self) -> str:
        return self.text

    def pdf(self) -> bytes:
        """The figure as a PDF file whose fonts are embedded as TrueType (type 42), as journals ask, so text stays
        text."""
        buffer = io.BytesIO()
        with matplotlib.rc_context({**STYLE, "pdf.fonttype": 42}):
            self.figure.savefig(buffer, format="pdf", metadata={"Title": self.label, "CreationDate": None})
        return buffer.getvalue()


def svg(figure: Figure, label: str) -> str:
    """The figure as an ``<svg>`` element of the page; ``label`` describes it in words."""
    with matplotlib.rc_context(STYLE):  # fonttype and hashsalt take effect at writing
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'<g id="[^"]*">', "<g>", text)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r"(?<=\d\.\d\d)\d+", "", text)  # hundredths of a pixel
    text = re.sub(r"font: [^;\"]*?([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    text = re.sub(r"font-family: [^;\"]*;?", "", text)
    for name, colour in INKS.items():
        text = text.replace(colour, f"var(--{name})")
    box = re.search(r'viewBox="([^"]*)"', text)
    opening = f'<svg viewBox="{box.group(1) if box else ""}" role="img" aria-label="{label}"'
    opening += ' xmlns:xlink="http://www.w3.org/1999/xlink">'
    return re.sub(r"<svg[^>]*>", opening, text, count=1).strip()


def standalone(figure: str | Drawing) -> str:
    """A drawing, or an element from ``svg``, as a separate file: it has a background, and turns dark if the reader's
    browser is."""
    text = str(figure)
    for name, colour in INKS.items():
        text = text.replace(f"var(--{name})", colour)
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)
    width, height = box.groups() if box else ("", "")
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" style="{FONT}" '
    ground = f'<style>{dark(text)}</style><rect width="100%" height="100%" style="fill: {INKS["surface"]}"/>'
    return re.sub(r"<svg ([^>]*>)", rf"{opening}\1{ground}", text, count=1) + "\n"


def dark(text: str) -> str:
    """The style by which the colours of a figure that was drawn on light are those on dark."""
    rules = [
        f'[style*="{what}: {light}"] {{ {what}: {other} !important }}'
        for light, other in COLOURS.values()
        for what in ("fill", "stroke")
        if f"{what}: {light}" in text or light == INKS["surface"]
    ]
    return f"@media (prefers-color-scheme: dark) {{ {' '.join(rules)} }}"


def variables() -> str:
    """The style of a page that has all colours as variables."""
    sides = ["".join(f" --{name}: {pair[side]};" for name, pair in COLOURS.items()) for side in (0, 1)]
    return (
        f":root {{ color-scheme: light dark;{sides[0]} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{{sides[1]} }} }}\n"
    )


def panel(width: float, height: float, margins: tuple[float, float, float, float]) -> tuple[Figure, Axes]:
    """One axes in a figure of ``width`` x ``height`` px; margins left, bottom, right, top in px."""
    left, bottom, right, top = margins
    figure = Figure(figsize=(width / 72, height / 72))
    box = (left / width, bottom / height, (width - left - right) / width, (height - bottom - top) / height)
    return figure, figure.add_axes(box)


def inputs_axis(axes: Axes, last: float, first: float = FIRST_INPUTS) -> None:
    """A log axis of inputs, with labels such as 10k and 1M."""
    axes.set_xscale("log")
    axes.set_xlim(first, last)
    ticks = [10**k for k in range(1, 9) if first <= 10**k <= last * 1.001]
    axes.set_xticks(ticks, [tick_text(tick) for tick in ticks])
    axes.minorticks_off()


def tick_text(value: float) -> str:
    return f"{value / 1e6:g}M" if value >= 1e6 else f"{value / 1e3:g}k" if value >= 1e3 else f"{value:g}"


def apart(places: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Moves labels of these sizes apart, as little as possible, so that they neither overlap nor leave low to high."""
    order = np.argsort(places, kind="stable")
    moved, wide = np.asarray(places, float)[order], np.asarray(sizes, float)[order]
    above = np.cumsum(wide) - wide / 2  # from low to the middle of each, if they were stacked
    free = isotonic_regression(moved - above).x.clip(low, max(low, high - wide.sum()))  # moves as little as possible
    back = np.empty(len(moved))
    back[order] = free + above
    return back.tolist()
