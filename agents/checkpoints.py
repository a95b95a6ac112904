"""Checkpoints of what is learned: tensors and plain data, whose loading runs no code."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from priorlab.envs.base.files import writing


def write_checkpoint(path: Path, settings: Mapping[str, Any], contents: Mapping[str, Any]) -> None:
    """``settings``: plain data that a learner must share to continue from it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path) as file:
        torch.save({"settings": dict(settings), **contents}, file)


def read_checkpoint(path: Path, settings: Mapping[str, Any], restore: Callable[[dict[str, Any]], None]) -> None:
    """Calls ``restore`` with the contents, all tensors on the CPU. ValueError, one line, where it is damaged, which
    may show in ``restore`` alone, or of other settings."""
    try:
        contents: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        same = contents["settings"] == dict(settings)
        if same:
            restore(contents)
    except Exception as error:  # unpickling damaged bytes can raise anything
        raise ValueError(f"{path}: damaged ({' '.join(str(error).split())[:80]}); delete it to start again") from None
    if not same:
        raise ValueError(f"{path}: of other settings: expected the same, or another folder")
