"""A perception in a file: safetensors, which holds numbers and text and runs no code when it is read."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as packed

from priorlab.agents.priors.belief import Perceive
from priorlab.agents.priors.perception import EDITION, Perception, perceiver
from priorlab.agents.priors.settings import Architecture
from priorlab.envs.base.files import read_bytes, writing_new

KIND = "priorlab perception"


def shipped() -> Path:
    """The weights that come with the package: of ``RaiseSettings()``."""
    return Path(__file__).with_name("full.safetensors")


def learned(path: Path | None = None) -> Perceive:
    """What a player perceives that learned it: by the weights in that file, or those that come with the package.

    Raises as ``load`` does. It computes on one thread: more are slower for one small picture.
    """
    torch.set_num_threads(1)
    return perceiver(load(path or shipped())[0])


def save(network: Perception, path: Path, about: dict[str, Any]) -> None:
    """Writes a new file, the same bytes for the same contents; FileExistsError if it exists. ``about``: plain data on
    where the weights come from."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    texts = {"kind": KIND, "edition": EDITION, "architecture": asdict(network.architecture), "about": about}
    data = in_order(packed(tensors, {name: json.dumps(text) for name, text in texts.items()}))
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing_new(path) as file:
        file.write(data)


def in_order(data: bytes) -> bytes:
    """The same safetensors file with its header sorted: the library writes the texts in another order each time."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8:start]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)  # tensors begin at a multiple of 8 bytes
    return len(header).to_bytes(8, "little") + header + data[start:]


def digest(path: Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits; OSError if it can't be read."""
    return hashlib.sha256(read_bytes(path)).hexdigest()


def load(path: Path) -> tuple[Perception, dict[str, Any]]:
    """(the network, ready to believe; what was written about it). ValueError, one line that names the file, for
    anything but a file of ``save`` of this edition; OSError for one that can't be read."""
    read_bytes(path, 1)  # a folder or a pipe is refused here
    try:
        with safe_open(path, "pt") as file:
            texts = {name: json.loads(text) for name, text in (file.metadata() or {}).items()}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no dictionary
        network = Perception(architecture_in(texts))
        check(tensors, network.state_dict())
        network.load_state_dict(tensors)
    except (SafetensorError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path}: damaged, or not a safetensors file ({' '.join(str(error).split())})") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    # so convolutions need not reorder their weights each time
    network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    return network.eval().requires_grad_(False), texts.get("about", {})


def architecture_in(texts: dict[str, Any]) -> Architecture:
    """The network's architecture. ValueError for texts of another kind or edition."""
    if texts.get("kind") != KIND:
        raise ValueError(f"expected the weights of a {KIND}")
    if texts.get("edition") != EDITION:
        raise ValueError(f"weights of edition {texts.get('edition')!r}: expected edition {EDITION}; raise it again")
    return Architecture(**texts["architecture"])


def check(tensors: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    """Raises ValueError for other names, types or shapes than expected, or values that are not finite."""
    if set(tensors) != set(expected):
        raise ValueError(f"holds other tensors: {', '.join(sorted(set(tensors) ^ set(expected))[:3])}, ...")
    for name, like in expected.items():
        found = tensors[name]
        if (found.dtype, found.shape) != (like.dtype, like.shape):
            kinds = [f"{of.dtype} {list(of.shape)}".removeprefix("torch.") for of in (found, like)]
            raise ValueError(f"tensor {name!r} is {kinds[0]}: expected {kinds[1]}")
        if not found.isfinite().all():
            raise ValueError(f"tensor {name!r} holds values that are not finite")
