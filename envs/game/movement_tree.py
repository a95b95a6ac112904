"""Grows the decision tree of a ``Movement`` from situations and their ends.

Each node asks the question after which ends agree best, by the Gini index (Breiman et al. 1984, CART). Ends agree in
how far the player rises, or in the height at which it comes to be, as where it lands: a node takes whichever way of
telling is more orderly. It grows until each leaf's ends agree.
"""

from typing import NamedTuple

import numpy as np

from priorlab.envs.base.compile import function, kernel
from priorlab.envs.game.movement import MASKS, ORDERED, PARTS, SHIFTS, Movement, absolute

VALUES = 32  # of a part at most


@function
def classes_in(labels, order, first, last, numbers, present):
    """How many labels there are from ``first`` to ``last``; numbers them from 0 on."""
    count = 0
    for i in range(first, last):
        label = labels[order[i]]
        if numbers[label] < 0:
            numbers[label] = count
            present[count] = label
            count += 1
    return count


@function
def best_question(situations, labels, order, first, last, numbers, classes, counts, found):
    """The score of the best question, n if all ends agree after it; found: int64 (2,), the part and the value.

    counts: int64 (VALUES + 1, classes), scratch.
    """
    best = -1.0
    for part in range(PARTS):
        for value in range(VALUES + 1):
            for k in range(classes):
                counts[value, k] = 0
        shift, mask, least, most = SHIFTS[part], MASKS[part], VALUES, -1
        for i in range(first, last):
            value = situations[order[i]] >> shift & mask
            counts[value, numbers[labels[order[i]]]] += 1
            least, most = min(least, value), max(most, value)
        if least == most:
            continue
        for value in range(least, most + 1):
            for k in range(classes):
                counts[VALUES, k] += counts[value, k]
        before = 0.0  # of an ordered part, the counts of a value come to hold those of all values below, too
        for value in range(least, most + 1):
            yes, squares, others = 0.0, 0.0, 0.0
            for k in range(classes):
                if ORDERED[part] and value > least:
                    counts[value, k] += counts[value - 1, k]
                one, other = float(counts[value, k]), float(counts[VALUES, k] - counts[value, k])
                yes += one
                squares += one * one
                others += other * other
            no = last - first - yes
            if yes > 0 and no > 0 and not (ORDERED[part] and yes == before):
                score = squares / yes + others / no
                if score > best + 1e-9:
                    best, found[0], found[1] = score, part, value
            before = yes
    return best


class Workspace(NamedTuple):
    """What growing needs besides: m classes of ends, n situations."""

    numbers: np.ndarray  # int64 (m,), -1: of the classes that a node has
    present: np.ndarray  # int64 (m,)
    counts: np.ndarray  # int64 (VALUES + 1, m)
    found: np.ndarray  # int64 (2,)
    chosen: np.ndarray  # int64 (2,)
    spans: np.ndarray  # int64 (room, 2), of a node in the order
    order: np.ndarray  # int32 (n,), situations, those of a node side by side
    others: np.ndarray  # int32 (n,)


@kernel
def grow(situations, labels, label_ends, parts, values, children, ends, work: Workspace):
    """How many nodes the tree has.

    situations: int64 (n,), all different. labels: int32 (2, n), each end's number among ``label_ends``, int32 (2, m):
    ends that tell the rise, and the height. parts, values, children, ends: as in ``Movement``, (2 n,), filled.
    """
    numbers, present, counts, found, chosen, spans, order, scratch = work
    spans[0, 0], spans[0, 1], used = 0, situations.shape[0], 1
    node = 0
    while node < used:
        first, last, best, done = spans[node, 0], spans[node, 1], -1.0, False
        for way in range(2):
            count = classes_in(labels[way], order, first, last, numbers, present)
            if count == 1 and not done:
                done, ends[node] = True, label_ends[way, present[0]]
            if not done:
                score = best_question(situations, labels[way], order, first, last, numbers, count, counts, found)
                if score > best + 1e-9:
                    best, chosen[0], chosen[1] = score, found[0], found[1]
            for k in range(count):
                numbers[present[k]] = -1
        if not done:
            shift, mask, ordered = SHIFTS[chosen[0]], MASKS[chosen[0]], ORDERED[chosen[0]]
            at, others = first, 0
            for i in range(first, last):
                value = situations[order[i]] >> shift & mask
                if value <= chosen[1] if ordered else value == chosen[1]:
                    order[at] = order[i]
                    at += 1
                else:
                    scratch[others] = order[i]
                    others += 1
            for i in range(others):
                order[at + i] = scratch[i]
            parts[node], values[node], children[node] = chosen[0], chosen[1], used
            spans[used, 0], spans[used, 1], spans[used + 1, 0], spans[used + 1, 1] = first, at, at, last
            used += 2
        node += 1
    return used


def grown(situations: np.ndarray, ends: np.ndarray, kills: np.ndarray) -> Movement:
    """The tree that tells the end, int32 (n,), which tells the rise, of each situation, int64 (n,), all different.

    kills: as in ``Movement``.
    """
    count = len(situations)
    heights = absolute(ends.astype(np.int64), situations).astype(np.int32)
    ways = [np.unique(way, return_inverse=True) for way in (ends, heights)]
    classes = max(len(found) for found, _ in ways)
    label_ends = np.stack([np.pad(found, (0, classes - len(found))) for found, _ in ways]).astype(np.int32)
    labels = np.stack([label for _, label in ways]).astype(np.int32)
    work = Workspace(
        np.full(classes, -1), np.zeros(classes, np.int64), np.zeros((VALUES + 1, classes), np.int64),
        np.zeros(2, np.int64), np.zeros(2, np.int64), np.zeros((2 * count, 2), np.int64),
        np.arange(count, dtype=np.int32), np.zeros(count, np.int32),
    )  # fmt: skip
    parts, values = np.zeros(2 * count, np.uint8), np.zeros(2 * count, np.uint8)
    children, leaf_ends = np.zeros(2 * count, np.int32), np.zeros(2 * count, np.int32)
    used = grow(situations, labels, label_ends, parts, values, children, leaf_ends, work)
    return Movement(parts[:used].copy(), values[:used].copy(), children[:used].copy(), leaf_ends[:used].copy(), kills)
