"""How long does the learned player think, and how much memory does it need?

It lives in Key and Door at first sight, on one thread. A plan is a decision in which the player planned: its network
and its search; between plans, it only follows one. Times are of the processor, so other work on the machine counts
little.
"""

import resource
import sys
import time
from typing import NamedTuple

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from priorlab.agents.priors.lives import LIMIT, Living
from priorlab.agents.priors.player_settings import PlayerSettings
from priorlab.agents.priors.scenery import Scenery
from priorlab.agents.priors.weights import learned
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import SOLVED
from priorlab.envs.game.versions import find_version
from priorlab.envs.random_games.bank import Bank
from priorlab.scripts.checks import check_positive

GAME = "key_door"
VERSIONS = ("original", "masked_semantics", "masked_affordances", "masked_objects", "masked_similarity", "all_masked")
WARM = 3  # the number of the held-out level whose life compiles what lives need
KIB = 1 if sys.platform == "linux" else 1024  # units of ru_maxrss in a KiB


class Timed(NamedTuple):
    """A life: seconds of each plan, seconds in all, and inputs."""

    plans: list[float]
    seconds: float
    inputs: int


def timed(scenery: Scenery, seed: int) -> Timed:
    """A life of the player that comes with the package, until it wins or the limit."""
    began = time.process_time()
    living = Living(scenery, learned(), PlayerSettings(), seed)
    died, plans, inputs = False, list[float](), 0
    while inputs < LIMIT and not living.state[SOLVED]:
        before, since = living.player.plans, time.process_time()
        action = living.decide(died)
        if living.player.plans > before:
            plans.append(time.process_time() - since)
        died, inputs = living.press(action), inputs + 1
    return Timed(plans, time.process_time() - began, inputs)


def main(lives: int = 10) -> None:
    """Print the milliseconds of plans and the seconds of lives by version, and the memory of the process.

    Args:
        lives: lives in each version
    """
    check_positive(lives=lives)
    timed(Scenery(Bank.read("held_out", size="large")[WARM].level), seed=0)
    table = Table("version", "lives", "plans", "ms per plan: median", "95 % under", "s per life: median", "longest")
    every = list[float]()
    for version in VERSIONS:
        level = Level.read(find_version(GAME, version).level)
        all_lives = [timed(Scenery(level, version, look_seed=seed), seed) for seed in range(1, lives + 1)]
        plans, seconds = [ms for life in all_lives for ms in life.plans], [life.seconds for life in all_lives]
        table.add_row(
            version,
            f"{lives}",
            f"{len(plans):,}",
            *(f"{1000 * np.quantile(plans, share):.1f}" for share in (0.5, 0.95)),
            f"{np.median(seconds):.2f}",
            f"{max(seconds):.1f}",
        )
        every += plans
    console = Console(width=120)
    console.print(table)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB / 1024
    console.print(f"{1000 * np.median(every):.1f} ms per plan (median of all); {memory:,.0f} MiB of memory at most")


if __name__ == "__main__":
    tyro.cli(main)
