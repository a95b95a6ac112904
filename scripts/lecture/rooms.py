"""Small rooms of Princess, and the agents that learn in them."""

from collections.abc import Sequence
from typing import Any

import torch

from priorlab.agents.curiosity.make_curiosity import make_curiosity
from priorlab.agents.learners.make_ppo import make_ppo
from priorlab.agents.settings import Settings
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv

WIDTH, MIDDLE = 15, 7  # tiles of a room between its walls; column where a player starts
LIMIT = 160  # raw inputs per episode: several times the way to the goal


def room(goal: int, start: int = MIDDLE, fire: int | None = None) -> str:
    """A level's text: a flat room with the goal, the start and, if given, a fire on the floor, in these columns."""
    air = [" "] * WIDTH
    air[goal], air[start] = "G", "S"
    if fire is not None:
        air[fire] = "*"
    empty = f"|{' ' * WIDTH}|"
    rows = ["|" * (WIDTH + 2), *[empty] * 3, f"|{''.join(air)}|", f"|{'#' * WIDTH}|", "|" * (WIDTH + 2)]
    return "\n".join(['name = "room"', 'game = "princess"', "---", *rows, ""])


def games_of(settings: Settings, levels: Sequence[str], number: int) -> dict[str, Any]:
    """Arguments of ``Games`` for ``number`` games, in these levels in turn."""
    return settings.game_arguments() | {
        "num_games": number,
        "level": [levels[lane % len(levels)] for lane in range(number)],
    }


def agent_of(
    levels: Sequence[str], inputs: int, seed: int, max_inputs: int = LIMIT, **changed: Any
) -> tuple[Any, Settings]:
    """Trains an agent, as `priorlab train` makes it, in these levels in parallel; returns it and its settings.

    ``inputs``: raw inputs of training; ``max_inputs``: of an episode.
    """
    settings = Settings(
        seed=seed, inputs=inputs, max_inputs=max_inputs, evaluation_episodes=0, progress=False, **changed
    )
    torch.manual_seed(seed)
    games = games_of(settings, levels, settings.num_games)
    env = make_curiosity(PriorLabVecEnv(games.pop("num_games"), **games), settings)
    model = make_ppo(settings, env)
    model.learn(inputs // settings.frame_skip)
    env.close()
    return model, settings
