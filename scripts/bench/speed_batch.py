"""How fast the batch is that `gymnasium.make_vec` gives, beside the engine under it and a copy of its pictures."""

from collections.abc import Callable, Iterator
from time import perf_counter

import gymnasium
import numpy as np

from priorlab.envs.engine.games import Games
from priorlab.envs.game.rules import INPUT_COUNT
from priorlab.scripts.bench.rates import DIFFERENT, Figure

GAMES = 1024
STEPS = 40  # to a turn: short ones, of which one or another meets a quiet moment
ENGINE, COPIES, VIEWS, COPYING = "engine", "copies", "views", "copying"


def best_seconds(works: dict[str, Callable[[np.ndarray], object]], seconds: float) -> dict[str, float]:
    """The least seconds a step of each kind of work took in the mean over a turn, all of them in turns."""
    chosen = np.random.default_rng(0).integers(0, INPUT_COUNT, (DIFFERENT, GAMES))
    best, end = dict.fromkeys(works, np.inf), perf_counter() + len(works) * seconds
    while perf_counter() < end:
        for name, work in works.items():
            began = perf_counter()
            for k in range(STEPS):
                work(chosen[k % DIFFERENT])
            best[name] = min(best[name], (perf_counter() - began) / STEPS)
    return best


def batch_figures(seconds: float) -> Iterator[Figure]:
    """Each figure as soon as it is measured."""
    games = Games(GAMES, grayscale_obs=True)
    games.reset(seed=0)
    batches = [
        gymnasium.make_vec("PriorLab/Princess-v0", num_envs=GAMES, grayscale_obs=True, copy=copy)
        for copy in (True, False)
    ]
    for batch in batches:
        batch.reset(seed=0)
    pictures = games.lanes.observations
    took = best_seconds(
        {
            ENGINE: games.step,
            COPIES: batches[0].step,
            VIEWS: batches[1].step,
            COPYING: lambda _: pictures.copy(),
        },
        seconds,
    )
    yield Figure(f"the engine, {GAMES} games, 84x84 gray, in turns with", GAMES / took[ENGINE], "steps/s")
    yield Figure("gymnasium.make_vec, copies", GAMES / took[COPIES], "steps/s")
    yield Figure("    share of the engine", took[ENGINE] / took[COPIES], "")
    yield Figure(
        "    share of the engine and a copy of the pictures", (took[ENGINE] + took[COPYING]) / took[COPIES], ""
    )
    yield Figure("gymnasium.make_vec, copy=False", GAMES / took[VIEWS], "steps/s")
    yield Figure("    share of the engine", took[ENGINE] / took[VIEWS], "", 0.8)
