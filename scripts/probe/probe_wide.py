"""The wide probe of dials: what does a look show to who sees the whole picture?

A convolutional network (``wide_network.py``) learns from random levels and looks of the training split, and is tested on
held-out ones, whose levels and drawings are new to it. Figures are areas under the curve (AUC); below .5 they are
mirrored. Guessing gives .5.
"""

from itertools import combinations

import numpy as np
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from priorlab.envs.looks.dials import DIALS, Dials
from priorlab.scripts.probe.wide_network import learn, scores_of
from priorlab.scripts.probe.wide_questions import QUESTIONS, ROLES, Asked, ask, small_levels

PAIRS = [pair for names in (ROLES[4:7] + ROLES[8:], ROLES[2:4] + ROLES[7:8]) for pair in combinations(names, 2)]
LEAST = 30  # cells of each answer, at least, for a figure
TESTED = 300  # held-out pictures per setting


def measure(settings: list[Dials], pictures: int, tested: int = TESTED, seed: int = 0) -> list[dict[str, float]]:
    """For each of the settings, the area of each of QUESTIONS and of PAIRS, by name; nan with too few cells."""
    with threadpool_limits(1):
        network = learn(small_levels("training"), settings, pictures, seed)
        rng = np.random.default_rng([seed, 1])
        asked = ask(small_levels("held_out"), settings, "held_out", tested * len(settings), rng)
        scores = scores_of(network, asked)
    return [areas(asked, scores, asked.setting == i) for i in range(len(settings))]


def areas(asked: Asked, scores: np.ndarray, chosen: np.ndarray) -> dict[str, float]:
    found = {}
    for i, question in enumerate(QUESTIONS):
        truth = getattr(asked, question)[chosen]
        found[question] = area(truth == 1, truth == 0, scores[chosen, len(ROLES) + i])
    roles = asked.roles[chosen]
    for one, other in PAIRS:
        first, second = ROLES.index(one), ROLES.index(other)
        score = scores[chosen, first] - scores[chosen, second]
        found[f"{one}, {other}"] = area(roles == first, roles == second, score)
    return found


def area(yes: np.ndarray, no: np.ndarray, score: np.ndarray) -> float:
    """The area under the curve of ``score`` between two sets of cells; nan if one is too small."""
    if min(yes.sum(), no.sum()) < LEAST:
        return float("nan")
    truth = np.repeat([1, 0], [yes.sum(), no.sum()])
    found = float(roc_auc_score(truth, np.concatenate([score[yes], score[no]])))
    return max(found, 1 - found)


def settings_of(edition: int) -> dict[str, Dials]:
    """All dials at 1, and each at 0 among ones, by name."""
    ones = Dials(edition=edition)
    values = {"all 1": ones.values()} | {f"{dial} 0": ones.values() | {dial: 0} for dial in DIALS}
    return {name: Dials(**each, edition=edition) for name, each in values.items()}
