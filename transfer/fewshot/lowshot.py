"""Low-shot recognition by examples made up: a network learns how examples of known classes differ from one another, and
applies such differences to the few examples of a new class.

Hariharan and Girshick 2017, arXiv 1606.02819, section 4.2: of two classes' clusters a -> a' and b -> b' that differ
alike, G(a, a', b) is trained to be b', and to be taken for b's class by who learned the known classes. Logistic
regression classifies afterwards.
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

CLUSTERS = 8  # of each class; the paper's hundred are of classes with a thousand pictures each
ALIKE = 0.0  # least cosine of two differences that make an analogy


@dataclass(frozen=True)
class Analogies:
    """n times a is to a' as b is to b': features float32 (n, d) each, and b's class, int64 (n,)."""

    a: torch.Tensor
    a_changed: torch.Tensor
    b: torch.Tensor
    b_changed: torch.Tensor
    labels: torch.Tensor


def analogies(features: torch.Tensor, labels: torch.Tensor, seed: int = 0) -> Analogies:
    """Of features (n, d) and classes int64 (n,): for each two centres b, b' of a class, the two a, a' of another class
    whose difference is most alike, if the cosine is above ``ALIKE``."""
    classes = labels.unique().tolist()
    if len(classes) < 2:
        raise ValueError(f"{len(classes)} classes: expected 2 or more, between which there are analogies")
    ordered, differences, owners = [], [], []
    for label in classes:
        own = features[labels == label].numpy()
        fitted = KMeans(min(CLUSTERS, len(own)), n_init="auto", random_state=seed).fit(own)
        centres = torch.from_numpy(fitted.cluster_centers_).float()
        first, second = torch.nonzero(~torch.eye(len(centres), dtype=torch.bool)).T
        ordered.append(torch.stack([centres[first], centres[second]], dim=1))  # (pairs, 2, d)
        differences.append(nn.functional.normalize(centres[second] - centres[first], dim=1))
        owners.append(torch.full((len(first),), label))
    pairs, directions, owner = torch.cat(ordered), torch.cat(differences), torch.cat(owners)
    found = [torch.zeros(0, dtype=torch.int64)] * 2
    for label in classes:
        mine, others = torch.nonzero(owner == label)[:, 0], owner != label
        alike = directions[mine] @ directions[others].T
        best, where = alike.max(dim=1)
        theirs = torch.nonzero(others)[:, 0][where]
        found = [torch.cat([found[0], mine[best > ALIKE]]), torch.cat([found[1], theirs[best > ALIKE]])]
    b, a = pairs[found[0]], pairs[found[1]]
    return Analogies(a[:, 0], a[:, 1], b[:, 0], b[:, 1], owner[found[0]])


class Hallucinator(nn.Module):
    """G(a, a', b), float32 (n, d) for features (n, d) each; three dense layers, as in the paper."""

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
        """Learns the analogies. judge: of features (n, d) the logits of the known classes, as who learned them gives
        these; weight: of the squared error, beside the judge's cross-entropy (the paper's lambda)."""
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
    def imagine(self, shown: torch.Tensor, number: int, generator: torch.Generator) -> torch.Tensor:
        """float32 (number, d): examples of one class, made up from those of it, (n, d), by known differences."""
        assert self.known is not None
        of = torch.randint(len(shown), (number,), generator=generator)
        by = torch.randint(len(self.known.labels), (number,), generator=generator)
        return self(self.known.a[by], self.known.a_changed[by], shown[of])


def by_regression(features: Features, made_up: Hallucinator | None = None, enough: int = 20, seed: int = 0):
    """Answers episodes by logistic regression on features, where each class that has fewer than ``enough`` examples is
    filled up with ones that are made up, if there is a ``Hallucinator``."""

    def answer(episode: Episode) -> torch.Tensor:
        shown, labels = [features(episode.shown)], [episode.shown_labels]
        generator = torch.Generator().manual_seed(seed)
        for label in range(episode.ways) if made_up else ():
            own = shown[0][episode.shown_labels == label]
            more = max(0, enough - len(own))
            shown.append(made_up.imagine(own, more, generator))  # pyright: ignore[reportOptionalMemberAccess]
            labels.append(torch.full((more,), label))
        fitted = LogisticRegression(max_iter=1000).fit(torch.cat(shown).numpy(), torch.cat(labels).numpy())
        return torch.from_numpy(fitted.predict(features(episode.asked).numpy()).astype(np.int64))

    return answer
