"""Inputs to win in the experiment of players with priors, from the rows that it keeps; none where it has none yet."""

from typing import Any

import numpy as np

from priorlab import ROOT
from priorlab.envs.game.versions import TITLES
from priorlab.scripts.lecture.claim import Beside
from priorlab.scripts.priors.sealed import read_lives

KEPT = ROOT / "results" / "priors"
PLAYERS = {  # the last two learned from equally many pictures
    "told": "designed by hand", "matrix-full": "learned", "meaningless": "learned without meaning",
}  # fmt: skip
PLACES = {**TITLES, "level": "random levels"}  # by how their names begin


def beside() -> list[Beside]:
    """Of each place and player, on the original. A life that was not won counts as long as it was: the limit."""
    lives: Any = read_lives(KEPT, missing_ok=True)
    lives = lives[lives["version"] == "original"]
    return [
        of_some(f"{name}: {known}", part)
        for place, name in PLACES.items()
        for player, known in PLAYERS.items()
        if len(part := lives[lives["place"].str.startswith(place) & (lives["player"] == player)])
    ]


def of_some(what: str, lives: Any) -> Beside:
    """Of one player's lives: the mean of each seed, each of its places counting alike."""
    each = lives.groupby(["seed", "place"])["inputs"].mean().groupby("seed").mean()
    return Beside(what, np.array(each, float), f"{lives['solved'].sum():,} of {len(lives):,} lives won")
