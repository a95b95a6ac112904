"""The lecture's small site: index.html and a page for each claim, with figures as SVG and data as CSV; and
README.md, which has every answer."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator
from scipy import stats

from priorlab.envs.base.files import write_whole
from priorlab.scripts.analysis.published import published_figures
from priorlab.scripts.lecture.catalogue import CLAIMS, find_claim
from priorlab.scripts.lecture.claim import CHANCE, LEAST, Answer, Claim, Figure
from priorlab.scripts.lecture.runs import Recorded
from priorlab.scripts.report import readme
from priorlab.scripts.report.plots import INKS, STYLE, panel, standalone, svg, tick_text
from priorlab.scripts.report.render import NARROW, WIDE, render

LETTER = 6.0  # px, about, of a letter next to an axis
SIMULATED, PLANTED = "simulated players", "planted slow-downs"
HOLDS, FAILS, OPEN = "holds", "does not hold", "inconclusive"
USUAL = Path("results/lecture")
INPUTS = Figure("beside", "", "", "inputs", {}, percent=False)  # how numbers beside a claim's own are averaged
SHOWN = {"inputs": "first", "drift": "time"}  # figures of README.md, by claim


class Mean(NamedTuple):
    """The mean over n seeds and its 95 % interval by Student's t, which one seed doesn't have."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Verdict:
    """What an answer came to, and the numbers that it rests on."""

    says: str
    verdict: str
    higher: str
    lower: str

    @property
    def mark(self) -> str:
        return {HOLDS: "yes", FAILS: "no", OPEN: "open"}[self.verdict]


def write_site(folder: Path, kept: Recorded) -> Path:
    """Writes the pages of all claims that have rows, and index.html, into ``folder``."""
    measured = measured_claims(kept)
    if not measured:
        raise ValueError(f"{folder}: no rows: expected one claim or more; run without --report-only first")
    around = zip([None, *measured], measured, [*measured[1:], None])
    answered = [(claim, write_page(folder, claim, kept, before, after)) for before, claim, after in around]
    page = render(
        "lecture.html",
        answered=answered,
        headline=headline(answered),
        left=[claim for claim in map(find_claim, CLAIMS) if claim not in measured],
        minutes=minutes(kept),
        quick=any(is_small(claim, kept) for claim in measured),
    )
    write_whole(folder / "index.html", page)
    readme.write(
        folder, readme_of(folder, kept), {f"{claim.name}.svg": shown(claim, kept) for claim in with_figure(measured)}
    )
    return folder / "index.html"


def measured_claims(kept: Recorded) -> list[Claim]:
    """Those that have rows without a change."""
    names = set(kept.rows[kept.rows["change"] == ""]["claim"])
    return [find_claim(name) for name in CLAIMS if name in names]


def readme_of(folder: Path, kept: Recorded) -> str:
    """The text of README.md."""
    claims = measured_claims(kept)
    answered = [(claim, answers_of(claim, kept)) for claim in claims]
    plain: Any = kept.runs[kept.runs["change"] == ""]
    names = tuple(claim.name for claim in claims)
    flags = {"out": readme.elsewhere(folder, USUAL), "quick": any(is_small(claim, kept) for claim in claims)}
    asked = {"claims": () if names == CLAIMS else names, "seeds": plain["seed"].nunique()}
    return readme.readme(
        "lecture.md",
        folder,
        title="The lecture, runnable",
        finding=headline(answered),
        made=[readme.command("lecture", **asked, **flags)],
        again=readme.command("lecture", report_only=True, **flags),
        software=readme.made_with(plain["software"], plain["git_commit"].fillna("")),
        quick=flags["quick"],
        figures=[(claim, figure_of(claim)) for claim in with_figure(claims)],
        answered=[
            (claim, [[each.says, each.verdict, f"{each.higher} vs {each.lower}"] for each in verdicts])
            for claim, verdicts in answered
        ],
        minutes=minutes(kept),
    )


def headline(answered: Sequence[tuple[Claim, Sequence[Verdict]]]) -> str:
    """How many of the answers hold."""
    verdicts = [each.verdict for _, answers in answered for each in answers]
    fails, open_ = verdicts.count(FAILS), verdicts.count(OPEN)
    rest = f"{fails} {'does' if fails == 1 else 'do'} not, {open_} {'is' if open_ == 1 else 'are'} inconclusive"
    return f"{verdicts.count(HOLDS)} of {len(verdicts)} predictions hold, {rest}"


def minutes(kept: Recorded) -> float:
    """Of a CPU core that the rows without a change took."""
    plain: Any = kept.runs[kept.runs["change"] == ""]
    return float(plain["seconds"].sum() / 60)


