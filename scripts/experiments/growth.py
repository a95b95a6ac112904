"""What games cost as they grow: 1 to 16,384 of them, on 1 to all threads, in frames a second and memory a game."""

import os
import subprocess
import sys

import tyro
from rich.console import Console
from rich.table import Table

from envs.games import INPUTS, Games
from scripts.experiments.speed import best_rate

GAMES = (1, 4, 16, 64, 256, 1024, 4096, 16384)
STEPS = 300  # until memory is counted: by then plays have spread out
MEMORY = """
import resource, numpy as np
from envs.games import Games
resident = lambda: int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
Games(1).reset(0)
before = resident()
games = Games({games})
games.reset(0)
for k in range({steps}):
    games.step(np.random.default_rng(k).integers(0, 6, games.num_games))
print((resident() - before) / games.num_games / 1024)
"""


def rate(games: int, threads: int, seconds: float) -> float:
    batch = Games(games, num_threads=threads)
    batch.reset(seed=0)
    found = best_rate(batch.step, games, INPUTS, seconds)
    batch.close()
    return found


def memory(games: int) -> float:
    """KiB of resident memory a game, its observation counted: what a process grows by, over one game's."""
    code = MEMORY.format(games=games, steps=STEPS)
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def main(seconds: float = 2.0, threads: int | None = None) -> None:
    """Prints the table, for Princess in 84x84 gray under uniform random inputs.

    Args:
        seconds: how long each rate is measured
        threads: at most so many (default: the processor's)
    """
    most = threads or os.cpu_count() or 1
    counts = sorted({*(2**k for k in range(most.bit_length())), most})
    table = Table("games", *(f"{count} thread{'s' * (count > 1)}, frames/s" for count in counts), "KiB a game")
    console = Console()
    with console.status("measuring"):
        for games in GAMES:
            rates = [f"{rate(games, count, seconds):,.0f}" if count <= games else "" for count in counts]
            table.add_row(f"{games:,}", *rates, f"{memory(games):,.1f}" if games >= 64 else "")
    console.print(table)


if __name__ == "__main__":
    tyro.cli(main)
