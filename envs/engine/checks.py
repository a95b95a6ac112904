"""What a reset or a step of games is given, checked before anything changes: seeds, options, actions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from priorlab.envs.game.rules import INPUT_NAMES

RESET_MASK = "reset_mask"


def checked_seed(seed: object) -> int | None:
    """A seed for gymnasium; ValueError for anything but None or a whole number, 0 or more."""
    if seed is None:
        return None
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"seed is {seed!r}: expected None or a whole number, 0 or more")
    return int(seed)


def checked_seeds(seed: object, count: int) -> list[int | None]:
    """One seed per game: seed + i for game i, or those of a list, each None or a whole number, 0 or more."""
    if isinstance(seed, np.ndarray) and seed.ndim != 1:
        raise ValueError(f"seed is an array {seed.shape}: expected a whole number, or a list of {count}, one per game")
    if isinstance(seed, (list, tuple, range, np.ndarray)):
        if len(seed) != count:
            raise ValueError(f"seed lists {len(seed)} values for {count} games: expected one per game")
        return [checked_seed(each) for each in seed]
    first = checked_seed(seed)
    return [None if first is None else first + lane for lane in range(count)]


def checked_options(options: object, known: Sequence[str] = ()) -> Mapping[str, Any]:
    """The options; ValueError names those that are unknown."""
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise ValueError(f"options is {options!r}: expected None or a dict")
    unknown = [name for name in options if name not in known]
    if unknown:
        expected = f"expected {', '.join(known)}" if known else "a game has no options"
        raise ValueError(f"options has {', '.join(map(repr, unknown))}: {expected}")
    return options


def checked_mask(options: object, count: int) -> np.ndarray:
    """bool (count,): which games the options ask to reset; all by default."""
    given = checked_options(options, [RESET_MASK])
    if RESET_MASK not in given:
        return np.ones(count, np.bool_)
    mask = given[RESET_MASK]
    if not isinstance(mask, np.ndarray):
        raise ValueError(f"reset_mask is a {type(mask).__name__}: expected a numpy array, bool ({count},)")
    if mask.dtype != np.bool_ or mask.shape != (count,):
        raise ValueError(f"reset_mask is {mask.dtype} {mask.shape}: expected bool ({count},)")
    if not mask.any():
        raise ValueError("reset_mask is False everywhere: expected at least one game to reset")
    return mask


def checked_actions(
    actions: object, count: int, names: Sequence[str] = INPUT_NAMES, ignored: np.ndarray | None = None
) -> np.ndarray:
    """The actions as int64 (count,), 0 where ``ignored``, bool (count,), is true; ``names``: of all inputs.

    ValueError, one line, says what is wrong.
    """
    array = np.asarray(actions)
    if array.shape != (count,) or array.dtype.kind not in "iu":
        raise ValueError(f"actions are {array.dtype} {array.shape}: expected {count} whole numbers, shape ({count},)")
    if ignored is not None:
        array = np.where(ignored, 0, array)
    if count and (array.min() < 0 or array.max() >= len(names)):
        lane = int(np.flatnonzero((array < 0) | (array >= len(names)))[0])
        known = ", ".join(f"{number} {name}" for number, name in enumerate(names))
        raise ValueError(f"action {array[lane]} of game {lane}: expected 0 to {len(names) - 1} ({known})")
    return np.ascontiguousarray(array, np.int64)