def answers_of(claim: Claim, kept: Recorded) -> list[Verdict]:
    """Those of the claim without a change."""
    own: Any = kept.rows[(kept.rows["claim"] == claim.name) & (kept.rows["change"] == "")]
    return [judged(answer, claim, own) for answer in claim.answers]


def with_figure(claims: Sequence[Claim]) -> list[Claim]:
    """Those of which README.md shows a figure."""
    return [claim for claim in claims if claim.name in SHOWN]


def figure_of(claim: Claim) -> Figure:
    return next(each for each in claim.figures if each.name == SHOWN[claim.name])


def shown(claim: Claim, kept: Recorded) -> str:
    """The figure of a claim that README.md shows."""
    rows, figure = kept.rows, figure_of(claim)
    own: Any = rows[(rows["claim"] == claim.name) & (rows["change"] == "") & (rows["figure"] == figure.name)]
    return draw(figure, own, WIDE, keyed=True)


def is_small(claim: Claim, kept: Recorded) -> bool:
    return kept.settings[claim.name] != claim.plain()


def write_page(folder: Path, claim: Claim, kept: Recorded, before: Claim | None, after: Claim | None) -> list[Verdict]:
    """Writes the page of a claim, and its figures and data in a folder of its name."""
    rows: Any = kept.rows[kept.rows["claim"] == claim.name]
    runs: Any = kept.runs[kept.runs["claim"] == claim.name]
    by_change: dict[str, pd.DataFrame] = dict(iter(rows.groupby("change")))  # pyright: ignore
    (folder / claim.name).mkdir(exist_ok=True)
    figures = []
    for figure in claim.figures:
        drawn = []
        for change, every in by_change.items():
            own: Any = every[every["figure"] == figure.name]
            drawing = {width: draw(figure, own, size) for width, size in (("wide", WIDE), ("narrow", NARROW))}
            stem = "-".join(filter(None, [figure.name, *change.split(",")]))
            write_whole(folder / claim.name / f"{stem}.svg", standalone(draw(figure, own, WIDE, keyed=True)))
            data = own[["line", "x", "seed", "value"]]
            write_whole(folder / claim.name / f"{stem}.csv", data.to_csv(index=False, lineterminator="\n"))
            drawn.append((change, drawing, f"{claim.name}/{stem}"))
        figures.append((figure, drawn))
    verdicts = {change: [judged(answer, claim, own) for answer in claim.answers] for change, own in by_change.items()}
    plain = verdicts.pop("")
    holding = sum(each.verdict == HOLDS for each in plain)
    page = render(
        "claim.html",
        claim=claim,
        named=named,
        figures=figures,
        headline=f"{holding} of {len(plain)} predictions {'hold' if holding != 1 or len(plain) > 1 else 'holds'}",
        verdicts=plain,
        changed=verdicts,
        settings=kept.settings[claim.name],
        grades=published_figures()["grades"],
        beside=[
            (what, number(mean_of(values, INPUTS), False), len(values), note) for what, values, note in claim.beside()
        ],
        seeds=by_change[""]["seed"].nunique(),
        seconds=float(runs[runs["change"] == ""]["seconds"].mean()),
        made=readme.made_with(runs["software"], runs["git_commit"].fillna("")),
        quick=is_small(claim, kept),
        before=before,
        after=after,
    )
    write_whole(folder / f"{claim.name}.html", page)
    return plain


def named(line: str) -> str:
    """A line's name as keys have it, which says that simulated players are slowed down on purpose."""
    return line.replace(SIMULATED, f"{SIMULATED} ({PLANTED})")


def values_of(rows: pd.DataFrame, figure: str, line: str, x: float | str | None = None) -> pd.Series:
    """By seed, at x, at the smallest (LEAST), or at the largest x there is."""
    own: Any = rows[(rows["figure"] == figure) & (rows["line"] == line)]
    if not len(own):
        return pd.Series(dtype=float)
    at = own["x"].min() if x == LEAST else own["x"].max() if x is None else x
    return own[np.isclose(own["x"].astype(float), at)].set_index("seed")["value"].astype(float)


def mean_and_reach(values: np.ndarray) -> tuple[float, float]:
    """The mean of n seeds' values, and how far its 95 % interval by Student's t reaches to either side."""
    n = len(values)
    reach = float(stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n)) if n > 1 else 0.0
    return float(values.mean()), reach


def mean_of(values: np.ndarray, figure: Figure) -> Mean:
    """Of n seeds; on a log scale where the figure has one, and within 0 and 1 where it shows shares."""
    if not len(values):
        return Mean(np.nan, np.nan, np.nan, 0)
    middle, reach = mean_and_reach(np.log(values) if figure.log_y else values)
    ends = np.array([middle, middle - reach, middle + reach])
    ends = np.exp(ends) if figure.log_y else np.clip(ends, 0, 1) if figure.percent else np.maximum(ends, 0)
    value, low, high = ends.tolist()
    return Mean(value, low, high, len(values))


