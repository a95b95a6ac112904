"""The front page's figure: what masks cost people, as published, and what they cost an agent, from our rows."""

from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.axes import Axes

from priorlab.envs.game.versions import looks
from priorlab.scripts.analysis.published import published_figures
from priorlab.scripts.report.plots import INKS, STYLE, panel, standalone, svg

SIZE, MARGINS = (366, 206), (140, 8, 40, 32)  # px; margins left, bottom, right, top
TITLE = 8  # px from the left


def draw_front(numbers: Path, folder: Path) -> None:
    """Writes people.svg and agents.svg, which the front page shows side by side; numbers: what `reproduce` wrote."""
    minutes = {name: figures["minutes"] for name, figures in published_figures()["versions"].items()}
    agent = pd.read_csv(numbers).query("agent == 'ppo'").set_index("version")
    inputs = pd.DataFrame(agent, columns=["first_mean", "first_mean_low", "first_mean_high"]) / 1000
    folder.mkdir(parents=True, exist_ok=True)
    people = bars("People, published means: minutes to finish", INKS["person"], pd.DataFrame({"minutes": minutes}))
    agents = bars("PPO: thousands of inputs to the first win", INKS["ppo"], inputs)
    (folder / "people.svg").write_text(people, encoding="utf-8")
    (folder / "agents.svg").write_text(agents, encoding="utf-8")


def bars(title: str, colour: str, values: pd.DataFrame) -> str:
    """One bar per look, from the top, with its value, and the interval as a line where there is one."""
    names = looks()
    with matplotlib.rc_context(STYLE):
        figure, axes = panel(*SIZE, MARGINS)
        for place, name in enumerate(names):
            if name not in values.index:
                label(axes, 0, place, "not published", INKS["soft"])
                continue
            value, *interval = values.loc[name]
            axes.barh(place, value, height=0.62, color=colour)
            if interval:
                axes.plot(interval, [place, place], color=INKS["ink"], linewidth=1)
            label(axes, max(value, *interval, 0), place, f"{value:.3g}", INKS["ink"])
        axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(0)
        axes.set_xticks([])
        axes.grid(visible=False)
        axes.spines.bottom.set_visible(False)
        figure.text(TITLE / SIZE[0], 1 - TITLE / SIZE[1], title, va="top", fontweight="bold")
    return standalone(svg(figure, title))


def label(axes: Axes, x: float, y: float, text: str, colour: str) -> None:
    axes.annotate(text, (x, y), (5, 0), textcoords="offset points", va="center", color=colour)
