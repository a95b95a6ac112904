"""N-way k-shot episodes: some classes, some examples of each to learn from, and others to be told apart."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Episode:
    """What is shown and what is asked. Labels are int64, 0 to ways - 1, in the order in which classes were drawn.

    shown: (ways shots, ...), its labels (ways shots,), class after class; asked: (ways queries, ...), likewise.
    """

    shown: torch.Tensor
    shown_labels: torch.Tensor
    asked: torch.Tensor
    asked_labels: torch.Tensor

    @property
    def ways(self) -> int:
        return int(self.shown_labels.max()) + 1


def draw(
    inputs: torch.Tensor, labels: torch.Tensor, ways: int, shots: int, queries: int, generator: torch.Generator
) -> Episode:
    """An episode of examples (n, ...) with labels int64 (n,), none of them both shown and asked.

    Raises ValueError where there are too few classes, or too few examples of one that was drawn.
    """
    classes = labels.unique()
    if not 1 <= ways <= len(classes):
        raise ValueError(f"ways is {ways}: expected 1 to {len(classes)}, as there are no more classes")
    if shots < 1 or queries < 1:
        raise ValueError(f"shots is {shots}, queries {queries}: expected 1 or more of both")
    shown, asked = [], []
    for label in classes[torch.randperm(len(classes), generator=generator)[:ways]].tolist():
        own = torch.nonzero(labels == label)[:, 0]
        if len(own) < shots + queries:
            expected = f"{shots + queries} or more, for shots and queries"
            raise ValueError(f"class {label} has {len(own)} examples: expected {expected}")
        own = own[torch.randperm(len(own), generator=generator)]
        shown.append(own[:shots])
        asked.append(own[shots : shots + queries])
    names = torch.arange(ways)
    return Episode(
        inputs[torch.cat(shown)],
        names.repeat_interleave(shots),
        inputs[torch.cat(asked)],
        names.repeat_interleave(queries),
    )


def accuracies(
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
    """float64 (episodes,): the share of each episode's questions that ``classify``, which gives int64 (ways queries,),
    answers rightly. Chance is 1 / ways."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(episodes):
        episode = draw(inputs, labels, ways, shots, queries, generator)
        found.append(float((classify(episode) == episode.asked_labels).float().mean()))
    return np.array(found)
