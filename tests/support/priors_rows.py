"""Rows of the experiment on priors that nobody played: effects are planted, so that its page can be checked."""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from priorlab.agents.priors.roles import ROLES
from priorlab.scripts.priors.cast import ABLATIONS, CAST, CONTROLS, FULL, MATRIX_FULL, RANDOM, TOLD, WITHOUT
from priorlab.scripts.priors.cells import VERSIONS
from priorlab.scripts.priors.matrix import MASKS
from priorlab.scripts.priors.plan import Life
from priorlab.scripts.priors.recorded import Frame
from priorlab.scripts.priors.sealed import COLUMNS, FIXED, LIVES, PERCEPTION, RAISED, SealedTable, root_of

LIMIT = 54_000
LEVELS = tuple(f"level-{number:03d}" for number in range(5, 200, 20))
PLACES = ("key_door", "princess", *LEVELS)
ORIGINAL = {"key_door": 850.0, "princess": 110.0}  # inputs of a full player; of a level 700
COST = {  # of each version, times the original's inputs
    "original": 1.0, "retextured": 1.2, "masked_semantics": 2.2, "reversed_semantics": 1.1, "masked_objects": 5.0,
    "masked_affordances": 2.5, "masked_similarity": 9.0, "ladder_interaction": 1.3, "gravity": 1.1, "all_masked": 20.0,
}  # fmt: skip
UNTOLD = {"drawing": 0, "solved": True, "deaths": 0, "unique_states": 90, "progress": "", "plans": 9, "surprises": 3,
          "contradictions": 0, "lost": 0, "seconds": 2.5, "weights": "0" * 12, "commit": "c" * 12}  # fmt: skip


@dataclass(frozen=True)
class Planting:
    """``relief``: how many times less a player raised without a prior pays for its mask; ``slower``: how many times
    slower players are than full; ``spread``: standard deviations of logarithms, of a seed's skill at each mask and of a
    life."""

    relief: float = 1.0
    spread: tuple[float, float] = (0.15, 0.3)
    slower: dict[str, float] = field(default_factory=lambda: {"meaningless": 4, "untrained": 3, TOLD: 0.9})
    players: Sequence[str] = tuple(CAST)
    places: Sequence[str] = PLACES
    versions: Sequence[str] = VERSIONS
    seeds: int = 5
    lives: int = 2


def planted(planting: Planting, seed: int = 0) -> pd.DataFrame:
    """Rows of lives, without their checks."""
    rng = np.random.default_rng(seed)
    rows = []
    for player in planting.players:
        for raised in range(planting.seeds):
            skill = dict(zip(VERSIONS, rng.normal(0, planting.spread[0], len(VERSIONS))))
            for place in planting.places:
                for version in planting.versions:
                    middle = np.log(ORIGINAL.get(place, 700.0) * planting.slower.get(player, 1.0))
                    middle += np.log(COST[version]) * (player not in (TOLD, RANDOM)) + skill[version]
                    middle -= np.log(planting.relief) * relieved(player, version)
                    for life in range(planting.lives):
                        rows.append((player, raised, place, version, life, middle + rng.normal(0, planting.spread[1])))
    frame = pd.DataFrame(rows, columns=[*Life._fields, "inputs"])
    inputs = np.exp(frame["inputs"].to_numpy(float)).round().clip(90, LIMIT)
    inputs[frame["player"] == RANDOM] = LIMIT
    frame["inputs"], frame["solved"] = inputs.astype(int), inputs < LIMIT
    made = {
        "deaths": inputs // 1500, "unique_states": inputs * 0.6, "progress": np.where(inputs < LIMIT, 1, 0.4),
        "seconds": inputs / 400,
    }  # fmt: skip
    frame = frame.assign(**made)
    frame.loc[frame["place"].str.startswith("level"), "progress"] = np.nan
    return frame.astype({"deaths": int, "unique_states": int})


def relieved(player: str, version: str) -> bool:
    """Whether the version's mask, or one that it contains, is that of the prior that the player was raised without."""
    contained, own = dict(MASKS.values()), MASKS.get(WITHOUT.get(player, ""), ("", ""))[0]
    while version in contained and version != own:
        version = contained[version]
    return version == own


def write_sealed(folder: Path, lives: Frame, **fixed: Any) -> None:
    """A folder with these lives alone, sealed anew: columns that they lack as in UNTOLD; ``fixed``: what is fixed but
    for a limit."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LIVES).unlink(missing_ok=True)
    (folder / FIXED).write_text(json.dumps({"limit": LIMIT, **fixed}), encoding="utf-8")
    rows = lives.assign(**{name: value for name, value in UNTOLD.items() if name not in lives})[[*COLUMNS[LIVES]][:-1]]
    with closing(SealedTable(folder, root_of(folder))) as table:
        table.seal(*rows.itertuples(index=False, name=None))


def raised_rows(planting: Planting) -> pd.DataFrame:
    rows = [
        (player, seed, 50_000 if player == FULL else 16_000, 1100.0 if player == FULL else 350.0, 0.02, "a" * 64)
        for player in planting.players
        for seed in range(planting.seeds)
        if player not in (TOLD, RANDOM, "no-objects")
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS[RAISED]])


def perception_rows(planting: Planting) -> pd.DataFrame:
    players = [name for name in (FULL, MATRIX_FULL, *WITHOUT, *CONTROLS[1:3], *ABLATIONS) if name in planting.players]
    rows = [
        (player, seed, place, version, 0, role, 1 + 30 * (role == "free"), 1 / (1 + k), 0.9 / (1 + k), 0.1 * k)
        for player in players
        for seed in range(planting.seeds)
        for place in planting.places
        for k, version in enumerate(planting.versions)
        for role in ROLES
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=[*COLUMNS[PERCEPTION]])


def write_rows(folder: Path, planting: Planting, seed: int = 0) -> Frame:
    """A folder of the experiment with planted rows; returns its lives."""
    lives = planted(planting, seed)
    group = {"seeds": planting.seeds, "lives": planting.lives, "players": [*planting.players]}
    write_sealed(folder, lives, places=[*planting.places], versions=[*planting.versions], groups=[group])
    perception_rows(planting).to_csv(folder / PERCEPTION, index=False)
    raised_rows(planting).to_csv(folder / RAISED, index=False)
    return lives
