"""The probe of looks: holds every version to what its look claims, measured on the pictures.

Classifiers (logistic regression, a forest, nearest neighbours) learn from pictures drawn with some look seeds and are
tried on pictures drawn with others, and the best of them counts; an area under the curve (AUC) below .5 counts as its
mirror. *tile* sees 15x15 pixels. *context* sees 45x45 and is tried on levels that it did not learn on, so that it
knows no place by heart; it is shown, and no claim rests on it. What is asked, and what surrounds an object, is
defined in ``scripts/probe/probe_places.py``.
"""

from typing import NamedTuple

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from priorlab.envs.game.level import Level
from priorlab.envs.game.versions import find_version
from priorlab.envs.looks.paint import paint
from priorlab.scripts.probe.probe_places import (
    AROUND,
    BESIDE,
    EXTRA,
    Places,
    context_features,
    cut,
    object_places,
    picture,
    shared_textures,
    structure_places,
    surroundings,
    tile_features,
)

LEVELS = ("princess", "princess_masked_geometry", *EXTRA)
GROUPS = (0, 0, 1, 2, 3)  # the first two are nearly one level: held out together
HIDDEN, SEEN, PLAIN = 0.6, 0.9, 0.95  # at most; at least; more than
STRUCTURE_HIDDEN = ("masked_affordances", "masked_similarity", "all_masked")
OBJECTS_HIDDEN = ("masked_objects", "all_masked")
OWN_TEXTURES = "masked_similarity"
MOST = 1500  # samples of a kind to learn from
QUESTIONS = ("structure", "objects", "strictly")
SEEDS_APART = 1000  # each level is drawn with seeds of its own


class Figure(NamedTuple):
    """Areas under the curve, .5 to 1, by what the classifiers see."""

    tile: float
    context: float


class Samples(NamedTuple):
    """Features of n places of pictures of one version, and what they are: ``truth``, 1 for a platform, ladder or
    object; ``group``: of which levels; ``seed``: the how-manieth exemplar of its level."""

    tile: np.ndarray
    context: np.ndarray
    truth: np.ndarray
    group: np.ndarray
    seed: np.ndarray


def probe(version: str, seeds: int) -> dict[str, Figure]:
    """The figure of each question, from 2 * ``seeds`` exemplars of every level, half to learn and half to try."""
    return {question: figure(samples, seeds) for question, samples in gather(version, seeds).items()}


def gather(version: str, seeds: int) -> dict[str, Samples]:
    """Samples for each question; structure takes a fifth of the tiles at random, which is plenty."""
    rng = np.random.default_rng(0)
    look = find_version("princess", version).look
    found: dict[str, list[tuple[Places, np.ndarray, int, int]]] = {question: [] for question in QUESTIONS}
    for i, (source, group) in enumerate(zip(LEVELS, GROUPS)):
        level = Level.read(source)
        things, structure = object_places(level), structure_places(level)
        asked = {
            "structure": structure,
            "objects": (things, surroundings(level, BESIDE)),
            "strictly": (things, surroundings(level, AROUND)),
        }
        for seed in range(2 * seeds):
            shown = picture(level, paint(level, look, i * SEEDS_APART + seed))
            for question, (yes, no) in asked.items():
                places, truth = [*yes, *no], np.repeat([1, 0], [len(yes), len(no)])
                if question == "structure":
                    kept = rng.permutation(len(places))[: len(places) // 5]
                    places, truth = [places[i] for i in kept], truth[kept]
                found[question].append((cut(shown, places), truth, group, seed))
    return {question: join(parts) for question, parts in found.items()}


def join(parts: list[tuple[Places, np.ndarray, int, int]]) -> Samples:
    counts = [len(truth) for _, truth, _, _ in parts]
    return Samples(
        tile_features(np.concatenate([places.tile for places, _, _, _ in parts])),
        context_features(np.concatenate([places.context for places, _, _, _ in parts])),
        np.concatenate([truth for _, truth, _, _ in parts]),
        np.repeat([group for _, _, group, _ in parts], counts),
        np.repeat([seed for _, _, _, seed in parts], counts),
    )


def figure(samples: Samples, seeds: int) -> Figure:
    """The best of the classifiers, by what it sees."""
    learn = samples.seed < seeds
    tile = [score(model, samples.tile, samples.truth, learn, ~learn) for model in ("line", "trees", "near")]
    context = []
    for model in ("line", "trees"):
        folds = [(learn & (samples.group != g), ~learn & (samples.group == g)) for g in sorted(set(GROUPS))]
        context.append(np.mean([score(model, samples.context, samples.truth, a, b) for a, b in folds]))
    return Figure(*(max(max(area, 1 - area) for area in areas) for areas in (tile, context)))


def score(model: str, features: np.ndarray, truth: np.ndarray, learn: np.ndarray, test: np.ndarray) -> float:
    """Area under the curve over the samples of ``test``, having learned from those of ``learn``."""
    rng = np.random.default_rng(1)
    chosen = np.concatenate([rng.permutation(np.flatnonzero(learn & (truth == kind)))[:MOST] for kind in (0, 1)])
    classifier = {
        "line": lambda: make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300)),
        "trees": lambda: ExtraTreesClassifier(60, min_samples_leaf=3, random_state=0),
        "near": lambda: make_pipeline(StandardScaler(), KNeighborsClassifier(15, weights="distance")),
    }[model]()
    classifier.fit(features[chosen], truth[chosen])
    return float(roc_auc_score(truth[test], classifier.predict_proba(features[test])[:, 1]))


def shared(version: str, seeds: int) -> int:
    """How many platforms and ladders, over exemplars of all levels, have a texture that something else has."""
    look = find_version("princess", version).look
    levels = [Level.read(source) for source in LEVELS]
    return sum(shared_textures(level, paint(level, look, seed)) for level in levels for seed in range(seeds))


def claims(version: str, figures: dict[str, Figure], seeds: int) -> list[tuple[str, bool]]:
    """What the version's look claims, in words, and whether the figures hold it."""
    structure, objects, strictly = (figures[question].tile for question in QUESTIONS)
    found = []
    if version == "original":
        found.append((f"structure > {PLAIN}", structure > PLAIN))
    if version in STRUCTURE_HIDDEN:
        found.append((f"structure <= {HIDDEN}", structure <= HIDDEN))
    if version in OBJECTS_HIDDEN:
        found.append((f"objects <= {HIDDEN}", max(objects, strictly) <= HIDDEN))
    else:
        found.append((f"objects >= {SEEN}", min(objects, strictly) >= SEEN))
    if version == OWN_TEXTURES:
        found.append(("no texture shared", shared(version, seeds) == 0))
    return found
