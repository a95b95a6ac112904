"""How fast are Key and Door, random levels, tiles, the solver and the generator?"""

from collections.abc import Iterator
from time import perf_counter

import numpy as np

from priorlab.envs.engine.games import Games
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import INPUT_COUNT
from priorlab.envs.game.solver import Solver
from priorlab.envs.game.versions import find_rules
from priorlab.envs.random_games.bank import generated
from priorlab.envs.random_games.random_levels import LEVELS, random_settings
from priorlab.scripts.bench.rates import TURNS, Measurement, best_rate

GAMES = 1024
MADE, SEED = 300, 12345  # levels on which the generator is timed, and their seed
BANK, SOLVED_IN = 10_000, 300  # levels, and the seconds they may take


def rate(games: Games, seconds: float) -> float:
    games.reset(seed=0)
    return best_rate(games.step, games.num_games, INPUT_COUNT, seconds)


def drawn_and_kept(seconds: float) -> Iterator[tuple[float, float]]:
    """In turns: the rates of a batch that draws a random level per episode, and of one whose lanes keep theirs."""
    settings = random_settings(LEVELS)
    numbers = [lane % LEVELS for lane in range(GAMES)]
    fixed = {"order": "own", "level": [settings["level"][k] for k in numbers], "look_seed": numbers}
    drawn, kept = Games(GAMES, **settings), Games(GAMES, **settings | fixed)
    for turn in range(1 + TURNS):
        rates = rate(drawn, seconds / 2), rate(kept, seconds / 2)
        if turn:  # the first turn warms up
            yield rates


def seconds_to_solve(name: str) -> float:
    """Seconds for a search of every state of a level."""
    level = Level.read(name)
    began = perf_counter()
    Solver(level, find_rules(level.game)).run()
    return perf_counter() - began


def measure_levels(seconds: float) -> Iterator[Measurement]:
    """Yields each measurement as soon as it is measured."""
    yield Measurement("1024 games of Key and Door, 84x84 gray", rate(Games(GAMES, game="key_door"), seconds), "steps/s")
    yield Measurement("1024 games of Princess as tiles", rate(Games(GAMES, obs="tiles"), seconds), "steps/s")
    drawn, kept = zip(*drawn_and_kept(seconds))
    yield Measurement(f"1024 games drawn from {LEVELS:,} random levels, 84x84 gray", float(np.median(drawn)), "steps/s")
    share = float(np.median(np.divide(drawn, kept)))
    yield Measurement("    share of the speed with fixed levels", share, "", 0.9)
    seconds_to_solve("tower_01")  # compiles
    solved = min(seconds_to_solve("princess") for _ in range(3))
    yield Measurement("Princess solved, every state searched", solved, "s", 0.2, True)
    yield Measurement("Key and Door solved, every state searched", seconds_to_solve("key_door"), "s", 60, True)
    began = perf_counter()
    made = len(list(generated(MADE, SEED, "training", 2)))
    whole = (perf_counter() - began) * BANK / made
    yield Measurement(f"{BANK:,} random levels on 2 threads, from {MADE} of them", whole, "s", SOLVED_IN, True)
