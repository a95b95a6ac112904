"""What was learned, in a file: safetensors, which hold numbers and text and run no code when they are read."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as packed

from priorlab.envs.base.files import read_bytes, writing_new

Made = TypeVar("Made")
Arrays = dict[str, np.ndarray]


def write_tensors(path: Path, kind: str, edition: int, arrays: Arrays, texts: Mapping[str, Any]) -> None:
    """Writes a new file, the same bytes for the same contents; FileExistsError if it exists. ``texts``: plain data."""
    words = {name: json.dumps(text) for name, text in {"kind": kind, "edition": edition, **texts}.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing_new(path) as file:
        file.write(in_order(packed(arrays, words)))


def in_order(data: bytes) -> bytes:
    """The same safetensors file with its header sorted: the library writes the texts in another order each time."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8:start]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)  # tensors begin at a multiple of 8 bytes
    return len(header).to_bytes(8, "little") + header + data[start:]


def read_tensors(
    path: Path, kind: str, edition: int, command: str, make: Callable[[dict[str, Any], Arrays], Made]
) -> Made:
    """What ``make`` makes of the texts and arrays of a file of that kind and edition, as ``command`` writes it.

    ValueError, one line that names the file, for any other file, and for what ``make`` refuses; OSError for one that
    can't be read.
    """
    read_bytes(path, 1)  # a folder or a pipe is refused here
    try:
        with safe_open(path, "np") as file:
            texts = {name: json.loads(text) for name, text in (file.metadata() or {}).items()}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no dictionary
        if (texts.get("kind"), texts.get("edition")) != (kind, edition):
            raise ValueError(f"expected a {kind} of edition {edition}: {command} writes one")
        return make(texts, arrays)
    except (SafetensorError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path}: damaged, or not a safetensors file ({' '.join(str(error).split())})") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def check_arrays(arrays: Arrays, expected: Arrays) -> None:
    """Raises ValueError for other names, types or shapes than expected, or values that are not finite."""
    if set(arrays) != set(expected):
        raise ValueError(f"holds other tensors: {', '.join(sorted(set(arrays) ^ set(expected))[:3])}, ...")
    for name, like in expected.items():
        found = arrays[name]
        if (found.dtype, found.shape) != (like.dtype, like.shape):
            kinds = [f"{of.dtype} {list(of.shape)}" for of in (found, like)]
            raise ValueError(f"tensor {name!r} is {kinds[0]}: expected {kinds[1]}")
        if not np.isfinite(found).all():
            raise ValueError(f"tensor {name!r} holds values that are not finite")
