"""The games of the lab. Importing this registers them with gymnasium: PriorLab/Princess-v0, PriorLab/KeyDoor-v0 and one
id a version of each, PriorLab/Levels-v0, PriorLab/Random-v0, PriorLab/Atari-v0 and one id a game and mask of Atari."""

import os
from typing import Any

import gymnasium

from envs.atari_table import table
from envs.sequences import TOWER
from envs.versions import games, id_of, versions

# SDL draws a window through OpenGL where it can, and Mesa's LLVM and the one in torch's triton end a process that loads
# both. Set here, since every window is opened by what imports this, or shows its games (gymnasium's HumanRendering).
os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")

ATARI = "atari_env:AtariEnv", "atari_vector:AtariVectorEnv"
RAW = {"frame_skip": 1, "screen_size": None}  # clients that take no more than an id skip frames and scale by themselves


def register(
    name: str, single: str = "env:PriorLabEnv", batch: str = "vector:PriorLabVectorEnv", **settings: Any
) -> None:
    """PriorLab/NAME-v0, from two entry points of this package and what they are told where nobody says otherwise."""
    gymnasium.register(
        f"PriorLab/{name}-v0",
        entry_point=f"envs.{single}",
        vector_entry_point=f"envs.{batch}",
        kwargs=settings,
        # the environment itself refuses what these wrappers would, at a hundredth of their cost
        disable_env_checker=True,
        order_enforce=False,
    )


def register_all() -> None:
    for game in games():
        register(id_of(game), game=game)
        for version in versions(game):
            register(f"{id_of(game)}-{id_of(version)}", game=game, version=version)
    register("Levels", level=list(TOWER), order="drawn")
    register("Random", "random_levels:random_env", "random_levels:random_vector_env")
    register("Atari", *ATARI)
    for game in table()["games"]:
        for mask in table()["masks"]:
            name = f"Atari-{id_of(game)}" if mask == "none" else f"Atari-{id_of(game)}-{id_of(mask)}"
            register(name, *ATARI, game=game, mask=mask, **RAW)


register_all()
