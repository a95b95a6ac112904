"""The runs of `priorlab reproduce` on Princess, from the rows that it keeps."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from priorlab import ROOT

KEPT = ROOT / "results" / "reproduce" / "princess"


@cache
def table(name: str) -> pd.DataFrame:
    """A table of all runs. ValueError if it is missing."""
    if not (KEPT / name).exists():
        raise ValueError(f"{KEPT / name} is missing: expected the rows that `priorlab reproduce` keeps in this folder")
    return pd.read_csv(KEPT / name, keep_default_na=False)


def rows_of(name: str, version: str, method: str, seed: int) -> pd.DataFrame:
    """The rows of one run. ValueError if there is no such run."""
    every = table(name)
    rows: Any = every[(every["version"] == version) & (every["method"] == method) & (every["seed"] == seed)]
    if not len(rows):
        raise ValueError(f"{KEPT / name}: no run of {method} on {version} with seed {seed}: expected fewer seeds")
    return rows


def first_win(episodes: pd.DataFrame) -> float:
    """Raw inputs of a run at the end of its first won episode; infinite if none was won."""
    won = episodes["inputs"].to_numpy()[(episodes["outcome"] == "win").to_numpy()]
    return float(won[0]) if len(won) else np.inf


def check(_: object) -> None:
    """ValueError if there are no rows."""
    table("episodes.csv.xz")
