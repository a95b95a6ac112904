"""How much of what each version masks simulated players must lose for their mean times to have the published ratios.

The people of the published study were stopped after half an hour, so a time is at most that here, too: what is planted
is what `priorlab compare` measures, the restricted mean. `python -m priorlab.scripts.experiments.planting`
prints the tables [lost.<game>] of envs/players/simulated.toml; half an hour of one core.
"""

from concurrent.futures import ThreadPoolExecutor

import tyro

from priorlab.envs.players.planner import Knowledge
from priorlab.envs.players.simulated import SimulatedSetting, knowledge_without, simulated_times
from priorlab.scripts.analysis.published import published_figures

NOBODY_QUITS = float("inf")
HALVINGS = 9


def mean_time(game: str, version: str, knowledge: Knowledge, players: int, seed: int) -> float:
    """Restricted mean inputs to the win where nobody quits; the same players whatever the knowledge."""
    return float(
        simulated_times(SimulatedSetting(game, version, knowledge, NOBODY_QUITS), seed, range(players))[0].mean()
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
    games: tuple[str, ...] = ("key_door", "princess"), versions: tuple[str, ...] = (),
    players: int = 6000, seed: int = 1, workers: int = 2,
) -> None:  # fmt: skip
    """Prints the shares.

    Args:
        games: of which games
        versions: which versions; by default all that have a published mean
        players: on each version, for each share that is tried
        seed: of the players
        workers: versions tried side by side
    """
    figures = published_figures()["versions"]
    ratios = {version: figure["minutes"] / figures["original"]["minutes"] for version, figure in figures.items()}
    masked = [version for version in ratios if version != "original" and (not versions or version in versions)]
    for game in games:
        own = mean_time(game, "original", Knowledge(), players, seed)
        print(f"\n[lost.{game}]  # the original takes {own:.0f} inputs", flush=True)
        with ThreadPoolExecutor(workers) as pool:
            searches = [pool.submit(lost_for, game, name, ratios[name] * own, players, seed) for name in masked]
            for version, search in zip(masked, searches):
                share, mean = search.result()
                print(f"{version} = {share:.3f}  # {mean / own:.2f} times, target {ratios[version]:.2f}", flush=True)


if __name__ == "__main__":
    tyro.cli(main)
