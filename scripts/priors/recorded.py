"""What the experiment on priors has recorded so far: any subset of its rows, since rows come as the budget carries."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from priorlab.envs.base.files import read_json

Frame = Any  # a pandas frame or column; by its types, what is selected from a frame could be anything
FIXED, LIVES, PERCEPTION, RAISED = "fixed.json", "lives.csv", "perception.csv", "raised.csv"
LEVELS = "levels"  # the group of all places that are levels of the bank
GROUPS = {"key_door": "Key and Door", "princess": "Princess", LEVELS: "Levels"}
IN_GROUP = {**GROUPS, LEVELS: "the levels"}
LIVES_COLUMNS = ("player", "seed", "place", "version", "life", "drawing", "inputs", "solved", "deaths", "unique_states",
                 "progress", "seconds", "commit")  # fmt: skip
PERCEPTION_COLUMNS = ("player", "seed", "place", "version", "role", "cells", "probability", "recall", "nll")
RAISED_COLUMNS = ("player", "seed", "pictures", "seconds", "loss")


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


def read_recorded(folder: Path) -> Recorded:
    """The rows in ``folder``. ValueError, in one line, where there are none or a table lacks columns."""
    for name in (FIXED, LIVES):
        if not (folder / name).exists():
            raise ValueError(f"{folder}: no {name}: expected a folder in which `priorlab priors` has played")
    fixed = read_json(folder / FIXED)
    if not isinstance(fixed.get("limit"), int):
        raise ValueError(f"{folder / FIXED}: no limit: expected a number of inputs after which a life ends")
    lives = table_of(folder / LIVES, LIVES_COLUMNS)
    if not len(lives):
        raise ValueError(f"{folder / LIVES}: no life: expected one or more rows")
    perception, raised = table_of(folder / PERCEPTION, PERCEPTION_COLUMNS), table_of(folder / RAISED, RAISED_COLUMNS)
    return Recorded(grouped(lives), grouped(perception), raised, fixed)


def table_of(path: Path, columns: tuple[str, ...]) -> Frame:
    """The rows of a file, none where there is no file."""
    if not path.exists():
        return pd.DataFrame({name: [] for name in columns})
    rows = pd.read_csv(path)
    missing = [name for name in columns if name not in rows]
    if missing:
        raise ValueError(f"{path}: no column {', '.join(missing)}: expected {', '.join(columns)}")
    return rows


def grouped(rows: Frame) -> Frame:
    """With the group of each place; ``solved`` as bool."""
    group = [group_of(place) for place in rows["place"]]
    rows = rows.assign(group=pd.Series(group, index=rows.index, dtype=object))
    return rows.assign(solved=solved_of(rows["solved"])) if "solved" in rows else rows


def group_of(place: str) -> str:
    """One of GROUPS."""
    return place if place in GROUPS else LEVELS


def solved_of(column: Frame) -> Frame:
    """bool, of rows that write it as a word or as a number."""
    return column.astype(str).str.lower().isin(("true", "1", "1.0"))
