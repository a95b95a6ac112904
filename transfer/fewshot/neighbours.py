"""Nearest neighbours and the nearest class mean, whose success depends on the features in which they are near."""

from collections.abc import Callable
from typing import Literal, get_args

import torch

from priorlab.transfer.fewshot.episodes import Episode

Metric = Literal["euclidean", "cosine"]
Features = Callable[[torch.Tensor], torch.Tensor]  # (n, ...) -> float32 (n, d)


def nearest(
    query: torch.Tensor, support: torch.Tensor, labels: torch.Tensor, k: int = 1, metric: Metric = "euclidean"
) -> torch.Tensor:
    """int64 (m,): for each query (m, d), the most frequent class among its k nearest supports (n, d), whose labels are
    int64 (n,); of equally frequent classes, that of the nearest. ValueError for k outside 1 to n, and another
    metric."""
    if not 1 <= k <= len(support):
        raise ValueError(f"k is {k}: expected 1 to {len(support)}, the number of examples")
    if metric not in get_args(Metric):
        raise ValueError(f"metric is {metric!r}: expected one of {', '.join(get_args(Metric))}")
    if metric == "cosine":
        query, support = (torch.nn.functional.normalize(each, dim=1) for each in (query, support))
    # by matrix products, as by default, small differences would be rounded away
    far = torch.cdist(query, support, compute_mode="donot_use_mm_for_euclid_dist")
    order = far.argsort(dim=1, stable=True)[:, :k]
    votes = torch.nn.functional.one_hot(labels[order], int(labels.max()) + 1).double()  # (m, k, classes)
    ranks = torch.arange(k, dtype=torch.float64)[None, :, None]
    first = torch.where(votes > 0, ranks, float(k)).amin(dim=1)  # the rank of each class's nearest: breaks ties
    return (votes.sum(dim=1) - first / (k + 1)).argmax(dim=1)


def class_means(support: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """float32 (classes, d): the mean of each class, its prototype (Snell et al. 2017, arXiv 1703.05175), for supports
    float32 (n, d) with labels int64 (n,)."""
    return torch.stack([support[labels == label].mean(dim=0) for label in range(int(labels.max()) + 1)])


def by_neighbours(features: Features, k: int = 1, metric: Metric = "euclidean") -> Callable[[Episode], torch.Tensor]:
    """A classifier of episodes by the nearest neighbours in these features; k is at most the number of supports."""
    return lambda episode: nearest(
        features(episode.query), features(episode.support), episode.support_labels, min(k, len(episode.support)), metric
    )


def by_means(features: Features, metric: Metric = "euclidean") -> Callable[[Episode], torch.Tensor]:
    """A classifier of episodes by the nearest class mean in these features."""

    def classify(episode: Episode) -> torch.Tensor:
        prototypes = class_means(features(episode.support), episode.support_labels)
        return nearest(features(episode.query), prototypes, torch.arange(len(prototypes)), 1, metric)

    return classify
