"""The report of `priorlab reproduce`: one page, README.md beside it, and every number as a CSV file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from priorlab.envs.base.files import write_whole
from priorlab.scripts.analysis.bounds import Bounds
from priorlab.scripts.analysis.curves import exploration, groups_of, mean_curve, on_level
from priorlab.scripts.analysis.efficiency import MARGIN, MEASURES, MOST, NEVER, Learner, until
from priorlab.scripts.analysis.hypotheses import FEW
from priorlab.scripts.analysis.players import Section, count
from priorlab.scripts.analysis.published import published_figures
from priorlab.scripts.analysis.resampling import RESAMPLES
from priorlab.scripts.analysis.tables import survival
from priorlab.scripts.report import panels, readme, summary
from priorlab.scripts.report import version_figures as rows
from priorlab.scripts.report.pictures import data_uri, picture_of
from priorlab.scripts.report.plots import Drawing
from priorlab.scripts.report.render import NARROW, WIDE, render
from priorlab.scripts.report.summary import estimate_text, number, percent
from priorlab.scripts.reproduce.claims import claim_of, standing, words
from priorlab.scripts.reproduce.readme import (
    Part,
    figure_of,
    finding,
    headline,
    made_with,
    readme_of,
    share_of,
)

PAGE = "report.html"


def write_reproduction(out: Path, parts: Sequence[Part], problems: Sequence[str] = (), quick: bool = False) -> Path:
    """Writes the page, README.md and every number as CSV into ``out``."""
    shown, drawn = [], {}
    for part in parts:
        shown.append(show(part))
        path = out / part.section.game / "numbers.csv"
        write_whole(path, numbers(part.section, part.learners).to_csv(index=False))
        for measure, figure in shown[-1]["figures"].items():
            drawn |= {figure_of(part.section, measure): figure["wide"]} if figure else {}
    text = render(
        "reproduction.html", parts=shown, published=published_figures(), measures=MEASURES, problems=problems,
        rule={"margin": f"{MARGIN:g}", "least": f"{1 / MARGIN:g}", "most": percent(MOST), "few": FEW}, quick=quick,
        resamples=f"{RESAMPLES:,}",
    )  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / PAGE, text)
    readme.write(out, readme_of(out, parts, quick), drawn)
    return out / PAGE


def show(part: Part) -> dict:
    """What the page shows of one game."""
    section, learners, bounds = part.section, part.learners, part.bounds
    kinds = section.kinds
    versions = [version for version in section.versions if version != "original"]
    return {
        "at": f"{section.game}-",
        "game": section.game,
        "title": section.title,
        "kinds": kinds,
        "headline": headline(part),
        "findings": [(kind, finding(kind, part)) for kind in kinds],
        "versions": show_versions(section, bounds),
        "figures": figures(section, learners),
        "claims": [(version, claim_of(section, version), claim_rows(section, version, learners))
                   for version in versions],
        "table": [(version, [number_words(each, bounds) for each in learners if each.version == version])
                  for version in section.versions],
        "bounds": bounds,
        "seeds": count([learner.n for learner in learners], kinds[0]),
        "inputs": number(max(learner.budget for learner in learners)),
        "command": part.command,
        "software": made_with([part]),
    }  # fmt: skip


def claim_rows(section: Section, version: str, learners: Sequence[Learner]) -> list[dict]:
    """The finding on a version, one row per agent except the random one: in words, and whether it fits the claim."""
    claim = claim_of(section, version)
    return [
        {
            "kind": each.kind,
            "found": [(words(each.reached[measure]), standing(each.reached[measure], claim)) for measure in MEASURES],
        }
        for each in learners
        if each.version == version and any(reached.verdict != NEVER for reached in each.reached.values())
    ]


def number_words(learner: Learner, bounds: Bounds | None) -> dict:
    """One row of the table of numbers."""
    return {
        "kind": learner.kind,
        "n": learner.n,
        "reached": {
            measure: {
                "got": f"{reached.got} of {reached.n}",
                "share": f"{percent(reached.share.low or 0)} \u2013 {percent(reached.share.high or 0)}",
                "median": number(reached.median) if np.isfinite(reached.median) else f"> {number(learner.budget)}",
                "mean": number(reached.mean.value),
                "interval": interval(reached.mean.low, reached.mean.high),
                "words": words(reached),
                "sooner": estimate_text(reached.sooner, ".2f"),
            }
            for measure, reached in learner.reached.items()
        },
        "area": estimate_text(learner.area, ".2f"),
        "middle": estimate_text(learner.middle, ".2f"),
        "states": number(learner.states.value),
        "share": share_of(learner, bounds) if bounds else "",
    }


def interval(low: float | None, high: float | None) -> str:
    return f"{number(low)} \u2013 {number(high)}" if low is not None and high is not None else ""


def figures(section: Section, learners: Sequence[Learner]) -> dict[str, dict[str, Drawing]]:
    """The ratios by either measure, drawn for a screen and for a phone; empty where there are none."""
    claims = {version: claim_of(section, version) for version in section.versions}
    on_axis = {version: claim["ratio"] for version, claim in claims.items() if claim}
    drawn: dict[str, dict[str, Drawing]] = {}
    for measure, name in MEASURES.items():
        ratios = {(each.version, each.kind): each.reached[measure].ratio for each in learners}
        known = {place: ratio for place, ratio in ratios.items() if ratio and place[1].method != "random"}
        drawn[measure] = {
            name_of: rows.slowdown(section.versions, section.kinds, known, width, {}, on_axis, name)
            for name_of, width in (("wide", WIDE), ("narrow", NARROW)) if known
        }  # fmt: skip
    return drawn


def show_versions(section: Section, bounds: Bounds | None) -> list[dict]:
    """What the page draws of each version: its picture, and a panel of each kind of curve."""
    kinds, runs = section.kinds, section.runs
    last = float(max(run.budget for run in runs))
    shown, states = successes(section), exploration(section)
    until_learned = Section(section.game, section.level, section.versions, tuple(until(runs, "learned")))
    gone = {"first": survival(section, "inputs"), "learned": survival(until_learned, "inputs")}
    most = float(np.nanmax([100.0, *states[["states", "high"]].to_numpy(float).ravel()]))
    reachable = bounds.positions if bounds else None
    soonest = {measure: getattr(bounds, measure) if bounds else None for measure in MEASURES}
    versions = []
    for version in section.versions:
        picture = picture_of(version, section.level)
        versions.append({
            "name": version,
            "change": summary.CHANGES.get(version, ""),
            "picture": data_uri(picture) if picture is not None else "",
            "success": panels.success_panel(shown, version, kinds, last, soonest["first"]),
            "exploration": panels.exploration_panel(states, version, kinds, last, max(most, reachable or 0), reachable),
            **{measure: panels.survival_panel(gone[measure], version, kinds, "inputs", last, soonest[measure])
               for measure in MEASURES},
        })  # fmt: skip
    return versions


def successes(section: Section) -> pd.DataFrame:
    """The share won of the last 100 episodes against inputs: the mean of each kind of agent, and its 95 % band."""
    found = []
    for kind, version, runs in groups_of(section):
        grid = np.linspace(0, max(run.budget for run in runs), 101)
        share, band = mean_curve([np.insert(run.success, 0, 0, axis=1) for run in runs], runs, grid)
        low, high = band if band is not None else np.full((2, len(grid)), np.nan)
        for values in zip(grid, share, low, high):
            row = {"version": version, "player": kind.label, "n": len(runs)}
            found.append(row | dict(zip(("inputs", "share", "low", "high"), values)))
    return on_level(section, pd.DataFrame(found))


def numbers(section: Section, learners: Sequence[Learner]) -> pd.DataFrame:
    """Every number of the page, a row a kind of agent and version."""
    found = []
    for each in learners:
        row: dict = {"version": each.version, "agent": each.kind.method, "runs": each.n, "inputs": each.budget}
        for measure, reached in each.reached.items():
            row |= {f"{measure}_got": reached.got, f"{measure}_median": reached.median}
            row |= {f"{measure}_bound": reached.ratio.bound if reached.ratio else ""}
            row |= {f"{measure}_verdict": reached.verdict}
            estimates = {"share": reached.share, "mean": reached.mean, "ratio": reached.ratio, "sooner": reached.sooner}
            row |= ends({f"{measure}_{name}": value for name, value in estimates.items()})
        row |= ends({"area": each.area, "area_iqm": each.middle, "unique_states": each.states})
        found.append(row)
    return on_level(section, pd.DataFrame(found))


def ends(estimates: dict) -> dict[str, float | None]:
    """Each value and the ends of its interval, as columns."""
    return {
        f"{name}{suffix}": getattr(found, field) if found else None
        for name, found in estimates.items()
        for suffix, field in (("", "value"), ("_low", "low"), ("_high", "high"))
    }
