"""False facts of the learned player: in which lives they come at the start, by what it believed of that; and in which
of those that it did not win they come at all. As a program, with the raised players in runs/priors: five minutes of one
core for each training seed.
"""

from collections import Counter
from pathlib import Path

import numpy as np

from priorlab.agents.priors.facts import WALLS, Cell
from priorlab.agents.priors.lives import LIMIT, Living
from priorlab.agents.priors.perception import perceiver
from priorlab.agents.priors.scenery import Scenery
from priorlab.agents.priors.senses import KIND_OF_BITS
from priorlab.agents.priors.weights import digest, shipped
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import SOLVED, TILE, X, Y
from priorlab.scripts.priors.cast import FULL
from priorlab.scripts.priors.fixed import Fixed, read_fixed
from priorlab.scripts.priors.lived import loaded, one_thread
from priorlab.scripts.priors.plan import Life, drawing_of, level_of, seed_of
from priorlab.scripts.priors.playing import life_of
from priorlab.scripts.priors.raised import WEIGHTS
from priorlab.scripts.priors.sealed import read_lives

START, LONG = 14, 6000  # inputs: in which the player finds itself, and a few more; of lives that were not won
VERSIONS = ("masked_objects", "masked_similarity", "all_masked")
ROWS, RAISED = Path("results/priors"), Path("runs/priors")


def kinds_of(level: Level, side: int) -> np.ndarray:
    """int (side, side): the kind of each cell."""
    kinds = np.zeros((side, side), int)
    kinds[: level.height, : level.width] = KIND_OF_BITS[level.tiles]
    return kinds


def weights_of(seed: int, player: str = FULL) -> Path:
    return shipped() if (player, seed) == (FULL, 0) else RAISED / player / f"seed_{seed}" / WEIGHTS


def living_of(fixed: Fixed, life: Life) -> Living:
    scenery = Scenery(level_of(life.place), life.version, look_seed=drawing_of(fixed, life))
    perceive, settings = perceiver(loaded(weights_of(life.seed))), fixed.players[FULL].player_settings()
    return Living(scenery, perceive, settings, seed_of(fixed, life))


def first_cells(living: Living) -> list[Cell]:
    """The cell where the player starts, and the one to its right, into which it walks first."""
    row, column = int(living.state[Y]) // (2 * TILE), int(living.state[X]) // (2 * TILE)
    return [(row, column), (row, column + 1)]


def begun(living: Living, level: Level, inputs: int) -> tuple[int, int | None]:
    """How many of the first cells and those below it takes for what they are not, and the input after which a fact
    contradicts the level, None if none of so many does."""
    tracker = living.player.tracker
    kinds = kinds_of(level, len(tracker.tiles))
    wrong = sum(
        int(KIND_OF_BITS[tracker.tiles[row + down, column]] != kinds[row + down, column])
        for row, column in first_cells(living)
        for down in (0, 1)
    )
    for taken, _ in enumerate(living.steps(inputs)):
        if not (tracker.allowed >> kinds & 1).all():
            return wrong, taken
    return wrong, None


def told(living: Living) -> int | None:
    """The inputs to the win of a player that is told that its first cells are no walls; None if it does not win."""
    living.player.facts.rule_out(first_cells(living), WALLS)
    living.player.believe()
    taken = sum(1 for _ in living.steps(LIMIT))
    return taken if living.state[SOLVED] else None


def lives() -> dict[Life, bool]:
    """Recorded lives of players at hand, and whether they were won. ValueError for a player that is not theirs."""
    rows = [row for row in read_lives(ROWS).to_dict("records") if row["player"] == FULL]
    for seed, name in {int(row["seed"]): row["weights"] for row in rows}.items():
        path = weights_of(seed)
        if not path.exists():
            print(f"seed {seed} is left out: {path} is missing")
        elif not digest(path).startswith(name):
            raise ValueError(f"{path}: its SHA-256 does not begin with {name}, as recorded")
    found = {life_of(row): bool(row["solved"]) for row in rows if row["version"] in VERSIONS}
    return {life: won for life, won in sorted(found.items()) if weights_of(life.seed).exists()}


def main() -> None:
    one_thread()
    fixed, starts = read_fixed(ROWS), Counter()
    for life, won in lives().items():
        wrong, false = begun(living_of(fixed, life), level_of(life.place), START if won else LONG)
        early = false is not None and false < START
        starts[wrong, early, won] += 1
        if early:
            print(*life, f"a false fact after {false} inputs; told, it wins after {told(living_of(fixed, life))}")
        elif not won:
            print(*life, "not won,", f"a false fact after {false} inputs" if false else f"none in {LONG:,} inputs")
    for (wrong, early, won), count in sorted(starts.items()):
        about = f"{wrong} of 4 cells wrong, {'a' if early else 'no'} false fact at the start"
        print(f"{about}, {'won' if won else 'not won'}: {count} lives")


if __name__ == "__main__":
    main()
