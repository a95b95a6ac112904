"""README.md of `priorlab reproduce`, and the sentences that it shares with the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from priorlab.scripts.analysis.bounds import Bounds
from priorlab.scripts.analysis.efficiency import (
    ABOVE,
    ALIKE,
    BELOW,
    FASTER,
    FITS,
    INCONCLUSIVE,
    MARGIN,
    MEASURES,
    MOST,
    SLOWER,
    Learner,
    Reached,
)
from priorlab.scripts.analysis.players import Kind, Section, count, title_of
from priorlab.scripts.analysis.published import published_figures
from priorlab.scripts.report import readme
from priorlab.scripts.report.summary import NOTHING, number, percent
from priorlab.scripts.reproduce.claims import claim_of, standing, words_of_ratio

CLEAR = (SLOWER, FASTER, ALIKE)  # verdicts that are one
NO_HEADLINE = "Whether masks slow agents remains inconclusive"
MOST_NAMED = 3  # versions; more are counted
USUAL = {Path("results/reproduce"): {}, Path("results/reproduce-on-device"): {"on_device": True}}  # folders, and flags


@dataclass(frozen=True)
class Part:
    """One game: its runs, what each kind of agent needed on each version, the best possible play, and the command that
    asks for the runs."""

    section: Section
    learners: Sequence[Learner]
    bounds: Bounds | None
    command: str


def readme_of(out: Path, parts: Sequence[Part], quick: bool = False) -> str:
    """The text of README.md."""
    where = next((flags for usual, flags in USUAL.items() if not readme.elsewhere(out, usual)), {"out": out})
    finding = headline(parts[0]) if parts else "No run is finished yet"
    header = ["version", "claimed (grade)"]
    for name in ("first win", "90 of 100 won"):
        header += [f"{name} after", "ratio", "finding"]
    return readme.readme(
        "reproduction.md",
        out,
        title="Do agents without priors notice the masks?",
        finding=f"{parts[0].section.title}: {finding}" if len(parts) > 1 else finding,
        made=[part.command for part in parts],
        again=readme.command("reproduce", **where, report_only=True, quick=quick),
        software=made_with(parts),
        quick=quick,
        parts=[shown(part) for part in parts],
        header=header,
        rule={"margin": f"{MARGIN:g}", "least": f"{1 / MARGIN:g}", "most": percent(MOST)},
        published=published_figures(),
    )


def shown(part: Part) -> dict[str, Any]:
    """What README.md shows of one game."""
    section, learners = part.section, part.learners
    figures = []
    for measure, name in MEASURES.items():
        ratios = [each.reached[measure].ratio for each in learners if each.kind.method != "random"]
        if any(ratios):
            known = any(ratio and ratio.low is not None for ratio in ratios)
            figures.append((figure_of(section, measure), name, known))
    by_kind = {kind: [each for each in learners if each.kind == kind] for kind in section.kinds}
    return {
        "title": section.title,
        "headline": headline(part),
        "seeds": count([learner.n for learner in learners], section.kinds[0]),
        "inputs": number(max(each.budget for each in learners)),
        "findings": [(kind, finding(kind, part)) for kind in section.kinds],
        "figures": figures,
        "tables": [(kind, rows_of(section, own)) for kind, own in by_kind.items()
                   if len(own) > 1 and is_compared(kind, own)],
    }  # fmt: skip


def made_with(parts: Sequence[Part]) -> str:
    """The software and commits of all runs, in one sentence."""
    told = [run.settings for part in parts for run in part.section.runs]
    named = [", ".join(f"{name} {version}" for name, version in (each.get("software") or {}).items()) for each in told]
    return readme.made_with(named, [each.get("git_commit") or "" for each in told])


def figure_of(section: Section, measure: str) -> str:
    return f"{section.game}-{measure}.svg"


def is_compared(kind: Kind, own: Sequence[Learner]) -> bool:
    """Whether versions can differ: random play ignores them, and who never won shows nothing."""
    return kind.method != "random" and any(reached.got for each in own for reached in each.reached.values())


def rows_of(section: Section, own: Sequence[Learner]) -> list[list[str]]:
    """One kind of agent, a row per version."""
    rows = []
    for each in own:
        claim = claim_of(section, each.version)
        row = [title_of(each.version), f"{claim['words']} ({claim['grade']})" if claim else NOTHING]
        for reached in each.reached.values():
            after = number(reached.median) if np.isfinite(reached.median) else f"> {number(each.budget)}"
            row.append(f"{after} ({reached.got}/{reached.n})")
            row += [words_of_ratio(reached) or NOTHING, finding_of(section, each, reached)]
        rows.append(row)
    return rows


def finding_of(section: Section, learner: Learner, reached: Reached) -> str:
    """The verdict, and what it means for the claim."""
    fits = standing(reached, claim_of(section, learner.version))
    told = [reached.verdict or NOTHING, *(["fits the claim"] if fits == FITS else [])]
    told += ["contradicts the claim"] if fits in (ABOVE, BELOW) else []
    return "; ".join(told)


def headline(part: Part) -> str:
    """One finding: of published claims that are contradicted, else of how soon 90 of the last 100 episodes were won."""
    against = contradicted(part)
    if against:
        told = [
            f"{kind.label} contradicts the published claim about {listed(names)}" for kind, names in against.items()
        ]
        return " and ".join(told)
    by_kind = {kind: verdicts(part.learners, kind, "learned") for kind in part.section.kinds}
    for verdict, how in ((SLOWER, "more slowly"), (FASTER, "faster"), (ALIKE, "about as fast as on the original")):
        told = [
            f"{kind.label} learns {how} on {len(own[verdict])} of {sum(map(len, own.values()))} masked versions"
            for kind, own in by_kind.items() if own[verdict]
        ]  # fmt: skip
        if told:
            return ", ".join(told)
    return NO_HEADLINE


def contradicted(part: Part) -> dict[Kind, list[str]]:
    """By kind, the versions whose claim is contradicted, by one measure as by the other, as they are called."""
    against: dict[Kind, list[str]] = {}
    for each in part.learners:
        claim = claim_of(part.section, each.version)
        if all(standing(reached, claim) in (ABOVE, BELOW) for reached in each.reached.values()):
            against.setdefault(each.kind, []).append(title_of(each.version))
    return against


def verdicts(learners: Sequence[Learner], kind: Kind, measure: str) -> dict[str, list[str]]:
    """The versions of each verdict, as they are called."""
    by_verdict: dict[str, list[str]] = {verdict: [] for verdict in (*CLEAR, INCONCLUSIVE)}
    for each in learners:
        verdict = each.reached[measure].verdict
        if each.kind == kind and verdict:
            by_verdict[verdict if verdict in CLEAR else INCONCLUSIVE].append(title_of(each.version))
    return by_verdict


def finding(kind: Kind, part: Part) -> str:
    """A few sentences on one kind of agent."""
    own, bounds = [each for each in part.learners if each.kind == kind], part.bounds
    if all(not reached.got for each in own for reached in each.reached.values()):
        most = max(own, key=lambda each: each.states.value)
        share = f": {share_of(most, bounds)} of all reachable positions" if bounds else ""
        seen = f"{number(most.states.value)} positions seen (mean over runs, {title_of(most.version)}){share}"
        return f"Never won in {number(most.budget)} inputs per run. At most {seen}."
    sentences = []
    for each in own:
        if each.version == "original":
            first, learned = (each.reached[measure] for measure in MEASURES)
            sentences.append(
                f"On the original: first win after {at_least(first.median, each)} inputs (median; {first.got} of "
                f"{first.n} runs won), 90 of the last 100 won after {at_least(learned.median, each)} ({learned.got} of "
                f"{learned.n})."
            )
    if kind.method == "random":
        sentences.append("It ignores the picture, so versions that differ only in looks get the same runs.")
        return " ".join(sentences)
    for measure, name in MEASURES.items():
        by_verdict = verdicts(own, kind, measure)
        told = [f"{verdict} on {listed(names)}" for verdict, names in by_verdict.items() if names]
        sentences += [f"{name[0].upper()}{name[1:]}: {'; '.join(told)}."] if told else []
    return " ".join(sentences)


def listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names)} versions"


def at_least(value: float, learner: Learner) -> str:
    return number(value) if np.isfinite(value) else f"more than {number(learner.budget)}"


def share_of(learner: Learner, bounds: Bounds) -> str:
    return percent(learner.states.value / bounds.positions)
