"""The dials of random looks: how much of each prior a look carries, from 0 (none) to 1 (all)."""

import math
from dataclasses import dataclass, fields

SPLITS = ("training", "held_out")  # the pictures of one are never seen in the other


def check_split(split: str) -> None:
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}: expected one of {', '.join(SPLITS)}")


@dataclass(frozen=True)
class Dials:
    """Four probabilities, from 0 to 1, that a look does what a player expects.

    ``semantics``: a role is drawn from its family of pictures; ``objects``: a place next to an object or on a platform
    has no distractor; ``affordance``: a piece of free space has no texture; ``similarity``: a thing looks like the
    others of its role. Raises ValueError for values outside 0 to 1.
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
