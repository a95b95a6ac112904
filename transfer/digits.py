"""Sequences of digit tasks, for which the answer is known: digits with permuted pixels, and rotated digits."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from priorlab.transfer.supervised import Problem

DataName = Literal["digits", "mnist", "fashion"]
SIDE = 28  # pixels
CLASSES = 10
TESTED = 0.2  # share of scikit-learn's digits that is held out for tests


def permuted_digits(tasks: int, seed: int, data: DataName = "digits") -> list[Problem]:
    """The digits unchanged, then with their pixels in another order for each task (Kirkpatrick et al. 2017)."""
    problem = read_digits(data)
    pixels = SIDE * SIDE
    orders = [torch.arange(pixels)]
    generator = torch.Generator().manual_seed(seed)
    orders += [torch.randperm(pixels, generator=generator) for _ in range(tasks - 1)]

    def ordered(inputs: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
        return inputs[:, order]

    return [replace(problem, view=partial(ordered, order=order)) for order in orders]


def rotating_digits(tasks: int, seed: int, data: DataName = "digits") -> list[Problem]:
    """The digits rotated further in each task, a full turn over all tasks."""
    problem = read_digits(data)

    def rotated(inputs: torch.Tensor, angle: float) -> torch.Tensor:
        pictures = inputs.reshape(-1, 1, SIDE, SIDE)  # (n, pixels) -> (n, 1, S, S)
        turn = torch.tensor([[np.cos(angle), -np.sin(angle), 0.0], [np.sin(angle), np.cos(angle), 0.0]])
        grid = functional.affine_grid(turn.float().expand(len(pictures), 2, 3), list(pictures.shape), False)
        return functional.grid_sample(pictures, grid, align_corners=False).flatten(1)

    return [replace(problem, view=partial(rotated, angle=2 * np.pi * task / tasks)) for task in range(tasks)]


@cache
def read_digits(data: DataName = "digits") -> Problem:
    """Images float32 (n, 784), standardised over all pixels, and their classes.

    data: "digits", scikit-learn's 1,797 of 8x8 pixels, enlarged to 28x28, a fifth of them held out; "mnist" and
    "fashion", read by torchvision from the folder ``data`` of the working directory. Nothing is downloaded. ValueError
    for other names, and for data that are not there.
    """
    if data not in get_args(DataName):
        raise ValueError(f"data is {data!r}: expected one of {', '.join(get_args(DataName))}")
    if data == "digits":
        from sklearn.datasets import load_digits

        small, labels = load_digits(return_X_y=True)
        pictures = torch.from_numpy(small.reshape(-1, 1, 8, 8)).float()  # (n, 64) -> (n, 1, 8, 8)
        large = functional.interpolate(pictures, (SIDE, SIDE), mode="bilinear", align_corners=False).flatten(1)
        order = torch.from_numpy(np.random.default_rng(0).permutation(len(labels)))
        held = int(TESTED * len(labels))
        parts = [(large[chosen], torch.from_numpy(labels)[chosen]) for chosen in (order[held:], order[:held])]
    else:
        parts = [read_torchvision(data, train) for train in (True, False)]
    mean, deviation = parts[0][0].mean(), parts[0][0].std()
    (inputs, labels), (test_inputs, test_labels) = parts
    return Problem((inputs - mean) / deviation, labels, (test_inputs - mean) / deviation, test_labels)


@cache
def read_omniglot(background: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Characters float32 (n, 1, SIDE, SIDE), ink 1 and paper 0, and their classes int64 (n,), of the background set or
    the evaluation set; read from the folder ``data``, as "mnist" is."""
    characters = torchvision_data("omniglot", lambda kinds, root: kinds.Omniglot(root, background, download=False))
    inks = [1 - np.asarray(picture.convert("L").resize((SIDE, SIDE)), np.float32) / 255 for picture, _ in characters]
    return torch.from_numpy(np.stack(inks))[:, None], torch.tensor([label for _, label in characters])


def read_torchvision(data: DataName, train: bool) -> tuple[torch.Tensor, torch.Tensor]:
    name = {"mnist": "MNIST", "fashion": "FashionMNIST"}[data]
    images = torchvision_data(data, lambda kinds, root: getattr(kinds, name)(root, train=train, download=False))
    return images.data.flatten(1).float(), images.targets


def torchvision_data(data: str, load: Callable[[Any, Path], Any]) -> Any:
    """What ``load`` reads with torchvision's datasets from the folder ``data``; ValueError if it isn't there."""
    try:
        from torchvision import datasets  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise ValueError(f"data is {data}: expected torchvision, which reads it; `pip install torchvision`") from None
    try:
        return load(datasets, Path("data"))
    except RuntimeError as error:
        raise ValueError(f"data is {data}: expected it in the folder data, as torchvision keeps it: {error}") from None


def dense_network(units: int, seed: int) -> nn.Sequential:
    """A classifier with two hidden layers of ``units`` and ReLU."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Linear(SIDE * SIDE, units), nn.ReLU(), nn.Linear(units, units), nn.ReLU(), nn.Linear(units, CLASSES)
        )
