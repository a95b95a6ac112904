"""A run's deaths over time, whichever of its rows tell them.

Runs and plays have rows of deaths. Runs made before there were any have them among their episodes, but only where each
death ends an episode: an agent's episode goes on after a death in games such as Key and Door.
"""

from collections.abc import Mapping

import numpy as np

from priorlab.envs.game.versions import find_rules, find_version, games

Columns = Mapping[str, np.ndarray]  # of one run's rows; empty if it has none


def deaths_over_time(config: Mapping, episodes: Columns, deaths: Columns) -> np.ndarray:
    """Inputs, and the deaths by then, float64 (2, m), from 0 and 0 on; (2, 0) if they were not recorded."""
    if deaths:
        return np.array([deaths["inputs"], deaths["deaths"]], float)
    if not ends_at_death(config):
        return np.zeros((2, 0))
    if not episodes:
        return np.zeros((2, 1))
    rose = np.diff(episodes["deaths"], prepend=0) > 0
    return np.array([[0, *episodes["inputs"][rose]], [0, *episodes["deaths"][rose]]], float)


def deaths_by_episode(config: Mapping, episodes: Columns, died: np.ndarray) -> np.ndarray:
    """The deaths by the end of each episode, float64 (n,), NaN if not recorded; ``died``: from ``deaths_over_time``.

    Several lanes may end an episode by one input. Where each death ends one, the episodes tell in which order.
    """
    inputs = episodes.get("inputs", np.zeros(0))
    if episodes and ends_at_death(config):
        return episodes["deaths"].astype(float)
    if not died.size:
        return np.full(len(inputs), np.nan)
    return died[1, np.searchsorted(died[0], inputs, side="right") - 1]


def ends_at_death(config: Mapping) -> bool:
    """Whether each death of the run ends an episode; a person's play has a row of episodes for each."""
    game, version = str(config["game"]), str(config["version"])
    restarts = game in games() and find_rules(find_version(game, version).rules).restarts
    return config["player"] != "agent" or not restarts
