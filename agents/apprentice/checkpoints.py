"""Checkpoints of an apprentice: tensors and plain data, whose loading runs no code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from priorlab.envs.base.files import writing


def write_checkpoint(path: Path, config: Mapping[str, Any], contents: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path) as file:
        torch.save({"config": dict(config), **contents}, file)


def read_checkpoint(path: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """The contents, with all tensors on the CPU. ValueError, one line, where it is damaged or of other settings."""
    try:
        contents: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        same = contents["config"] == dict(config)
    except Exception as error:  # unpickling damaged bytes can raise anything
        raise ValueError(f"{path}: damaged ({' '.join(str(error).split())[:80]}); delete it to start again") from None
    if not same:
        raise ValueError(f"{path}: of an apprentice with other settings: expected the same, or another folder")
    return contents
