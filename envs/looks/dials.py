"""The dials of random looks: how much of each prior a look carries, from 0 (none) to 1 (all)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

SPLITS = ("training", "held_out")  # neither shows pictures of the other
DIALS = ("semantics", "objects", "affordance", "similarity")
EDITIONS = (1, 2)


def check_split(split: str) -> None:
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}: expected one of {', '.join(SPLITS)}")


@dataclass(frozen=True)
class Dials:
    """Four probabilities, 0 to 1, with which a random look meets a player's expectations.

    ``semantics``: a role has a picture of its own family; ``objects``: a place next to an object or on a platform is
    free of distractors; ``affordance``: a piece of free space is free of textures; ``similarity``: a thing looks like
    the others of its kind.

    ``edition``: 1, or 2 for the looks of ``envs/looks/second_edition.py``. Edition 2 has two settings for controls that
    are to be misled: ``semantics`` below 0 is the probability that a picture promises the opposite (dangers look like
    treats, goals like dangers), and ``treats``, 0 to 1, is the share of places for harmless things that have a treat.
    Raises ValueError for anything else.
    """

    semantics: float = 1.0
    objects: float = 1.0
    affordance: float = 1.0
    similarity: float = 1.0
    edition: int = 1
    treats: float = 0.0

    def __post_init__(self) -> None:
        if type(self.edition) is not int or self.edition not in EDITIONS:
            raise ValueError(f"edition is {self.edition!r}: expected 1 or 2")
        for name in (*DIALS, "treats"):
            value, least = getattr(self, name), -1 if name == "semantics" and self.edition == 2 else 0
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or math.isnan(value) or not least <= value <= 1:
                raise ValueError(f"{name} is {value!r}: expected a number from {least} to 1")
        if self.treats and self.edition == 1:
            raise ValueError(f"treats is {self.treats!r}: expected 0 in edition 1")

    def values(self) -> dict[str, float]:
        """The four dials by name."""
        return {name: getattr(self, name) for name in DIALS}


def read_dials(values: Mapping[str, Any]) -> Dials:
    """Dials from a mapping of their settings; ValueError, one line, for an unknown name or an invalid value."""
    names = [dial.name for dial in fields(Dials)]
    for name in values:
        if name not in names:
            raise ValueError(f"unknown dial {name!r}: expected {', '.join(names)}")
    return Dials(**values)
