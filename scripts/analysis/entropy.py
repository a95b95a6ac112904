"""State-visit entropy: how widely a play or run spreads its time over the places of a level, in bits.

The entropy of the shares p of inputs spent in each 7 px cell is -sum p log2 p (Shannon 1948): 0 for a player who never
moves, log2 of the number of cells for one who is everywhere equally often. It grows with the length of a play, so
players are compared at the same number of inputs, from tracks; the entropy of complete plays and runs is given, too.

Bias: an entropy of observed shares is too low, for n independent observations of k cells by about
(k - 1) / (2 n ln 2) bits (Miller 1955). Positions of successive inputs are not independent, so the bias is larger than
that. No correction is made: the term is given next to the entropy, as the least bias to be expected.
"""

from collections.abc import Sequence

import numpy as np

from priorlab.envs.plays.tracks import EVERY
from priorlab.envs.results.rows import CELL
from priorlab.scripts.analysis.statistics import Played

MATCHED = (100, 300, 1000, 3000, 10_000, 30_000)  # inputs of one game
GAP = 4 * EVERY  # inputs between two positions of a track from which on it is not complete


def entropy(counts: np.ndarray) -> float:
    """Bits, of visits or times per cell, (k,); NaN if there are none."""
    share = counts[counts > 0] / counts.sum() if counts.sum() > 0 else np.full(1, np.nan)
    return float(-(share * np.log2(share)).sum()) + 0.0


def least_bias(cells: int, observations: float) -> float:
    """Bits by which the entropy of so many independent observations in so many visited cells is too low (Miller)."""
    return (cells - 1) / (2 * observations * np.log(2)) if observations else float("nan")


def of_run(run: Played) -> tuple[float, float]:
    """The entropy of the complete play or run, and its least bias; NaN if it has no visits."""
    visits = run.visits[:, 2] if len(run.visits) else np.zeros(0)
    return entropy(visits), least_bias(len(visits), float(visits.sum()))


def matched(run: Played, inputs: Sequence[int] = MATCHED) -> dict[int, tuple[float, float]]:
    """By numbers of inputs, the entropy by then and its least bias, as far as the track is complete.

    Each position of the track counts for the inputs since the one before. A track of an agent is that of one of its
    games, and inputs are that game's.
    """
    if not len(run.track):
        return {}
    lanes = int(run.settings.get("num_games") or 1) if run.player == "agent" else 1
    times = run.track[:, 0] / lanes
    lasts = np.diff(times, prepend=0)
    gaps = np.flatnonzero(lasts > GAP * max(1, run.frame_skip))
    known = float(times[gaps[0] - 1]) if len(gaps) and gaps[0] else 0.0 if len(gaps) else float(times[-1])
    cells = np.floor(run.track[:, 2:] / CELL).astype(np.int64) @ np.array([1 << 20, 1])
    values = {}
    for most in (each for each in inputs if each <= known + EVERY):
        by_then = times <= most
        _, which = np.unique(cells[by_then], return_inverse=True)
        spent = np.bincount(which, lasts[by_then])
        values[most] = entropy(spent), least_bias(len(spent), int(by_then.sum()))
    return values
