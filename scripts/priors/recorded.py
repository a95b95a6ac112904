"""What the experiment on priors has recorded so far: any subset of its rows, since lives are played round by round."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from priorlab.envs.base.files import read_json
from priorlab.envs.game.versions import TITLES
from priorlab.scripts.priors.sealed import FIXED, LIVES, PERCEPTION, RAISED, read_lives, read_rows

Frame = Any  # a pandas frame or column; by its types, what is selected from a frame could be anything
LEVELS = "levels"  # the group of all places that are levels of the bank
GROUPS = {**TITLES, LEVELS: "Levels"}
IN_GROUP = {**GROUPS, LEVELS: "the levels"}


@dataclass(frozen=True, eq=False)
class Recorded:
    """Rows of LIVES with their ``group``, one of GROUPS; ``perception`` likewise; ``fixed``: what was fixed before.

    The tables of perception and of raised players are empty where there is no file.
    """

    lives: Frame
    perception: Frame
    raised: Frame
    fixed: dict[str, Any]

    @property
    def limit(self) -> int:
        """Inputs after which a life ends."""
        return int(self.fixed["limit"])

    @property
    def places(self) -> tuple[str, ...]:
        """Those that were fixed, and any others with lives."""
        return tuple(dict.fromkeys([*self.fixed.get("places", ()), *self.lives["place"]]))

    @property
    def planned(self) -> dict[str, int]:
        """Planned lives by player; empty if they were not fixed."""
        fixed, planned = self.fixed, dict[str, int]()
        for group in fixed.get("groups", ()):
            for player in group["players"]:
                lives = group["seeds"] * group["lives"] * len(fixed["places"]) * len(fixed["versions"])
                planned[player] = planned.get(player, 0) + lives
        return planned

    @property
    def unfinished(self) -> set[str]:
        """The players of whom fewer lives are recorded than were planned."""
        lived = self.lives["player"].value_counts().to_dict()
        return {player for player, lives in self.planned.items() if lived.get(player, 0) < lives}

    def so_far(self, finding: str) -> str:
        """A sentence on the rows, which says so where lives are missing."""
        return f"So far: {finding[0].lower()}{finding[1:]}" if self.unfinished else finding


def read_recorded(folder: Path) -> Recorded:
    """The rows in ``folder``; lives as ``read_lives``. ValueError, in one line, where there is no life, or a table has
    other columns."""
    lives, fixed = read_lives(folder), read_json(folder / FIXED)
    if not isinstance(fixed.get("limit"), int):
        raise ValueError(f"{folder / FIXED}: no limit: expected a number of inputs after which a life ends")
    if not len(lives):
        raise ValueError(f"{folder / LIVES}: no life: expected one or more rows")
    perception, raised = read_rows(folder / PERCEPTION), read_rows(folder / RAISED)
    return Recorded(grouped(lives), grouped(perception), raised, fixed)


def grouped(rows: Frame) -> Frame:
    """With the group of each place."""
    group = [group_of(place) for place in rows["place"]]
    return rows.assign(group=pd.Series(group, index=rows.index, dtype=object))


def group_of(place: str) -> str:
    """One of GROUPS."""
    return place if place in GROUPS else LEVELS
