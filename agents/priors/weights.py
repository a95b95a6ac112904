"""A perception in a file: safetensors, which holds numbers and text and runs no code when it is read.

The format (github.com/huggingface/safetensors): eight bytes, the length of the header; the header, JSON, which gives
each tensor's type, shape and place; then the numbers. All tensors here are float32.
"""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from priorlab.agents.priors.perception import EDITION, Perception
from priorlab.agents.priors.settings import Architecture
from priorlab.envs.base.files import read_bytes, writing_new

KIND = "priorlab perception"
LENGTH, MOST_HEADER = 8, 1 << 20  # bytes


def save(network: Perception, path: Path, about: dict[str, Any]) -> None:
    """Writes a new file; FileExistsError if it exists. ``about``: plain data on where the weights come from."""
    tensors = {name: tensor.detach().cpu().numpy() for name, tensor in sorted(network.state_dict().items())}
    texts = {"kind": KIND, "edition": EDITION, "architecture": asdict(network.architecture), "about": about}
    header: dict[str, Any] = {"__metadata__": {name: json.dumps(text) for name, text in texts.items()}}
    end = 0
    for name, tensor in tensors.items():
        begin, end = end, end + tensor.nbytes
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % LENGTH)
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing_new(path) as file:
        file.write(len(text).to_bytes(LENGTH, "little") + text)
        for tensor in tensors.values():
            file.write(np.ascontiguousarray(tensor, "<f4").tobytes())


def load(path: Path) -> tuple[Perception, dict[str, Any]]:
    """(the network, ready to believe; what was written about it). ValueError, one line that names the file, for
    anything but a file of ``save`` of this edition; OSError for one that can't be read."""
    try:
        header, numbers = parts_of(read_bytes(path))
        texts = {name: json.loads(text) for name, text in header.pop("__metadata__", {}).items()}
        if texts.get("kind") != KIND:
            raise ValueError(f"expected the weights of a {KIND}")
        if texts.get("edition") != EDITION:
            raise ValueError(f"weights of edition {texts.get('edition')!r}: expected edition {EDITION}; raise it again")
        network = Perception(Architecture(**texts["architecture"]))
        expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
        network.load_state_dict(tensors_of(header, numbers, expected))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path}: damaged ({' '.join(str(error).split())})") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return network.eval().requires_grad_(False), texts.get("about", {})


def parts_of(data: bytes) -> tuple[dict[str, Any], bytes]:
    """(the header, the numbers) of a safetensors file. ValueError for anything else."""
    length = int.from_bytes(data[:LENGTH], "little")
    if not 0 < length <= min(MOST_HEADER, len(data) - LENGTH):
        raise ValueError("not a safetensors file")
    try:
        header = json.loads(data[LENGTH : LENGTH + length])
    except ValueError as error:
        raise ValueError(f"not a safetensors file ({error})") from None
    if not isinstance(header, dict):
        raise ValueError("not a safetensors file")
    return header, data[LENGTH + length :]


def tensors_of(header: dict[str, Any], numbers: bytes, expected: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """The tensors with these names and shapes. ValueError for others, or values that are not finite."""
    if set(header) != set(expected):
        raise ValueError(f"holds other tensors: {', '.join(sorted(set(header) ^ set(expected))[:3])}, ...")
    tensors = {}
    for name, shape in expected.items():
        entry, count = header[name], math.prod(shape)
        begin, end = entry["data_offsets"]
        if entry["dtype"] != "F32" or tuple(entry["shape"]) != shape or end - begin != 4 * count:
            raise ValueError(f"tensor {name!r} is {entry['dtype']} {entry['shape']}: expected F32 {list(shape)}")
        if not 0 <= begin <= end <= len(numbers):
            raise ValueError("damaged: it ends too early")
        values = np.frombuffer(numbers, "<f4", count, begin).astype(np.float32).reshape(shape)
        if not np.isfinite(values).all():
            raise ValueError(f"tensor {name!r} holds values that are not finite")
        tensors[name] = torch.from_numpy(values)
    return tensors