def judged(answer: Answer, claim: Claim, rows: pd.DataFrame) -> Verdict:
    """Whether it holds, seed by seed: the 95 % interval of the mean difference lies on one side of nothing."""
    figure = next(each for each in claim.figures if each.name == answer.figure)
    sides = [values_of(rows, answer.figure, *side) for side in (answer.higher, answer.lower)]
    both = pd.concat(sides, axis=1, join="inner").to_numpy(float)  # (seeds, 2)
    scaled = np.log(both) if figure.log_y else both
    verdict = judgement(scaled[:, 0] - scaled[:, 1])
    values = [number(mean_of(both[:, k], figure), figure.percent) for k in range(2)]
    return Verdict(answer.says, verdict, *values)


def judgement(differences: np.ndarray) -> str:
    """Of n seeds' differences."""
    if len(differences) < 2:
        return OPEN
    middle, reach = mean_and_reach(differences)
    return HOLDS if middle > reach else FAILS if middle < -reach else OPEN


def number(mean: Mean, percent: bool) -> str:
    """The mean, and the ends of its interval."""
    if not mean.n:
        return "not measured"
    scale, digits = (100, 1) if percent else (1, 0 if abs(mean.value) >= 100 else 2)
    value, low, high = (f"{scale * each:,.{digits}f}" for each in (mean.value, mean.low, mean.high))
    unit = "\N{NO-BREAK SPACE}%" if percent else ""
    return f"{value}{unit}" + (f" ({low} to {high})" if mean.n > 1 else "")


def draw(figure: Figure, rows: pd.DataFrame, width: float, keyed: bool = False) -> str:
    """The figure as SVG: means over seeds, with bands or bars of their intervals; ``keyed`` with a key of its lines."""
    lines = [line for line in figure.lines if line in set(rows["line"])]
    with matplotlib.rc_context(STYLE):
        below = 46 if not figure.ticks else 70 if width == WIDE else 88  # px, for the names of ticks
        above = 34 if keyed else 12
        drawn, axes = panel(width, (380 if width == WIDE else 320) + above - 12, (58, below, 14, above))
        for place, line in enumerate(lines):
            own: Any = rows[rows["line"] == line]
            at = np.unique(own["x"].to_numpy(float))
            means = [mean_of(values_of(rows, figure.name, line, x).to_numpy(), figure) for x in at.tolist()]
            colour = INKS[figure.lines[line]]
            middle, low, high = (np.array([getattr(mean, part) for mean in means]) for part in ("value", "low", "high"))
            if figure.ticks:
                moved = at + 0.5 * (place - (len(lines) - 1) / 2) / len(lines)
                axes.errorbar(
                    moved, middle, [middle - low, high - middle], fmt="_" if line == CHANCE else "o",
                    color=colour, lw=0, elinewidth=2, ms=13 if line == CHANCE else 7, label=named(line),
                )  # fmt: skip
            else:
                axes.plot(at, middle, color=colour, lw=2.2, ls="--" if line == CHANCE else "-", label=named(line))
                axes.fill_between(at, low, high, color=colour, alpha=0.16, lw=0)
        ranged(axes, figure, rows, width)
        if keyed:
            axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=len(lines), frameon=False, handlelength=1.6)
    return svg(drawn, figure.title)


def ranged(axes: Axes, figure: Figure, rows: pd.DataFrame, width: float) -> None:
    """Scales, ticks and labels of the axes."""
    at = np.unique(rows["x"].to_numpy(float))
    if figure.ticks:
        room = int((width - 70) / len(figure.ticks) / LETTER)  # of a tick's name, in letters
        axes.set_xlim(-0.5, len(figure.ticks) - 0.5)
        names = [textwrap.fill(tick, max(room, 1), break_long_words=False) for tick in figure.ticks]
        axes.set_xticks(range(len(figure.ticks)), names)
        if max(len(word) for name in names for word in name.split()) > room:
            axes.tick_params(axis="x", labelrotation=90)
        axes.grid(axis="x", visible=False)
    else:
        if figure.log_x:
            axes.set_xscale("log")
            axes.minorticks_off()
        axes.set_xlim(at[0], at[-1] if len(at) > 1 else at[0] + 1)
        shown = at[:: -(-len(at) // (10 if width == WIDE else 5))]
        axes.set_xticks(shown, [tick_text(float(f"{x:.3g}")) for x in shown])
    axes.set_xlabel(figure.x)
    axes.set_ylabel(figure.y)
    if figure.log_y:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(lambda value, _: tick_text(value))
        axes.minorticks_off()
    elif figure.percent:
        axes.set_ylim(0, 1.04)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    else:
        axes.set_ylim(bottom=0)
