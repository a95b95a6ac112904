"""Numbers from rows: survival, ratios and exploration curves, with bootstrap intervals over seeds or people.

Resampled are always whole runs or whole people, never steps: the inputs of one run are not independent of each other.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from envs.results import FRONT, Results

RESAMPLES = 2000
INTERVAL = (2.5, 97.5)  # percentiles
WINDOW = 100  # episodes over which a win rate is taken
MASTERED = 0.9  # win rate from which a game counts as mastered
CURVE_POINTS = 25  # a decade of inputs


@dataclass(frozen=True)
class Ratio:
    """How many times the inputs of ``original`` a version took; ``low`` and ``high`` are None for single runs.

    ``bound``: "" exact; ">=" where some runs of the version never won, "<=" where some of the original never did,
    "~" where both.
    """

    value: float
    low: float | None
    high: float | None
    bound: str
    n: int
    n_original: int


def first_wins(results: Results) -> pd.DataFrame:
    """One row a run or play: inputs to the first win, or, where won is False, all the inputs it had.

    Columns: the front columns, inputs, won, deaths (before the first win), states (unique, at that point), budget (all
    inputs of the run), all_states (unique, at its end), mastered (inputs until 90 of the last 100 episodes were won, or
    NaN), finished, frame_skip, level.
    """
    keys = [*FRONT]
    episodes = dict(list(results.episodes.groupby(keys, sort=False))) if len(results.episodes) else {}
    exploration = dict(list(results.exploration.groupby(keys, sort=False))) if len(results.exploration) else {}
    rows = []
    for _, config in results.configs.iterrows():
        key = tuple(config[name] for name in keys)
        ended = episodes.get(key, results.episodes.iloc[:0])
        wins = ended[ended["outcome"] == "win"]
        won = len(wins) > 0
        inputs = int(wins["inputs"].iloc[0]) if won else int(config["inputs"])
        before = wins.iloc[:1] if won else ended.iloc[-1:]
        curve = exploration.get(key, results.exploration.iloc[:0])
        xs, states = curve["inputs"].to_numpy(float), curve["unique_states"].to_numpy(float)
        rows.append(
            {
                **{name: config[name] for name in keys},
                "inputs": inputs,
                "won": won,
                "deaths": int(before["deaths"].iloc[0]) if len(before) else 0,
                "states": float(np.interp(inputs, xs, states)) if len(xs) else np.nan,
                "budget": int(config["inputs"]),
                "all_states": float(states[-1]) if len(xs) else np.nan,
                "mastered": mastered(ended),
                "finished": bool(config["finished"]),
                "frame_skip": int(config["frame_skip"]),
                "level": config["level"],
            }
        )
    extra = ["inputs", "won", "deaths", "states", "budget", "all_states", "mastered", "finished", "frame_skip", "level"]
    return pd.DataFrame(rows, columns=[*keys, *extra])


def mastered(episodes: pd.DataFrame) -> float:
    """Raw inputs of the run when 90 % of the last 100 episodes were won for the first time; NaN if never."""
    if len(episodes) < WINDOW:
        return float("nan")
    total = np.concatenate([[0], np.cumsum(episodes["outcome"].to_numpy() == "win")])
    reached = np.flatnonzero(total[WINDOW:] - total[:-WINDOW] >= MASTERED * WINDOW)
    return float(episodes["inputs"].iloc[reached[0] + WINDOW - 1]) if len(reached) else float("nan")


def kaplan_meier(
    times: np.ndarray, won: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Times in order (n,), and the share that has not won after each: (n,), or (resamples, n) for weights so shaped.

    Runs that never won are censored at their time: they leave the count, and are no win (Kaplan and Meier 1958).
    ``weights`` says how often each run is in a resample. A win and a censoring at one time: the win comes first.
    """
    order = np.lexsort((~won.astype(bool), times))
    weights = np.ones(len(times)) if weights is None else weights[..., order]
    at_risk = np.cumsum(weights[..., ::-1], axis=-1)[..., ::-1]
    leaves = np.where(won[order], weights, 0) / np.maximum(at_risk, 1e-9)
    return times[order], np.cumprod(1 - leaves, axis=-1)


