"""The gymnasium ids: one per game, version, and Atari game with mask, and those of lists of levels and random
levels."""

from typing import Any

from gymnasium.envs.registration import EnvSpec, registry

from priorlab.envs.atari.table import table
from priorlab.envs.game.sequences import TOWER
from priorlab.envs.game.versions import games, id_of, versions

SINGLE, BATCH = "interfaces.env:PriorLabEnv", "interfaces.vector:PriorLabVectorEnv"
RANDOM = "random_games.random_levels:random_env", "random_games.random_levels:random_vector_env"
ATARI = "atari.atari_env:AtariEnv", "atari.atari_vector:AtariVectorEnv"
RAW = {"frame_skip": 1, "screen_size": None}  # clients that pass only an id skip frames and scale by themselves


def register(name: str, single: str = SINGLE, batch: str = BATCH, number: int = 0, **settings: Any) -> None:
    """Registers PriorLab/NAME-vNUMBER with its two entry points in this room and their settings."""
    spec = EnvSpec(
        f"PriorLab/{name}-v{number}",
        entry_point=f"priorlab.envs.{single}",
        vector_entry_point=f"priorlab.envs.{batch}",
        kwargs=settings,
        # the environment itself rejects what these wrappers would, at a hundredth of their cost
        disable_env_checker=True,
        order_enforce=False,
    )
    registry[spec.id] = spec  # not by gymnasium.register, which looks through all ids each time


def register_all() -> None:
    for game in games():
        register(id_of(game), game=game)
        for version in versions(game):
            register(f"{id_of(game)}-{id_of(version)}", game=game, version=version)
    register("Levels", level=list(TOWER), order="drawn")
    register("Random", *RANDOM)
    register("Random", *RANDOM, number=1, edition=2)
    register("Atari", *ATARI)
    for game in table()["games"]:
        for mask in table()["masks"]:
            name = f"Atari-{id_of(game)}" if mask == "none" else f"Atari-{id_of(game)}-{id_of(mask)}"
            register(name, *ATARI, game=game, mask=mask, **RAW)
