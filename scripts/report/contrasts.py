"""The claim that masks slow people more than agents, on the page: ratios of ratios, and whether orders agree."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np

from priorlab.scripts.analysis.agreement import Agreement, Side
from priorlab.scripts.analysis.comparison import Analysis, Estimate
from priorlab.scripts.analysis.players import Kind, title_of
from priorlab.scripts.analysis.slowdown import Contrast
from priorlab.scripts.report.plots import INKS, STYLE, Drawing
from priorlab.scripts.report.summary import (
    NOTHING,
    TIMES,
    count,
    decimal,
    interval_text,
    number,
    p_text,
    ratio_text,
    times,
)
from priorlab.scripts.report.version_figures import MARKERS, interval, offset, row_axes, row_font

RESTRICTED, FINISHERS = "restricted", "finishers"


def show_contrasts(analysis: Analysis, widths: Mapping[str, float]) -> dict | None:
    """What the page shows of people's slow-downs over agents'; None if nothing can be compared."""
    if not analysis.contrasts:
        return None
    drawn = [each for each in analysis.contrasts if each.low is not None] or analysis.contrasts
    return {
        "figure": {name: forest(drawn, analysis.section.versions, width) for name, width in widths.items()},
        "verdicts": verdicts(analysis.contrasts),
        "rows": [
            {
                "version": each.version,
                "kind": each.kind,
                "agent": each.agent,
                "people": ratio_text(each.people),
                "people_interval": interval_text(each.people),
                "agents": ratio_text(each.agents),
                "agents_interval": interval_text(each.agents),
                "value": quotient_text(each),
                "interval": "" if each.low is None or each.high is None else ends(each.low, each.high),
                "p": NOTHING if each.p_holm is None else p_text(each.p_holm),
                "share": NOTHING if each.share is None else share_text(each.share),
                "n": f"{each.people.n}, {each.agents.n}",
            }
            for each in analysis.contrasts
        ],
    }


def quotient_text(contrast: Contrast) -> str:
    sign = {"": "", ">=": "≥ ", "<=": "≤ ", "~": "≈ "}[contrast.bound]
    return sign + times(contrast.value)


def ends(low: float, high: float) -> str:
    return f"{times(low)} \u2013 {times(high)}".replace(TIMES, "")


def share_text(share: float) -> str:
    """A share of resamples, which is never certainty."""
    return "> 99.9\u00a0%" if share > 0.999 else "< 0.1\u00a0%" if share < 0.001 else f"{100 * share:.1f}\u00a0%"


def pairs_of(contrasts: Sequence[Contrast]) -> list[tuple[Kind, Kind]]:
    """The kinds of players that are compared, each with each agent."""
    return list(dict.fromkeys((each.kind, each.agent) for each in contrasts))


def verdicts(contrasts: Sequence[Contrast]) -> list[tuple[Kind, str]]:
    """One sentence for each kind of player and agent, by the agent."""
    found = []
    for kind, agent in pairs_of(contrasts):
        mine = [each for each in contrasts if (each.kind, each.agent) == (kind, agent)]
        tested = [each for each in mine if each.p_holm is not None]
        who, n = kind.label.lower(), len(tested)
        if not tested:
            words = f"Too few runs for an interval: {len(mine)} version{'s' * (len(mine) > 1)} compared."
        else:
            more, less = sum(each.is_more for each in tested), sum(each.is_less for each in tested)
            of = f"of {n} versions" if n > 1 else "of one version"
            words = f"{more or 'None'} {of} slow{'s' if more == 1 else ''} {who} clearly more than {in_words(agent)}"
            words += f"; {less} clearly less." if less else "."
            words += f" {count([each.agents.n for each in tested], agent)} per version."
        found.append((agent, words))
    return found


def in_words(agent: Kind) -> str:
    """An agent's name within a sentence."""
    return f"the {agent.name[0].lower()}{agent.name[1:]}" if agent.lives else agent.name


def forest(contrasts: Sequence[Contrast], versions: Sequence[str], width: float) -> Drawing:
    """The ratios of ratios, one row per version and one line per kind of player and agent, with 95 % intervals."""
    pairs = pairs_of(contrasts)
    several = len({kind for kind, _ in pairs}) > 1
    rows = [name for name in versions if any(each.version == name for each in contrasts)]
    limits = [end for each in contrasts for end in (each.value, each.low, each.high) if end]
    low, high = max(min([0.5, *[end / 1.15 for end in limits]]), 1 / 64), min(max([4.0, *limits]), 256.0)
    room = (150 if several else 105) / (width - 190)
    high *= (high / low) ** (room / (1 - room))
    with matplotlib.rc_context({**STYLE, "font.size": row_font(width)}):
        figure, axes = row_axes(rows, len(pairs), width, right=16, top=10)
        axes.set_xscale("log", base=2)
        axes.set_xlim(low, high)
        powers = np.arange(np.ceil(np.log2(low)), np.floor(np.log2(high)) + 1)
        every = max(1, int(np.ceil(len(powers) * 62 / (width - 190))))
        ticks = [2.0**power for power in powers if power % every == 0]
        axes.set_xticks(ticks, [f"{tick:g}{TIMES}" for tick in ticks])
        axes.minorticks_off()
        axes.axvline(1, color=INKS["soft"], lw=1.2)
        axes.set_xlabel(
            "slow-down of people, as a multiple of the agent's" if width > 600 else "people's over the agent's"
        )
        for row, version in enumerate(rows):
            here = [each for each in contrasts if each.version == version]
            for line, each in enumerate(here):
                y, colour = row + offset(line, len(here), len(pairs)), INKS[each.agent.colour]
                estimate = Estimate(each.value, each.low, min(each.high, high) if each.high else None, each.people.n)
                name = f"{each.kind.short} / {each.agent.short}" if several else f"/ {each.agent.short}"
                interval(axes, y, estimate, colour, f"{name} {quotient_text(each)}", MARKERS[each.bound])
    return Drawing(figure, "How many times as much each version slows people as it slows an agent")


