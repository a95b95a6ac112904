"""Nearest neighbours, and the nearest class mean: all depends on the features in which they are near."""

from collections.abc import Callable
from typing import Literal, get_args

import torch

from priorlab.transfer.fewshot.episodes import Episode

Metric = Literal["euclidean", "cosine"]
Features = Callable[[torch.Tensor], torch.Tensor]  # (n, ...) -> float32 (n, d)


def nearest(
    asked: torch.Tensor, shown: torch.Tensor, labels: torch.Tensor, k: int = 1, metric: Metric = "euclidean"
) -> torch.Tensor:
    """int64 (m,): which class most of the k nearest of ``shown`` (n, d), labels int64 (n,), have, for each of ``asked``
    (m, d); of several classes with as many, that of the nearest."""
    if not 1 <= k <= len(shown):
        raise ValueError(f"k is {k}: expected 1 to {len(shown)}, the number of examples")
    if metric not in get_args(Metric):
        raise ValueError(f"metric is {metric!r}: expected one of {', '.join(get_args(Metric))}")
    if metric == "cosine":
        asked, shown = (torch.nn.functional.normalize(each, dim=1) for each in (asked, shown))
    # by products, as it would be done else, small differences are rounded away
    far = torch.cdist(asked, shown, compute_mode="donot_use_mm_for_euclid_dist")
    order = far.argsort(dim=1, stable=True)[:, :k]
    votes = torch.nn.functional.one_hot(labels[order], int(labels.max()) + 1).double()  # (m, k, classes)
    ranks = torch.arange(k, dtype=torch.float64)[None, :, None]
    first = torch.where(votes > 0, ranks, float(k)).amin(dim=1)  # the rank of each class's nearest: breaks ties
    return (votes.sum(dim=1) - first / (k + 1)).argmax(dim=1)


def means(shown: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """float32 (classes, d): each class's mean, its prototype (Snell et al. 2017, arXiv 1703.05175)."""
    return torch.stack([shown[labels == label].mean(dim=0) for label in range(int(labels.max()) + 1)])


def by_neighbours(features: Features, k: int = 1, metric: Metric = "euclidean") -> Callable[[Episode], torch.Tensor]:
    """Answers episodes by the nearest neighbours in these features."""
    return lambda episode: nearest(
        features(episode.asked), features(episode.shown), episode.shown_labels, min(k, len(episode.shown)), metric
    )


def by_means(features: Features, metric: Metric = "euclidean") -> Callable[[Episode], torch.Tensor]:
    """Answers episodes by the nearest class mean in these features."""

    def answer(episode: Episode) -> torch.Tensor:
        prototypes = means(features(episode.shown), episode.shown_labels)
        return nearest(features(episode.asked), prototypes, torch.arange(len(prototypes)), 1, metric)

    return answer
