"""Which simulated player plays what, and when, in studies with several plays per player."""

from datetime import UTC, datetime, timedelta

import numpy as np

from priorlab.envs.players.simulated import Turn
from priorlab.scripts.analysis.designs import counterbalanced


def turns_of(
    versions: int, players: int, repeats: int, practice: float, within: bool, seed: int
) -> list[list[tuple[int, Turn, str]]]:
    """For each version its plays: number of the player, which of their plays it is, and its date.

    Each player plays one version ``repeats`` times; ``within``, every version so often, in the orders of a Williams
    square. A player has one play per day, the last one today (UTC), so that their order is known.
    """
    last = (versions if within else 1) * repeats - 1
    today = datetime.now(UTC).date()
    places = np.zeros((players, versions), int)
    if within:
        places = counterbalanced(versions, players, np.random.default_rng([seed, versions]))
    return [
        [
            (player, turn, (today - timedelta(days=last - turn.number)).isoformat())
            for player in range(players)
            for again in range(repeats)
            for turn in [Turn(int(places[player, version]) * repeats + again, practice, within)]
        ]
        for version in range(versions)
    ]
