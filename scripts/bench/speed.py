"""How fast the games are, beside a peer and a control measured in the same run."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gymnasium
import numpy as np

from priorlab.envs.base.compile import kernel
from priorlab.envs.engine.games import Games
from priorlab.envs.game.rules import INPUT_COUNT
from priorlab.scripts.bench.rates import TURNS, Figure, best_rate

SHARED = 1024, 16384  # games that two threads share
PEER = "montezuma_revenge"


def rate_of_games(games: int, seconds: float, **settings: Any) -> float:
    batch = Games(games, **settings)
    batch.reset(seed=0)
    rate = best_rate(batch.step, games, INPUT_COUNT, seconds)
    batch.close()
    return rate


def rate_of_one(seconds: float) -> float:
    """Through gymnasium.make, with its default colour pictures."""
    env = gymnasium.make("PriorLab/Princess-v0")
    env.reset(seed=0)

    def step(actions: np.ndarray) -> None:
        _, _, terminated, truncated, _ = env.step(actions[0])
        if terminated or truncated:
            env.reset()

    return best_rate(step, 1, INPUT_COUNT, seconds)


def rate_of_peer(seconds: float) -> float:
    """ale_py's batch: 84x84 gray, frame skip 4, no stack, one thread."""
    from ale_py.vector_env import AtariVectorEnv

    games = 64
    env = AtariVectorEnv(PEER, games, num_threads=1, stack_num=1, frameskip=4, grayscale=True)
    env.reset(seed=0)
    rate = best_rate(env.step, games, 18, seconds)
    env.close()
    return rate


@kernel
def spin(turns):
    """Pure computing, no memory."""
    x = 1
    for _ in range(turns):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF ^ x >> 7
    return x


def gain_of_computing(turns: int = 50_000_000) -> float:
    """How much sooner two threads finish pure computing than one."""
    spin(1)
    with ThreadPoolExecutor(1) as pool:
        began = time.perf_counter()
        spin(turns)
        spin(turns)
        alone = time.perf_counter() - began
        began = time.perf_counter()
        other = pool.submit(spin, turns)
        spin(turns)
        other.result()
        return alone / (time.perf_counter() - began)


def gains_of_two_threads(seconds: float) -> Iterator[tuple[float, ...]]:
    """In turns, so that all meet the same noise: (gain of pure computing, gain of each size of batch in SHARED)."""
    batches = [[Games(games, grayscale_obs=True, num_threads=threads) for threads in (1, 2)] for games in SHARED]
    for one, two in batches:
        one.reset(seed=0)
        two.reset(seed=0)
    for turn in range(1 + TURNS):
        rates = [
            [best_rate(batch.step, batch.num_games, INPUT_COUNT, seconds / 2) for batch in threads]
            for threads in batches
        ]
        if turn:  # the first warms up: memory is touched, plays spread out
            yield gain_of_computing(), *(two / one for one, two in rates)


def memory_per_game(games: int = 16384) -> float:
    """KiB of resident memory a game, its observation not counted."""
    code = (
        "import resource, numpy as np; from priorlab.envs.engine.games import Games;"
        "size = lambda: int(open('/proc/self/statm').read().split()[1]) * resource.getpagesize();"
        f"Games(1).reset(0); before = size(); games = Games({games}); games.reset(0);"
        "[games.step(np.random.default_rng(k).integers(0, 6, games.num_games)) for k in range(300)];"
        "print((size() - before - games.lanes.observations.nbytes) / games.num_games / 1024)"
    )
    return float(python(code, os.environ))


def seconds_to_first_step() -> tuple[float, float]:
    """From starting to import until one step is observed: (with nothing compiled before, afterwards)."""
    code = (
        "import time; began = time.perf_counter(); import gymnasium, envs;"
        "env = gymnasium.make('PriorLab/Princess-v0'); env.reset(seed=0); env.step(0);"
        "print(time.perf_counter() - began)"
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PRIORLAB_CACHE": folder}
        return float(python(code, environment)), float(python(code, environment))


def python(code: str, environment: "os._Environ[str] | dict[str, str]") -> str:
    return subprocess.run(
        [sys.executable, "-c", code], env=dict(environment), check=True, capture_output=True, text=True
    ).stdout


def speed_figures(seconds: float) -> Iterator[Figure]:
    """Each figure as soon as it is measured, about ``seconds`` each."""
    peer = rate_of_peer(seconds)
    yield Figure("ale_py AtariVectorEnv, Montezuma's Revenge, 84x84 gray, 1 thread", peer, "steps/s")
    one = rate_of_games(1024, seconds)
    yield Figure("1024 games, 84x84 gray, 1 thread", one, "steps/s", 1_000_000)
    yield Figure("    ratio to the peer", one / peer, "x", 300)
    yield Figure("16384 games, 84x84 gray, 1 thread", rate_of_games(16384, seconds), "steps/s", 500_000)
    yield Figure(
        "1024 games, 84x84 colour, 1 thread", rate_of_games(1024, seconds, grayscale_obs=False), "steps/s", 400_000
    )
    stacked = rate_of_games(1024, seconds, stack_size=4)
    yield Figure("1024 games, 84x84 gray, 4 frames stacked, 1 thread", stacked, "steps/s")
    yield Figure("1 game through gymnasium.make, 84x84 colour", rate_of_one(seconds), "steps/s", 100_000)
    control, *gains = zip(*gains_of_two_threads(seconds))
    yield Figure("pure computing, gain of two threads", float(np.median(control)), "x")
    for games, gain in zip(SHARED, gains):
        yield Figure(f"{games} games, 84x84 gray, gain of two threads", float(np.median(gain)), "x")
        share = float(np.median(np.array(gain) / np.array(control)))
        yield Figure("    share of what pure computing gains", share, "", 0.85)
    yield Figure("memory a game beside its observation, 16384 games", memory_per_game(), "KiB", 32, most=True)
    first, later = seconds_to_first_step()
    yield Figure("first use after an install, to the first step", first, "s", 10, most=True)
    yield Figure("later, to the first step", later, "s", 2, most=True)
    from priorlab.scripts.bench.speed_atari import atari_figures  # here: they take their tools from above
    from priorlab.scripts.bench.speed_batch import batch_figures
    from priorlab.scripts.bench.speed_levels import level_figures

    yield from batch_figures(seconds)
    yield from level_figures(seconds)
    yield from atari_figures(seconds)
