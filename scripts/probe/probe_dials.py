"""The probe of dials: whether each dial of random looks moves what it names, and nothing else, measured on pictures.

Classifiers learn 15x15 places from pictures of the training split and are tried on pictures of the held-out split, so
on exemplars and levels' drawings never seen; the best of them counts. Four measures:

- *semantics*: which of eight roles is it? Area under the curve (AUC), one role against the rest, mean over roles.
- *objects*: an object, or one of the up to eight free places around it? AUC.
- *affordance*: a platform or ladder tile, or free space? AUC.
- *similarity*: the share of pairs of like things of a level that have the same picture, to the pixel.

Guessing gives .5, .5, .5; things that are drawn apart, 0. The player is in none: it is marked in any look.
"""

from collections.abc import Callable
from dataclasses import asdict, replace
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
from priorlab.envs.looks.dials import SPLITS, Dials
from priorlab.envs.looks.paint_dials import Thing, cast, paint_dials
from priorlab.scripts.probe.probe_places import CELLAR, picture, tile_features

# Levels that no other part knows, with every kind of object
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
MEASURES = tuple(asdict(Dials()))
SEEN, HIDDEN, APART = 0.9, 0.6, 0.15  # at least, at most; how far at least a dial moves its measure among halves
MOST = 1600  # places to learn from, and as many to try


class Places(NamedTuple):
    """n places: ``tiles`` uint8 (n, TILE, TILE, 3); ``truth`` int (n,), what each is; ``held_out`` bool (n,)."""

    tiles: np.ndarray
    truth: np.ndarray
    held_out: np.ndarray


def settings() -> list[tuple[str, Dials]]:
    """What is measured, and its name: each dial at 0 among ones, and at 0 and 1 among halves."""
    ones, halves = Dials(), Dials(0.5, 0.5, 0.5, 0.5)
    found = [("all 1", ones), *((f"{dial} 0, others 1", replace(ones, **{dial: 0})) for dial in MEASURES)]
    found += [(f"{dial} {value}, others .5", replace(halves, **{dial: value})) for dial in MEASURES for value in (0, 1)]
    return [*found, ("all 0", Dials(0, 0, 0, 0))]


def probe(dials: Dials, seeds: int) -> dict[str, float]:
    """Each measure, 0 to 1, over ``seeds`` looks of every level and split."""
    found = {measure: [] for measure in MEASURES[:3]}
    pairs = []
    for i, source in enumerate(LEVELS):
        level = Level.read(source)
        asked = questions(level)
        for split in SPLITS:
            for seed in range(seeds):
                look = 1000 * i + seed  # each level is drawn with seeds of its own
                shown = picture(level, paint_dials(level, dials, look, split))
                pairs += same_pictures(cast(level, dials, look, split))
                for measure, (tiles, truth) in asked.items():
                    found[measure].append((cells(shown)[tuple(tiles.T)], truth, split == "held_out"))
    scores = {measure: score(gather(parts)) for measure, parts in found.items()}
    return scores | {"similarity": float(np.mean(pairs))}


def questions(level: Level) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each measure of places: int (n, 2), their rows and columns, and int (n,), what they are."""
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
        "objects": told(objects, near & free),
        "affordance": told(np.isin(kinds, list("#H")), free),
    }


def told(yes: np.ndarray, no: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    tiles = np.concatenate([np.argwhere(yes), np.argwhere(no)])
    return tiles, np.repeat([1, 0], [yes.sum(), no.sum()])


def cells(shown: np.ndarray) -> np.ndarray:
    """uint8 (rows, columns, TILE, TILE, 3) of a picture uint8 (TILE * rows, TILE * columns, 3)."""
    return shown.reshape(shown.shape[0] // TILE, TILE, -1, TILE, 3).swapaxes(1, 2)


def same_pictures(things: list[Thing]) -> list[bool]:
    """Of every pair of things of one role, whether they have the same picture."""
    return [
        np.array_equal(one.picture, other.picture) for one, other in combinations(things, 2) if one.role == other.role
    ]


def gather(parts: list[tuple[np.ndarray, np.ndarray, bool]]) -> Places:
    """As many places of each truth and each split, as far as there are, MOST of a split at most."""
    tiles, truth = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    held_out = np.repeat([part[2] for part in parts], [len(part[1]) for part in parts])
    rng = np.random.default_rng(0)
    kinds = np.unique(truth)
    kept = []
    for split in (False, True):
        for kind in kinds:
            kept.append(rng.permutation(np.flatnonzero((held_out == split) & (truth == kind)))[: MOST // len(kinds)])
    chosen = np.concatenate(kept)
    return Places(tiles[chosen], truth[chosen], held_out[chosen])


def score(places: Places) -> float:
    """AUC on held-out places of the best classifier; of two kinds of places, one below .5 counts as its mirror."""
    features, learn, test = tile_features(places.tiles), ~places.held_out, places.held_out
    best = 0.0
    for classifier in CLASSIFIERS:
        with threadpool_limits(1):  # several threads take longer over so little
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


def claims(found: dict[str, dict[str, float]]) -> list[tuple[str, bool]]:
    """What is claimed of the figures, by the names of ``settings``, in words, and whether it holds; where only some
    were measured, the claims on these."""
    told = []
    for name, row in found.items():
        dial = name.split()[0]
        others = [figure for measure, figure in row.items() if measure != dial]
        if name == "all 1":
            told.append((f"all 1: every measure >= {SEEN}", min(row.values()) >= SEEN))
        elif name == "all 0":
            told.append((f"all 0: every measure <= {HIDDEN}", max(row.values()) <= HIDDEN))
        elif name.endswith("others 1"):
            told.append((f"{name}: {dial} <= {HIDDEN}", row[dial] <= HIDDEN))
            told.append((f"{name}: the other three >= {SEEN}", min(others) >= SEEN))
        elif name.startswith(f"{dial} 1"):
            grown = row[dial] - found[name.replace(" 1", " 0")][dial]
            told.append((f"{dial} from 0 to 1, others .5: {dial} grows by >= {APART}", grown >= APART))
    return told


def show_dials(seeds: int) -> int:
    """Measures all settings, prints the figures and the claims; how many claims fail."""
    table = Table(
        title=f"{len(LEVELS)} levels, {seeds} looks of each in each split",
        caption="area under the curve; of similarity, the share of like things with one picture",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("dials", no_wrap=True)
    for measure in MEASURES:
        table.add_column(measure, justify="right", no_wrap=True)
    found = {name: probe(dials, seeds) for name, dials in track(settings(), "measuring", transient=True)}
    for name, figures in found.items():
        table.add_row(name, *(f"{figure:.2f}" for figure in figures.values()))
    console, held = Console(), claims(found)
    console.print(table)
    for claim, holds in held:
        console.print(f"{claim}: {'holds' if holds else 'FAILS'}", style="green" if holds else "red", highlight=False)
    return sum(not holds for _, holds in held)
