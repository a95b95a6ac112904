"""Low-shot recognition by hallucination: a network learns how examples of known classes differ from one another, and
applies such differences to the few examples of a new class.

Hariharan and Girshick 2017, arXiv 1606.02819, section 4.2: for clusters a -> a' and b -> b' of two classes that differ
in the same direction, G(a, a', b) is trained to be b', and to be classified as b by a classifier of the known classes.
Logistic regression classifies afterwards.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from torch import nn

from priorlab.transfer.fewshot.episodes import Episode
from priorlab.transfer.fewshot.neighbours import Features

CLUSTERS = 8  # per class; the paper has a hundred, for classes of a thousand images
ALIKE = 0.0  # an analogy's two differences have a cosine above this


@dataclass(frozen=True)
class Analogies:
    """n analogies, a is to a_changed as b is to b_changed: features float32 (n, d) each, and b's class, int64 (n,)."""

    a: torch.Tensor
    a_changed: torch.Tensor
    b: torch.Tensor
    b_changed: torch.Tensor
    labels: torch.Tensor


def analogies(features: torch.Tensor, labels: torch.Tensor, seed: int = 0) -> Analogies:
    """The analogies in features (n, d) with classes int64 (n,): for each pair of cluster centres of a class, the pair
    of another class whose difference is most similar, if its cosine is above ``ALIKE``. ValueError for a single
    class."""
    classes = labels.unique().tolist()
    if len(classes) < 2:
        raise ValueError(f"{len(classes)} classes: expected 2 or more, between which there are analogies")
    ordered, differences, owners = [], [], []
    for label in classes:
        rows = features[labels == label].numpy()
        fitted = KMeans(min(CLUSTERS, len(rows)), n_init="auto", random_state=seed).fit(rows)
        centres = torch.from_numpy(fitted.cluster_centers_).float()
        first, second = torch.nonzero(~torch.eye(len(centres), dtype=torch.bool)).T
        ordered.append(torch.stack([centres[first], centres[second]], dim=1))  # (pairs, 2, d)
        differences.append(nn.functional.normalize(centres[second] - centres[first], dim=1))
        owners.append(torch.full((len(first),), label))
    pairs, directions, owner = torch.cat(ordered), torch.cat(differences), torch.cat(owners)
    of_b, of_a = [torch.zeros(0, dtype=torch.int64)] * 2
    for label in classes:
        mine, others = torch.nonzero(owner == label)[:, 0], owner != label
        alike = directions[mine] @ directions[others].T
        best, where = alike.max(dim=1)
        theirs = torch.nonzero(others)[:, 0][where]
        of_b, of_a = torch.cat([of_b, mine[best > ALIKE]]), torch.cat([of_a, theirs[best > ALIKE]])
    b, a = pairs[of_b], pairs[of_a]
    return Analogies(a[:, 0], a[:, 1], b[:, 0], b[:, 1], owner[of_b])


class Hallucinator(nn.Module):
    """G(a, a', b), float32 (n, d) for features (n, d) each, of three dense layers (Hariharan and Girshick 2017).

    width: d; units: of the hidden layers.
    """

    def __init__(self, width: int, units: int = 128):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(3 * width, units), nn.ReLU(), nn.Linear(units, units), nn.ReLU(), nn.Linear(units, width)
        )
        self.known: Analogies | None = None

    def forward(self, a: torch.Tensor, a_changed: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return self.layers(torch.cat([a, a_changed, b], dim=1))

    def learn(
        self,
        known: Analogies,
        judge: Callable[[torch.Tensor], torch.Tensor],
        steps: int,
        seed: int = 0,
        weight: float = 10.0,
        learning_rate: float = 1e-3,
    ) -> None:
        """Learns the analogies by so many ``steps`` of Adam. judge: a classifier of the known classes, which returns
        their logits for features (n, d). weight: of the squared error, next to the judge's cross-entropy (the paper's
        lambda)."""
        self.known = known
        generator = torch.Generator().manual_seed(seed)
        optimizer = torch.optim.Adam(self.parameters(), learning_rate)
        for _ in range(steps):
            rows = torch.randint(len(known.labels), (min(128, len(known.labels)),), generator=generator)
            made = self(known.a[rows], known.a_changed[rows], known.b[rows])
            loss = weight * nn.functional.mse_loss(made, known.b_changed[rows])
            loss = loss + nn.functional.cross_entropy(judge(made), known.labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    @torch.no_grad()
    def imagine(self, support: torch.Tensor, number: int, generator: torch.Generator) -> torch.Tensor:
        """float32 (number, d): new examples of one class, made from its own (n, d) by known differences. Call ``learn``
        before."""
        assert self.known is not None
        of = torch.randint(len(support), (number,), generator=generator)
        by = torch.randint(len(self.known.labels), (number,), generator=generator)
        return self(self.known.a[by], self.known.a_changed[by], support[of])


def by_regression(
    features: Features, hallucinator: Hallucinator | None = None, enough: int = 20, seed: int = 0
) -> Callable[[Episode], torch.Tensor]:
    """A classifier of episodes by logistic regression on features. With a hallucinator, each class that has fewer than
    ``enough`` examples is filled up with imagined ones."""

    def classify(episode: Episode) -> torch.Tensor:
        support, labels = [features(episode.support)], [episode.support_labels]
        generator = torch.Generator().manual_seed(seed)
        for label in range(episode.ways) if hallucinator else ():
            given = support[0][episode.support_labels == label]
            more = max(0, enough - len(given))
            support.append(hallucinator.imagine(given, more, generator))  # pyright: ignore[reportOptionalMemberAccess]
            labels.append(torch.full((more,), label))
        fitted = LogisticRegression(max_iter=1000).fit(torch.cat(support).numpy(), torch.cat(labels).numpy())
        return torch.from_numpy(fitted.predict(features(episode.query).numpy()).astype(np.int64))

    return classify
