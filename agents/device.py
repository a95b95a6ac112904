"""The device that a run's network is on, and its threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import torch

from priorlab.agents.settings import Device


class AsksForDevice(Protocol):
    """Settings with a device."""

    @property
    def device(self) -> Device: ...


def device_of(settings: AsksForDevice) -> torch.device:
    """The device that the settings ask for; ValueError where the machine does not have it."""
    has_gpu = torch.cuda.is_available()
    if settings.device == "cuda" and not has_gpu:
        raise ValueError("device is cuda: expected a GPU that torch can use, and there is none; expected auto or cpu")
    return torch.device("cuda" if has_gpu and settings.device != "cpu" else "cpu")


@contextmanager
def one_thread() -> Iterator[None]:
    """Within the block torch computes on one thread: sums are taken in one order, so a seed learns the same on any
    number of cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
