"""The page on how far an agent's network can shrink."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

from priorlab.envs.base.files import write_whole
from priorlab.envs.game.level import Level
from priorlab.scripts.report.page import NARROW, WIDE, render
from priorlab.scripts.report.plots import INKS, STYLE, apart, panel, svg
from priorlab.scripts.sequences.measures import estimated
from priorlab.scripts.sequences.page import words

KINDS = {  # how it starts again: its name, its colour, what it means, and in a sentence
    "start": ("back to its start", "ppo",
              "the weights that are left begin as they did the first time: a lottery ticket", "back at their start"),
    "random": ("a new start", "random", "the ticket's control: the same ones are left, but drawn anew", "drawn anew"),
    "none": ("trained on", "person", "they go on from where they are: magnitude pruning", "trained on"),
}  # fmt: skip
SOLVED = 0.9  # share of episodes won


def write_tickets(folder: Path, rows: pd.DataFrame, settings: Mapping[str, Any], quick: bool = False) -> Path:
    """Writes report.html into ``folder``, of rows as ``priorlab.scripts.tickets.runs`` keeps them."""
    if not len(rows):
        raise ValueError(
            f"{folder}: no rows: expected those of one network or more; without --report-only it makes them"
        )
    found = {kind: table_of(rows, kind) for kind in KINDS if kind in set(rows["restart"])}
    shares = np.unique(np.concatenate([left for left, _ in found.values()]))[::-1]
    table = [(kind, [cell(found[kind], left) for left in shares]) for kind in found]
    text = render(
        "tickets.html",
        headline=headline(found),
        quick=quick,
        figure={"wide": lines(found, WIDE, 400), "narrow": lines(found, NARROW, 340)},
        kinds=[(*KINDS[kind][:3], len(found[kind][1])) for kind in found],
        shares=[share(left) for left in shares],
        table=[(*KINDS[kind][:2], cells) for kind, cells in table],
        settings=settings,
        level=Level.read(settings["learner"]["level"]).name,
    )
    path = folder / "report.html"
    write_whole(path, text)
    return path


def table_of(rows: pd.DataFrame, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Shares of weights left, (m,), and performances, (n, m), of n networks."""
    own = (
        rows[rows["restart"] == kind]
        .pivot(index="left", columns="seed", values="performance")
        .sort_index(ascending=False)
    )
    return own.index.to_numpy(float), own.to_numpy(float).T  # (m, n) -> (n, m)


def cell(found: tuple[np.ndarray, np.ndarray], left: float) -> str:
    shares, performances = found
    return words(estimated(performances[:, np.flatnonzero(shares == left)[0]]))


def share(left: float) -> str:
    return f"{100 * left:.{0 if left > 0.1 else 1}f}\N{NO-BREAK SPACE}%"


def headline(found: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> str:
    """With how few of its weights, and with all shares above, the median network of each kind wins nine of ten; the
    mean would say how often a training fails."""
    told = []
    for kind, (left, performances) in found.items():
        wins = np.median(performances, axis=0) >= SOLVED
        if wins[0]:
            fewest = left[np.logical_and.accumulate(wins)][-1]
            told.append(f"{share(fewest)}{'' if told else ' of its weights'} {KINDS[kind][3]}")
    if not told:
        return "No kind of network wins nine of ten episodes"
    return f"The median network still wins nine of ten episodes with {', '.join(told)}"


def lines(found: Mapping[str, tuple[np.ndarray, np.ndarray]], width: float, height: float) -> str:
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(width, height, (44, 40, 118, 10))
        ends = []
        for kind, (left, performances) in found.items():
            name, colour, *_ = KINDS[kind]
            for each in performances:
                axes.plot(left, each, color=INKS[colour], lw=0.8, alpha=0.35)
            middle = np.median(performances, axis=0)
            axes.plot(left, middle, color=INKS[colour], lw=2.2, marker="o", ms=4)
            ends.append((float(middle[-1]), name, colour))
        axes.set_xscale("log")
        shares = np.unique(np.concatenate([left for left, _ in found.values()]))[::-1]
        axes.set_xlim(shares[0] * 1.1, shares[-1] * 0.9)
        shown = shares if width == WIDE else shares[::2]
        axes.set_xticks(shown, [share(left) for left in shown])
        axes.minorticks_off()
        axes.set_ylim(0, 1.04)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
        axes.set_xlabel("weights left")
        places = apart([end for end, _, _ in ends], [1.04 * 15 / (height - 50)] * len(ends), 0, 1.04)
        for (_, name, colour), place in zip(ends, places):
            axes.annotate(
                name, (1, place), (7, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                va="center", color=INKS[colour], fontweight="bold", fontsize=10,
            )  # fmt: skip
    return svg(figure, "Share of episodes won against the share of weights that are left")
