"""N-way k-shot episodes: some classes, a few examples of each to learn from, and others to classify."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Episode:
    """A support set to learn from, and queries to classify. Labels are int64, 0 to ways - 1, in the order in which the
    classes were drawn.

    support: (ways shots, ...), with labels (ways shots,), class after class; query: (ways queries, ...), likewise.
    """

    support: torch.Tensor
    support_labels: torch.Tensor
    query: torch.Tensor
    query_labels: torch.Tensor

    @property
    def ways(self) -> int:
        """The number of classes."""
        return int(self.support_labels.max()) + 1


def draw_episode(
    inputs: torch.Tensor, labels: torch.Tensor, ways: int, shots: int, queries: int, generator: torch.Generator
) -> Episode:
    """Draws an episode from examples (n, ...) with labels int64 (n,): ``ways`` classes, and of each ``shots`` examples
    for support and ``queries`` others to classify, each at least 1.

    ValueError if there are too few classes, or too few examples of a drawn one.
    """
    classes = labels.unique()
    if not 1 <= ways <= len(classes):
        raise ValueError(f"ways is {ways}: expected 1 to {len(classes)}, as there are no more classes")
    if shots < 1 or queries < 1:
        raise ValueError(f"shots is {shots}, queries {queries}: expected 1 or more of both")
    support, query = [], []
    for label in classes[torch.randperm(len(classes), generator=generator)[:ways]].tolist():
        rows = torch.nonzero(labels == label)[:, 0]
        if len(rows) < shots + queries:
            expected = f"{shots + queries} or more, for shots and queries"
            raise ValueError(f"class {label} has {len(rows)} examples: expected {expected}")
        rows = rows[torch.randperm(len(rows), generator=generator)]
        support.append(rows[:shots])
        query.append(rows[shots : shots + queries])
    names = torch.arange(ways)
    return Episode(
        inputs[torch.cat(support)],
        names.repeat_interleave(shots),
        inputs[torch.cat(query)],
        names.repeat_interleave(queries),
    )


def episode_accuracies(
    classify: Callable[[Episode], torch.Tensor],
    inputs: torch.Tensor,
    labels: torch.Tensor,
    ways: int,
    shots: int,
    *,
    queries: int = 15,
    episodes: int = 100,
    seed: int = 0,
) -> np.ndarray:
    """float64 (episodes,): the share of each episode's queries that ``classify`` labels correctly. It returns int64
    (ways queries,); chance is 1 / ways. Errors as of ``draw_episode``."""
    generator = torch.Generator().manual_seed(seed)
    shares = []
    for _ in range(episodes):
        episode = draw_episode(inputs, labels, ways, shots, queries, generator)
        shares.append(float((classify(episode) == episode.query_labels).float().mean()))
    return np.array(shares)
