"""Games that are made again get the pictures drawn before: the same as drawn anew, and memory of their own."""

import numpy as np
import pytest

from priorlab.envs.engine import stills
from priorlab.envs.engine.games import Games

SETTINGS = [
    {},
    {"screen_size": 40},
    {"grayscale_obs": True, "screen_size": 40},
    {"version": "gravity", "screen_size": 40},
    {"version": "masked_objects", "look_seed": 1, "screen_size": 40},
    {"version": "masked_objects", "look_seed": 2, "screen_size": 40},
    {"level": ["tower_01", "tower_20", "tower_05"], "screen_size": 24},
]


def drawn(games):
    return [getattr(games.scenes, name) for name in stills.DRAWN]


@pytest.mark.parametrize("room", [stills.KEPT_BYTES, 100_000], ids=["all kept", "few kept"])
def test_pictures_that_were_kept_are_those_drawn_anew_and_nobody_shares_them(monkeypatch, room):
    monkeypatch.setattr(stills, "_kept", type(stills._kept)())
    monkeypatch.setattr(stills, "KEPT_BYTES", room)
    first = [drawn(Games(len(each.get("level", [0])), **each)) for each in SETTINGS]
    again = [drawn(Games(len(each.get("level", [0])), **each)) for each in SETTINGS]
    for one, other in zip(first, again):
        for a, b in zip(one, other):
            assert np.array_equal(a, b) and not np.shares_memory(a, b)
            b[...] = 0  # as if a game drew over its own
    once_more = [drawn(Games(len(each.get("level", [0])), **each)) for each in SETTINGS]
    assert all(np.array_equal(a, b) for one, other in zip(first, once_more) for a, b in zip(one, other))
    kept = sum(each.nbytes for pictures in stills._kept.values() for each in pictures)
    assert kept == stills._kept.total <= room
