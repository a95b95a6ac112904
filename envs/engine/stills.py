"""A scene's pictures of what never moves: drawing them costs more than a thousand steps, so the latest are kept for
games that are made again, as single environments of a batch are."""

from collections import OrderedDict
from hashlib import blake2b
from threading import Lock

import numpy as np

from priorlab.envs.engine.draw import Scenes, Scratch, draw_still_pictures
from priorlab.envs.game.rules import FIELDS, begin

DRAWN = ("starts", "empty", "patches", "patrols")  # what ``draw_still_pictures`` fills of a scene
READ = (
    "numbers", "tiles", "monsters", "native", "sprites", "holes", "first", "weights", "inverse", "patch_row",
    "patch_byte", "kinds",
)  # fmt: skip
KEPT_BYTES = 32 << 20


class Kept(OrderedDict[bytes, tuple[np.ndarray, ...]]):
    """Pictures by everything they depend on, the latest last; ``total``: bytes of all."""

    total = 0

    def add(self, key: bytes, pictures: tuple[np.ndarray, ...], most: int) -> None:
        """Lets those go that were used longest ago, until all take at most ``most`` bytes."""
        self.total += size_of(pictures) - size_of(self.get(key, ()))  # another thread may have drawn them, too
        self[key] = pictures
        while self.total > most:
            self.total -= size_of(self.popitem(last=False)[1])


def size_of(pictures: tuple[np.ndarray, ...]) -> int:
    return sum(each.nbytes for each in pictures)


_kept = Kept()
_lock = Lock()


def fill_still_pictures(scenes: Scenes, k: int, scratch: Scratch) -> None:
    """Fills scene ``k`` with its still pictures: copies where equal ones are kept, so that scenes share no memory."""
    key = key_of(scenes, k)
    targets = [getattr(scenes, name)[k] for name in DRAWN]
    with _lock:
        kept = _kept.get(key)
        if kept is not None:
            _kept.move_to_end(key)
    if kept is not None:
        for target, picture in zip(targets, kept):
            target[...] = picture
        return
    state = np.zeros(FIELDS, np.int32)
    begin(scenes.numbers[k], state)
    draw_still_pictures(scenes, k, state, np.zeros_like(scenes.empty[k]), scratch)
    pictures = tuple(target.copy() for target in targets)
    with _lock:
        _kept.add(key, pictures, KEPT_BYTES)


def key_of(scenes: Scenes, k: int) -> bytes:
    """A hash of all that the still pictures of scene ``k`` are drawn from, and of their shapes."""
    digest = blake2b(repr([getattr(scenes, name).shape[1:] for name in (*READ, *DRAWN)]).encode(), digest_size=32)
    for name in READ:
        digest.update(getattr(scenes, name)[k].tobytes())
    return digest.digest()
