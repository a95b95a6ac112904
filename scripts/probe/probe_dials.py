"""The probe of dials: does each dial of random looks change what it names, and nothing else? Measured on pictures.

Classifiers learn 15x15 places from pictures of the training split and are tested on pictures of the held-out split,
whose exemplars and drawings of levels are new to them; the best classifier counts. There are four measures:

- *semantics*: which of eight roles is it? Area under the curve (AUC), one role against the rest, mean over roles.
- *objects*: an object, or one of the up to eight free places around it? AUC.
- *affordance*: a platform or ladder tile, or free space? AUC.
- *similarity*: the share of pairs of things of one kind in a level whose pictures are identical.

Guessing gives .5, .5, .5, and different pictures give 0. No measure includes the player: every look marks it.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import TILE
from priorlab.envs.looks.dials import DIALS, SPLITS, Dials
from priorlab.envs.looks.paint_dials import cast, paint_dials
from priorlab.envs.looks.painting import Thing
from priorlab.scripts.probe.probe_places import CELLAR, picture, tile_features

# Levels that nothing else uses, with every kind of object
KEEP = """name = "keep"
---
|              |
|  k    m      |
|#### #####^^##|
|              |
|HH    m~~   HH|
|HH##########HH|
|HH          HH|
|HH     m~~  HH|
|HH###**#####HH|
|              |
|HH m          |
|HH###^^^######|
|HH            |
|HH  S  m~   D |
|#######**#####|
|              |
"""
MINE = """name = "mine"
---
|             k|
| m  HH  m~~ ##|
|##  HH###**###|
|    HH        |
|    HH  m     |
|###*##^###HH##|
|          HH  |
|  m       HH  |
|####^^HH######|
|      HH      |
|D m~  HH      |
|####**##^^##  |
|          HH  |
|          HH  |
| S   ^  * HH  |
|##############|
"""
BRIDGE = """name = "bridge"
---
|              |
|HH    m      G|
|HH#####^^#####|
|HH            |
|HH      m~~~  |
|####**#####HH |
|           HH |
| m     m   HH |
|####HH#####^^#|
|    HH        |
|    HH  m~    |
|###**####HH###|
|         HH   |
|  S      HH   |
|#####^^#######|
|              |
"""
LEVELS = (CELLAR, KEEP, MINE, BRIDGE)
ROLES = {
    "#": "platform",
    "H": "ladder",
    "*": "fire",
    "^": "spikes",
    "m": "monster",
    "k": "key",
    "G": "goal",
    "D": "door",
}
MEASURES = DIALS
SEEN, HIDDEN, APART = (
    0.9,
    0.6,
    0.15,
)  # at least; at most; least change by a measure's dial among .5
MOST = 1600  # training places, and as many test places


class LabelledPlaces(NamedTuple):
    """n places: ``tiles`` uint8 (n, TILE, TILE, 3); ``truth`` int (n,), what each is; ``held_out`` bool (n,)."""

    tiles: np.ndarray
    truth: np.ndarray
    held_out: np.ndarray


def settings() -> list[tuple[str, Dials]]:
    """The settings to measure, with their names: each dial at 0 among ones, and at 0 and 1 among halves."""
    ones, halves = Dials(), Dials(0.5, 0.5, 0.5, 0.5)
    named = [("all 1", ones), *((f"{dial} 0, others 1", replace(ones, **{dial: 0})) for dial in MEASURES)]
    named += [(f"{dial} {value}, others .5", replace(halves, **{dial: value})) for dial in MEASURES for value in (0, 1)]
    return [*named, ("all 0", Dials(0, 0, 0, 0))]


def probe(dials: Dials, seeds: int) -> dict[str, float]:
    """Each measure, 0 to 1, over ``seeds`` looks of every level and split."""
    parts_of = {measure: [] for measure in MEASURES[:3]}
    pairs = []
    for i, source in enumerate(LEVELS):
        level = Level.read(source)
        asked = questions(level)
        for split in SPLITS:
            for seed in range(seeds):
                look = 1000 * i + seed  # every level has different seeds
                image = picture(level, paint_dials(level, dials, look, split))
                pairs += same_pictures(cast(level, dials, look, split))
                for measure, (tiles, truth) in asked.items():
                    parts_of[measure].append((cells(image)[tuple(tiles.T)], truth, split == "held_out"))
    scores = {measure: score(gather(parts)) for measure, parts in parts_of.items()}
    return scores | {"similarity": float(np.mean(pairs))}


def questions(level: Level) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The places of each measure, as rows and columns, int (n, 2), and what they are, int (n,)."""
    kinds = np.array([list(row) for row in level.rows])
    free = np.isin(kinds, list(" ~"))
    objects = np.isin(kinds, list("*^mkGD"))
    near = np.zeros_like(free)
    for row, column in np.argwhere(objects).tolist():
        near[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = True
    things = np.argwhere(np.isin(kinds, list(ROLES)))
    order = list(ROLES)
    return {
        "semantics": (things, np.array([order.index(str(kinds[r, c])) for r, c in things])),
        "objects": two_kinds(objects, near & free),
        "affordance": two_kinds(np.isin(kinds, list("#H")), free),
    }


def two_kinds(yes: np.ndarray, no: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """LabelledPlaces of two kinds, and which are of the first."""
    tiles = np.concatenate([np.argwhere(yes), np.argwhere(no)])
    return tiles, np.repeat([1, 0], [yes.sum(), no.sum()])


def cells(image: np.ndarray) -> np.ndarray:
    """A picture, uint8 (TILE * rows, TILE * columns, 3), in cells: uint8 (rows, columns, TILE, TILE, 3)."""
    return image.reshape(image.shape[0] // TILE, TILE, -1, TILE, 3).swapaxes(1, 2)


def same_pictures(things: list[Thing]) -> list[bool]:
    """For every pair of things of one role, whether they have the same picture."""
    return [
        np.array_equal(one.picture, other.picture) for one, other in combinations(things, 2) if one.role == other.role
    ]


def gather(parts: list[tuple[np.ndarray, np.ndarray, bool]]) -> LabelledPlaces:
    """Equally many places of each truth and split, if available, and at most MOST per split."""
    tiles, truth = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    held_out = np.repeat([part[2] for part in parts], [len(part[1]) for part in parts])
    rng = np.random.default_rng(0)
    kinds = np.unique(truth)
    kept = []
    for split in (False, True):
        for kind in kinds:
            kept.append(rng.permutation(np.flatnonzero((held_out == split) & (truth == kind)))[: MOST // len(kinds)])
    chosen = np.concatenate(kept)
    return LabelledPlaces(tiles[chosen], truth[chosen], held_out[chosen])


def score(places: LabelledPlaces) -> float:
    """AUC of the best classifier on held-out places; with two kinds of places, an AUC below .5 is mirrored."""
    features, learn, test = tile_features(places.tiles), ~places.held_out, places.held_out
    best = 0.0
    for classifier in CLASSIFIERS:
        with threadpool_limits(1):  # several threads are slower on so few data
            chances = classifier().fit(features[learn], places.truth[learn]).predict_proba(features[test])
        if chances.shape[1] > 2:
            area = float(roc_auc_score(places.truth[test], chances, multi_class="ovr"))
        else:
            area = float(roc_auc_score(places.truth[test], chances[:, 1]))
            area = max(area, 1 - area)
        best = max(best, area)
    return best


CLASSIFIERS: tuple[Callable, ...] = (
    lambda: make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=200)),
    lambda: ExtraTreesClassifier(60, min_samples_leaf=3, random_state=0),
    lambda: make_pipeline(StandardScaler(), KNeighborsClassifier(15, weights="distance")),
)


def claims(figures: dict[str, dict[str, float]]) -> list[tuple[str, bool]]:
    """The claims on the figures, by the names of ``settings``, and whether they hold; claims on settings that were not
    measured are left out."""
    verdicts = []
    for name, row in figures.items():
        dial = name.split()[0]
        others = [figure for measure, figure in row.items() if measure != dial]
        if name == "all 1":
            verdicts.append((f"all 1: every measure >= {SEEN}", min(row.values()) >= SEEN))
        elif name == "all 0":
            verdicts.append((f"all 0: every measure <= {HIDDEN}", max(row.values()) <= HIDDEN))
        elif name.endswith("others 1"):
            verdicts.append((f"{name}: {dial} <= {HIDDEN}", row[dial] <= HIDDEN))
            verdicts.append((f"{name}: the other three >= {SEEN}", min(others) >= SEEN))
        elif name.startswith(f"{dial} 1"):
            grown = row[dial] - figures[name.replace(" 1", " 0")][dial]
            verdicts.append((f"{dial} from 0 to 1, others .5: {dial} grows by >= {APART}", grown >= APART))
    return verdicts


def show_dials(seeds: int) -> int:
    """Measures all settings, prints the figures and the claims, and returns the number of claims that fail."""
    table = Table(
        title=f"{len(LEVELS)} levels, {seeds} looks per level and split",
        caption="area under the curve; similarity: share of pairs of things of one kind with the same picture",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("dials", no_wrap=True)
    for measure in MEASURES:
        table.add_column(measure, justify="right", no_wrap=True)
    measured = {name: probe(dials, seeds) for name, dials in track(settings(), "measuring", transient=True)}
    for name, figures in measured.items():
        table.add_row(name, *(f"{figure:.2f}" for figure in figures.values()))
    console, verdicts = Console(), claims(measured)
    console.print(table)
    for claim, holds in verdicts:
        console.print(f"{claim}: {'holds' if holds else 'FAILS'}", style="green" if holds else "red", highlight=False)
    return sum(not holds for _, holds in verdicts)
