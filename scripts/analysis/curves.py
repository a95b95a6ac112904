"""Mean curves against inputs, with bands, and as tidy tables: unique states, and progress along the shortest way."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from priorlab.scripts.analysis.players import Kind, Section, level_name, of_kind
from priorlab.scripts.analysis.statistics import LEAST, Played, bootstrap_weights, quantiles

CURVE_POINTS = 25  # points per decade of inputs
MARKS = (100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000)  # inputs at which players are compared
Curve = Callable[[Sequence[Played], np.ndarray], tuple[np.ndarray, np.ndarray | None]]


def labelled(section: Section, rows: Sequence[dict]) -> pd.DataFrame:
    return front(section, pd.DataFrame(rows))


def front(section: Section, frame: pd.DataFrame) -> pd.DataFrame:
    """Inserts the columns that identify a section at the front."""
    on_level(section, frame)
    frame.insert(2, "study", section.study or "")
    frame.insert(3, "limit", np.nan if section.limit is None else section.limit)
    return frame


def on_level(section: Section, frame: pd.DataFrame) -> pd.DataFrame:
    """Inserts the columns of game and level at the front; tables of agents alone need no others."""
    frame.insert(0, "game", section.game)
    frame.insert(1, "level", level_name(section.level))
    return frame


def groups_of(section: Section) -> list[tuple[Kind, str, list[Played]]]:
    """Every kind of player on every version that it played."""
    groups = [(kind, name, of_kind(section.runs, kind, name)) for name in section.versions for kind in section.kinds]
    return [group for group in groups if group[2]]


def exploration(section: Section) -> pd.DataFrame:
    """Unique states against inputs; a kind of player without positions has no rows."""
    groups = [group for group in groups_of(section) if any(run.curve.size for run in group[2])]
    return curves(section, groups, "states", exploration_curve)


def progress(section: Section) -> pd.DataFrame:
    """The share of the shortest way covered so far against inputs, of the runs and plays that record it."""
    groups = [(kind, name, [run for run in runs if run.progress.size]) for kind, name, runs in groups_of(section)]
    return curves(section, [group for group in groups if group[2]], "progress", progress_curve)


def progress_at(section: Section) -> pd.DataFrame:
    """The mean share of the shortest way covered after MARKS inputs, of LEAST people or more, and of agents.

    A kind of which everybody had won keeps its 1; one that was not followed so long has no row.
    """
    rows = []
    for kind, version, everyone in groups_of(section):
        runs = [run for run in everyone if run.progress.size]
        if not runs or (len(runs) < LEAST and not kind.is_agent):
            continue
        shares = progress_curve(runs, np.array(MARKS, float))[0]
        if all(run.progress[1, -1] == 1 for run in runs):
            shares = np.where(np.isnan(shares), 1, shares)
        for mark, share in zip(MARKS, shares.tolist()):
            row = {"version": version, "player": kind.label, "n": len(runs), "inputs": mark, "progress": share}
            rows += [row] if np.isfinite(share) else []
    return labelled(section, rows)


def curves(section: Section, groups: Sequence[tuple[Kind, str, list[Played]]], name: str, curve: Curve) -> pd.DataFrame:
    """The mean curve of each group and its band; of few people, who have no mean, the curve of each play."""
    rows = []
    for kind, version, runs in groups:
        grid = grid_of(max(run.budget for run in runs))
        each = [runs] if kind.is_agent or len(runs) >= LEAST else [[run] for run in runs]
        for group in each:
            mean, band = curve(group, grid)
            low, high = band if band is not None else np.full((2, len(grid)), np.nan)
            row = {"version": version, "player": kind.label, "n": len(group), "play": ""}
            row["play"] = str(group[0].seed) if len(each) > 1 else ""
            for values in zip(grid, mean, low, high):
                rows.append(row | dict(zip(("inputs", name, "low", "high"), values)))
    return labelled(section, rows)


def grid_of(inputs: float) -> np.ndarray:
    """Counts of inputs from 1 to ``inputs``, evenly spaced on a log scale and the same for every player."""
    steps = int(np.ceil(CURVE_POINTS * np.log10(max(inputs, 10))))
    return np.minimum(10 ** (np.arange(steps + 1) / CURVE_POINTS), max(inputs, 10))


def exploration_curve(runs: Sequence[Played], grid: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Mean unique states of the runs at ``grid`` (m,), and the 95 % band (2, m) over runs; no band below LEAST runs.

    A run that has ended keeps its count; the curve ends (NaN) with the longest run.
    """
    return mean_curve([np.insert(run.curve, 0, 1, axis=1) for run in runs], runs, grid)


def progress_curve(runs: Sequence[Played], grid: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Mean share of the shortest way covered by runs that record it, as ``exploration_curve``.

    A share counts from the input at which it was covered; a run that has ended keeps its share.
    """
    steps = [np.searchsorted(run.progress[0], grid, side="right") - 1 for run in runs]
    return mean_at(np.array([run.progress[1][step] for run, step in zip(runs, steps)]), runs, grid)


def mean_curve(
    each: Sequence[np.ndarray], runs: Sequence[Played], grid: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """The mean of one curve (2, k) per run at ``grid``, as ``exploration_curve`` returns it for unique states."""
    return mean_at(np.array([np.interp(grid, *curve) for curve in each]), runs, grid)


def mean_at(curves: np.ndarray, runs: Sequence[Played], grid: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """The mean of curves (n, m), one per run, and its band, as in ``exploration_curve``."""
    reached = grid <= max(run.budget for run in runs)
    mean = np.where(reached, curves.mean(axis=0), np.nan)
    if len(curves) < LEAST:
        return mean, None
    means = bootstrap_weights([runs])[0] @ curves / len(curves)
    return mean, np.where(reached, np.quantile(means, quantiles(len(curves)), axis=0), np.nan)
