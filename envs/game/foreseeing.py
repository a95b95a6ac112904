"""What a player foresees: a step on a map that it believes in, by the one copy of the rules."""

from priorlab.envs.base.compile import kernel
from priorlab.envs.game.rules import step


@kernel
def foresee(tiles, level, monsters, state, action):
    """Takes one input in place; ONGOING, WIN or DEATH. The arguments are those of ``rules.step``."""
    return step(tiles, level, monsters, state, action)
