"""Players beside others: the order of versions beside people's, and agents without priors."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from priorlab.envs.results.archive import Archive
from priorlab.scripts.analysis.agreement import PUBLISHED, Agreement, Side, agreement
from priorlab.scripts.analysis.efficiency import Learner, learners_of
from priorlab.scripts.analysis.players import Kind, Section
from priorlab.scripts.analysis.published import published_means
from priorlab.scripts.analysis.resampling import RESAMPLES, weights_of
from priorlab.scripts.analysis.statistics import LEAST, played
from priorlab.scripts.priors.cells import ORIGINAL, VERSIONS, Cells
from priorlab.scripts.report.summary import number

ORDERED = 3  # versions, of which fewer have no order
KINDS = {  # players of figures, and their inks; meaningless learned from as many pictures as matrix-full
    "full": "fourth", "told": "simulated", "matrix-full": "fifth", "meaningless": "seventh",
}  # fmt: skip


def kind_of(player: str) -> Kind:
    """As figures and statistics name players."""
    return Kind(player, player, player, KINDS.get(player, "ink"), False, "agent")


def order_of(cells: Cells, player: str) -> Agreement | None:
    """The order of versions by the player's mean inputs beside that by people's published minutes; its interval is over
    training seeds. None where fewer than ORDERED versions have lives of a common seed."""
    people = published_means()
    by_version = {version: by_seed(cells.values(player, version)) for version in VERSIONS if version in people}
    versions = tuple(version for version, means in by_version.items() if np.isfinite(means).any())
    if len(versions) < ORDERED:
        return None
    means = np.stack([by_version[version] for version in versions], axis=1)  # (seeds, versions)
    means = means[np.isfinite(means).all(axis=1)]
    n = len(means)
    if not n:
        return None
    theirs = np.array([people[version] for version in versions])
    none = np.full((len(versions), RESAMPLES), np.nan)
    drawn = (weights_of((tuple(range(n)),), 0)[0] @ means / n).T if n >= LEAST else none
    side = Side(player, kind_of(player), "restricted", versions, means.mean(axis=0), np.full(len(versions), n), drawn)
    return agreement(Side(PUBLISHED, None, "finishers", versions, theirs, np.zeros(len(versions), int)), side, theirs)


def by_seed(values: np.ndarray) -> np.ndarray:
    """(places, seeds) -> (seeds,): the mean over places, NaN without one of them."""
    return values.mean(axis=0)


def without_priors(folders: Sequence[Path], game: str) -> list[Learner]:
    """Agents without priors on a game, from the committed rows of these folders that exist, in their order: one that
    stands in several folders comes once for each, with another budget."""
    found: list[Learner] = []
    for folder in folders:
        if not (folder / game / "runs.csv").exists():
            continue
        runs = tuple(played(Archive.read(folder / game).results(folder / game)))
        here = {run.version for run in runs}
        section = Section(game, runs[0].level, tuple(name for name in VERSIONS if name in here), runs)
        found += learners_of(section)
    return found


def won_by(learners: Sequence[Learner]) -> str:
    """How many runs of each agent won the original, of all budgets; such as "PPO won 0 of 2 runs of 1M inputs and 0 of
    3 runs of 54,000 inputs"."""
    won: dict[str, list[str]] = {}
    for each in learners:
        if each.version == ORIGINAL:
            runs = f"{each.reached['first'].got} of {each.n} runs of {number(each.budget)} inputs"
            won.setdefault(each.kind.label, []).append(runs)
    return "; ".join(f"{label} won {' and '.join(runs)}" for label, runs in won.items())
