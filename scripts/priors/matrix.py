"""Raised without a prior, times every mask: is a player less slowed by the mask of the prior that it lacks?

Masks nest, so a cell is what a mask adds to the one that it contains, on the logarithm of inputs: the mean over lives
within a training seed, then over places with equal weight. Then the means of rows (how good a player is at masks in
general) and of columns (how hard a mask is in general) are removed, seed by seed. What is left on the diagonal belongs
to the pair of a prior and its own mask. *Relief* is minus the mean of the four diagonal cells, with an interval over
training seeds; above 0, a player raised without a prior is less slowed by its mask.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from priorlab.scripts.analysis.comparison import Estimate
from priorlab.scripts.analysis.statistics import LEAST
from priorlab.scripts.priors.cast import MATRIX_FULL, WITHOUT
from priorlab.scripts.priors.cells import ORIGINAL, Cells
from priorlab.scripts.priors.intervals import factor_over, mean_over
from priorlab.scripts.priors.recorded import GROUPS, LEVELS

MASKS = {  # by dial: the mask that hides the prior, and the version that the mask contains
    "semantics": ("masked_semantics", ORIGINAL),
    "objects": ("masked_objects", "masked_semantics"),
    "affordance": ("masked_affordances", ORIGINAL),
    "similarity": ("masked_similarity", "masked_affordances"),
}
MASK_NAMES = {dial: mask.removeprefix("masked_") for dial, (mask, _) in MASKS.items()}
VERSIONS = (ORIGINAL, *(mask for mask, _ in MASKS.values()))
PLAYERS = (MATRIX_FULL, *WITHOUT)
MOST = 3.0  # times the inputs of the full player on the original, within which a player counts
LEAST_SOLVED = 0.5  # of its lives on the original, or it did not solve it
ALL = "all"
SETS = {ALL: "all places", **GROUPS}
LESS, MORE, OPEN, FEW = "less", "more", "inconclusive", "too few seeds"


@dataclass(frozen=True, eq=False)
class Matrix:
    """The matrix over one of SETS. Rows of PLAYERS, the full one first; columns of MASKS; natural logarithms.

    ``by_place``: float64 (seeds, places, 5, 4), what masks add; ``left_out``: of each seed that doesn't count, why.
    Seeds are those that count; each has all places.
    """

    set: str
    seeds: tuple[int, ...]
    by_place: np.ndarray
    left_out: dict[int, tuple[str, ...]]

    @property
    def increments(self) -> np.ndarray:
        """float64 (seeds, 5, 4), the mean over places."""
        return self.by_place.mean(axis=1)

    @property
    def residuals(self) -> np.ndarray:
        """float64 (seeds, 4, 4), of the four rows without a prior, each seed's row and column means removed."""
        return centred(self.increments[:, 1:])

    @property
    def reliefs(self) -> np.ndarray:
        """float64 (seeds,), on the logarithm."""
        return reliefs_of(self.residuals)

    @property
    def relief(self) -> Estimate | None:
        """On the logarithm of inputs; None without a seed that counts."""
        return mean_over(self.reliefs)

    @property
    def factor(self) -> Estimate | None:
        """The same as a factor, of which 1 is no relief."""
        return factor_over(self.reliefs)

    def factor_without(self, dial: str) -> Estimate | None:
        """The same factor without the row and the column of a dial: a check that was added after the rows."""
        kept = [k for k, each in enumerate(MASKS) if each != dial]
        return factor_over(reliefs_of(centred(self.increments[:, 1:][:, kept][..., kept])))

    @property
    def over_levels(self) -> Estimate | None:
        """The same factor with its interval over levels: each level's relief is the mean over seeds. A description:
        the claim is over seeds. None for another set than the levels."""
        if self.set != LEVELS or not self.seeds:
            return None
        return factor_over(reliefs_of(centred(self.by_place[:, :, 1:].mean(axis=0))))

    @property
    def by_mask(self) -> list[Estimate | None]:
        """Each mask's own relief as a factor: a description, no claim."""
        return [factor_over(-self.residuals[:, k, k]) for k in range(len(MASKS))]

    @property
    def verdict(self) -> str:
        """Whether the interval of the relief lies on one side of 0."""
        relief = self.relief
        if relief is None or relief.low is None or relief.high is None:
            return FEW
        return LESS if relief.low > 0 else MORE if relief.high < 0 else OPEN


