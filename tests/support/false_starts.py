"""Lives of the learned player that begin with a false fact, by what it believed of its start, and the same lives where
it is told that its first cells are no walls. As a program, with the raised players in runs/priors: five minutes of one
core for each training seed.
"""

from collections import Counter
from pathlib import Path

import numpy as np

from priorlab.agents.priors.facts import WALLS, Cell
from priorlab.agents.priors.lives import LIMIT, Living
from priorlab.agents.priors.perception import perceiver
from priorlab.agents.priors.scenery import Scenery
from priorlab.agents.priors.weights import shipped
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import SOLVED, TILE, X, Y
from priorlab.scripts.priors.cast import FULL
from priorlab.scripts.priors.fixed import Fixed, read_fixed
from priorlab.scripts.priors.lived import loaded, one_thread
from priorlab.scripts.priors.plan import Life, drawing_of, level_of, planned, seed_of

INPUTS = 14  # in which the player finds itself, and a few more
VERSIONS = ("masked_objects", "masked_similarity", "all_masked")
ROWS, RAISED = Path("results/priors"), Path("runs/priors/full")
KIND_OF_BITS = np.array([0, 1, 2, 0, 3])


def kinds_of(level: Level, side: int) -> np.ndarray:
    """int (side, side): the kind of each cell."""
    kinds = np.zeros((side, side), int)
    kinds[: level.height, : level.width] = KIND_OF_BITS[level.tiles]
    return kinds


def living_of(fixed: Fixed, life: Life) -> Living:
    scenery = Scenery(level_of(life.place), life.version, look_seed=drawing_of(fixed, life))
    weights = RAISED / f"seed_{life.seed}" / "perception.safetensors" if life.seed else shipped()
    settings = fixed.players[FULL].player_settings()
    return Living(scenery, perceiver(loaded(weights)), settings, seed_of(fixed, life))


def first_cells(living: Living) -> list[Cell]:
    """The cell where the player starts, and the one to its right, into which it walks first."""
    row, column = int(living.state[Y]) // (2 * TILE), int(living.state[X]) // (2 * TILE)
    return [(row, column), (row, column + 1)]


def begun(living: Living, level: Level) -> tuple[int, int | None]:
    """How many of the first cells and those below it takes for what they are not, and the input after which a fact
    contradicts the level, None if none does."""
    tracker, died = living.player.tracker, False
    kinds = kinds_of(level, len(tracker.tiles))
    wrong = sum(
        int(KIND_OF_BITS[tracker.tiles[row + down, column]] != kinds[row + down, column])
        for row, column in first_cells(living)
        for down in (0, 1)
    )
    for taken in range(INPUTS):
        action = living.decide(died)
        if not (tracker.allowed >> kinds & 1).all():
            return wrong, taken
        died = living.press(action)
    return wrong, None


def told(living: Living) -> int | None:
    """The inputs to the win of a player that is told that its first cells are no walls; None if it does not win."""
    living.player.facts.rule_out(first_cells(living), WALLS)
    living.player.believe()
    died = False
    for taken in range(LIMIT):
        if living.state[SOLVED]:
            return taken
        died = living.press(living.decide(died))
    return None


def main() -> None:
    one_thread()
    fixed, starts = read_fixed(ROWS), Counter()
    lives = [life for life in planned(fixed) if life.player == FULL and life.version in VERSIONS]
    for life in sorted(lives, key=lambda life: life.seed):
        if life.seed and not (RAISED / f"seed_{life.seed}").exists():
            continue
        wrong, false = begun(living_of(fixed, life), level_of(life.place))
        starts[wrong, false is not None] += 1
        if false is not None:
            wins = told(living_of(fixed, life))
            print(*life, f"a false fact after {false} inputs; told, it wins after {wins}", flush=True)
    for (wrong, false), count in sorted(starts.items()):
        print(f"{wrong} of 4 cells wrong, {'a' if false else 'no'} false fact: {count} lives")


if __name__ == "__main__":
    main()
