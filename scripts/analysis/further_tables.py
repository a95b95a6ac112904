"""Tables of how plays go: entropy, deaths over time, curves of single plays, learning. ``tables.py`` writes them."""

import numpy as np
import pandas as pd

from priorlab.scripts.analysis.comparison import Analysis, mean
from priorlab.scripts.analysis.curves import grid_of, groups_of
from priorlab.scripts.analysis.entropy import matched, of_run
from priorlab.scripts.analysis.learning import attempts_of
from priorlab.scripts.analysis.players import Section
from priorlab.scripts.analysis.recurrent import mean_deaths
from priorlab.scripts.analysis.statistics import LEAST, Played, bootstrap_weights

FILES = {
    "entropy": "state-visit entropy of each play or run: complete, and at numbers of inputs that its track covers",
    "mean_entropy": "its means over players",
    "mean_deaths": "mean cumulative deaths against inputs",
    "single": "unique states and share of the way covered against inputs, of each play or run",
    "learning": "first, second and later plays of a version by the same people, and agents' episodes; only if anybody "
    "played a version more than once",
}
COLUMNS = {
    "at_inputs": "number of inputs at which players are compared, of one game; empty: the complete play or run",
    "entropy": "Shannon entropy of the shares of inputs spent in each 7 px cell, in bits; too low by least_bias "
    "or more",
    "least_bias": "bits by which an entropy of so many independent observations is too low (Miller 1955)",
    "mean_entropy": "mean of the entropy over the n players whose track covers so many inputs",
    "cumulative_deaths": "mean cumulative function: mean deaths of a player who still plays; empty below three of them",
    "playing": "number of players who still play",
    "deaths_kept": "mean deaths by then, if players who have won or quit keep theirs",
    "covered": "share of the shortest way covered by then",
    "attempt": "number of the play of this version by the same person, from 1; of agents, number of episodes: values "
    "are means since the row before",
    "mean_inputs_low": "",
    "mean_inputs_high": "",
    "ratio_to_first_low": "",
    "ratio_to_first_high": "",
    "share_won_low": "",
    "share_won_high": "",
    "mean_covered_low": "",
    "mean_covered_high": "",
    "mean_inputs": "mean inputs to the win, restricted to the limit, quits censored; of agents, per episode",
    "ratio_to_first": "the restricted mean over that of the same people's first plays",
    "share_won": "share of the plays or episodes won",
    "mean_covered": "mean share of the shortest way covered at the end of the play",
}
COMPLETE = 1 << 62  # instead of a number of inputs


def further_tables(analysis: Analysis) -> dict[str, pd.DataFrame]:
    """The tables of a section, by their names in FILES, without the columns that name the section."""
    each, means = entropies(analysis.section)
    return {
        "entropy": each, "mean_entropy": means, "mean_deaths": deaths(analysis.section),
        "single": single(analysis.section), "learning": learning(analysis),
    }  # fmt: skip


def entropies(section: Section) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The entropy of each play and run, and the means by kind of player and version, of LEAST people or more."""
    rows, means = [], []
    for kind, version, runs in groups_of(section):
        row = {"version": version, "player": kind.label}
        found: dict[int, list[tuple[Played, float, float]]] = {}
        for run in (run for run in runs if len(run.visits)):
            for inputs, (bits, bias) in (matched(run) | {COMPLETE: of_run(run)}).items():
                found.setdefault(inputs, []).append((run, bits, bias))
                whose = {"play": str(run.seed), "participant": run.participant}
                rows.append(row | whose | {"at_inputs": inputs, "entropy": bits, "least_bias": bias})
        for inputs, each in sorted(found.items()):
            if not kind.is_agent and len(each) < LEAST:
                continue
            whose, bits, bias = zip(*each)
            value = mean(bits, bootstrap_weights([whose])[0], whose)
            row |= {"n": len(each), "at_inputs": inputs, "mean_entropy": value.value}
            means.append(row | {"low": value.low, "high": value.high, "least_bias": float(np.mean(bias))})
    return marked(rows), marked(means)


def marked(rows: list[dict]) -> pd.DataFrame:
    """The rows, with an empty number of inputs for complete plays and runs."""
    frame = pd.DataFrame(rows)
    return frame.assign(at_inputs=frame["at_inputs"].astype("Int64").replace(COMPLETE, pd.NA)) if rows else frame


def deaths(section: Section) -> pd.DataFrame:
    rows = []
    for kind, version, runs in groups_of(section):
        if not all(run.died.size for run in runs):
            continue
        each = [runs] if kind.is_agent or len(runs) >= LEAST else [[run] for run in runs]
        for group in each:
            grid = grid_of(max(run.budget for run in group))
            row = {"version": version, "player": kind.label, "n": len(group)}
            row["play"] = str(group[0].seed) if len(each) > 1 else ""
            names = ("cumulative_deaths", "low", "high", "playing", "deaths_kept")
            for inputs, *values in zip(grid.tolist(), *mean_deaths(group, grid).tolist()):
                rows.append(row | {"inputs": inputs} | dict(zip(names, values)))
    return pd.DataFrame(rows)


def single(section: Section) -> pd.DataFrame:
    frames = []
    for kind, version, runs in groups_of(section):
        for run in (run for run in runs if run.curve.size):
            inputs, states = run.curve
            frame = pd.DataFrame({"inputs": inputs.astype(int), "states": states.astype(int)})
            for name, value in (("play", str(run.seed)), ("player", kind.label), ("version", version)):
                frame.insert(0, name, value)
            if run.progress.size:
                at = np.searchsorted(run.progress[0], inputs, side="right") - 1
                frame["covered"] = run.progress[1][at]
            frames.append(frame)
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def learning(analysis: Analysis) -> pd.DataFrame:
    rows = []
    for each in attempts_of(analysis.section, analysis.limit):
        row: dict = {"version": each.version, "player": each.kind.label, "attempt": each.number, "n": each.n}
        estimates = {
            "mean_inputs": each.inputs, "ratio_to_first": each.ratio, "mean_deaths": each.deaths,
            "share_won": each.won, "mean_covered": each.progress,
        }  # fmt: skip
        for name, estimate in estimates.items():
            row |= {name: estimate.value if estimate else None}
            row |= {f"{name}_{end}": getattr(estimate, end) if estimate else None for end in ("low", "high")}
        rows.append(row)
    return pd.DataFrame(rows)