def matrices_of(cells: Cells) -> dict[str, Matrix]:
    """The matrix over each of SETS, as far as there are lives."""
    groups = cells.by_group()
    sets = {ALL: cells, **{name: groups[name] for name in GROUPS if name in groups}}
    return {
        name: matrix_of(name, own.seeds, measured(own, "log"), measured(own, "solved")[..., 0])
        for name, own in sets.items()
    }


def measured(cells: Cells, measure: str) -> np.ndarray:
    """float64 (seeds, places, PLAYERS, VERSIONS), NaN where there is no life."""
    values = [[cells.values(player, version, measure) for version in VERSIONS] for player in PLAYERS]
    return np.array(values).transpose(3, 2, 0, 1)


def matrix_of(name: str, seeds: Sequence[int], logs: np.ndarray, solved: np.ndarray) -> Matrix:
    """Of the seeds that have all rows, and whose players all count: each averages the same places.

    ``logs``: float64 (seeds, places, PLAYERS, VERSIONS), mean logarithms of inputs over lives, NaN where there is no
    life; ``solved``: float64 (seeds, places, PLAYERS), the share of lives solved on the original.
    """
    kept, left_out = [], dict[int, tuple[str, ...]]()
    for k, (seed, rows, share) in enumerate(zip(seeds, logs, solved)):
        there = np.isfinite(rows)
        if not there.any():
            continue
        why = missing(there) or reasons(rows.mean(axis=0), share.mean(axis=0))
        if why:
            left_out[seed] = why
        else:
            kept.append(k)
    return Matrix(name, tuple(seeds[k] for k in kept), increments_of(logs[kept]), left_out)


def missing(there: np.ndarray) -> tuple[str, ...]:
    """Whose rows a seed lacks, and where, none where it has all; ``there``: bool (places, PLAYERS, VERSIONS)."""
    short = (~there.all(axis=2)).sum(axis=0)  # (PLAYERS,)
    return tuple(
        f"{player}: rows are missing in {n} of {len(there)} place{'s' * (len(there) > 1)}"
        for player, n in zip(PLAYERS, short)
        if n
    )


def reasons(means: np.ndarray, solved: np.ndarray) -> tuple[str, ...]:
    """Why players of a seed don't count, none where all do; ``means``: (PLAYERS, VERSIONS), ``solved``: (PLAYERS,)."""
    times = np.exp(means[:, 0] - means[0, 0])
    found = []
    for player, more, share in zip(PLAYERS, times, solved):
        if more > MOST:
            found.append(f"{player}: {more:.1f} times the inputs of {MATRIX_FULL} on the original")
        elif share < LEAST_SOLVED:
            found.append(f"{player}: solved {share:.0%} of its lives on the original")
    return tuple(found)


def increments_of(means: np.ndarray) -> np.ndarray:
    """(..., VERSIONS) -> (..., 4): what each mask adds to the version that it contains."""
    at = {version: k for k, version in enumerate(VERSIONS)}
    return np.stack([means[..., at[mask]] - means[..., at[within]] for mask, within in MASKS.values()], axis=-1)


def centred(values: np.ndarray) -> np.ndarray:
    """(n, rows, columns), one matrix for each seed or place, without the row and column means of each."""
    rows, columns = values.mean(axis=2, keepdims=True), values.mean(axis=1, keepdims=True)
    return values - rows - columns + values.mean(axis=(1, 2), keepdims=True)


def reliefs_of(residuals: np.ndarray) -> np.ndarray:
    """(n, k, k) -> (n,): minus the mean of each diagonal."""
    return -np.trace(residuals, axis1=1, axis2=2) / residuals.shape[-1]


def claim_of(matrix: Matrix) -> str:
    """The claim in one sentence, whatever it says."""
    factor, n = matrix.factor, len(matrix.seeds)
    where = "" if matrix.set == ALL else f" ({SETS[matrix.set]})"
    if factor is None:
        return f"No training seed has all rows of the matrix yet{where}, so it says nothing"
    seeds = f"{n} training seed{'s' * (n > 1)}"
    if factor.low is None or factor.high is None:
        return (
            f"Relief is {factor.value:.2f}{where}, of {seeds}: fewer than {LEAST} have no interval, so it is no finding"
        )
    size = f"relief {factor.value:.2f}, 95 % interval {factor.low:.2f} to {factor.high:.2f}, {seeds}"
    if matrix.verdict == OPEN:
        return f"We found no evidence that a player raised without a prior is less slowed by its mask{where}: {size}"
    return f"A player raised without a prior is {matrix.verdict} slowed by its mask{where}: {size}"
