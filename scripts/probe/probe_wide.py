"""The wide probe of dials: what does a look show to who sees the whole picture?

A convolutional network (``wide_network.py``) learns from random levels and looks of the training split, and is tested
on held-out ones, whose levels and drawings are new to it. Figures are areas under the curve (AUC); below .5 they are
mirrored. Guessing gives .5. The questions:

- *stands*: an object on a floor, or another place to stand on a floor?
- *sunk*: a danger in a floor, or a distractor there? (Edition 1 has no such distractors.)
- *structure*: a platform or ladder, or free space?
- pairs of roles: which of the two? *inlay* and *scenery* are harmless, in edition 2 only.
"""

from itertools import combinations

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from priorlab.agents.device import one_thread
from priorlab.envs.looks.dials import DIALS, Dials
from priorlab.scripts.probe.wide_network import learn, scores_of
from priorlab.scripts.probe.wide_questions import QUESTIONS, ROLES, Asked, ask, small_levels

STANDING, SUNK = ("monster", "key", "goal", "scenery"), ("fire", "spikes", "inlay")
PAIRS = [f"{one}, {other}" for names in (STANDING, SUNK) for one, other in combinations(names, 2)]
HIDDEN_BY = {"semantics": PAIRS, "objects": ["stands", "sunk"]}  # what each dial claims to hide
VISIBLE = ("stands", "structure", "monster, key", "monster, goal", "key, goal")  # with all dials at 1
HIDDEN, SEEN = 0.6, 0.9  # at most; at least
LEAST = 30  # pictures with both answers, at least, for a figure
PICTURES, TESTED = 6000, 300  # to learn from, of all settings together; to test on, of each

Figures = dict[str, dict[str, float]]  # by the names of settings and of measures


def measure(named: dict[str, Dials], pictures: int = PICTURES, tested: int = TESTED, seed: int = 0) -> Figures:
    """For each of the settings, the area of each of QUESTIONS and of PAIRS; nan with too few cells."""
    settings = list(named.values())
    with threadpool_limits(1), one_thread():
        network = learn(small_levels("training"), settings, pictures, seed)
        rng = np.random.default_rng([seed, 1])
        asked = ask(small_levels("held_out"), settings, "held_out", tested * len(settings), rng)
        scores = scores_of(network, asked)
    return {name: areas(asked, scores, asked.setting == i) for i, name in enumerate(named)}


def areas(asked: Asked, scores: np.ndarray, chosen: np.ndarray) -> dict[str, float]:
    found = {}
    for i, question in enumerate(QUESTIONS):
        truth = getattr(asked, question)[chosen]
        found[question] = area(truth == 1, truth == 0, scores[chosen, len(ROLES) + i])
    roles = asked.roles[chosen]
    for pair in PAIRS:
        first, second = (ROLES.index(role) for role in pair.split(", "))
        score = scores[chosen, first] - scores[chosen, second]
        found[pair] = area(roles == first, roles == second, score)
    return found


def area(yes: np.ndarray, no: np.ndarray, score: np.ndarray) -> float:
    """The area under the curve of ``score`` between two sets of cells, mean over the pictures that have both, which are
    the first axis; nan with fewer than LEAST. Only cells of one picture are compared: a network that knows how many
    things there are of each kind could otherwise tell pictures apart instead of cells."""
    parts = [
        roc_auc_score(np.repeat([1, 0], [a.sum(), b.sum()]), np.concatenate([s[a], s[b]]))
        for a, b, s in zip(yes, no, score)
        if a.any() and b.any()
    ]
    found = float(np.mean(parts)) if len(parts) >= LEAST else float("nan")
    return max(found, 1 - found)


def settings_of(edition: int) -> dict[str, Dials]:
    """All dials at 1, each at 0 among ones, and all at 0, by name."""
    off = {"all 1": (), **{f"{dial} 0": (dial,) for dial in DIALS}, "all 0": DIALS}
    return {
        name: Dials(**dict.fromkeys(DIALS, 1.0) | dict.fromkeys(zeros, 0.0), edition=edition)
        for name, zeros in off.items()
    }


def claims(figures: Figures) -> list[tuple[str, bool]]:
    """The claims on the figures, and whether they hold; none is made where there is no figure."""
    verdicts = []
    for measure in VISIBLE:
        if figures["all 1"][measure] == figures["all 1"][measure]:
            verdicts.append((f"all 1: {measure} >= {SEEN}", figures["all 1"][measure] >= SEEN))
    for dial, hidden in HIDDEN_BY.items():
        for measure in hidden:
            figure = figures[f"{dial} 0"][measure]
            if figure == figure:
                verdicts.append((f"{dial} 0: {measure} <= {HIDDEN}", figure <= HIDDEN))
    return verdicts


def show_wide(edition: int, pictures: int = PICTURES) -> int:
    """Measures, prints the figures and the claims that fail, and returns their number."""
    figures = measure(settings_of(edition), pictures)
    table = Table(
        title=f"a network that sees the whole picture, after {pictures} pictures",
        caption="area under the curve, within pictures; all other dials at 1",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),  # or else a console of 80 columns cuts the dials' names off
    )
    table.add_column("edition " + str(edition), no_wrap=True)
    for name in figures:
        table.add_column(name, justify="right")
    for question in (*QUESTIONS, *PAIRS):
        shown = [row[question] for row in figures.values()]
        table.add_row(question, *("" if figure != figure else f"{figure:.2f}" for figure in shown))
    console, verdicts = Console(), claims(figures)
    console.print(table)
    for claim, holds in verdicts:
        console.print(f"{claim}: {'holds' if holds else 'FAILS'}", style="green" if holds else "red", highlight=False)
    return sum(not holds for _, holds in verdicts)
