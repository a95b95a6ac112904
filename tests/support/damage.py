"""Damage to a log, and what may be read from a log that was damaged."""

import random
from pathlib import Path

from priorlab.envs.plays.events import read_events
from priorlab.envs.plays.sessions import read_session


def damaged(whole: bytes, seed: int) -> bytes:
    """The log after one random mishap: cut, flipped, swapped, doubled or lost bytes or lines."""
    chance = random.Random(seed)
    lines = whole.splitlines(keepends=True)
    place, other = sorted(chance.sample(range(len(whole)), 2))
    line, second = sorted(chance.sample(range(len(lines)), 2))
    kind = chance.randrange(8)
    if kind == 0:
        return whole[:place]
    if kind == 1:
        return whole[:place] + bytes([whole[place] ^ chance.randrange(1, 256)]) + whole[place + 1 :]
    if kind == 2:
        swapped = bytearray(whole)
        swapped[place], swapped[other] = whole[other], whole[place]
        return bytes(swapped)
    if kind == 3:
        return whole[:place] + whole[other:]
    if kind == 4:
        return b"".join([*lines[:line], lines[second], *lines[line + 1 : second], lines[line], *lines[second + 1 :]])
    if kind == 5:
        return b"".join([*lines[:line], *lines[line + 1 :]])
    if kind == 6:
        return b"".join([*lines[: line + 1], *lines[line:]])
    return whole[:place] + bytes(chance.randrange(256) for _ in range(chance.randrange(1, 40))) + whole[place:]


def told(path: Path, whole: Path) -> str:
    """Asserts that the damaged log is refused in one line, or tells a beginning of what the whole one tells; which."""
    try:
        plays, events = read_session(path), read_events(path).events
    except ValueError as error:
        assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
        return "refused"
    truth = read_events(whole).events
    assert events == truth[: len(events)]
    for found, expected in zip(plays, read_session(whole), strict=False):
        count = len(found.play.inputs)
        assert expected.play.inputs[:count] == found.play.inputs
        assert (found.play.states == expected.play.states[: count + 1]).all()  # type: ignore
        assert found.play.unfinished or found.play == expected.play
    return "a beginning"
