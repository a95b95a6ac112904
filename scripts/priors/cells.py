"""Every life in one array: means over lives, by player, version, place and training seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from priorlab.envs.game.versions import versions as versions_of
from priorlab.scripts.priors.cast import in_order
from priorlab.scripts.priors.recorded import GROUPS, Recorded, group_of

VERSIONS = tuple(versions_of("key_door"))  # those of Princess are the same
ORIGINAL = "original"
MEASURES = ("inputs", "log", "solved", "deaths", "unique_states", "progress")
SIDES = ["player", "version", "place", "seed"]


@dataclass(frozen=True, eq=False)
class Cells:
    """Means over lives; one that was not solved counts as the limit (a restricted mean).

    ``places``: those that were fixed, in all of which a training seed must have lives to be compared with others;
    ``lives``: int (players, VERSIONS, places, seeds), how many; ``means``: by MEASURES, float64 of the same shape, NaN
    where there is none; ``log`` is the natural logarithm of inputs.
    """

    players: tuple[str, ...]
    places: tuple[str, ...]
    seeds: tuple[int, ...]
    lives: np.ndarray
    means: dict[str, np.ndarray]

    @staticmethod
    def of(recorded: Recorded) -> "Cells":
        lives = recorded.lives
        inputs = lives["inputs"].where(lives["solved"], recorded.limit).astype(float)
        rows = lives.assign(inputs=inputs, log=np.log(inputs.clip(lower=1)))
        rows = rows[[*SIDES, *MEASURES]].astype(dict.fromkeys(MEASURES, float))
        rows = rows.fillna({"progress": np.inf})  # of one life unknown: of all unknown, or only wins would be counted
        players, places = tuple(in_order(set(rows["player"]))), recorded.places
        seeds = tuple(sorted(map(int, set(rows["seed"]))))
        every = pd.MultiIndex.from_product([players, VERSIONS, places, seeds])
        grouped = rows.groupby(SIDES)
        shape = len(players), len(VERSIONS), len(places), len(seeds)
        counts = grouped.size().reindex(every, fill_value=0).to_numpy(int).reshape(shape)
        means = grouped[[*MEASURES]].mean().reindex(every)
        return Cells(players, places, seeds, counts, {
            name: np.where(np.isfinite(values := means[name].to_numpy(float).reshape(shape)), values, np.nan)
            for name in MEASURES
        })  # fmt: skip

    def on(self, places: Sequence[str]) -> "Cells":
        """Those of these places."""
        kept = [k for k, place in enumerate(self.places) if place in places]
        means = {name: values[:, :, kept] for name, values in self.means.items()}
        return Cells(self.players, tuple(self.places[k] for k in kept), self.seeds, self.lives[:, :, kept], means)

    def by_group(self) -> dict[str, "Cells"]:
        """Those of each of GROUPS that has lives."""
        groups = {name: self.on([place for place in self.places if group_of(place) == name]) for name in GROUPS}
        return {name: cells for name, cells in groups.items() if cells.lives.any()}

    def unfinished(self) -> dict[str, list[int]]:
        """By player, the training seeds that have a version in some places only."""
        there = self.lives > 0
        partly = np.any(there.any(axis=2) & ~there.all(axis=2), axis=1)  # (players, seeds)
        seeds = np.array(self.seeds)
        return {player: seeds[some].tolist() for player, some in zip(self.players, partly) if some.any()}

    def counts(self, player: str, version: str) -> np.ndarray:
        """int (places, seeds): lives; zeros for a player without any."""
        if player not in self.players:
            return np.zeros(self.lives.shape[2:], int)
        return self.lives[self.players.index(player), VERSIONS.index(version)]

    def values(self, player: str, version: str, measure: str = "inputs") -> np.ndarray:
        """float64 (places, seeds)."""
        if player not in self.players:
            return np.full(self.lives.shape[2:], np.nan)
        return self.means[measure][self.players.index(player), VERSIONS.index(version)]


def over_places(values: np.ndarray, lives: np.ndarray) -> float:
    """The mean over all lives of a place, then over places, of (places, seeds); NaN without any, or if the value of
    some is unknown."""
    n = lives.sum(axis=1)
    if not n.any() or np.isnan(values[lives > 0]).any():
        return np.nan
    sums = (np.nan_to_num(values) * lives).sum(axis=1)
    return float((sums[n > 0] / n[n > 0]).mean())