def show_orders(analysis: Analysis) -> dict | None:
    """What the page shows of the order of versions: the means by both estimators, the agreement of any two sides, and
    every pair of versions. None if there are fewer than two sides."""
    sides = [side for side in analysis.sides if len(np.unique(side.means[np.isfinite(side.means)])) >= 3]
    if len(sides) < 2:
        return None
    rate = next((run.rate for run in analysis.section.runs if run.player != "agent"), None)
    versions = sides[0].versions
    return {
        "sides": [(side, side.kind.colour if side.kind else "ink") for side in sides],
        "means": [
            (version, [mean_words(side, place, rate) for side in sides]) for place, version in enumerate(versions)
        ],
        "agreements": agreement_rows(analysis.agreements),
        "pairs": pair_rows(sides, analysis.agreements),
    }


def mean_words(side: Side, place: int, rate: float | None) -> str:
    """A mean in minutes, of agents in inputs; with the number behind it if that is of those who won."""
    mean = float(side.means[place])
    if not np.isfinite(mean):
        return NOTHING
    is_agent = side.kind is not None and side.kind.is_agent
    words = decimal(mean) if side.kind is None else number(mean) if is_agent or not rate else decimal(mean / rate / 60)
    return f"{words} ({side.n[place]})" if side.kind and side.estimator == FINISHERS else words


def agreement_rows(agreements: Sequence[Agreement]) -> list[dict]:
    """Any two sides whose orders can be compared, with the numbers by each estimator."""
    rows: dict[tuple[str, str], dict] = {}
    for each in agreements:
        if np.isfinite(each.tau):
            row = {"first": each.first, "second": each.second, RESTRICTED: None, FINISHERS: None}
            band = "" if each.low is None or each.high is None else f"{each.low:.2f} \u2013 {each.high:.2f}"
            words = {"tau": f"{each.tau:.2f}", "band": band, "p": p_text(each.p)}
            words["pairs"] = f"{each.n_agree} of {each.n_pairs}"
            rows.setdefault((each.first.label, each.second.label), row)[each.estimator] = words
    return list(rows.values())


def pair_rows(sides: Sequence[Side], agreements: Sequence[Agreement]) -> list[dict]:
    """Every pair of versions: whether it counts, and how many times as long the second takes by each side."""
    apart = {(pair.version, pair.other): pair.is_apart for each in agreements for pair in each.pairs}
    rows, published = [], sides[0]
    for i, version in enumerate(published.versions):
        for j, other in enumerate(published.versions[i + 1 :], i + 1):
            cells = []
            for side in sides:
                ratio = float(side.means[j] / side.means[i])
                differs = np.isfinite(ratio) and (ratio - 1) * (published.means[j] - published.means[i]) < 0
                cells.append((times(ratio) if np.isfinite(ratio) else NOTHING, differs))
            names = f"{title_of(other)} / {title_of(version)}"
            rows.append({"names": names, "counts": apart.get((version, other), False), "cells": cells})
    return rows


def checks_words(analysis: Analysis) -> list[str]:
    """Sentences on the test of all versions together and on proportional hazards, by kind of player."""
    lines = []
    for label, test in analysis.omnibus.items():
        if test.why:
            lines.append(f"{label}, all versions together: no test, {test.why}.")
        else:
            p = p_text(test.p)
            chi = f"chi squared {test.statistic:.1f}, n = {test.n}"
            lines.append(
                f"{label}, all versions together (log-rank): p {p if p.startswith('<') else '= ' + p} ({chi})."
            )
    for kind in analysis.section.kinds:
        tested = [cell for cell in analysis.of_kind(kind) if cell.hazards and not cell.hazards.why]
        changing = [title_of(cell.version) for cell in tested if cell.hazards and cell.hazards.p < 0.05]
        if changing:
            average = "there the hazard ratio is an average over time"
            lines.append(f"{kind.label}: the hazard ratio changes with time in {', '.join(changing)}; {average}.")
        elif tested:
            versions = f"{len(tested)} version{'s' * (len(tested) > 1)} tested"
            lines.append(f"{kind.label}: no evidence that a hazard ratio changes with time ({versions}).")
    return lines
