"""Which picture each thing of a look of the second edition has: like things share one as often as the dials say."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from priorlab.envs.looks.dials import Dials
from priorlab.envs.looks.families import ALL_ROLES, Pictures, Style, exemplars_of

STANDING, IN_FLOORS = ("monster", "key", "goal", "door"), ("fire", "spikes")
OBJECTS = np.array([ALL_ROLES.index(role) for role in (*STANDING, *IN_FLOORS)])
PLATFORM, LADDER = ALL_ROLES.index("platform"), ALL_ROLES.index("ladder")
VARIANTS = (2, 5)  # least and most shared pictures of each kind of texture in free space
STRANGE = 0.1  # share of distractors with other pictures than the level's objects have there
KINDS_OF_INLAYS = 2  # shared pictures of inlays, at most
KINDS_OF_SCENERY = 20  # so many that few share one, as few objects do

Streams = Callable[[str], np.random.Generator]


class Casting(NamedTuple):
    """The pictures of one look. ``stream`` begins a stream of random numbers by name; none depends on the dials."""

    dials: Dials
    style: Style
    split: str
    stream: Streams

    def objects(self, roles: np.ndarray) -> tuple[Pictures, Pictures]:
        """The pictures of the things that have ``roles``, int (n,), indices into ALL_ROLES, and the picture that each
        of ALL_ROLES shares."""
        rng, everyone = self.stream("things"), np.arange(len(ALL_ROLES))
        numbers = self.alike(rng, roles, len(everyone))
        found = self.exemplars(rng, np.concatenate([everyone, roles]), np.concatenate([everyone, numbers]))
        return found.take(slice(len(everyone), None)), found.take(slice(len(everyone)))

    def harmless(self, role: str, count: int) -> Pictures:
        """The pictures of ``count`` inlays or pieces of scenery."""
        rng = self.stream(f"{role} pictures")
        most = int(rng.integers(1, KINDS_OF_INLAYS + 1)) if role == "inlay" else KINDS_OF_SCENERY
        numbers = self.alike(rng, rng.integers(most, size=count), most)
        return self.exemplars(rng, np.full(most + count, ALL_ROLES.index(role)), numbers)

    def textures(self, climbed: np.ndarray) -> Pictures:
        """The pictures of pieces of free space; ``climbed``: bool (n,), whether like ladders, or like platforms."""
        rng = self.stream("textures")
        variants = int(rng.integers(VARIANTS[0], VARIANTS[1] + 1))
        numbers = self.alike(rng, rng.integers(variants, size=len(climbed)) + variants * climbed, 2 * variants)
        shared, each = np.repeat([PLATFORM, LADDER], variants), np.where(climbed, LADDER, PLATFORM)
        return self.exemplars(rng, np.concatenate([shared, each]), numbers)

    def distractors(self, sunk: np.ndarray, present: list[str], shared: Pictures) -> Pictures:
        """The pictures of n distractors: those of the objects ``present``, as often as the level has them.

        ``sunk``: bool (n,), whether in a floor; ``shared``: the picture that each of ALL_ROLES shares.
        """
        rng, roles = self.stream("clutter"), np.zeros(len(sunk), int)
        for names, here in ((STANDING, ~sunk), (IN_FLOORS, sunk)):
            found = [role for role in present if role in names] or list(names)
            numbers = np.array([ALL_ROLES.index(role) for role in found])
            roles = np.where(here, numbers[rng.integers(len(found), size=len(sunk))], roles)
        strange, others = rng.random(len(sunk)) < STRANGE, rng.integers(len(OBJECTS), size=len(sunk))
        roles = np.where(strange, OBJECTS[others], roles)
        rng = self.stream("clutter pictures")
        numbers = self.alike(rng, others, len(OBJECTS))
        own = self.exemplars(rng, np.concatenate([OBJECTS, roles]), numbers)
        copied = (numbers < len(OBJECTS)) & ~strange
        return Pictures(*(np.where(copied.reshape(-1, *[1] * (b.ndim - 1)), a[roles], b) for a, b in zip(shared, own)))

    def alike(self, rng: np.random.Generator, kinds: np.ndarray, count: int) -> np.ndarray:
        """int (n,): which exemplar each of n things shows: of ``count`` shared ones that of its kind, with the
        probability of the similarity dial, otherwise its own."""
        return np.where(rng.random(len(kinds)) < self.dials.similarity, kinds, count + np.arange(len(kinds)))

    def exemplars(self, rng: np.random.Generator, roles: np.ndarray, numbers: np.ndarray) -> Pictures:
        """The exemplars with these numbers, of those that have ``roles``."""
        used, which = np.unique(numbers, return_inverse=True)
        return exemplars_of(roles, self.dials, self.style, self.split, rng, used).take(which)
