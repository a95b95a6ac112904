"""The report of `priorlab reproduce`: one page, a short README.md beside it, and every number as a CSV file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from priorlab.envs.base.files import write_whole
from priorlab.scripts.analysis.bounds import Bounds
from priorlab.scripts.analysis.efficiency import (
    ABOVE,
    ALIKE,
    BELOW,
    FASTER,
    MARGIN,
    MEASURES,
    MOST,
    NEVER,
    SLOWER,
    Learner,
    learners_of,
    until,
)
from priorlab.scripts.analysis.hypotheses import FEW
from priorlab.scripts.analysis.players import Kind, Section, count, title_of
from priorlab.scripts.analysis.published import published_figures
from priorlab.scripts.analysis.statistics import RESAMPLES, mean_curve
from priorlab.scripts.analysis.tables import exploration, groups_of, on_level, survival
from priorlab.scripts.report import panels, summary
from priorlab.scripts.report import version_figures as rows
from priorlab.scripts.report.page import NARROW, WIDE, render
from priorlab.scripts.report.pictures import data_uri, picture_of
from priorlab.scripts.report.summary import estimate_text, number, percent
from priorlab.scripts.reproduce.claims import claim_of, standing, words

TOLD = (SLOWER, FASTER, ALIKE)  # verdicts that tell something
UNTOLD_YET = "These runs cannot tell yet whether agents without priors notice the masks"
MOST_NAMED = 3  # versions; more are counted
PAGE, SUMMARY = "report.html", "README.md"


def write_reproduction(
    out: Path, sections: Sequence[tuple[Section, Bounds | None, str]], problems: Sequence[str] = (), quick: bool = False
) -> Path:
    """Writes the page into ``out``; of each game, what the best possible play comes to, and what asks for its runs."""
    parts = []
    for section, bounds, command in sections:
        learners = learners_of(section)
        parts.append(show(section, learners, bounds, command))
        write_whole(out / section.game / "numbers.csv", numbers(section, learners).to_csv(index=False))
    published = published_figures()
    rule = {"margin": f"{MARGIN:g}", "least": f"{1 / MARGIN:g}", "most": percent(MOST), "few": FEW}
    text = render(
        "reproduction.html", parts=parts, published=published, measures=MEASURES, rule=rule, problems=problems,
        quick=quick, resamples=f"{RESAMPLES:,}",
    )  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / PAGE, text)
    write_whole(out / SUMMARY, render("reproduction.md", parts=parts, published=published, rule=rule) + "\n")
    return out / PAGE


def show(section: Section, learners: Sequence[Learner], bounds: Bounds | None, command: str) -> dict:
    """What the page shows of one game."""
    runs, kinds = section.runs, section.kinds
    seeds = [learner.n for learner in learners]
    versions = [version for version in section.versions if version != "original"]
    drawn = figures(section, learners)
    return {
        "at": f"{section.game}-",
        "game": section.game,
        "title": section.title,
        "kinds": kinds,
        "headline": headline(section, learners),
        "findings": [(kind, finding(kind, learners, bounds)) for kind in kinds],
        "versions": show_versions(section, bounds),
        "figures": drawn,
        "claims": [(version, claim_of(section, version), claim_rows(section, version, learners))
                   for version in versions],
        "table": [(version, [number_words(each, bounds) for each in learners if each.version == version])
                  for version in section.versions],
        "bounds": bounds,
        "seeds": count(seeds, kinds[0]),
        "inputs": number(max(learner.budget for learner in learners)),
        "command": command,
        "software": sorted({software(run.settings) for run in runs}),
    }  # fmt: skip


def software(settings: dict) -> str:
    commit = settings.get("git_commit") or ""
    named = ", ".join(f"{name} {version}" for name, version in (settings.get("software") or {}).items())
    return named + (f", commit {commit[:10]}" if commit else "")


def headline(section: Section, learners: Sequence[Learner]) -> str:
    """The finding in one sentence, by the inputs until 90 of the last 100 episodes were won."""
    against = [
        f"{kind.label} contradicts what is claimed of {listed(names)}"
        for kind, names in contradicted(section, learners).items()
    ]
    parts = []
    for kind in dict.fromkeys(learner.kind for learner in learners):
        told = [(verdict, len(found)) for verdict, found in verdicts(learners, kind, "learned").items() if found]
        if any(verdict in TOLD for verdict, _ in told):
            parts.append(f"{kind.label} {', '.join(f'{verdict} on {count}' for verdict, count in told)}")
    told = f"Learning masked versions beside the original: {'; '.join(parts)}" if parts else UNTOLD_YET
    return "; ".join([told, *against])


def contradicted(section: Section, learners: Sequence[Learner]) -> dict[Kind, list[str]]:
    """By kind, the versions of which the claim is contradicted, by one measure as by the other, as they are called."""
    found: dict[Kind, list[str]] = {}
    for each in learners:
        claim = claim_of(section, each.version)
        if all(standing(reached, claim) in (ABOVE, BELOW) for reached in each.reached.values()):
            found.setdefault(each.kind, []).append(title_of(each.version))
    return found


def verdicts(learners: Sequence[Learner], kind: Kind, measure: str) -> dict[str, list[str]]:
    """The versions of each verdict, as they are called."""
    found: dict[str, list[str]] = {verdict: [] for verdict in (*TOLD, "not told")}
    for each in learners:
        verdict = each.reached[measure].verdict
        if each.kind == kind and verdict:
            found[verdict if verdict in TOLD else "not told"].append(title_of(each.version))
    return found


def finding(kind: Kind, learners: Sequence[Learner], bounds: Bounds | None) -> str:
    """A few sentences on one kind of agent."""
    own = [each for each in learners if each.kind == kind]
    if all(not reached.got for each in own for reached in each.reached.values()):
        most = max(own, key=lambda each: each.states.value)
        share = f": {share_of(most, bounds)} of all that can be reached" if bounds else ""
        seen = f"{number(most.states.value)} positions seen (mean of its runs, {title_of(most.version)}){share}"
        return f"Never won, in {number(most.budget)} inputs a run. At most {seen}."
    sentences = []
    for each in own:
        if each.version == "original":
            first, learned = (each.reached[measure] for measure in MEASURES)
            sentences.append(
                f"On the original: first win after {at_least(first.median, each)} inputs (median; {first.got} of "
                f"{first.n} runs won), 90 of the last 100 after {at_least(learned.median, each)} ({learned.got} of "
                f"{learned.n})."
            )
    for measure, name in MEASURES.items():
        told = [f"{verdict} on {listed(names)}" for verdict, names in verdicts(own, kind, measure).items() if names]
        sentences += [f"To {name}: {'; '.join(told)}."] if told else []
    return " ".join(sentences)


def listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names)} versions"


def at_least(value: float, learner: Learner) -> str:
    return number(value) if np.isfinite(value) else f"more than {number(learner.budget)}"


def claim_rows(section: Section, version: str, learners: Sequence[Learner]) -> list[dict]:
    """The finding on a version, a row an agent that is no random one: in words, and whether it fits the claim."""
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


def share_of(learner: Learner, bounds: Bounds) -> str:
    return percent(learner.states.value / bounds.positions)


def interval(low: float | None, high: float | None) -> str:
    return f"{number(low)} \u2013 {number(high)}" if low is not None and high is not None else ""


def figures(section: Section, learners: Sequence[Learner]) -> dict[str, dict[str, str]]:
    """The ratios by either measure, drawn for a screen and for a phone; empty where there are none."""
    claims = {version: claim_of(section, version) for version in section.versions}
    on_axis = {version: claim["ratio"] for version, claim in claims.items() if claim}
    drawn: dict[str, dict[str, str]] = {}
    for measure, name in MEASURES.items():
        ratios = {(each.version, each.kind): each.reached[measure].ratio for each in learners}
        known = {place: ratio for place, ratio in ratios.items() if ratio}
        drawn[measure] = {
            name_of: rows.slowdown(section, known, width, {}, on_axis, name)
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
