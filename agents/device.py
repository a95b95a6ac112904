"""The device that a run's network is on."""

import torch

from priorlab.agents.settings import Settings


def device_of(settings: Settings) -> torch.device:
    """The device that the settings ask for; ValueError where the machine does not have it."""
    has_gpu = torch.cuda.is_available()
    if settings.device == "cuda" and not has_gpu:
        raise ValueError("device is cuda: expected a GPU that torch can use, and there is none; expected auto or cpu")
    return torch.device("cuda" if has_gpu and settings.device != "cpu" else "cpu")
