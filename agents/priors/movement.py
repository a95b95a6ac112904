"""What a player learned of how it moves, in a file: safetensors, which hold numbers and text and run no code when they
are read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as packed

from priorlab.agents.priors.weights import in_order
from priorlab.envs.base.files import read_bytes, writing_new
from priorlab.envs.game.movement import ABSOLUTE, PARTS, Movement

KIND, EDITION = "priorlab movement", 1
DTYPES = {"parts": np.uint8, "values": np.uint8, "children": np.int32, "ends": np.int32, "kills": np.bool_}
KILLS = 8  # unions of the bits of tiles


def shipped_movement() -> Path:
    """The movement that comes with the package: of ``MovementSettings()``."""
    return Path(__file__).with_name("movement.safetensors")


def save_movement(movement: Movement, path: Path, about: dict[str, Any]) -> None:
    """Writes a new file, the same bytes for the same contents; FileExistsError if it exists. ``about``: plain data on
    where it comes from."""
    texts = {"kind": KIND, "edition": EDITION, "about": about}
    data = in_order(packed(movement._asdict(), {name: json.dumps(text) for name, text in texts.items()}))
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing_new(path) as file:
        file.write(data)


def load_movement(path: Path | None = None) -> Movement:
    """The movement in that file, or the one that comes with the package. ValueError, one line that names the file, for
    anything but a file of ``save_movement`` of this edition; OSError for one that can't be read."""
    path = path or shipped_movement()
    read_bytes(path, 1)  # a folder or a pipe is refused here
    try:
        with safe_open(path, "np") as file:
            texts = {name: json.loads(text) for name, text in (file.metadata() or {}).items()}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no dictionary
    except (SafetensorError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: damaged, or not a safetensors file ({' '.join(str(error).split())})") from None
    if (texts.get("kind"), texts.get("edition")) != (KIND, EDITION):
        raise ValueError(f"{path}: expected a {KIND} of edition {EDITION}: learn it by priorlab movement")
    if {name: array.dtype for name, array in tensors.items()} != DTYPES:
        raise ValueError(f"{path}: damaged: expected arrays {', '.join(DTYPES)} of {KIND}")
    movement = Movement(**tensors)
    if not is_tree(movement):
        raise ValueError(f"{path}: damaged: its nodes are no decision tree")
    return movement


def is_tree(movement: Movement) -> bool:
    """Whether the compiled step can follow it: each node leads to later ones, or tells an end."""
    nodes, children = np.arange(len(movement.ends)), movement.children
    if not len(nodes) or {part.shape for part in movement[:4]} != {nodes.shape} or movement.kills.shape != (KILLS,):
        return False
    follows = (children == 0) | ((children > nodes) & (children < len(nodes) - 1))
    asks, tells = movement.parts < PARTS, (movement.ends >= 0) & (movement.ends < 2 * ABSOLUTE)
    return bool((follows & asks & tells).all())
