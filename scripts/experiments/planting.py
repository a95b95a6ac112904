"""How much of what each version masks must be lost so that simulated players' mean times stand in the published ratios.

`python -m scripts.experiments.planting` prints the tables [lost.<game>] of human_study/simulated.toml; half an hour.
"""

import tyro

from envs.planner import Knowledge
from human_study.simulated import Setting, knowledge_without, times_of
from scripts.report.summary import published

NOBODY_QUITS = float("inf")
LONGEST = 300.0  # minutes: so long may a play last, that the mean is of all
HALVINGS = 9


def mean_time(game: str, version: str, knowledge: Knowledge, players: int, seed: int) -> float:
    """Mean inputs to the win where nobody quits; the same players whatever the knowledge."""
    return float(
        times_of(Setting(game, version, knowledge, NOBODY_QUITS), seed, range(players), limit=LONGEST)[0].mean()
    )


def lost_for(game: str, version: str, wanted: float, players: int, seed: int) -> tuple[float, float]:
    """(share lost, mean inputs there): the mean grows with the share, so halving the interval finds it.

    Where losing all of it takes less than ``wanted`` inputs, the share is 1.
    """
    low, high, mean = 0.0, 1.0, mean_time(game, version, knowledge_without(version, 1.0), players, seed)
    if mean < wanted:
        return 1.0, mean
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        mean = mean_time(game, version, knowledge_without(version, middle), players, seed)
        low, high = (middle, high) if mean < wanted else (low, middle)
    return (low + high) / 2, mean


def main(
    games: tuple[str, ...] = ("key_door", "princess"),
    versions: tuple[str, ...] = (),
    players: int = 1500,
    seed: int = 1,
) -> None:
    """Prints the shares.

    Args:
        games: of which games
        versions: which versions; by default all that have a published mean
        players: on each version, for each share that is tried
        seed: of the players
    """
    figures = published()["versions"]
    for game in games:
        own = mean_time(game, "original", Knowledge(), players, seed)
        print(f"\n[lost.{game}]  # the original takes {own:.0f} inputs", flush=True)
        for version, figure in figures.items():
            if version == "original" or (versions and version not in versions):
                continue
            ratio = figure["minutes"] / figures["original"]["minutes"]
            share, mean = lost_for(game, version, ratio * own, players, seed)
            print(f"{version} = {share:.3f}  # {mean / own:.2f} times, wanted {ratio:.2f}", flush=True)


if __name__ == "__main__":
    tyro.cli(main)
