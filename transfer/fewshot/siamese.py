"""Siamese networks: features learned by matching.

Koch et al. 2015 (ICML deep learning workshop): two examples go through the same network; a sigmoid of the distances
|h1 - h2|, under learned weights, is the probability that they are of one class.
"""

import torch
from torch import nn

from priorlab.transfer.fewshot.episodes import Episode


class Siamese(nn.Module):
    """Matches pairs of examples (Koch et al. 2015). features: a module that returns float32 (n, width) for (n, ...)."""

    def __init__(self, features: nn.Module, width: int):
        super().__init__()
        self.features, self.weigh = features, nn.Linear(width, 1)

    def forward(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """float32 (n,): the logits of being of one class, for pairs (n, ...)."""
        return self.weigh((self.features(one) - self.features(other)).abs())[:, 0]

    @torch.no_grad()
    def classify(self, episode: Episode) -> torch.Tensor:
        """int64 (m,): for each query, the class whose supports match it best on average."""
        query, support = self.features(episode.query), self.features(episode.support)
        matches = self.weigh((query[:, None] - support[None]).abs())[..., 0].sigmoid()  # (m, d), (n, d) -> (m, n)
        of_class = nn.functional.one_hot(episode.support_labels).float()
        return (matches @ of_class / of_class.sum(dim=0)).argmax(dim=1)


def pairs(
    labels: torch.Tensor, number: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Draws pairs of examples with labels int64 (n,): the indices of both, int64 (number,), and float32 (number,), 1 if
    they are of one class, as half of the pairs are. None is paired with itself. ValueError unless there are two classes
    or more, and two examples or more of each."""
    classes, counts = labels.unique(return_counts=True)
    if len(classes) < 2 or int(counts.min()) < 2:
        least = int(counts.min()) if len(counts) else 0
        raise ValueError(f"{len(classes)} classes of {least} examples or more: expected 2 or more of both")
    one = torch.randint(len(labels), (number,), generator=generator)
    same = (torch.arange(number) % 2).float()
    fits = (labels[one][:, None] == labels[None]) == same.bool()[:, None]  # (number, n)
    fits[torch.arange(number), one] = False
    return one, fits.float().multinomial(1, generator=generator)[:, 0], same


def train_siamese(
    siamese: Siamese,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    steps: int,
    seed: int = 0,
    batch_size: int = 128,
    learning_rate: float = 1e-3,
) -> list[float]:
    """Trains it on pairs of examples (n, ...) with labels int64 (n,) by cross-entropy and Adam; returns the loss of
    each of so many ``steps``. Errors as of ``pairs``."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(siamese.parameters(), learning_rate)
    losses = []
    for _ in range(steps):
        one, other, same = pairs(labels, batch_size, generator)
        loss = nn.functional.binary_cross_entropy_with_logits(siamese(inputs[one], inputs[other]), same)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
