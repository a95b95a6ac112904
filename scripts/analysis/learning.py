"""Learning over repeated plays: the first, second, third play of a version by the same people.

The comparison of versions takes only first plays. Here later plays count, too. People who come back may differ from
those who don't, so each number of plays is also held against the first plays of the same people. Agents have no plays
but episodes; their mean inputs and deaths per episode are over all episodes since the number of the row before.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from priorlab.scripts.analysis.comparison import MINUTES, Estimate, estimate, mean
from priorlab.scripts.analysis.players import Kind, Section, of_kind
from priorlab.scripts.analysis.statistics import (
    LEAST,
    Played,
    Ratio,
    bootstrap_weights,
    is_known,
    ratio_to_original,
    restricted_mean,
    times_of,
)
from priorlab.scripts.analysis.within import plays_of_people

EPISODES = (1, 2, 5)  # times powers of ten: the numbers of episodes of the rows of agents


@dataclass(frozen=True)
class Attempt:
    """The plays that were the ``number``-th of a version by n people; or agents' episodes up to that number.

    ``inputs``: restricted mean inputs to the win, quits censored; of agents the mean per episode. ``ratio``: to the
    first plays of the same people. ``won``: share; ``progress``: the mean share of the shortest way covered at the end,
    None if it is not recorded. Below LEAST people there are no estimates.
    """

    kind: Kind
    version: str
    number: int
    n: int
    inputs: Estimate | None = None
    ratio: Ratio | None = None
    deaths: Estimate | None = None
    won: Estimate | None = None
    progress: Estimate | None = None


def attempts_of(section: Section, limit: float = MINUTES) -> list[Attempt]:
    """The attempts of each kind of player on each version, if anybody played a version more than once.

    limit: minutes to which means are restricted. Empty if nobody did.
    """
    everyone = [*section.runs, *section.later]
    attempts: list[Attempt] = []
    for version in section.versions:
        for kind in (kind for kind in section.kinds if not kind.is_agent):
            attempts += people_again(kind, version, of_kind(everyone, kind, version), limit)
    if attempts:
        for version in section.versions:
            for kind in (kind for kind in section.kinds if kind.is_agent):
                attempts += episodes_of(kind, version, of_kind(section.runs, kind, version))
    return attempts


def people_again(kind: Kind, version: str, runs: Sequence[Played], limit: float) -> list[Attempt]:
    """The attempts of one kind of people; empty if none of them played that version more than once."""
    people = list(plays_of_people(runs).values())
    most = max(map(len, people), default=0)
    if most < 2:
        return []
    full = limit * 60 * runs[0].rate
    attempts = []
    for number in range(1, most + 1):
        back = [plays for plays in people if len(plays) >= number]
        attempts.append(attempt_of(kind, version, number, [plays[:number] for plays in back], full))
    return attempts


def attempt_of(kind: Kind, version: str, number: int, people: Sequence[Sequence[Played]], full: float) -> Attempt:
    """The last of each person's plays; ``full``: inputs to which means are restricted."""
    here, first = [plays[-1] for plays in people], [plays[0] for plays in people]
    if len(here) < LEAST:
        return Attempt(kind, version, number, len(here))
    (weights,) = bootstrap_weights([here])
    times, won = times_of(here)
    known = is_known(times, won, full)
    shares = [float(run.progress[1, -1]) for run in here if run.progress.size]
    return Attempt(
        kind, version, number, len(here),
        inputs=estimate(restricted_mean(times, won, full), restricted_mean(times, won, full, weights), here, 1)
        if known else None,
        ratio=ratio_to_original(here, first, full) if number > 1 else None,
        deaths=mean([run.deaths for run in here], weights, here),
        won=mean(won.astype(float).tolist(), weights, here),
        progress=mean(shares, weights, here) if len(shares) == len(here) else None,
    )  # fmt: skip


def episodes_of(kind: Kind, version: str, runs: Sequence[Played]) -> list[Attempt]:
    """The attempts of one kind of agent, as far as all its runs have so many episodes."""
    least = min((run.episodes.shape[1] for run in runs), default=0)
    numbers = [factor * 10**power for power in range(8) for factor in EPISODES if factor * 10**power <= least]
    if not numbers:
        return []
    (weights,) = bootstrap_weights([runs])
    inputs, deaths, wins = np.array([per_episode(run.episodes, numbers) for run in runs]).transpose(1, 2, 0)
    return [
        Attempt(
            kind, version, number, len(runs), inputs=mean(inputs[at].tolist(), weights, runs),
            deaths=mean(deaths[at].tolist(), weights, runs), won=mean(wins[at].tolist(), weights, runs),
        )
        for at, number in enumerate(numbers)
    ]  # fmt: skip


def per_episode(totals: np.ndarray, numbers: Sequence[int]) -> np.ndarray:
    """Means per episode since the number before, float64 (3, k), from totals after each episode, (3, m)."""
    at = np.insert(totals, 0, 0, axis=1)[:, [0, *numbers]]
    return np.diff(at, axis=1) / np.diff([0, *numbers])
