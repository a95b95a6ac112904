"""A perception in a file: safetensors, which holds numbers and text and runs no code when it is read."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from priorlab.agents.priors.belief import Perceive
from priorlab.agents.priors.perception import EDITION, Perception, perceiver
from priorlab.agents.priors.settings import Architecture
from priorlab.agents.tensor_files import Arrays, check_arrays, read_tensors, write_tensors
from priorlab.envs.base.files import read_bytes

KIND = "priorlab perception"


def shipped() -> Path:
    """The weights that come with the package: of ``RaiseSettings()``."""
    return Path(__file__).with_name("full.safetensors")


def learned(path: Path | None = None) -> Perceive:
    """What a player perceives that learned it: by the weights in that file, or those that come with the package.

    Raises as ``load`` does. It computes on one thread, whatever torch is set to.
    """
    return perceiver(load(path or shipped())[0])


def save(network: Perception, path: Path, about: dict[str, Any]) -> None:
    """Writes a new file, the same bytes for the same contents; FileExistsError if it exists. ``about``: plain data on
    where the weights come from."""
    texts = {"architecture": asdict(network.architecture), "about": about}
    write_tensors(path, KIND, EDITION, arrays_of(network.state_dict()), texts)


def digest(path: Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits; OSError if it can't be read."""
    return hashlib.sha256(read_bytes(path)).hexdigest()


def load(path: Path) -> tuple[Perception, dict[str, Any]]:
    """(the network, ready to believe; what was written about it). ValueError, one line that names the file, for
    anything but a file of ``save`` of this edition; OSError for one that can't be read."""

    def make(texts: dict[str, Any], arrays: Arrays) -> tuple[Perception, dict[str, Any]]:
        network = Perception(Architecture(**texts["architecture"]))
        take_arrays(network, arrays, network.state_dict())
        # so convolutions need not reorder their weights each time
        network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        return network.eval().requires_grad_(False), texts.get("about", {})

    return read_tensors(path, KIND, EDITION, "priorlab raise", make)


def arrays_of(state: Mapping[str, torch.Tensor]) -> Arrays:
    """The tensors of a network, as files hold them."""
    return {name: tensor.detach().cpu().contiguous().numpy() for name, tensor in state.items()}


def take_arrays(network: nn.Module, arrays: Arrays, expected: Mapping[str, torch.Tensor]) -> None:
    """Puts the arrays into the network, all of whose tensors that are ``expected``. Raises as ``check_arrays``."""
    check_arrays(arrays, arrays_of(expected))
    network.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()}, strict=False)
