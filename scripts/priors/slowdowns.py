"""What each version costs each player: inputs, deaths and positions, and ratios to the original.

A life that was not solved counts as the limit (a restricted mean). Lives are averaged within a training seed before
seeds are compared, and within a place before places are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from priorlab.envs.game.versions import versions as versions_of
from priorlab.scripts.analysis.comparison import Estimate
from priorlab.scripts.analysis.statistics import BOUNDS
from priorlab.scripts.priors.intervals import factor_over
from priorlab.scripts.priors.recorded import LEVELS, Frame, Recorded

VERSIONS = tuple(versions_of("key_door"))
ORIGINAL = "original"
PAIR = ["seed", "place"]
MEASURES = ["inputs", "solved", "deaths", "unique_states", "progress"]


@dataclass(frozen=True)
class Slowdown:
    """One player on one version, in one group of places.

    ``mean``: restricted mean inputs of all lives, places weighted equally; ``ratio``: that divided by the original's,
    of the seeds and places that have both, with its ``bound`` as in ``analysis.statistics.Ratio``; ``over_seeds``:
    the geometric mean of each seed's ratio; ``over_levels``: of each level's, in the group of levels only. The ratios
    and ``extra`` inputs are None on the original and without it. ``progress`` is NaN where it was not recorded.
    """

    player: str
    group: str
    version: str
    lives: int
    seeds: int
    places: int
    solved: float
    mean: float
    median: float
    deaths: float
    unique_states: float
    progress: float
    extra: float | None = None
    ratio: float | None = None
    bound: str = ""
    over_seeds: Estimate | None = None
    over_levels: Estimate | None = None


def slowdowns_of(recorded: Recorded) -> list[Slowdown]:
    """Of every player, group and version that has lives, versions in the study's order."""
    found = []
    for (player, group), rows in counted_of(recorded).groupby(["player", "group"], sort=False):
        by_version: dict[str, Frame] = dict(iter(rows.groupby("version")))
        original = by_version.get(ORIGINAL)
        found += [
            slowdown(player, group, version, by_version[version], original)
            for version in VERSIONS
            if version in by_version
        ]
    return found


def counted_of(recorded: Recorded) -> Frame:
    """The lives, with MEASURES as float64; one that was not solved counts as the limit."""
    lives = recorded.lives
    counted = lives[["player", "group", "version", *PAIR, *MEASURES]].astype(dict.fromkeys(MEASURES, float))
    return counted.assign(inputs=counted["inputs"].where(lives["solved"], recorded.limit))


def slowdown(player: str, group: str, version: str, rows: Frame, original: Frame | None) -> Slowdown:
    """Of one player's lives on a version, and on the original."""
    found: dict[str, Any] = {}
    if version != ORIGINAL and original is not None:
        here, there = shared(rows, original)
        if len(here):
            means = over_places(here)["inputs"], over_places(there)["inputs"]
            logs = np.log(cells_of(here)) - np.log(cells_of(there))  # a row per seed and place
            found = {
                "extra": means[0] - means[1],
                "ratio": means[0] / means[1],
                "bound": BOUNDS[has_unsolved(here), has_unsolved(there)],
                "over_seeds": factor_over(averaged(logs, "seed")),
                "over_levels": factor_over(averaged(logs, "place")) if group == LEVELS else None,
            }
    mean = over_places(rows)
    return Slowdown(
        player, group, version, len(rows), rows["seed"].nunique(), rows["place"].nunique(), mean["solved"],
        mean["inputs"], float(rows["inputs"].median()), mean["deaths"], mean["unique_states"], mean["progress"],
        **found,
    )  # fmt: skip


def has_unsolved(rows: Frame) -> bool:
    return bool((rows["solved"] == 0).any())


def shared(rows: Frame, others: Frame) -> tuple[Frame, Frame]:
    """The lives of both at the seeds and places that both have."""
    keys = [pd.MultiIndex.from_frame(each[PAIR]) for each in (rows, others)]
    return rows[keys[0].isin(keys[1])], others[keys[1].isin(keys[0])]


def over_places(rows: Frame) -> dict[str, float]:
    """Each of MEASURES: the mean over all lives of a place, then over places; what is missing is left out."""
    means = rows.groupby("place")[MEASURES].mean().to_numpy()
    known = np.isfinite(means)
    totals = np.where(known, means, 0).sum(axis=0)
    return {name: float(total / n) if n else np.nan for name, total, n in zip(MEASURES, totals, known.sum(axis=0))}


def cells_of(rows: Frame) -> Frame:
    """Mean inputs over lives, by seed and place."""
    return rows.groupby(PAIR)["inputs"].mean()


def averaged(logs: Frame, level: str) -> np.ndarray:
    """Over the other of seed and place, float64 (n,)."""
    return logs.groupby(level=level).mean().to_numpy(float)


def find(slowdowns: Sequence[Slowdown], player: str, group: str, version: str) -> Slowdown | None:
    """The one of these, or None."""
    wanted = (player, group, version)
    return next((each for each in slowdowns if (each.player, each.group, each.version) == wanted), None)
