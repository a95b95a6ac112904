"""The samples of a task that methods look at."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Samples:
    """Samples of one task, on which methods measure what to keep.

    inputs: (n, ...), as the network takes them, n at least 1. taken: int64 (n,), the label of each input or the action
    taken there; only ``importance=empirical`` needs it. ValueError if they are empty or do not fit each other.
    """

    inputs: torch.Tensor
    taken: torch.Tensor | None = None

    def __post_init__(self) -> None:
        if not len(self.inputs):
            raise ValueError("samples have no inputs: expected one or more")
        if self.taken is None:
            return
        if self.taken.shape != self.inputs.shape[:1]:
            expected = f"({len(self.inputs)},), one for each input"
            raise ValueError(f"samples' labels or actions have shape {tuple(self.taken.shape)}: expected {expected}")
        if self.taken.dtype != torch.int64:
            raise ValueError(f"samples' labels or actions are {self.taken.dtype}: expected a tensor of int64")
