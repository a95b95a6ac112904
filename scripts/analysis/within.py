"""What a pilot with repeated plays shows of people: spread, correlation of one person's times, and practice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_ndtr, logsumexp

from priorlab.scripts.analysis.statistics import LEAST, Played

DEVIATIONS = np.linspace(-6, 6, 241)  # of a person, in standard deviations: where the likelihood is summed
WEIGHTS = -(DEVIATIONS**2) / 2 - np.log(np.sqrt(2 * np.pi)) + np.log(DEVIATIONS[1] - DEVIATIONS[0])  # logs
HALF_LOG_TAU = np.log(2 * np.pi) / 2


@dataclass(frozen=True)
class Repeated:
    """Log-normal times of people who play several times.

    ``spread``: standard deviation of log times between people on one version; ``correlation``: between the logs of one
    person's times; ``practice``: factor on a time for each earlier play; ``minutes``: mean of the original as a first
    play. ``people`` played more than once.
    """

    spread: float
    correlation: float
    practice: float
    minutes: float
    people: int


def when(run: Played) -> tuple[str, int, str]:
    """By which a person's plays are in order: date, number within the session, file."""
    return str(run.settings.get("date", "")), int(run.settings.get("number") or 0), run.folder


def plays_of_people(runs: Sequence[Played]) -> dict[str, list[Played]]:
    """The plays of each participant, in order."""
    people: dict[str, list[Played]] = {}
    for run in sorted(runs, key=when):
        people.setdefault(run.participant, []).append(run)
    return people


def fit_repeated(runs: Sequence[Played]) -> Repeated:
    """Maximum likelihood of a log-normal model with one mean per version, an effect of practice that is linear in the
    number of earlier plays, and normal deviations of people and of plays (a mixed model with censoring).

    Plays that were not won are censored. The person's deviation is integrated by the trapezoidal rule. ValueError
    if fewer than LEAST people played more than once, or if everybody played the versions in one order, which confounds
    them with practice.
    """
    people = list(plays_of_people(runs).values())
    several = sum(len(plays) > 1 for plays in people)
    if several < LEAST:
        raise ValueError(
            f"{several} people played more than once: expected {LEAST} or more, to see how plays correlate"
        )
    ordered = [run for plays in people for run in plays]
    starts = np.cumsum([0, *(len(plays) for plays in people[:-1])])
    names = sorted({run.version for run in ordered})
    design = np.array([[run.version == name for name in names] for run in ordered], float)
    earlier = np.concatenate([np.arange(len(plays)) for plays in people])
    design = np.column_stack([design, earlier])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise ValueError("everybody played the versions in one order: expected several orders, to see practice")
    logs, won = np.log([run.minutes for run in ordered]), np.array([run.won for run in ordered], bool)

    def loss(values: np.ndarray) -> float:
        between, within = np.exp(values[-2:])
        z = (logs - design @ values[:-2])[:, None] - between * DEVIATIONS
        z /= within
        each = np.empty_like(z)
        each[won] = -(z[won] ** 2) / 2 - values[-1] - HALF_LOG_TAU
        each[~won] = log_ndtr(-z[~won])
        return -float(np.sum(logsumexp(np.add.reduceat(each, starts) + WEIGHTS, axis=1)))

    means = np.linalg.lstsq(design, logs, rcond=None)[0]
    spread = np.log(max(float((logs - design @ means).std()), 1e-3)) - np.log(2) / 2
    fit = minimize(loss, np.array([*means, spread, spread]), method="BFGS")
    between, within = np.exp(2 * fit.x[-2:]).tolist()
    total = between + within
    mean = float(np.exp(fit.x[names.index("original")] + total / 2))
    return Repeated(total**0.5, between / total, float(np.exp(fit.x[-3])), mean, several)
