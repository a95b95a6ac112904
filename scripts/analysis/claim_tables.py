"""Rows of the tables on the claim that masks slow people more than agents; ``tables`` writes them."""

from dataclasses import asdict

from priorlab.scripts.analysis.agreement import ESTIMATORS
from priorlab.scripts.analysis.comparison import Analysis

COLUMNS = {
    "extra_inputs": "restricted mean inputs minus the original's; the column bound applies to it, too",
    "extra_inputs_low": "", "extra_inputs_high": "",
    "finishers_minutes": "mean minutes of those who won, as the published means are; empty if fewer than three did",
    "finishers_minutes_low": "", "finishers_minutes_high": "",
    "agent": "the agent that the players are compared with", "n_agent": "runs of the agent on the version",
    "n_original": "players on the original", "n_agent_original": "runs of the agent on the original",
    "ratio_of_ratios": "the players' ratio over the agent's: above 1, the version slows the players more",
    "agent_ratio": "the agent's ratio", "agent_ratio_low": "", "agent_ratio_high": "",
    "share_more": "share of resamples in which the version slows the players more; too sure with few runs",
    "estimator": "; ".join(f"{name}: {what}" for name, what in ESTIMATORS.items()),
    "other": "the other version", "versions": "number of versions",
    "with": "the kind of player whose order it is compared with",
    "tau": "Kendall's tau-b over the pairs of versions that are apart: whose published means differ by a fifth of the "
    "smaller or more", "tau_low": "", "tau_high": "",
    "pairs": "number of pairs that are apart", "pairs_agree": "number of these that both put in the same order",
    "apart": "1: the published means differ by a fifth of the smaller or more, so that the pair counts",
    "player_ratio": "mean time on other over mean time on version, of player",
    "with_ratio": "the same of the kind of player in the column with",
    "agree": "1: both put the two versions in the same order; empty: one has them equal",
    "mean_inputs": "mean inputs to the first win, by the estimator; empty for published means",
    "mean_time": "the same in minutes; empty for agents", "place": "place in the order, from 1, the fastest",
    "n_mean": "players behind the mean; empty for published means",
}  # fmt: skip
FILES = {
    "ratio_of_ratios": "how many times as much a version slows people (or simulated players) as it slows each agent",
    "orders": "mean times by two estimators, and the place of each version in their order",
    "agreement": "agreement of these orders: between people, simulated players, each agent and the published means",
    "agreement_pairs": "the same, one row per pair of versions",
}


def rows_of(analysis: Analysis) -> dict[str, list[dict]]:
    """The rows of FILES."""
    return {
        "ratio_of_ratios": ratios_of_ratios(analysis), "orders": orders(analysis),
        "agreement": agreement(analysis), "agreement_pairs": agreement_pairs(analysis),
    }  # fmt: skip


def checks(analysis: Analysis) -> list[dict]:
    """Rows of the table tests: whether hazards are proportional, and the test of all versions together."""
    rows = [
        {"player": cell.kind.label, "test": "proportional_hazards", **asdict(cell.hazards)}
        for cell in analysis.cells
        if cell.hazards
    ]
    return rows + [{"player": label, "test": "omnibus", **asdict(test)} for label, test in analysis.omnibus.items()]


def ratios_of_ratios(analysis: Analysis) -> list[dict]:
    rows = []
    for each in analysis.contrasts:
        row: dict = {"version": each.version, "player": each.kind.label, "agent": each.agent.label}
        row |= {"n": each.people.n, "n_original": each.people.n_original}
        row |= {"n_agent": each.agents.n, "n_agent_original": each.agents.n_original}
        row |= {"ratio_of_ratios": each.value, "low": each.low, "high": each.high, "bound": each.bound}
        row |= {"share_more": each.share, "p": each.p, "p_holm": each.p_holm}
        for name, ratio in (("ratio", each.people), ("agent_ratio", each.agents)):
            row |= {name: ratio.value, f"{name}_low": ratio.low, f"{name}_high": ratio.high}
        rows.append(row)
    return rows


def orders(analysis: Analysis) -> list[dict]:
    rows = []
    for side in analysis.sides:
        for version, mean, n in zip(side.versions, side.means.tolist(), side.n.tolist()):
            row: dict = {"version": version, "player": side.label, "estimator": side.estimator}
            is_agent = side.kind is not None and side.kind.is_agent
            rate = next((run.rate for run in analysis.section.runs if run.player != "agent"), None)
            row |= {"n_mean": n if side.kind else None, "mean_inputs": mean if side.kind else None}
            row |= {"mean_time": None if is_agent else mean / rate / 60 if side.kind and rate else mean}
            rows.append(row | {"place": side.order.index(version) + 1 if version in side.order else None})
    return rows


def agreement(analysis: Analysis) -> list[dict]:
    rows = []
    for each in analysis.agreements:
        row: dict = {"player": each.second.label, "with": each.first.label, "estimator": each.estimator}
        row |= {"versions": len(each.first.versions), "pairs": each.n_pairs, "pairs_agree": each.n_agree}
        rows.append(row | {"tau": each.tau, "tau_low": each.low, "tau_high": each.high, "p": each.p})
    return rows


def agreement_pairs(analysis: Analysis) -> list[dict]:
    rows = []
    for each in analysis.agreements:
        for pair in each.pairs:
            row: dict = {"player": each.second.label, "with": each.first.label, "estimator": each.estimator}
            row |= {"version": pair.version, "other": pair.other, "apart": int(pair.is_apart)}
            row |= {"player_ratio": pair.second, "with_ratio": pair.first, "agree": pair.agrees}
            rows.append(row)
    return rows
