"""The lab's own runs on Princess, whose rows `priorlab reproduce` keeps."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from priorlab import ROOT

KEPT = ROOT / "results" / "reproduce" / "princess"


@cache
def table(name: str) -> pd.DataFrame:
    """A table of all runs. ValueError where there is none."""
    if not (KEPT / name).exists():
        raise ValueError(f"{KEPT / name}: not there: expected the rows that `priorlab reproduce` keeps in this folder")
    return pd.read_csv(KEPT / name, keep_default_na=False)


def rows_of(name: str, version: str, method: str, seed: int) -> pd.DataFrame:
    """The rows of one run. ValueError where it was not made."""
    every = table(name)
    own: Any = every[(every["version"] == version) & (every["method"] == method) & (every["seed"] == seed)]
    if not len(own):
        raise ValueError(f"{KEPT / name}: no run of {method} on {version} with seed {seed}: expected fewer seeds")
    return own


def first_win(own: pd.DataFrame) -> float:
    """Raw inputs of a run at the end of its first won episode; infinite where none was won."""
    won = own["inputs"].to_numpy()[(own["outcome"] == "win").to_numpy()]
    return float(won[0]) if len(won) else np.inf


def check(_: object) -> None:
    """ValueError where there are no rows."""
    table("episodes.csv.xz")
