"""Level + dials + look seed + split -> a scene in a random look of the dials' edition."""

from priorlab.envs.game.level import Level
from priorlab.envs.looks.dials import Dials
from priorlab.envs.looks.first_edition import FirstEdition
from priorlab.envs.looks.paint import PaintedScene
from priorlab.envs.looks.painting import Painting, Thing
from priorlab.envs.looks.second_edition import SecondEdition

EDITIONS: dict[int, type[Painting]] = {1: FirstEdition, 2: SecondEdition}


def paint_dials(level: Level, dials: Dials, look_seed: int, split: str) -> PaintedScene:
    """Paints the level in a random look; the same arguments give the same scene.

    ``look_seed``: a whole number, 0 or more; ``split``: training or held_out, which share no drawings. Raises
    ValueError for anything else.
    """
    return EDITIONS[dials.edition](level, dials, look_seed, split).scene()


def cast(level: Level, dials: Dials, look_seed: int, split: str) -> list[Thing]:
    """The things of the level as ``paint_dials`` draws them: platforms, ladders, then objects, each row by row; in
    edition 2 then the harmless things, with the roles ``inlay`` and ``scenery``."""
    return EDITIONS[dials.edition](level, dials, look_seed, split).things()
