"""A player with priors as a policy for one environment, with the ``predict`` of stable-baselines3.

env = scenery.env()
evaluate_policy(Policy(scenery, perceive), env)
"""

from typing import Any

import numpy as np

from priorlab.agents.fields import Range, check_kind, check_range
from priorlab.agents.priors.belief import Perceive
from priorlab.agents.priors.lives import given_to
from priorlab.agents.priors.player import Player, with_movement
from priorlab.agents.priors.player_settings import PlayerSettings
from priorlab.agents.priors.scenery import Scenery
from priorlab.agents.priors.views import Sight
from priorlab.envs.game.rules import MAX_INPUTS, TILE, TURNED


class Policy:
    """Plays native pictures of ``scenery``, of which it reads only what ``settings.given`` names, without ``state``.

    Each episode is a new life, unless the one before ended by a death: the same player then goes on. Life k, from 0 on,
    has the seed ``seed + k``, so policies whose lives should differ need seeds that are further apart. ``given``: what
    it and its perception are given beyond pictures. Raises ValueError, one line, for settings that a policy can't have,
    and as ``load_movement`` and ``load_acting`` do, for a player that is not given the rules, or learned to act.
    """

    def __init__(
        self, scenery: Scenery, perceive: Perceive, settings: PlayerSettings | None = None, seed: int = 0
    ) -> None:
        self.settings = settings or PlayerSettings()
        check_kind("seed", seed, int)
        check_range("seed", seed, Range(0))
        for name, value, expected in (
            ("given", "state" in self.settings.given, "no 'state', which an observation does not hold"),
            ("delay", self.settings.delay, "0: a policy answers each observation"),
        ):
            if value:
                raise ValueError(f"{name} is {getattr(self.settings, name)!r}: expected {expected}")
        self.world = with_movement(scenery.world(), self.settings)
        if self.settings.acts:
            from priorlab.agents.priors.acting import load_acting  # imports torch, which planning needs not

            load_acting(self.settings.network)  # refused here rather than at the first picture
            Sight(self.world, scenery.level.side // TILE)
        self.perceive, self.seed, self.lives = perceive, seed, 0
        self.side, self.given = scenery.level.side, given_to(perceive, self.settings)

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> tuple[np.ndarray, Any]:
        """(action int64 (1,), or () for one picture; the next state) for uint8 (1, S, S, 3) or (S, S, 3), S = 15 R.

        ``state``: what the last call returned, None at first; ``episode_start``: whether an episode has just begun.
        Raises ValueError, one line, for other observations.
        """
        pictures = observation if observation.ndim == 4 else observation[None]
        if pictures.shape != (1, self.side, self.side, 3) or pictures.dtype != np.uint8:
            raise ValueError(
                f"the observation is {observation.dtype} {observation.shape}: expected one native picture, uint8 "
                f"({self.side}, {self.side}, 3), in colour"
            )
        picture = np.rot90(pictures[0], int(self.world.numbers[TURNED]))
        begins = state is None or (episode_start is not None and bool(np.any(episode_start)))
        player, taken = state if state is not None else (None, 0)
        ended = begins and player is not None and died(player, taken)
        if player is None or (begins and not ended):
            player, taken = self.new_life(picture), 0
        action = player.act(picture, ended)
        actions = np.full(len(pictures), action, np.int64)
        return (actions if observation.ndim == 4 else actions[0]), (player, 1 if begins else taken + 1)

    def new_life(self, picture: np.ndarray) -> Player:
        self.lives += 1
        return Player(self.perceive, self.world, self.settings, self.seed + self.lives - 1, picture.copy())


def died(player: Player, taken: int) -> bool:
    """Whether an episode of so many inputs ended by a death: neither at the limit, nor with a win as foreseen."""
    return taken < int(player.world.numbers[MAX_INPUTS]) and not player.expects_win
