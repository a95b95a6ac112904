"""How good a perception is on held-out levels in held-out looks: likelihood, calibration, what evidence adds.

Each condition fixes the dials of the looks. A share of the cells is revealed at random, and only cells that were not
revealed count: all of them, and those with a revealed look-alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import NamedTuple

import numpy as np

from priorlab.agents.priors.cells import same_pixels
from priorlab.agents.priors.perception import Gaze, Perception
from priorlab.agents.priors.reveals import facts_at
from priorlab.agents.priors.roles import ROLES
from priorlab.agents.priors.samples import SIZES, levels_by_side, picture_of, random_moment, roles_at
from priorlab.envs.game.level import Level
from priorlab.envs.looks.dials import DIALS, Dials, read_dials
from priorlab.envs.looks.paint_dials import paint_dials

SPLIT = "held_out"
CONDITIONS = {
    "all 1": Dials(),
    **{f"{dial} 0": read_dials({dial: 0.0}) for dial in DIALS},
    "all .5": Dials(0.5, 0.5, 0.5, 0.5),
    "all 0": Dials(0.0, 0.0, 0.0, 0.0),
}
SHARES = (0.0, 0.1, 0.3)  # of cells that are revealed
BINS = 15  # of probabilities, equally wide
SURE = 0.99  # probabilities of roles that are farther from 0 and 1 than this is are called unsure
LEAST = 1e-9  # of a probability, for its logarithm


class Believed(NamedTuple):
    """n cells that were not revealed: ``chances`` float32 (n, roles); ``blind``, the same without any reveal;
    ``truth`` int (n,); ``alike`` bool (n,), whether a cell of the same pixels was revealed."""

    chances: np.ndarray
    blind: np.ndarray
    truth: np.ndarray
    alike: np.ndarray


@dataclass(frozen=True)
class Appraisal:
    """Figures of one condition and share of revealed cells.

    ``nll``: mean negative log likelihood of a cell's role, in nats; ``alike_nll``: of cells with a revealed look-alike;
    ``alike_blind``: of the same cells if nothing is revealed; ``accuracy``: share of cells whose likeliest role is
    theirs; ``recall``: of each role, NaN where there is none; ``error``: expected calibration error of all roles'
    probabilities; ``unsure_error``: of those from 1 - SURE to SURE; ``bins`` float (roles, BINS, 3), as ``reliability``
    gives them for each role; ``cells``: how many count.
    """

    condition: str
    share: float
    nll: float
    alike_nll: float
    alike_blind: float
    accuracy: float
    error: float
    unsure_error: float
    recall: tuple[float, ...]
    bins: np.ndarray
    cells: int


def appraise(
    network: Perception,
    levels: Sequence[Level],
    edition: int = 2,
    conditions: Sequence[str] = tuple(CONDITIONS),
    shares: Sequence[float] = SHARES,
) -> Iterator[Appraisal]:
    """Every condition and share in turn, in looks of that edition; the same pictures and reveals for every network."""
    for condition in conditions:
        dials = replace(CONDITIONS[condition], edition=edition)
        for share, believed in zip(shares, beliefs(network, levels, dials, shares)):
            yield figures(condition, share, believed)


def beliefs(network: Perception, levels: Sequence[Level], dials: Dials, shares: Sequence[float]) -> list[Believed]:
    """What the network believes of a moment of each level, for each share of revealed cells."""
    parts: list[list[Believed]] = [[] for _ in shares]
    for seed, level in enumerate(levels):
        rng = np.random.default_rng([seed, 1])
        moment = random_moment(rng, level)
        picture, roles = picture_of(level, paint_dials(level, dials, seed, SPLIT), moment), roles_at(level, moment)
        groups, gaze = same_pixels(picture), Gaze(network, picture)
        order = rng.random(roles.shape)
        facts = facts_at(rng, roles, np.ones(roles.shape, bool))
        blind = gaze.posterior(np.zeros_like(facts))
        for share, part in zip(shares, parts):
            shown = order < share
            believed = gaze.posterior(facts & shown[..., None])
            alike = np.isin(groups, groups[shown])
            part.append(Believed(believed[~shown], blind[~shown], roles[~shown].astype(int), alike[~shown]))
    return [Believed(*(np.concatenate(column) for column in zip(*part))) for part in parts]


def figures(condition: str, share: float, believed: Believed) -> Appraisal:
    losses, blind = (mean_losses(chances, believed) for chances in (believed.chances, believed.blind))
    right = believed.chances.argmax(1) == believed.truth
    counts = np.bincount(believed.truth, minlength=len(ROLES))
    hits = np.bincount(believed.truth[right], minlength=len(ROLES))
    return Appraisal(
        condition,
        share,
        *losses,
        blind[1],
        float(right.mean()),
        *calibration_errors(believed),
        tuple(float(hit / count) if count else float("nan") for hit, count in zip(hits, counts)),
        np.stack([reliability(believed.chances[:, role], believed.truth == role) for role in range(len(ROLES))]),
        len(believed.truth),
    )


def mean_losses(chances: np.ndarray, believed: Believed) -> tuple[float, float]:
    """The mean negative log likelihood of (all cells, those with a revealed look-alike; NaN where there are none)."""
    losses = -np.log(np.maximum(np.take_along_axis(chances, believed.truth[:, None], 1)[:, 0], LEAST))
    return float(losses.mean()), float(losses[believed.alike].mean()) if believed.alike.any() else float("nan")


def calibration_errors(believed: Believed) -> tuple[float, float]:
    """The expected calibration error of (all probabilities of roles, those that are unsure)."""
    chances, true = believed.chances.ravel(), (np.arange(len(ROLES)) == believed.truth[:, None]).ravel()
    unsure = (chances > 1 - SURE) & (chances < SURE)
    errors = []
    for part in (np.ones_like(true), unsure):
        counts, said, happened = reliability(chances[part], true[part]).T
        errors.append(float(np.abs(said - happened).dot(counts) / max(counts.sum(), 1)))
    return errors[0], errors[1]


def reliability(chances: np.ndarray, true: np.ndarray) -> np.ndarray:
    """float (BINS, 3), of each of BINS equal bins of probabilities: how many, their mean, the share of them that were
    true; 0 where there are none. chances: float (n,), 0 to 1; true: bool (n,)."""
    bins = np.minimum((chances * BINS).astype(int), BINS - 1)
    counts, said, happened = (np.bincount(bins, part, BINS) for part in (np.ones(len(bins)), chances, true))
    return np.stack([counts, said / np.maximum(counts, 1), happened / np.maximum(counts, 1)], axis=1)


def held_out_levels(count: int, sizes: Sequence[str] = SIZES) -> list[Level]:
    """The first held-out levels of each size of banks and each side in turn, so that all count alike."""
    queues = [[*interleaved([*levels_by_side(SPLIT, size).values()])] for size in sizes]
    return [*interleaved(queues)][:count]


def interleaved(queues: Sequence[Sequence[Level]]) -> Iterator[Level]:
    """The first of each, the second of each, and so on."""
    for turn in zip_longest(*queues):
        yield from (level for level in turn if level is not None)
