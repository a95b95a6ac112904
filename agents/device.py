"""The device that a run's network is on."""

import torch

from priorlab.agents.settings import Settings


def device_of(settings: Settings) -> torch.device:
    """Where the network runs; ValueError where that is not there."""
    there = torch.cuda.is_available()
    if settings.device == "cuda" and not there:
        raise ValueError("device is cuda: expected a card that torch can use, and there is none; expected auto or cpu")
    return torch.device("cuda" if there and settings.device != "cpu" else "cpu")
