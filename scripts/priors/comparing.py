"""Players beside others: players in rows, the order of versions beside people's, agents without priors."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from priorlab.envs.results.archive import Archive
from priorlab.scripts.analysis.agreement import PUBLISHED, Agreement, Side, agreement
from priorlab.scripts.analysis.comparison import Estimate
from priorlab.scripts.analysis.efficiency import Learner, learners_of
from priorlab.scripts.analysis.players import Kind, Section
from priorlab.scripts.analysis.published import published_means
from priorlab.scripts.analysis.resampling import RESAMPLES, weights_of
from priorlab.scripts.analysis.statistics import BOUNDS, LEAST, played
from priorlab.scripts.priors.intervals import factor_over
from priorlab.scripts.priors.recorded import Frame, Recorded
from priorlab.scripts.priors.slowdowns import VERSIONS, averaged, cells_of, counted_of, has_unsolved, shared

ORDERED = 3  # versions, of which fewer have no order
KINDS = {  # players of figures, and their inks
    "full": "fourth", "told": "simulated", "meaningless": "seventh",
}  # fmt: skip


@dataclass(frozen=True)
class Beside:
    """How many times as many inputs as a reference a player needs on one version: the geometric mean over seeds, each
    against the reference of the same seed; ``bound`` as in ``analysis.statistics.Ratio``."""

    estimate: Estimate
    bound: str


def kind_of(player: str) -> Kind:
    """As figures and statistics name players."""
    return Kind(player, player, player, KINDS.get(player, "ink"), False, "agent")


def beside(lives: Frame, player: str, reference: str) -> Beside | None:
    """Of lives from ``counted_of``, all of one group and version; None without lives of both at some seed and place."""
    own, theirs = shared(lives[lives["player"] == player], lives[lives["player"] == reference])
    if not len(own):
        return None
    logs: Frame = np.log(cells_of(own)) - np.log(cells_of(theirs))
    estimate = factor_over(averaged(logs, "seed"))
    assert estimate is not None
    return Beside(estimate, BOUNDS[has_unsolved(own), has_unsolved(theirs)])


def order_of(recorded: Recorded, player: str, group: str) -> Agreement | None:
    """The order of versions by the player's mean inputs beside that by people's published minutes; its interval is over
    training seeds. None where fewer than ORDERED versions have lives of a common seed."""
    lives, people = counted_of(recorded), published_means()
    own = lives[(lives["player"] == player) & (lives["group"] == group) & lives["version"].isin([*people])]
    by_place = own.groupby(["seed", "place", "version"])["inputs"].mean()
    table = by_place.groupby(level=["seed", "version"]).mean().unstack("version").dropna()
    versions = tuple(version for version in VERSIONS if version in table)
    if len(versions) < ORDERED or not len(table):
        return None
    means = table[[*versions]].to_numpy(float)  # (seeds, versions)
    n = len(means)
    theirs = np.array([people[version] for version in versions])
    none = np.full((len(versions), RESAMPLES), np.nan)
    drawn = (weights_of((tuple(range(n)),), 0)[0] @ means / n).T if n >= LEAST else none
    side = Side(player, kind_of(player), "restricted", versions, means.mean(axis=0), np.full(len(versions), n), drawn)
    return agreement(Side(PUBLISHED, None, "finishers", versions, theirs, np.zeros(len(versions), int)), side, theirs)


def without_priors(folders: Sequence[Path], game: str) -> list[Learner]:
    """Agents without priors on a game, from the committed rows of these folders that exist; the first folder that has
    an agent on a version counts."""
    found: dict[tuple[str, str], Learner] = {}
    for folder in folders:
        if not (folder / game / "runs.csv").exists():
            continue
        runs = tuple(played(Archive.read(folder / game).results(folder / game)))
        here = {run.version for run in runs}
        section = Section(game, runs[0].level, tuple(name for name in VERSIONS if name in here), runs)
        for each in learners_of(section):
            found.setdefault((each.kind.label, each.version), each)
    return [*found.values()]
