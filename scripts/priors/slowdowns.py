"""What each version costs each player: inputs, deaths and positions, and ratios to the original.

Lives are averaged within a training seed before seeds are compared, and within a place before places are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from priorlab.scripts.analysis.comparison import Estimate
from priorlab.scripts.analysis.statistics import BOUNDS
from priorlab.scripts.priors.cells import ORIGINAL, VERSIONS, Cells, over_places
from priorlab.scripts.priors.intervals import factor_over
from priorlab.scripts.priors.recorded import LEVELS, Recorded


@dataclass(frozen=True)
class Slowdown:
    """One player on one version, in one group of places.

    ``mean``: restricted mean inputs of all lives, places weighted equally; ``median``: of all lives; ``ratio``: the
    mean divided by the original's, of the seeds that have both in all places, with its ``bound`` as in
    ``analysis.statistics.Ratio``; ``over_seeds``: the geometric mean of each seed's ratio; ``over_levels``: of each
    level's, in the group of levels only. The ratios and ``extra`` inputs are None on the original and without it.
    ``progress`` is NaN where it was not recorded of every life.
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


@dataclass(frozen=True)
class Times:
    """How many times the inputs of one side another needs, of the seeds that have both in all places: by ``ratio`` of
    means, and as geometric means over seeds and over places; ``extra``: the difference of means."""

    ratio: float
    extra: float
    bound: str
    over_seeds: Estimate | None
    over_places: Estimate | None


def slowdowns_of(recorded: Recorded, groups: dict[str, Cells]) -> list[Slowdown]:
    """Of every player, group and version that has lives, versions in the study's order."""
    lives = recorded.lives
    inputs = lives["inputs"].where(lives["solved"], recorded.limit)
    medians = inputs.groupby([lives["player"], lives["group"], lives["version"]]).median().to_dict()
    return [
        slowdown(cells, player, group, version, medians[player, group, version])
        for group, cells in groups.items()
        for player in cells.players
        for version in VERSIONS
        if (player, group, version) in medians
    ]


def slowdown(cells: Cells, player: str, group: str, version: str, median: float) -> Slowdown:
    """Of one player on a version."""
    lives, times = cells.counts(player, version), None
    if version != ORIGINAL:
        times = times_of(cells, (player, version), (player, ORIGINAL))
    found: dict[str, Any] = {}
    if times:
        found = {"extra": times.extra, "ratio": times.ratio, "bound": times.bound, "over_seeds": times.over_seeds}
        found |= {"over_levels": times.over_places} if group == LEVELS else {}
    names = ("solved", "inputs", "deaths", "unique_states", "progress")
    mean = {name: over_places(cells.values(player, version, name), lives) for name in names}
    return Slowdown(
        player, group, version, int(lives.sum()), int(lives.any(axis=0).sum()), int(lives.any(axis=1).sum()),
        mean["solved"], mean["inputs"], float(median), mean["deaths"], mean["unique_states"], mean["progress"], **found,
    )  # fmt: skip


def times_of(cells: Cells, one: tuple[str, str], other: tuple[str, str]) -> Times | None:
    """Of a player on a version to a player on a version, over the seeds that have lives of both in all places; None
    where there is no such seed, or no such life was solved."""
    sides = one, other
    whole = np.all([cells.counts(*side) > 0 for side in sides], axis=(0, 1))  # (seeds,)
    counts = [cells.counts(*side)[:, whole] for side in sides]
    values = [cells.values(*side)[:, whole] for side in sides]
    solved = [cells.values(*side, "solved")[:, whole] for side in sides]
    if not np.any(solved):
        return None
    unsolved = [bool((each < 1).any()) for each in solved]
    means = [over_places(each, lives) for each, lives in zip(values, counts)]
    logs = np.log(values[0]) - np.log(values[1])
    return Times(
        means[0] / means[1], means[0] - means[1], BOUNDS[unsolved[0], unsolved[1]], factor_over(logs.mean(axis=0)),
        factor_over(logs.mean(axis=1)),
    )  # fmt: skip


def find(slowdowns: Sequence[Slowdown], player: str, group: str, version: str) -> Slowdown | None:
    """The one of these, or None."""
    wanted = (player, group, version)
    return next((each for each in slowdowns if (each.player, each.group, each.version) == wanted), None)
