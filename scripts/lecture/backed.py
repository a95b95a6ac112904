"""Two classes of drawings whose backgrounds nearly give them away: what a network learns there, and what is left of it
where the backgrounds tell nothing, or lie."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn

from priorlab.envs.looks.exemplars import DRAWINGS, ROLES, rgb_of
from priorlab.scripts.lecture.learning import accuracy, classifier, eye, fit
from priorlab.scripts.lecture.objects import SIDE, pictures

TWO = (ROLES.index("monster"), ROLES.index("goal"))
HUES = (0.02, 0.6)  # of the background of each class: red, blue
PICTURES, TESTED, NOISE = 2000, 1000, 12
Mix = Mapping[float | None, float]  # shares of pictures by how often their backgrounds agree; None: all on gray
AS_LEARNED, NOTHING, LIE = "as in training", "telling nothing", "exchanged"
TESTS = {AS_LEARNED: None, NOTHING: 0.5, LIE: 0.0}  # share of backgrounds that agree with the class


def backed(agreement: float | None, number: int, split: str, rng: np.random.Generator):
    """Pictures (number, 3, SIDE, SIDE) and their classes int64 (number,), 0 and 1 in turn: that share of them, at
    random, stands on the colour of its class, others on the other's; all on gray where it is None."""
    labels = np.arange(number) % 2
    drawings = np.array(TWO)[labels] * DRAWINGS + rng.integers(DRAWINGS, size=number)
    if agreement is None:
        colours = np.full((number, 3), 70.0)
    else:
        told = np.where(rng.random(number) < agreement, labels, 1 - labels)
        hsv = np.stack([np.array(HUES)[told], np.full(number, 0.6), np.full(number, 0.35)], axis=1)
        colours = 255 * rgb_of(hsv)
    grounds = colours[:, None, None] + NOISE * rng.standard_normal((number, SIDE, SIDE, 1))
    grounds = np.rint(np.clip(grounds, 0, 255)).astype(np.uint8)
    return pictures(drawings, split, rng, grounds), torch.from_numpy(labels)


def tested(
    learn: Callable[[nn.Module, np.random.Generator, torch.Generator], None], agreement: float, seed: int, units: int
) -> dict[str, float]:
    """Accuracy on drawings never seen, by what their backgrounds tell, of a network that ``learn`` trained."""
    rng = np.random.default_rng([seed, 3])
    module = classifier(eye(SIDE, 3, seed, units), 2, seed)
    learn(module, rng, torch.Generator().manual_seed(seed))
    return {
        name: accuracy(module, *backed(agreement if share is None else share, TESTED, "held_out", rng))
        for name, share in TESTS.items()
    }


def learn_backed(module: nn.Module, rng: np.random.Generator, generator: torch.Generator, mix: Mix, steps: int) -> None:
    """Learns from PICTURES a kind in the mix, of each its share."""
    parts = [backed(agreement, round(len(mix) * share * PICTURES), "training", rng) for agreement, share in mix.items()]
    inputs, labels = (torch.cat(each) for each in zip(*parts))
    fit(module, inputs, labels, steps, generator)
