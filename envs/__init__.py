"""The games of the lab. Importing this registers them with gymnasium: PriorLab/Princess-v0 and one id a version, and
PriorLab/Atari-v0."""

import gymnasium

from envs.versions import games, id_of, versions


def register_all() -> None:
    for game in games():
        name = id_of(game)
        for version in (None, *versions(game)):
            gymnasium.register(
                f"PriorLab/{name}-v0" if version is None else f"PriorLab/{name}-{id_of(version)}-v0",
                entry_point="envs.env:PriorLabEnv",
                vector_entry_point="envs.vector:PriorLabVectorEnv",
                kwargs={"game": game} if version is None else {"game": game, "version": version},
                # the environment itself refuses what these wrappers would, at a hundredth of their cost
                disable_env_checker=True,
                order_enforce=False,
            )
    gymnasium.register(
        "PriorLab/Atari-v0",
        entry_point="envs.atari_env:AtariEnv",
        vector_entry_point="envs.atari_vector:AtariVectorEnv",
        disable_env_checker=True,
        order_enforce=False,
    )


register_all()
