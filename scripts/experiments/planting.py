"""How much of what a version masks must simulated players lose, so that their mean times have the published ratios?

The published means are of people who were stopped after half an hour, so here, too, a time is at most that long: the
planted effect is what `priorlab compare` measures, the restricted mean.
`python -m priorlab.scripts.experiments.planting` prints the tables [lost.<game>] of envs/players/simulated.toml, and
takes half an hour on one core.
"""

from concurrent.futures import ThreadPoolExecutor

import tyro

from priorlab.envs.players.planner import Knowledge
from priorlab.envs.players.simulated import SimulatedSetting, knowledge_without, simulated_times
from priorlab.scripts.analysis.published import published_figures

NOBODY_QUITS = float("inf")
HALVINGS = 9


def mean_time(game: str, version: str, knowledge: Knowledge, players: int, seed: int) -> float:
    """Restricted mean inputs to the win if nobody quits; the players are the same for any knowledge."""
    return float(
        simulated_times(SimulatedSetting(game, version, knowledge, NOBODY_QUITS), seed, range(players))[0].mean()
    )


def lost_for(game: str, version: str, wanted: float, players: int, seed: int) -> tuple[float, float]:
    """The share to lose and the mean inputs with it, by bisection: the mean grows with the share.

    The share is 1 if losing everything takes less than ``wanted`` inputs.
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
    """Print the shares.

    Args:
        games: games to search
        versions: versions to search (default: all with a published mean)
        players: players per version and share
        seed: seed of the players
        workers: versions searched in parallel
    """
    figures = published_figures()["versions"]
    ratios = {version: figure["minutes"] / figures["original"]["minutes"] for version, figure in figures.items()}
    masked = [version for version in ratios if version != "original" and (not versions or version in versions)]
    for game in games:
        original = mean_time(game, "original", Knowledge(), players, seed)
        print(f"\n[lost.{game}]  # the original takes {original:.0f} inputs", flush=True)
        with ThreadPoolExecutor(workers) as pool:
            searches = [pool.submit(lost_for, game, name, ratios[name] * original, players, seed) for name in masked]
            for version, search in zip(masked, searches):
                share, mean = search.result()
                times = f"{mean / original:.2f} times, target {ratios[version]:.2f}"
                print(f"{version} = {share:.3f}  # {times}", flush=True)


if __name__ == "__main__":
    tyro.cli(main)
