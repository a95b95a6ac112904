"""Where a life is lived: a level, its rules and its look; and what a player is given of it."""

from dataclasses import dataclass

from priorlab.agents.priors.deciding import World
from priorlab.envs.engine.games import Games
from priorlab.envs.game.level import Level
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.rules import KEYS, MONSTER_COUNT
from priorlab.envs.game.versions import find_rules, find_version
from priorlab.envs.interfaces.env import PriorLabEnv
from priorlab.envs.looks.dials import Dials
from priorlab.envs.plays.play import NO_LIMIT


@dataclass(frozen=True)
class Scenery:
    """Where a life is lived: a level, a version's rules and look, or dials in place of the look."""

    level: Level
    version: str = "original"
    looks: Dials | None = None
    look_seed: int = 0
    split: str = "held_out"

    def games(self) -> Games:
        return Games(
            1, self.version, game=self.level.game, level=self.level, look_seed=self.look_seed, looks=self.looks,
            split=self.split, screen_size=self.level.side, grayscale_obs=False, max_inputs=NO_LIMIT, autoreset=False,
            still=False,
        )  # fmt: skip

    def env(self) -> PriorLabEnv:
        """The environment of ``Policy``: one game, in native pictures."""
        return PriorLabEnv(
            self.version, game=self.level.game, level=self.level, look_seed=self.look_seed, looks=self.looks,
            split=self.split, screen_size=self.level.side,
        )  # fmt: skip

    def world(self) -> World:
        """What a player is given of it."""
        rules = find_rules(find_version(self.level.game, self.version).rules)
        numbers = level_numbers(self.level, rules)
        monsters = self.level.monsters[: int(numbers[MONSTER_COUNT])]
        numbers[KEYS] = 0
        return World(numbers, monsters)
