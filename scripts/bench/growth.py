"""The cost of 1 to 16,384 games on 1 to all threads: frames per second, and memory per game."""

import os

import tyro
from rich.console import Console
from rich.table import Table

from priorlab.scripts.bench.speed import memory_per_game, rate_of_games

GAMES = (1, 4, 16, 64, 256, 1024, 4096, 16384)
LEAST = 64  # games whose memory can be distinguished from the process's


def main(seconds: float = 2.0, threads: int | None = None) -> None:
    """Print the table, for Princess in 84x84 gray under uniform random inputs.

    Args:
        seconds: time spent on each rate
        threads: largest number of threads (default: all of the CPU)
    """
    most = threads or os.cpu_count() or 1
    counts = sorted({*(2**k for k in range(most.bit_length())), most})
    named = [f"{count} thread{'s' * (count > 1)}, frames/s" for count in counts]
    table = Table("games", *named, "KiB per game without its observation")
    console = Console()
    with console.status("measuring"):
        for games in GAMES:
            rates = [
                f"{rate_of_games(games, seconds, num_threads=count):,.0f}" if count <= games else "" for count in counts
            ]
            table.add_row(f"{games:,}", *rates, f"{memory_per_game(games):,.1f}" if games >= LEAST else "")
    console.print(table)


if __name__ == "__main__":
    tyro.cli(main)
