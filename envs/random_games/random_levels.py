"""Random levels in random looks, as environments: PriorLab/Random-v0, and v1 with looks of the second edition."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from priorlab.envs.engine.game_settings import PlaySettings
from priorlab.envs.interfaces.batch import BatchSettings
from priorlab.envs.interfaces.env import PriorLabEnv
from priorlab.envs.interfaces.vector import PriorLabVectorEnv
from priorlab.envs.looks.dials import Dials, check_split, read_dials
from priorlab.envs.random_games.bank import Bank

LEVELS = 1000  # by default; drawing them takes a few seconds
ALL = Dials()


class RandomVectorSettings(PlaySettings, BatchSettings, total=False):
    """Further settings of ``random_vector_env``."""


def random_env(
    levels: int = LEVELS,
    looks: Dials | Mapping[str, float] | None = ALL,
    split: str = "training",
    *,
    bank: str | Path | None = None,
    edition: int = 1,
    version: str = "original",
    render_mode: str | None = None,
    **settings: Unpack[PlaySettings],
) -> PriorLabEnv:
    """One game that plays each episode in one of the first ``levels`` levels of the split's bank, or of a bank file.

    Level k is drawn by the dials ``looks`` with look seed k of the split; None gives it the look of ``version``.
    ``edition``, of random looks, is 1 in PriorLab/Random-v0 and 2 in v1. Other
    settings are those of ``PriorLabEnv``. An episode draws its level with the probabilities ``games.chances``;
    ``info["place"]`` is its k. Raises ValueError, one line, for an invalid value.
    """
    return PriorLabEnv(
        version, render_mode=render_mode, **random_settings(levels, looks, split, bank, edition), **settings
    )


random_env.metadata = PriorLabEnv.metadata  # pyright: ignore[reportFunctionMemberAccess]  gymnasium.make looks for it


def random_vector_env(
    num_envs: int = 1,
    levels: int = LEVELS,
    looks: Dials | Mapping[str, float] | None = ALL,
    split: str = "training",
    *,
    bank: str | Path | None = None,
    edition: int = 1,
    version: str = "original",
    **settings: Unpack[RandomVectorSettings],
) -> PriorLabVectorEnv:
    """``num_envs`` games as in ``random_env``, as one ``PriorLabVectorEnv``."""
    return PriorLabVectorEnv(num_envs, version, **random_settings(levels, looks, split, bank, edition), **settings)


def random_settings(
    levels: int = LEVELS,
    looks: Dials | Mapping[str, float] | None = ALL,
    split: str = "training",
    bank: str | Path | None = None,
    edition: int = 1,
) -> dict[str, Any]:
    """The same random levels as settings of ``Games`` and ``PriorLabVecEnv``."""
    check_split(split)
    chosen = Bank.read(split if bank is None else bank).levels(levels)
    dials = None if looks is None else dials_of(looks, edition)
    return {"level": chosen, "look_seed": range(levels), "order": "drawn", "looks": dials, "split": split}


def dials_of(looks: Dials | Mapping[str, Any], edition: int) -> Dials:
    """The dials, in that edition, also those of the first, which is the default of ``Dials``. ValueError if they name
    another edition, or are no dials."""
    if isinstance(looks, Dials):
        if looks.edition not in (1, edition):
            raise ValueError(f"looks has edition {looks.edition}: expected {edition} in this environment")
        return replace(looks, edition=edition)
    if not isinstance(looks, Mapping):
        raise ValueError(f"looks is {looks!r}: expected dials by name, such as {{'semantics': 0.5}}, or None")
    if looks.get("edition", edition) != edition:
        raise ValueError(f"looks has edition {looks['edition']!r}: expected {edition} in this environment")
    return read_dials({**looks, "edition": edition})
