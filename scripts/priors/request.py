"""The settings of `priorlab priors`. Importing this is quick: no torch."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from priorlab.scripts.checks import check_counts

FOLDERS = {
    "knowledge": Path("results/priors"),
    "limits": Path("results/priors-limits"),
    "acting": Path("results/priors-acting"),
    "replication": Path("results/priors-replication"),
}
READ_ONCE = ("replication",)  # nothing is said of the result before all lives are there, unless it is asked for


@dataclass(frozen=True)
class Request:
    """Raises ValueError, in one line, for values that don't exist."""

    experiment: Literal["knowledge", "limits", "acting", "replication"] = "knowledge"
    """what learned knowledge is worth under the masks; what limits cost the learned player; how a player fares that
    learned to act instead of planning; or the claim of the first with new training seeds, looked at once"""
    fix: bool = False
    """write fixed.json and play nothing: every setting, and the SHA-256 of the weights that come with the package"""
    players: tuple[str, ...] = ()
    """play only these of the players that were fixed, such as full told matrix-full (default: all)"""
    seeds: int | None = None
    """play only so many training seeds of each player (default: all)"""
    lives: int | None = None
    """play only so many lives in each version (default: all)"""
    places: tuple[str, ...] = ()
    """play only here: key_door, princess, level-005, ... (default: all)"""
    versions: tuple[str, ...] = ()
    """play only these versions: original, masked_semantics, ... (default: all)"""
    out: Path | None = None
    """folder of fixed.json, of the rows and of the page; raised players go to runs/ and its name (default:
    results/priors, and results/priors-limits and so on for the others)"""
    weights: Path | None = None
    """file of the player `full` with seed 0 (default: the one that comes with the package)"""
    workers: int = 2
    """jobs in parallel, one CPU core and up to 2 GB of memory each"""
    minutes: float = math.inf
    """start nothing after so many minutes, and stop when what was begun ends or has a checkpoint"""
    raise_again: bool = False
    """raise players whose files are missing once more, and play those that come out as recorded: a processor of the
    same kind raises the same player"""
    report_only: bool = False
    """play nothing; only report existing rows, those of an unfinished replication, too"""

    def __post_init__(self) -> None:
        check_counts(seeds=self.seeds, lives=self.lives, workers=self.workers)
        if not self.minutes >= 0:
            raise ValueError(f"minutes must be at least 0, got {self.minutes:g}")
        if self.fix and self.report_only:
            raise ValueError("fix writes what is to be played, and report_only plays nothing: expected one of them")

    @property
    def folder(self) -> Path:
        return self.out or FOLDERS[self.experiment]
