"""What games cost as they grow: 1 to 16,384 of them, on 1 to all threads, in frames a second and memory a game."""

import os

import tyro
from rich.console import Console
from rich.table import Table

from priorlab.scripts.bench.speed import memory_per_game, rate_of_games

GAMES = (1, 4, 16, 64, 256, 1024, 4096, 16384)
LEAST = 64  # games, of which memory can be told from the process's own


def main(seconds: float = 2.0, threads: int | None = None) -> None:
    """Prints the table, for Princess in 84x84 gray under uniform random inputs.

    Args:
        seconds: how long each rate is measured
        threads: at most so many (default: the processor's)
    """
    most = threads or os.cpu_count() or 1
    counts = sorted({*(2**k for k in range(most.bit_length())), most})
    named = [f"{count} thread{'s' * (count > 1)}, frames/s" for count in counts]
    table = Table("games", *named, "KiB a game beside its observation")
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
