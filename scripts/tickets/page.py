"""The page and the README.md on how far an agent's network can shrink."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

from priorlab.envs.base.files import write_whole
from priorlab.envs.game.level import Level
from priorlab.scripts.report import readme
from priorlab.scripts.report.plots import INKS, STYLE, apart, panel, svg
from priorlab.scripts.report.render import NARROW, WIDE, render
from priorlab.scripts.sequences.measures import estimated
from priorlab.scripts.sequences.readme import words

KINDS = {  # how it starts again: its name, its colour, what it means, and in a sentence
    "start": ("reset to the start", "ppo",
              "the weights that are left return to their first values: a lottery ticket",
              "reset to their first values"),
    "random": ("drawn again", "random",
               "the ticket's control: the same weights are left, with new random values", "drawn again at random"),
    "none": ("trained on", "person", "the weights that are left continue from their values: magnitude pruning",
             "trained on"),
}  # fmt: skip
SOLVED = 0.9  # share of episodes won
USUAL = Path("results/tickets")
FIGURE = "won.svg"


def write_tickets(folder: Path, rows: pd.DataFrame, settings: Mapping[str, Any], quick: bool = False) -> Path:
    """Writes report.html and README.md, of rows as ``priorlab.scripts.tickets.runs`` keeps them, into ``folder``."""
    found = tables_of(rows, folder)
    drawn = {"wide": lines(found, WIDE, 400), "narrow": lines(found, NARROW, 340)}
    shares = shares_of(found)
    text = render(
        "tickets.html",
        headline=headline(found),
        quick=quick,
        figure=drawn,
        kinds=[(*KINDS[kind][:3], len(found[kind][1])) for kind in found],
        shares=[share(left) for left in shares],
        table=[(*KINDS[kind][:2], [cell(found[kind], left) for left in shares]) for kind in found],
        settings=settings,
        level=Level.read(settings["learner"]["level"]).name,
    )
    path = folder / "report.html"
    write_whole(path, text)
    readme.write(folder, readme_of(folder, rows, settings, quick), {FIGURE: drawn["wide"]})
    return path


def readme_of(folder: Path, rows: pd.DataFrame, settings: Mapping[str, Any], quick: bool = False) -> str:
    """The text of README.md."""
    found, learner = tables_of(rows, folder), settings["learner"]
    flags = {"out": readme.elsewhere(folder, USUAL), "quick": quick}
    asked = {
        "version": None if learner["version"] == "original" else learner["version"],
        "seeds": rows["seed"].nunique(),
        "rounds": settings["rounds"],
        "inputs": learner["inputs"],
        "episodes": settings["episodes"],
    }
    return readme.readme(
        "tickets.md",
        folder,
        title="How far an agent's network can shrink",
        finding=headline(found),
        made=[readme.command("tickets", **asked, **flags)],
        again=readme.command("tickets", report_only=True, **flags),
        quick=quick,
        kinds=[(KINDS[kind][0], KINDS[kind][2], len(found[kind][1])) for kind in found],
        header=["weights left", *(KINDS[kind][0] for kind in found)],
        cells=[[share(left), *(cell(found[kind], left) for kind in found)] for left in shares_of(found)],
        level=Level.read(learner["level"]).name,
        learner=learner,
        settings=settings,
        figure=FIGURE,
    )


def tables_of(rows: pd.DataFrame, folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Of each kind that there is, as ``table_of`` gives it. ValueError where there are no rows."""
    if not len(rows):
        raise ValueError(f"{folder}: no rows: expected one network or more; run without --report-only first")
    return {kind: table_of(rows, kind) for kind in KINDS if kind in set(rows["restart"])}


def shares_of(found: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Every share of weights left, the largest first."""
    return np.unique(np.concatenate([left for left, _ in found.values()]))[::-1]


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
    return f"{100 * left:.{0 if left > 0.2 else 1}f}\N{NO-BREAK SPACE}%"


def headline(found: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> str:
    """With how few of its weights, and with all shares above, the median network of the best kinds wins nine of ten;
    the mean would say how often a training fails."""
    fewest = {}
    for kind, (left, performances) in found.items():
        wins = np.median(performances, axis=0) >= SOLVED
        if wins[0]:
            fewest[kind] = float(left[np.logical_and.accumulate(wins)][-1])
    if not fewest:
        return "No kind of network wins nine of ten episodes"
    best = [KINDS[kind][3] for kind, left in fewest.items() if left == min(fewest.values())]
    how = " or ".join(best) if len(best) < len(found) else "however they restart"
    return f"The median network wins nine of ten episodes with {share(min(fewest.values()))} of its weights, {how}"


def lines(found: Mapping[str, tuple[np.ndarray, np.ndarray]], width: float, height: float) -> str:
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(width, height, (44, 40, 128, 10))
        ends = []
        for kind, (left, performances) in found.items():
            name, colour, *_ = KINDS[kind]
            for each in performances:
                axes.plot(left, each, color=INKS[colour], lw=0.8, alpha=0.35)
            middle = np.median(performances, axis=0)
            axes.plot(left, middle, color=INKS[colour], lw=2.2, marker="o", ms=4)
            ends.append((float(middle[-1]), name, colour))
        axes.set_xscale("log")
        shares = shares_of(found)
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
    return svg(figure, "Share of episodes won against the share of weights left")
