"""How long does the learned player think, and how much memory does it need?

It lives in Key and Door at first sight, on one thread. A plan is an input for which the player planned, by its network
and its search; for the others it only follows a plan. Times are of the processor, so other work on the machine counts
little.
"""

import resource
import sys
import time

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from priorlab.agents.priors.lives import LIMIT, Living
from priorlab.agents.priors.player_settings import PlayerSettings
from priorlab.agents.priors.scenery import Scenery
from priorlab.agents.priors.weights import learned
from priorlab.envs.game.level import Level
from priorlab.envs.game.versions import find_version
from priorlab.scripts.checks import check_positive

GAME = "key_door"
VERSIONS = ("original", "masked_semantics", "masked_affordances", "masked_objects", "masked_similarity", "all_masked")
MEMORY_UNITS = 1024 if sys.platform == "linux" else 1  # bytes in a unit of ru_maxrss


def lived(version: str, seed: int) -> tuple[list[float], float]:
    """A life of the player that comes with the package, in the look of that seed: seconds of each plan, and in all."""
    began = since = time.process_time()
    scenery = Scenery(Level.read(find_version(GAME, version).level), version, look_seed=seed)
    living = Living(scenery, learned(), PlayerSettings(), seed)
    planned, seconds = 0, list[float]()
    for _ in living.steps(LIMIT):
        now = time.process_time()
        if living.player.plans > planned:
            planned = living.player.plans
            seconds.append(now - since)
        since = now
    return seconds, since - began


def main(lives: int = 10) -> None:
    """Print the milliseconds of plans and the seconds of lives by version, and the memory of the process.

    Args:
        lives: lives in each version
    """
    check_positive(lives=lives)
    lived(VERSIONS[0], 0)  # compiles what lives need
    table = Table("version", "plans", "ms per plan: median", "95 % under", "seconds per life: median", "longest")
    every = list[float]()
    for version in VERSIONS:
        plans, seconds = zip(*(lived(version, seed) for seed in range(1, lives + 1)))
        own = [each for life in plans for each in life]
        milliseconds = (f"{1000 * np.quantile(own, share):.1f}" for share in (0.5, 0.95))
        table.add_row(version, f"{len(own):,}", *milliseconds, f"{np.median(seconds):.2f}", f"{max(seconds):.1f}")
        every += own
    console = Console(width=120)
    console.print(table)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MEMORY_UNITS / 2**20
    console.print(f"{1000 * np.median(every):.1f} ms per plan (median of all); {memory:,.0f} MiB of memory at most")


if __name__ == "__main__":
    tyro.cli(main)
