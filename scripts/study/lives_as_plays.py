"""Committed lives of players with priors, as the comparison takes plays: inputs, deaths and states, without curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from priorlab.agents.priors.lives import LIMIT
from priorlab.agents.priors.player_settings import NEEDED
from priorlab.envs.game.level import Level
from priorlab.scripts.analysis.statistics import Played

METHOD, PLAYER = "priors-sealed", "full"  # as the comparison names it, and as the rows do


def lives_on(rows: pd.DataFrame, place: str, versions: Sequence[str], where: Path) -> list[Played]:
    """The lives of the full player on one level, ``place``, in these versions."""
    kept: Any = rows[(rows["player"] == PLAYER) & (rows["place"] == place) & rows["version"].isin(versions)]
    level = Level.read(place).text() if len(kept) else ""
    return [played(row, place, level, where) for row in kept.to_dict("records")]


def played(row: Mapping, game: str, level: str, where: Path) -> Played:
    """One life. Lives of one training seed are of one raised player: together they count once in every interval."""
    inputs, won = row["inputs"], row["solved"]
    settings = {"given": list(NEEDED), "limit": LIMIT, "git_commit": row["commit"]}
    return Played(
        version=row["version"], method=METHOD, player="agent", privileged=False, game=game, level=level,
        folder=f"{where} {row['version']} seed {row['seed']} life {row['life']}", settings=settings, frame_skip=1,
        finished=True, budget=inputs, inputs=inputs, won=won, outcome="win" if won else "limit",
        deaths=float(row["deaths"]), mastered=np.nan, curve=np.zeros((2, 0)), visits=np.zeros((0, 3), np.int64),
        seed=f"{row['seed']}.{row['life']}", raised=f"seed {row['seed']}", all_states=float(row["unique_states"]),
    )  # fmt: skip
