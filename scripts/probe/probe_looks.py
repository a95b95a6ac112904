"""The probe of looks: does each version's look mask what it claims? Measured on the pictures.

Classifiers (logistic regression, a forest, nearest neighbours) learn from pictures with some look seeds and are tested
on pictures with others, and the best one counts; an area under the curve (AUC) below .5 is mirrored. *tile* sees 15x15
pixels. *context* sees 45x45 and is tested on other levels than it learned from, so that it knows no place by heart; it
is reported, but no claim depends on it. ``scripts/probe/probe_places.py`` defines the questions and the surroundings of
objects.
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
GROUPS = (0, 0, 1, 2, 3)  # the first two levels are almost the same: held out together
HIDDEN, SEEN, PLAIN = 0.6, 0.9, 0.95  # at most; at least; more than
STRUCTURE_HIDDEN = ("masked_affordances", "masked_similarity", "all_masked")
OBJECTS_HIDDEN = ("masked_objects", "all_masked")
OWN_TEXTURES = "masked_similarity"
MOST = 1500  # training samples of each kind
QUESTIONS = ("structure", "objects", "strictly")
SEEDS_APART = 1000  # between the seeds of two levels


class Areas(NamedTuple):
    """Areas under the curve, .5 to 1, by the classifiers' view."""

    tile: float
    context: float


class Samples(NamedTuple):
    """n places in pictures of one version: features (n, 96) of their tiles, and their surroundings, uint8
    (n, 45, 45, 3). ``truth``: 1 for a platform, ladder or object; ``group``: the group of their level; ``seed``: the
    number of the drawing of their level."""

    tile: np.ndarray
    context: np.ndarray
    truth: np.ndarray
    group: np.ndarray
    seed: np.ndarray


def probe(version: str, seeds: int) -> dict[str, Areas]:
    """The areas of each question, from 2 * ``seeds`` drawings of every level: half for training, half for tests."""
    return {question: best_areas(samples, seeds) for question, samples in gather(version, seeds).items()}


def gather(version: str, seeds: int) -> dict[str, Samples]:
    """Samples for each question; for structure, a random fifth of the tiles is enough."""
    rng = np.random.default_rng(0)
    look = find_version("princess", version).look
    parts_of: dict[str, list[tuple[Places, np.ndarray, int, int]]] = {question: [] for question in QUESTIONS}
    for i, (source, group) in enumerate(zip(LEVELS, GROUPS)):
        level = Level.read(source)
        things, structure = object_places(level), structure_places(level)
        asked = {
            "structure": structure,
            "objects": (things, surroundings(level, BESIDE)),
            "strictly": (things, surroundings(level, AROUND)),
        }
        for seed in range(2 * seeds):
            image = picture(level, paint(level, look, i * SEEDS_APART + seed))
            for question, (yes, no) in asked.items():
                places, truth = [*yes, *no], np.repeat([1, 0], [len(yes), len(no)])
                if question == "structure":
                    kept = rng.permutation(len(places))[: len(places) // 5]
                    places, truth = [places[i] for i in kept], truth[kept]
                parts_of[question].append((cut(image, places), truth, group, seed))
    return {question: join(parts) for question, parts in parts_of.items()}


def join(parts: list[tuple[Places, np.ndarray, int, int]]) -> Samples:
    counts = [len(truth) for _, truth, _, _ in parts]
    return Samples(
        tile_features(np.concatenate([places.tile for places, _, _, _ in parts])),
        np.concatenate([places.context for places, _, _, _ in parts]),
        np.concatenate([truth for _, truth, _, _ in parts]),
        np.repeat([group for _, _, group, _ in parts], counts),
        np.repeat([seed for _, _, _, seed in parts], counts),
    )


def best_areas(samples: Samples, seeds: int) -> Areas:
    """The best classifier of each view."""
    return Areas(best_by_tile(samples, seeds), best_by_context(samples, seeds))


def best_by_tile(samples: Samples, seeds: int) -> float:
    learn = samples.seed < seeds
    areas = [score(model, samples.tile, samples.truth, learn, ~learn) for model in ("line", "trees", "near")]
    return max(max(area, 1 - area) for area in areas)


def best_by_context(samples: Samples, seeds: int) -> float:
    """The mean over the groups of levels, each held out once."""
    learn, features, areas = samples.seed < seeds, context_features(samples.context), []
    for model in ("line", "trees"):
        folds = [(learn & (samples.group != g), ~learn & (samples.group == g)) for g in sorted(set(GROUPS))]
        areas.append(float(np.mean([score(model, features, samples.truth, a, b) for a, b in folds])))
    return max(max(area, 1 - area) for area in areas)


def score(model: str, features: np.ndarray, truth: np.ndarray, learn: np.ndarray, test: np.ndarray) -> float:
    """Area under the curve on the samples ``test``, after training on the samples ``learn``."""
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
    """The number of platforms and ladders, over drawings of all levels, that share a texture with something else."""
    look = find_version("princess", version).look
    levels = [Level.read(source) for source in LEVELS]
    return sum(shared_textures(level, paint(level, look, seed)) for level in levels for seed in range(seeds))


def claims(version: str, areas: dict[str, Areas], seeds: int) -> list[tuple[str, bool]]:
    """The claims of the version's look, and whether the areas confirm them."""
    structure, objects, strictly = (areas[question].tile for question in QUESTIONS)
    verdicts = []
    if version == "original":
        verdicts.append((f"structure > {PLAIN}", structure > PLAIN))
    if version in STRUCTURE_HIDDEN:
        verdicts.append((f"structure <= {HIDDEN}", structure <= HIDDEN))
    if version in OBJECTS_HIDDEN:
        verdicts.append((f"objects <= {HIDDEN}", max(objects, strictly) <= HIDDEN))
    else:
        verdicts.append((f"objects >= {SEEN}", min(objects, strictly) >= SEEN))
    if version == OWN_TEXTURES:
        verdicts.append(("no texture shared", shared(version, seeds) == 0))
    return verdicts
