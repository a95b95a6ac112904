"""The dials of random looks: how much of each prior a look carries, from 0 (none) to 1 (all)."""

import math
from dataclasses import dataclass, fields

SPLITS = ("training", "held_out")  # neither shows pictures of the other


def check_split(split: str) -> None:
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}: expected one of {', '.join(SPLITS)}")


@dataclass(frozen=True)
class Dials:
    """Four probabilities, 0 to 1, with which a random look meets a player's expectations.

    ``semantics``: a role has a picture of its own family; ``objects``: a place next to an object or on a platform is
    free of distractors; ``affordance``: a piece of free space is free of textures; ``similarity``: a thing looks like
    the others of its kind. Raises ValueError for anything else.
    """

    semantics: float = 1.0
    objects: float = 1.0
    affordance: float = 1.0
    similarity: float = 1.0

    def __post_init__(self) -> None:
        for dial in fields(self):
            value = getattr(self, dial.name)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or math.isnan(value) or not 0 <= value <= 1:
                raise ValueError(f"{dial.name} is {value!r}: expected a number from 0 to 1")