def median_time(times: np.ndarray, won: np.ndarray) -> float:
    """First time at which at most half have not won yet; infinity where that is never seen."""
    ordered, share = kaplan_meier(times, won)
    reached = np.flatnonzero(share <= 0.5 + 1e-9)
    return float(ordered[reached[0]]) if len(reached) else float("inf")


def restricted_mean(
    times: np.ndarray, won: np.ndarray, horizon: float, weights: np.ndarray | None = None
) -> np.ndarray:
    """Mean inputs to the first win, each counted as at most ``horizon``: the area under the survival curve up to there.

    A scalar, or (resamples,) for weights (resamples, n). After its last run a curve goes on level.
    """
    ordered, share = kaplan_meier(times, won, weights)
    edges = np.minimum(np.concatenate([[0.0], ordered, [horizon]]), horizon)
    before = np.concatenate([np.ones((*share.shape[:-1], 1)), share], axis=-1)
    return (before * np.diff(edges)).sum(-1)


def horizon_of(times: np.ndarray, won: np.ndarray) -> float:
    """How far a survival curve is known: to its end, if all have won by then, and else to its last run."""
    _, share = kaplan_meier(times, won)
    return float("inf") if share[-1] < 1e-9 else float(times.max())


def ratio_to_original(version: pd.DataFrame, original: pd.DataFrame, seed: int = 0) -> Ratio | None:
    """Ratio of the restricted mean inputs to the first win, with its percentile bootstrap interval over runs or people.

    The two frames are rows of ``first_wins``. None where less than half are seen to win the original: then there is
    nothing to compare with.
    """
    if len(version) == 0 or len(original) == 0:
        return None
    groups = [(frame["inputs"].to_numpy(float), frame["won"].to_numpy(bool)) for frame in (version, original)]
    if not np.isfinite(median_time(*groups[1])):
        return None
    horizon = min(*(horizon_of(*group) for group in groups), max(group[0].max() for group in groups))
    above, below = (float(restricted_mean(*group, horizon)) for group in groups)
    missing = [kaplan_meier(*group)[1][-1] > 1e-9 for group in groups]
    bound = {(False, False): "", (True, False): ">=", (False, True): "<=", (True, True): "~"}[missing[0], missing[1]]
    low = high = None
    if min(len(version), len(original)) > 1:
        generator = np.random.default_rng(seed)
        means = [restricted_mean(*group, horizon, resamples(len(group[0]), generator)) for group in groups]
        low, high = np.percentile(means[0] / means[1], INTERVAL).tolist()
    return Ratio(above / below, low, high, bound, len(version), len(original))


def resamples(n: int, generator: np.random.Generator) -> np.ndarray:
    """(RESAMPLES, n): how often each of n is drawn, with replacement, in each resample."""
    return generator.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)


def grid_of(inputs: float) -> np.ndarray:
    """Counts of inputs from 1 to ``inputs``, evenly spaced on a log scale, the same for every player."""
    steps = int(np.ceil(CURVE_POINTS * np.log10(max(inputs, 10))))
    return np.minimum(10 ** (np.arange(steps + 1) / CURVE_POINTS), max(inputs, 10))


def exploration_curve(rows: pd.DataFrame, grid: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray | None]:
    """Mean unique states of some runs at ``grid`` (m,), and the 95 % band (2, m) over runs; no band for a single run.

    A run that has ended keeps its count, and the curve stops (NaN) where the longest run does.
    """
    runs = [run.to_numpy(float) for _, run in rows.groupby("seed")[["inputs", "unique_states"]]]
    curves = np.array([np.interp(grid, [1, *run[:, 0]], [1, *run[:, 1]]) for run in runs])
    mean = np.where(grid <= rows["inputs"].max(), curves.mean(axis=0), np.nan)
    if len(curves) < 2:
        return mean, None
    means = resamples(len(curves), np.random.default_rng(seed)) @ curves / len(curves)
    band = np.percentile(means, INTERVAL, axis=0)
    return mean, np.where(np.isnan(mean), np.nan, band)
