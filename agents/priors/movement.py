"""What a player learned of how it moves, in a file."""

from pathlib import Path
from typing import Any

import numpy as np

from priorlab.agents.tensor_files import Arrays, read_tensors, write_tensors
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
    write_tensors(path, KIND, EDITION, movement._asdict(), {"about": about})


def load_movement(path: Path | None = None) -> Movement:
    """The movement in that file, or the one that comes with the package. ValueError, one line that names the file, for
    anything but a file of ``save_movement`` of this edition; OSError for one that can't be read."""
    return read_tensors(path or shipped_movement(), KIND, EDITION, "priorlab movement", movement_of)


def movement_of(texts: dict[str, Any], arrays: Arrays) -> Movement:
    if {name: array.dtype for name, array in arrays.items()} != DTYPES:
        raise ValueError(f"damaged: expected arrays {', '.join(DTYPES)} of {KIND}")
    movement = Movement(**arrays)
    if not is_tree(movement):
        raise ValueError("damaged: its nodes are no decision tree")
    return movement


def is_tree(movement: Movement) -> bool:
    """Whether the compiled step can follow it: each node leads to later ones, or tells an end."""
    nodes, children = np.arange(len(movement.ends)), movement.children
    if not len(nodes) or {part.shape for part in movement[:4]} != {nodes.shape} or movement.kills.shape != (KILLS,):
        return False
    follows = (children == 0) | ((children > nodes) & (children < len(nodes) - 1))
    asks, tells = movement.parts < PARTS, (movement.ends >= 0) & (movement.ends < 2 * ABSOLUTE)
    return bool((follows & asks & tells).all())
