"""Random levels in random looks, as environments: PriorLab/Random-v0."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from priorlab.envs.interfaces.env import PriorLabEnv
from priorlab.envs.interfaces.vector import PriorLabVectorEnv
from priorlab.envs.looks.dials import Dials, check_split
from priorlab.envs.random_games.bank import Bank

LEVELS = 1000  # where nothing is said: drawing them takes a few seconds
ALL = Dials()


def random_env(
    levels: int = LEVELS,
    looks: Dials | Mapping[str, float] | None = ALL,
    split: str = "training",
    *,
    bank: str | Path | None = None,
    **settings: Any,
) -> PriorLabEnv:
    """One game, whose episodes are played in the first ``levels`` levels of the split's bank, or of another file.

    Level k is drawn with the dials ``looks`` and look seed k of the split; None draws the look of ``version``. Other
    settings are those of ``PriorLabEnv``. ``games.chances`` weights the levels; ``info["place"]`` is the episode's k.
    """
    return PriorLabEnv(**random_settings(levels, looks, split, bank), **settings)


random_env.metadata = PriorLabEnv.metadata  # pyright: ignore[reportFunctionMemberAccess]  gymnasium.make looks for it


def random_vector_env(
    num_envs: int = 1,
    levels: int = LEVELS,
    looks: Dials | Mapping[str, float] | None = ALL,
    split: str = "training",
    *,
    bank: str | Path | None = None,
    **settings: Any,
) -> PriorLabVectorEnv:
    """A batch of ``num_envs`` games like that of ``random_env``."""
    return PriorLabVectorEnv(num_envs, **random_settings(levels, looks, split, bank), **settings)


def random_settings(
    levels: int = LEVELS,
    looks: Dials | Mapping[str, float] | None = ALL,
    split: str = "training",
    bank: str | Path | None = None,
) -> dict[str, Any]:
    """The same, as settings of ``Games``, for batches without gymnasium and for stable-baselines3."""
    check_split(split)
    chosen = Bank.read(split if bank is None else bank).levels(levels)
    return {"level": chosen, "look_seed": range(levels), "order": "drawn", "looks": looks, "split": split}
