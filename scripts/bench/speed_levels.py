"""How fast Key and Door, random levels, tiles, the solver and the generator are."""

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
from priorlab.scripts.bench.rates import TURNS, Figure, best_rate

GAMES = 1024
MADE, SEED = 300, 12345  # levels that the generator is timed by, and of which seed
BANK, SOLVED_IN = 10_000, 300  # levels, and seconds in which they are wanted


def rate(games: Games, seconds: float) -> float:
    games.reset(seed=0)
    return best_rate(games.step, games.num_games, INPUT_COUNT, seconds)


def drawn_and_kept(seconds: float) -> Iterator[tuple[float, float]]:
    """In turns: the rates of a batch that draws a random level at each episode, and of one whose lanes keep theirs."""
    settings = random_settings(LEVELS)
    numbers = [lane % LEVELS for lane in range(GAMES)]
    own = {"order": "own", "level": [settings["level"][k] for k in numbers], "look_seed": numbers}
    drawn, kept = Games(GAMES, **settings), Games(GAMES, **settings | own)
    for turn in range(1 + TURNS):
        rates = rate(drawn, seconds / 2), rate(kept, seconds / 2)
        if turn:  # the first warms up
            yield rates


def seconds_to_solve(name: str) -> float:
    """Every state of a level searched."""
    level = Level.read(name)
    began = perf_counter()
    Solver(level, find_rules(level.game)).run()
    return perf_counter() - began


def level_figures(seconds: float) -> Iterator[Figure]:
    """Each figure as soon as it is measured."""
    yield Figure("1024 games of Key and Door, 84x84 gray", rate(Games(GAMES, game="key_door"), seconds), "steps/s")
    yield Figure("1024 games of Princess as tiles", rate(Games(GAMES, obs="tiles"), seconds), "steps/s")
    drawn, kept = zip(*drawn_and_kept(seconds))
    yield Figure(f"1024 games drawn from {LEVELS:,} random levels, 84x84 gray", float(np.median(drawn)), "steps/s")
    share = float(np.median(np.divide(drawn, kept)))
    yield Figure("    share of the speed where each game keeps its level", share, "", 0.9)
    seconds_to_solve("tower_01")  # compiles
    solved = min(seconds_to_solve("princess") for _ in range(3))
    yield Figure("Princess solved, every state searched", solved, "s", 0.2, True)
    yield Figure("Key and Door solved, every state searched", seconds_to_solve("key_door"), "s", 60, True)
    began = perf_counter()
    made = len(list(generated(MADE, SEED, "training", 2)))
    whole = (perf_counter() - began) * BANK / made
    yield Figure(f"{BANK:,} random levels on 2 threads, from {MADE} of them", whole, "s", SOLVED_IN, True)
